import { setImmediate as nextTurn } from 'node:timers/promises'
import { dominantEol, toLf, withEol } from './text'

export interface EditRequest {
  content: string
  old_str: string
  new_str: string
  mode: string
  replace_all: boolean
}

export type EditOutcome =
  | {
      ok: true
      content: string
      replacements: number
      /** How it matched, when not exactly. */
      note: string | null
      /** Line numbers of the changed places, from 1. */
      lines: number[]
      /** Places that matched; more than `replacements` when only the first was changed. */
      matches: number
    }
  | {
      ok: false
      error: 'not_found' | 'ambiguous' | 'unknown_mode' | 'empty_old_str'
      match_count: number | null
      lines: number[]
    }

/** Offsets in the text with line feeds only. */
interface Range {
  start: number
  end: number
}

/** In larger texts every pass takes milliseconds: others get their turn in between. */
const LARGE_CHARS = 100_000

const MODES = new Set(['replace', 'append_after', 'prepend_before'])

/**
 * Changes a text where `old_str` stands. Looks for it exactly, anywhere; then, as whole lines only, without trailing
 * whitespace, without whitespace at both ends, and with typographic characters made plain. Only what matched is
 * replaced, every other byte stays as it is; line endings do not matter for the match, and inserted lines get the file's.
 */
export async function applyEdit(request: EditRequest): Promise<EditOutcome> {
  const { content, old_str, new_str, mode, replace_all } = request
  if (!MODES.has(mode)) return { ok: false, error: 'unknown_mode', match_count: null, lines: [] }
  const wanted = toLf(old_str)
  if (wanted === '') return { ok: false, error: 'empty_old_str', match_count: null, lines: [] }
  const text = toLf(content)

  const { ranges, note } = await findRanges(text, wanted)
  if (ranges.length === 0) return { ok: false, error: 'not_found', match_count: null, lines: [] }
  const lines = lineNumbers(text, ranges)
  if (mode === 'replace' && ranges.length > 1 && !replace_all) {
    return { ok: false, error: 'ambiguous', match_count: ranges.length, lines }
  }
  // Inserting needs one anchor: the first, as the reference does.
  const chosen = replace_all ? ranges : ranges.slice(0, 1)
  const places = chosen.map(({ start, end }): Range => {
    if (mode === 'append_after') return { start: end, end }
    return mode === 'prepend_before' ? { start, end: start } : { start, end }
  })
  const insert = withEol(new_str, dominantEol(content))
  return {
    ok: true,
    content: splice(content, toRawOffsets(content, places), insert),
    replacements: chosen.length,
    note,
    lines: lines.slice(0, chosen.length),
    matches: ranges.length,
  }
}

async function findRanges(text: string, wanted: string): Promise<{ ranges: Range[]; note: string | null }> {
  const exact = findExact(text, wanted)
  if (exact.length > 0) return { ranges: exact, note: null }
  const lines = splitLines(text)
  for (const { plain, note } of LINE_PASSES) {
    if (text.length > LARGE_CHARS) await nextTurn()
    const ranges = findWholeLines(lines, wanted, plain)
    if (ranges.length > 0) return { ranges, note }
  }
  return { ranges: [], note: null }
}

function findExact(text: string, wanted: string): Range[] {
  const ranges: Range[] = []
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + wanted.length)) {
    ranges.push({ start: at, end: at + wanted.length })
  }
  return ranges
}

const LINE_PASSES: { plain: (line: string) => string; note: string }[] = [
  { plain: (line) => line.trimEnd(), note: '(matched after trimming trailing whitespace)' },
  { plain: (line) => line.trim(), note: '(matched after trimming whitespace)' },
  { plain: (line) => normalizeUnicode(line).trim(), note: '(matched after unicode normalization)' },
]

