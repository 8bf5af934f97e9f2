import { createTwoFilesPatch } from 'diff'
import { type HunkData, parseDiff } from 'react-diff-view'

export interface ParsedDiff {
  hunks: HunkData[]
  /** Lines in all hunks, unchanged ones included. */
  lines: number
}

/**
 * Reads the hunks of one file's unified diff; null when there is nothing that can be read. Only the hunks are given to
 * the parser: it expects git's header and stumbles over unusual paths in it.
 */
export function readPatch(patch: string): ParsedDiff | null {
  const at = patch.search(/^@@ /m)
  if (at < 0) return null
  try {
    const [file] = parseDiff(`diff --git a/f b/f\n--- a/f\n+++ b/f\n${patch.slice(at)}`)
    const hunks = file?.hunks ?? []
    if (hunks.length === 0) return null
    return { hunks, lines: hunks.reduce((sum, hunk) => sum + hunk.changes.length, 0) }
  } catch (thrown) {
    // A patch cut in the middle of a header: the caller shows it as text.
    console.debug('a patch could not be parsed', thrown)
    return null
  }
}

/** The first `limit` lines of the hunks. */
export function firstLines(hunks: HunkData[], limit: number): HunkData[] {
  const result: HunkData[] = []
  let left = limit
  for (const hunk of hunks) {
    if (left <= 0) break
    result.push(hunk.changes.length <= left ? hunk : { ...hunk, changes: hunk.changes.slice(0, left) })
    left -= hunk.changes.length
  }
  return result
}

/** Edits that a comparison may need before it is given up: larger ones take longer than a frame. */
const MAX_EDITS = 2_000

/** The diff of a replacement that has not happened yet; null when it is too large to compare here. */
export function patchOf(before: string, after: string): string | null {
  return createTwoFilesPatch('a', 'b', ended(before), ended(after), '', '', { maxEditLength: MAX_EDITS }) ?? null
}

function ended(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`
}
