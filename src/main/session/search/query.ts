import type { Query, QueryCombination } from 'minisearch'
import type { FullText, Match } from './full-text'
import { type QueryWord, queryWords } from './tokens'

/** Words in quotes belong together, in this order. Typographic quotes are what some keyboards make. */
const PHRASE = /["“”„]([^"“”„]*)["“”„]/g
const WORD_CHAR = /[\p{L}\p{M}\p{N}_]/u
/** Below this a changed letter makes another word. */
const MIN_FUZZY_CHARS = 4
/** Share of the letters that may differ. */
const FUZZY = 0.2
const MAX_FUZZY = 2
const ASCII = /^[ -~]*$/

export interface ParsedQuery {
  words: QueryWord[]
  /** Lower case, single spaces. */
  phrases: string[]
}

export function parseQuery(text: string): ParsedQuery {
  const phrases = Array.from(text.matchAll(PHRASE), ([, phrase = '']) => phraseForm(phrase).trim())
  return { words: queryWords(text.replace(PHRASE, ' ')), phrases: phrases.filter((phrase) => phrase !== '') }
}

/** As texts are compared with phrases. */
export function phraseForm(text: string): string {
  return text.toLowerCase().replace(/\s+/g, ' ')
}

/**
 * The documents that match, best first: all words, the last one also as a beginning; where nothing has all of them, the
 * last one with a mistake; where still nothing does, any of them. Phrases always have to be there.
 */
export function findMatches(index: FullText, { words, phrases }: ParsedQuery): Match[] {
  const fixed = phrases.flatMap(phraseQuery)
  const keep = (matches: Match[]): Match[] => matches.filter(({ doc }) => hasPhrases(doc.text, phrases))
  if (words.length === 0) {
    if (phrases.length === 0) return []
    return keep(fixed.length > 0 ? index.search(all(fixed)) : [...index.all()])
  }
  for (const fuzzy of [false, true]) {
    const found = keep(
      index.search(all([...fixed, ...words.map((word, at) => wordQuery(word, at === words.length - 1, fuzzy))])),
    )
    if (found.length > 0) return found
  }
  if (words.length === 1) return []
  const any = words.map((word, at) => wordQuery(word, at === words.length - 1, true))
  return keep(index.search(all([...fixed, { combineWith: 'OR', queries: any }])))
}

/** Where a phrase stands, from `from` on; -1: nowhere. It begins and ends with whole words. */
export function indexOfPhrase(text: string, phrase: string, from = 0): number {
  for (let at = text.indexOf(phrase, from); at >= 0; at = text.indexOf(phrase, at + 1)) {
    const end = at + phrase.length
    if (!joined(text[at - 1], phrase[0]) && !joined(phrase.at(-1), text[end])) return at
  }
  return -1
}

function joined(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && WORD_CHAR.test(a) && WORD_CHAR.test(b)
}

function hasPhrases(text: string, phrases: readonly string[]): boolean {
  if (phrases.length === 0) return true
  const form = phraseForm(text)
  return phrases.every((phrase) => indexOfPhrase(form, phrase) >= 0)
}

function all(queries: Query[]): QueryCombination {
  return { combineWith: 'AND', queries }
}

/** The smallest parts only: a phrase may begin or end inside of what is one term in the text. */
function phraseQuery(phrase: string): Query[] {
  return queryWords(phrase).flatMap(({ parts }) => parts)
}

function wordQuery({ whole, parts }: QueryWord, last: boolean, mistakes: boolean): Query {
  const leaf = (term: string, end: boolean): QueryCombination => {
    const fuzzy = end && mistakes && term.length >= MIN_FUZZY_CHARS
    return {
      combineWith: 'OR',
      queries: [term],
      // One letter is the beginning of too much to mean anything.
      prefix: end && (term.length > 1 || !ASCII.test(term)),
      fuzzy: fuzzy ? FUZZY : false,
      maxFuzzy: MAX_FUZZY,
    }
  }
  const pieces = all(parts.map((part, at) => leaf(part, last && at === parts.length - 1)))
  if (whole === null || (parts.length === 1 && parts[0] === whole)) return pieces
  return { combineWith: 'OR', queries: [leaf(whole, last), pieces] }
}