const PLAIN_CHARACTERS: Record<string, string> = {
  '\u2013': '-',
  '\u2014': '-',
  '\u2212': '-',
  '\u2018': "'",
  '\u2019': "'",
  '\u201c': '"',
  '\u201d': '"',
  '\u00a0': ' ',
  '\u2003': ' ',
  '\u2002': ' ',
  '\u200b': '',
  '\ufeff': '',
}
const TYPOGRAPHIC = new RegExp(`[${Object.keys(PLAIN_CHARACTERS).join('')}]`, 'g')

export function normalizeUnicode(text: string): string {
  return text.replace(TYPOGRAPHIC, (char) => PLAIN_CHARACTERS[char] ?? char)
}

interface Line extends Range {
  text: string
}

/** `end` is behind the line feed; the last line may have none. */
function splitLines(text: string): Line[] {
  let start = 0
  const lines = text.split('\n').map((line): Line => {
    const end = Math.min(start + line.length + 1, text.length)
    const found = { text: line, start, end }
    start = end
    return found
  })
  // Behind the last line feed there is no line.
  return text.endsWith('\n') ? lines.slice(0, -1) : lines
}

function findWholeLines(lines: Line[], wanted: string, plain: (line: string) => string): Range[] {
  const withEnd = wanted.endsWith('\n')
  const pattern = (withEnd ? wanted.slice(0, -1) : wanted).split('\n').map(plain)
  // Blank lines match everywhere when trimmed: they alone are no place.
  if (pattern.every((line) => line === '')) return []
  const compared = lines.map((line) => plain(line.text))
  const ranges: Range[] = []
  for (let at = 0; at + pattern.length <= lines.length; at += 1) {
    if (!pattern.every((line, i) => line === compared[at + i])) continue
    const last = lines[at + pattern.length - 1]
    if (!last) break
    ranges.push({ start: lines[at]?.start ?? 0, end: withEnd ? last.end : last.start + last.text.length })
    at += pattern.length - 1
  }
  return ranges
}

function lineNumbers(text: string, ranges: Range[]): number[] {
  let line = 1
  let at = 0
  return ranges.map(({ start }) => {
    for (let next = text.indexOf('\n', at); next >= 0 && next < start; next = text.indexOf('\n', at)) {
      line += 1
      at = next + 1
    }
    return line
  })
}

/** From offsets in the text with line feeds to offsets in the raw text: every `\r\n` before one shifts it by one. */
function toRawOffsets(raw: string, ranges: Range[]): Range[] {
  let shift = 0
  let next = raw.indexOf('\r\n')
  const toRaw = (offset: number) => {
    while (next >= 0 && next - shift < offset) {
      shift += 1
      next = raw.indexOf('\r\n', next + 2)
    }
    return offset + shift
  }
  return ranges.map(({ start, end }) => ({ start: toRaw(start), end: toRaw(end) }))
}

function splice(text: string, ranges: Range[], insert: string): string {
  const parts: string[] = []
  let at = 0
  for (const { start, end } of ranges) {
    parts.push(text.slice(at, start), insert)
    at = end
  }
  parts.push(text.slice(at))
  return parts.join('')
}

/** A hint needs no more of a file than this. */
const MAX_HINT_CHARS = 200_000

/** Lines that resemble the first line of a text that was not found: a hint where to look. At most three. */
export function nearestLines(content: string, old_str: string): { line: number; text: string }[] {
  const first = toLf(old_str)
    .split('\n')
    .find((line) => line.trim() !== '')
  const wanted = squeeze(first ?? '')
  if (wanted.length < 3) return []
  const found: { line: number; text: string }[] = []
  for (const [index, text] of toLf(content.slice(0, MAX_HINT_CHARS)).split('\n').entries()) {
    const line = squeeze(text)
    if (line.length < 3 || !(line.includes(wanted) || wanted.includes(line))) continue
    found.push({ line: index + 1, text })
    if (found.length === 3) break
  }
  return found
}

function squeeze(line: string): string {
  return normalizeUnicode(line).replace(/\s+/g, ' ').trim()
}
