/**
 * Cuts a reply into pieces that are drawn, measured and forgotten on their own: a long reply costs what is on screen,
 * and while it streams only its last piece is parsed again. A finished piece never changes when text is appended, so
 * the pieces of the stream and of the finished reply are the same.
 */
export interface Segment {
  kind: 'markdown' | 'code'
  /** Offset of the piece in the reply, in UTF-16 code units: its identity. */
  start: number
  /** Offset behind the piece: the next one's start. */
  end: number
  /** Markdown source; for code the text between the fences. */
  text: string
  /** Language of the fence; empty for Markdown. */
  lang: string
  /** Drawn without a gap to the piece before: the cut is ours, not the author's. */
  joined: boolean
  /** The opening fence line is not whole yet, so this may still turn out to be no fence. */
  provisional: boolean
}

/** Shorter replies without fences stay whole: most messages, so opening a long session does not scan them. */
export const SOFT_LIMIT = 1_500
/** A piece without a good place to cut is cut anyway: parsing this much Markdown again each frame is affordable. */
export const HARD_LIMIT = 6_000

const FENCE = /^( {0,3})(`{3,}|~{3,})(.*)$/
const NESTED_FENCE = /^\s*(?:[-*+]\s+|\d{1,9}[.)]\s+|>\s?)*(`{3,}|~{3,})/
const LIST_ITEM = /^ {0,3}(?:[-*+]|\d{1,9}[.)])(?:[ \t]|$)/
const HEADING = /^#{1,6}(?:[ \t]|$)/
const TABLE_DELIMITER = /^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/

export function segmentText(text: string): Segment[] {
  if (text.length <= SOFT_LIMIT && !text.includes('```') && !text.includes('~~~')) {
    return text.trim() ? [markdown(text, 0, text.length, '', false)] : []
  }
  return scan(text, 0, '', false)
}

/** The pieces of `text`, which continues `before.text`; pieces that are finished keep their identity. */
export function extendSegments(before: Segmented | null, text: string): Segmented {
  if (before?.text === text) return before
  if (!before || !text.startsWith(before.text)) return { text, segments: segmentText(text) }
  const last = before.segments.length - 1
  const keep = before.segments[last]?.provisional ? last - 1 : last
  const from = before.segments[keep]
  if (!from || keep <= 0) return { text, segments: segmentText(text) }
  const lead = from.kind === 'markdown' ? from.text.slice(0, from.text.length - (from.end - from.start)) : ''
  return { text, segments: [...before.segments.slice(0, keep), ...scan(text, from.start, lead, from.joined)] }
}

export interface Segmented {
  text: string
  segments: Segment[]
}

function markdown(text: string, start: number, end: number, lead: string, joined: boolean): Segment {
  const own = text.slice(start, end)
  return { kind: 'markdown', start, end, text: lead + own, lang: '', joined, provisional: false }
}

function scan(text: string, from: number, firstLead: string, firstJoined: boolean): Segment[] {
  const segments: Segment[] = []
  let at = from
  let lead = firstLead
  let joined = firstJoined
  while (at < text.length) {
    const fence = fenceAt(text, at)
    if (fence) {
      const code = codeSegment(text, at, fence)
      segments.push(code)
      at = code.end
      lead = ''
      joined = false
      continue
    }
    const cut = markdownEnd(text, at, lead)
    const piece = markdown(text, at, cut.end, lead, joined)
    if (piece.text.trim()) segments.push(piece)
    at = cut.end
    lead = cut.lead
    joined = cut.joined
  }
  return segments
}

interface Fence {
  marker: string
  indent: number
  info: string
  /** Offset of the line after the fence; -1 while the line is not whole. */
  next: number
}

function fenceAt(text: string, at: number): Fence | null {
  const newline = text.indexOf('\n', at)
  const line = text.slice(at, newline < 0 ? text.length : newline)
  const match = FENCE.exec(line.trimEnd())
  const marker = match?.[2] ?? ''
  const info = match?.[3] ?? ''
  // Inline code may start with three backticks too; then a backtick follows on the same line.
  if (!match || (marker.startsWith('`') && info.includes('`'))) return null
  return { marker, indent: match[1]?.length ?? 0, info: info.trim(), next: newline < 0 ? -1 : newline + 1 }
}

