import { isHighSurrogate } from '../../workspace/output'
import { indexOfPhrase, phraseForm } from './query'
import { tokens } from './tokens'

/** Characters before and after the first match. */
const BEFORE = 60
const AFTER = 120
/** A cut moves at most this far to the next space. */
const TO_SPACE = 16
const ELLIPSIS = '…'

export interface Snippet {
  snippet: string
  marks: [number, number][]
}

/** The text around the first match in one line, and where the matches stand in it. */
export function snippetOf(text: string, terms: ReadonlySet<string>, phrases: readonly string[]): Snippet {
  const at = firstMatch(text, terms, phrases)
  const start = cutBefore(text, Math.max(0, at - BEFORE))
  const end = cutAfter(text, Math.min(text.length, at + AFTER))
  const body = text
    .slice(start, end)
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
  const snippet = `${start > 0 ? ELLIPSIS : ''}${body}${end < text.length ? ELLIPSIS : ''}`
  return { snippet, marks: marksIn(snippet, terms, phrases) }
}

function firstMatch(text: string, terms: ReadonlySet<string>, phrases: readonly string[]): number {
  // Lower case may be longer than the text (İ): then the place is near enough, and the marks are found anew.
  const form = text.toLowerCase().replace(/\s/g, ' ')
  for (const phrase of phrases) {
    const at = indexOfPhrase(form, phrase)
    if (at >= 0) return at
  }
  return tokens(text).find(({ term }) => terms.has(term))?.start ?? 0
}

function cutBefore(text: string, at: number): number {
  if (at === 0) return 0
  const space = text.slice(at, at + TO_SPACE).search(/\s/)
  if (space >= 0) return at + space
  return isHighSurrogate(text[at - 1]) ? at - 1 : at
}

function cutAfter(text: string, at: number): number {
  if (at === text.length) return at
  const before = text.slice(Math.max(0, at - TO_SPACE), at)
  const space = before.search(/\s\S*$/)
  if (space >= 0) return at - before.length + space
  return isHighSurrogate(text[at - 1]) ? at - 1 : at
}

function marksIn(snippet: string, terms: ReadonlySet<string>, phrases: readonly string[]): [number, number][] {
  const found = tokens(snippet).flatMap(({ term, start, end }): [number, number][] =>
    terms.has(term) ? [[start, end]] : [],
  )
  const form = phraseForm(snippet)
  // Where lower case has another length the places would be wrong.
  for (const phrase of form.length === snippet.length ? phrases : []) {
    for (let at = indexOfPhrase(form, phrase); at >= 0; at = indexOfPhrase(form, phrase, at + phrase.length)) {
      found.push([at, at + phrase.length])
    }
  }
  found.sort(([a], [b]) => a - b)
  const marks: [number, number][] = []
  for (const [start, end] of found) {
    const last = marks.at(-1)
    if (last && start <= last[1]) last[1] = Math.max(last[1], end)
    else marks.push([start, end])
  }
  return marks
}
