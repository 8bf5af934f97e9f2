import { widthOf } from '../headless/style'

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
/** What a person sees as one character may be several: a letter with its accents, an emoji with its skin tone. */
export function graphemes(text: string): string[] {
  // By far the most text needs no segmenter, which is slow.
  return isPlain(text) ? text.split('') : Array.from(segmenter.segment(text), ({ segment }) => segment)
}

function isPlain(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) >= 0x300) return false
  return true
}

/** Columns of one grapheme: an emoji that is put together of several takes two, as one does. */
export function graphemeWidth(grapheme: string): number {
  if (grapheme === '\t') return 2
  if (grapheme.includes('\ufe0f')) return 2
  return Math.min(2, widthOf(grapheme))
}

/** Where the grapheme before `at` begins. */
export function previous(text: string, at: number): number {
  // A line is enough to look at: no grapheme holds a line end.
  const from = text.lastIndexOf('\n', at - 1)
  if (from === at - 1) return Math.max(0, at - 1)
  const last = graphemes(text.slice(from + 1, at)).at(-1) ?? ''
  return at - last.length
}

/** Where the grapheme at `at` ends. */
export function next(text: string, at: number): number {
  if (at >= text.length) return text.length
  if (text[at] === '\n') return at + 1
  const to = text.indexOf('\n', at)
  const first = graphemes(text.slice(at, to < 0 ? undefined : to))[0] ?? ''
  return at + first.length
}

const WORD = /[\p{L}\p{N}\p{M}_]/u

/** Where the word before `at` begins. `byBlank`: a word is everything up to white space. */
export function wordBefore(text: string, at: number, byBlank = false): number {
  const inWord = (index: number): boolean => (byBlank ? /\S/ : WORD).test(text[index] ?? '')
  let to = at
  while (to > 0 && !inWord(to - 1)) to--
  while (to > 0 && inWord(to - 1)) to--
  return to
}

export function wordAfter(text: string, at: number): number {
  const inWord = (index: number): boolean => WORD.test(text[index] ?? '')
  let to = at
  while (to < text.length && !inWord(to)) to++
  while (to < text.length && inWord(to)) to++
  return to
}

export function lineStart(text: string, at: number): number {
  return at === 0 ? 0 : text.lastIndexOf('\n', at - 1) + 1
}

export function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at)
  return end < 0 ? text.length : end
}
