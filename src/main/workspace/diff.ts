import { countLines, toLf } from './text'

export interface FileDiff {
  /** Unified diff with line feeds, whatever the file has. */
  patch: string
  added: number
  removed: number
  /** The patch was cut, or left out. */
  truncated: boolean
}

/** Patches longer than this (characters) are for nobody's eyes, and they live in the event log. */
const MAX_PATCH_CHARS = 60_000
/** Larger texts (characters, each side) get no diff. */
const MAX_INPUT_CHARS = 1_000_000
/** Changes over more lines than this are shown as one block taken out and one put in: the search would take too long. */
const MAX_SEARCH_LINES = 2000
/** Milliseconds for the search of the smallest difference; after that it is a block as well. */
const SEARCH_MS = 5
const CONTEXT_LINES = 3

interface Hunk {
  oldStart: number
  oldLines: number
  newStart: number
  newLines: number
  lines: string[]
}

/** `name`: how the file is called in the patch. `before` is null for a new file. Bounded work: about 10 ms at most. */
export async function diffTexts(name: string, before: string | null, after: string): Promise<FileDiff> {
  if ((before ?? '').length > MAX_INPUT_CHARS || after.length > MAX_INPUT_CHARS) {
    return { patch: '', added: 0, removed: 0, truncated: true }
  }
  const header = `--- ${before === null ? '/dev/null' : `a/${name}`}\n+++ b/${name}\n`
  const change = findChange(toLf(before ?? ''), toLf(after))
  if (change.removed === '' && change.added === '') return { patch: header, added: 0, removed: 0, truncated: false }

  const removed = countLines(change.removed)
  const added = countLines(change.added)
  const simple = removed === 0 || added === 0
  const hunks = simple || removed > MAX_SEARCH_LINES || added > MAX_SEARCH_LINES ? null : await searchHunks(change)
  if (hunks) return { ...render(header, hunks), ...countSigns(hunks) }
  const { patch, truncated } = render(header, [blockHunk(change, removed, added)])
  return { patch, added, removed, truncated }
}

/** The lines from the first to the last difference, and the unchanged lines around them. */
interface Change {
  /** Number of the first line of `above`. */
  line: number
  above: string
  removed: string
  added: string
  below: string
}

function findChange(before: string, after: string): Change {
  const shorter = Math.min(before.length, after.length)
  let start = 0
  while (start < shorter && before.charCodeAt(start) === after.charCodeAt(start)) start += 1
  if (start === before.length && start === after.length)
    return { line: 1, above: '', removed: '', added: '', below: '' }
  start = before.lastIndexOf('\n', start - 1) + 1

  let oldEnd = before.length
  let newEnd = after.length
  while (oldEnd > start && newEnd > start && before.charCodeAt(oldEnd - 1) === after.charCodeAt(newEnd - 1)) {
    oldEnd -= 1
    newEnd -= 1
  }
  if (!isLineStart(before, oldEnd, start) || !isLineStart(after, newEnd, start)) {
    const next = before.indexOf('\n', oldEnd)
    const end = next < 0 ? before.length : next + 1
    newEnd += end - oldEnd
    oldEnd = end
  }
  let from = start
  for (let i = 0; i < CONTEXT_LINES && from > 0; i += 1) from = before.lastIndexOf('\n', from - 2) + 1
  let to = oldEnd
  for (let i = 0; i < CONTEXT_LINES && to < before.length; i += 1) {
    const next = before.indexOf('\n', to)
    to = next < 0 ? before.length : next + 1
  }
  return {
    line: countLines(before.slice(0, from)) + 1,
    above: before.slice(from, start),
    removed: before.slice(start, oldEnd),
    added: after.slice(start, newEnd),
    below: before.slice(oldEnd, to),
  }
}

function isLineStart(text: string, at: number, start: number): boolean {
  return at === start || text[at - 1] === '\n'
}

async function searchHunks({ line, above, removed, added, below }: Change): Promise<Hunk[] | null> {
  const { structuredPatch } = await import('diff')
  const options = { context: CONTEXT_LINES, timeout: SEARCH_MS }
  const found = structuredPatch('', '', above + removed + below, above + added + below, '', '', options)
  if (!found) return null
  return found.hunks.map((hunk) => ({
    ...hunk,
    oldStart: hunk.oldStart + line - 1,
    newStart: hunk.newStart + line - 1,
  }))
}

/** Takes the old lines out and puts the new ones in. What cannot fit into a patch is not even split into lines. */
function blockHunk({ line, above, removed, added, below }: Change, removedLines: number, addedLines: number): Hunk {
  const lines = [...signed(' ', above), ...signed('-', removed), ...signed('+', added), ...signed(' ', below)]
  const around = countLines(above) + countLines(below)
  return { oldStart: line, oldLines: around + removedLines, newStart: line, newLines: around + addedLines, lines }
}

function signed(sign: string, text: string): string[] {
  const shown = text.slice(0, MAX_PATCH_CHARS + 1)
  if (shown === '') return []
  const lines = shown.split('\n').map((line) => sign + line)
  if (shown.endsWith('\n')) return lines.slice(0, -1)
  return [...lines, '\\ No newline at end of file']
}

function countSigns(hunks: Hunk[]): { added: number; removed: number } {
  const count = (sign: string) =>
    hunks.reduce((sum, hunk) => sum + hunk.lines.filter((line) => line.startsWith(sign)).length, 0)
  return { added: count('+'), removed: count('-') }
}

/** Whole hunks as long as they fit; the first that does not is shortened, with its counts put right. */
function render(header: string, hunks: Hunk[]): { patch: string; truncated: boolean } {
  let patch = header
  for (const hunk of hunks) {
    const room = MAX_PATCH_CHARS - patch.length
    const text = `${hunkHeader(hunk)}${hunk.lines.join('\n')}\n`
    if (text.length <= room) {
      patch += text
      continue
    }
    let used = hunkHeader(hunk).length
    const end = hunk.lines.findIndex((line) => {
      used += line.length + 1
      return used > room
    })
    const lines = hunk.lines.slice(0, end)
    if (lines.length > 0) patch += `${hunkHeader(shortened(hunk, lines))}${lines.join('\n')}\n`
    return { patch, truncated: true }
  }
  return { patch, truncated: false }
}

function shortened(hunk: Hunk, lines: string[]): Hunk {
  const oldLines = lines.filter((line) => line.startsWith(' ') || line.startsWith('-')).length
  const newLines = lines.filter((line) => line.startsWith(' ') || line.startsWith('+')).length
  return { ...hunk, lines, oldLines, newLines }
}

function hunkHeader({ oldStart, oldLines, newStart, newLines }: Hunk): string {
  // A side without lines is named by the line before it, as diff(1) does.
  const side = (start: number, lines: number) => `${lines === 0 ? start - 1 : start},${lines}`
  return `@@ -${side(oldStart, oldLines)} +${side(newStart, newLines)} @@\n`
}
