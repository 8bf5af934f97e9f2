/** A searchable term and where it stands in the text, in UTF-16 code units: [start, end). */
export interface Token {
  term: string
  start: number
  end: number
}

/** What a person means by one word of a query. */
export interface QueryWord {
  /** The word as it was written; null where only its parts are terms (Chinese, Japanese). */
  whole: string | null
  /** Its smallest parts; one that equals `whole` when it has none. */
  parts: string[]
}

/** Letters, digits and underscores, with dots and hyphens inside: `per_device_train_batch_size`, `train.py`, `5e-5`. */
const RUN = /[\p{L}\p{M}\p{N}_]+(?:[.-][\p{L}\p{M}\p{N}_]+)*/gu
const PLAIN = /^[a-z]+$/
const NUMBER = /^\p{N}+(?:\.\p{N}+)*$/u
const SEGMENT = /[^.-]+/g
const WORD = /[^_]+/g
/** loadDataset, HTTPServer, Qwen3 stays whole. */
const CAMEL = /(?<=[\p{Ll}\p{N}])(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})/u
/** Written without spaces between words: pairs of characters are the terms. */
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u
const ASCII = /^[ -~]*$/
const ACCENTS = /[\u0300-\u036f]/g
/** Longer runs are hashes, base64 and the like: their parts are still found. */
const MAX_TERM_CHARS = 80

/** Every term of a text, those inside a longer one after it. */
export function tokens(text: string): Token[] {
  const found: Token[] = []
  for (const match of text.matchAll(RUN)) addRun(found, match[0], match.index)
  return found
}

/** The terms alone, for the index. */
export function tokenize(text: string): string[] {
  return tokens(text).map(({ term }) => term)
}

/** The words of a query. */
export function queryWords(text: string): QueryWord[] {
  return Array.from(text.matchAll(RUN), ([run]) => {
    const found: Token[] = []
    addRun(found, run, 0)
    const smallest = found.filter(
      (a) => !found.some((b) => b !== a && b.start >= a.start && b.end <= a.end && inside(b, a)),
    )
    const whole = found.find(({ start, end }) => start === 0 && end === run.length)?.term ?? null
    return { whole, parts: [...new Set((smallest.length > 0 ? smallest : found).map(({ term }) => term))] }
  }).filter(({ whole, parts }) => whole !== null || parts.length > 0)
}

function inside(inner: Token, outer: Token): boolean {
  return inner.end - inner.start < outer.end - outer.start
}

/** Lower case, without the accents of Latin, Greek and Cyrillic letters. */
export function fold(text: string): string {
  const lower = text.toLowerCase()
  return ASCII.test(lower) ? lower : lower.normalize('NFKD').replace(ACCENTS, '').normalize('NFC')
}

function addRun(found: Token[], run: string, start: number): void {
  const add = (piece: string, at: number): void => {
    const term = piece.length <= MAX_TERM_CHARS ? fold(piece) : ''
    if (term) found.push({ term, start: at, end: at + piece.length })
  }
  if (PLAIN.test(run)) {
    add(run, start)
    return
  }
  if (UNSPACED.test(run)) {
    addPairs(found, run, start)
    return
  }
  add(run, start)
  if (NUMBER.test(run)) return
  for (const segment of run.matchAll(SEGMENT)) {
    const at = start + segment.index
    if (segment[0].length < run.length) add(segment[0], at)
    for (const word of segment[0].matchAll(WORD)) {
      if (word[0].length < segment[0].length) add(word[0], at + word.index)
      addCamel(word[0], at + word.index, add)
    }
  }
}

function addCamel(word: string, start: number, add: (piece: string, at: number) => void): void {
  const pieces = word.split(CAMEL)
  if (pieces.length < 2) return
  let at = start
  for (const piece of pieces) {
    add(piece, at)
    at += piece.length
  }
}

/** `机器学习` -> 机器 器学 学习; what is not such a script stands between as it is. */
function addPairs(found: Token[], run: string, start: number): void {
  let at = start
  let before: { char: string; at: number } | null = null
  let alone = true
  let other = ''
  const endOther = (): void => {
    if (other) addRun(found, other, at - other.length)
    other = ''
  }
  const endPairs = (): void => {
    if (before && alone) found.push({ term: before.char, start: before.at, end: before.at + before.char.length })
    before = null
    alone = true
  }
  for (const char of run) {
    if (!UNSPACED.test(char)) {
      endPairs()
      other += char
    } else {
      endOther()
      if (before) {
        const pair: { char: string; at: number } = before
        found.push({ term: pair.char + char, start: pair.at, end: at + char.length })
        alone = false
      }
      before = { char, at }
    }
    at += char.length
  }
  endOther()
  endPairs()
}