function codeSegment(text: string, start: number, fence: Fence): Segment {
  const base = { kind: 'code' as const, start, joined: false, lang: languageOf(fence.info) }
  if (fence.next < 0) return { ...base, end: text.length, text: '', lang: '', provisional: true }
  const closing = new RegExp(
    `(?:^|\\n) {0,3}[${fence.marker.charAt(0)}]{${fence.marker.length},}[ \\t\\r]*(?=\\n|$)`,
    'g',
  )
  closing.lastIndex = Math.max(fence.next - 1, start)
  const match = closing.exec(text)
  const whole = match !== null && match.index + match[0].length < text.length
  if (match && whole) {
    const end = match.index + match[0].length + 1
    return { ...base, end, text: dedent(text.slice(fence.next, match.index), fence.indent), provisional: false }
  }
  // A closing fence that is being written is not shown as code.
  const lastLine = Math.max(fence.next, text.lastIndexOf('\n') + 1)
  const closes =
    /^ {0,3}(?:`+|~+)\s*$/.test(text.slice(lastLine)) && text.slice(lastLine).includes(fence.marker.charAt(0))
  const body = text.slice(fence.next, closes ? Math.max(fence.next, lastLine - 1) : text.length)
  return { ...base, end: text.length, text: dedent(body, fence.indent), provisional: false }
}

function dedent(code: string, indent: number): string {
  return indent === 0 ? code : code.replace(new RegExp(`^ {1,${indent}}`, 'gm'), '')
}

function languageOf(info: string): string {
  return (/^[^\s{]*/.exec(info)?.[0] ?? '').toLowerCase()
}

interface Cut {
  end: number
  lead: string
  joined: boolean
}

/** Where a piece of Markdown that starts at `start` ends: a decision that appended text never changes. */
function markdownEnd(text: string, start: number, lead: string): Cut {
  let nested = ''
  let inList = false
  let afterBlank = false
  let previous = ''
  let table = lead
  let line = start
  while (line < text.length) {
    const newline = text.indexOf('\n', line)
    const end = newline < 0 ? text.length : newline
    if (end - line > HARD_LIMIT) {
      return line > start ? { end: line, lead: '', joined: !afterBlank } : cutLongLine(text, start)
    }
    const content = text.slice(line, end)
    const blank = content.trim() === ''
    const flush = /^\S/.test(content)
    // Text that leaves the list item or the quotation closes the fence inside it.
    if (nested && flush && !content.startsWith('>') && !content.startsWith(nested)) nested = ''
    if (nested) {
      if (NESTED_FENCE.exec(content)?.[1]?.startsWith(nested)) nested = ''
    } else if (!blank) {
      const item = LIST_ITEM.test(content)
      if (afterBlank && flush && !item) inList = false
      if (line > start) {
        const fence = inList && !flush ? null : fenceAt(text, line)
        if (fence) return { end: line, lead: '', joined: false }
        // Only a whole line can be judged: "1" may become "1." while it is being written.
        if (newline >= 0) {
          const size = line - start
          const fresh = (afterBlank && flush && !item && !inList) || HEADING.test(content)
          if (fresh && size >= SOFT_LIMIT) return { end: line, lead: '', joined: false }
          const bearable = !inList || (item && flush) || size >= 2 * HARD_LIMIT
          if (size >= HARD_LIMIT && bearable) return { end: line, lead: table, joined: !afterBlank }
        }
      }
      if (item) inList = true
      if (!(newline < 0) && !table && previous.includes('|') && TABLE_DELIMITER.test(content)) {
        table = `${previous}\n${content}\n`
      }
      nested = NESTED_FENCE.exec(content)?.[1] ?? ''
    } else {
      table = ''
    }
    afterBlank = blank
    previous = content
    line = end + 1
  }
  return { end: text.length, lead: '', joined: false }
}

/** One line longer than a piece may be: cut behind a sentence, else behind a word, else anywhere. */
function cutLongLine(text: string, start: number): Cut {
  const limit = start + HARD_LIMIT
  const half = start + HARD_LIMIT / 2
  const sentence = text.lastIndexOf('. ', limit - 2)
  if (sentence >= half) return { end: sentence + 2, lead: '', joined: true }
  const word = text.lastIndexOf(' ', limit - 1)
  if (word >= half) return { end: word + 1, lead: '', joined: true }
  // Never between the halves of one character.
  const low = text.charCodeAt(limit)
  const end = low >= 0xdc00 && low <= 0xdfff ? limit - 1 : limit
  return { end, lead: '', joined: true }
}
