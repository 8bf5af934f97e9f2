import type { FileChange } from '@shared/checkpoints'
import { decodeName, type GitPlace, type RawName, runGit } from './git'

/** One path that differs between two trees. `null`: it is not in that tree. */
export interface Difference {
  name: RawName
  old: Entry | null
  new: Entry | null
}
export interface Entry {
  /** As git knows it: 100644, 100755 or 120000 (a link). */
  mode: string
  oid: string
}

/** Longer diffs (characters) are for nobody's eyes; the same limit as that of an edit's diff. */
const MAX_DIFF_CHARS = 60_000
/** Lines are not counted when more files changed: every one of them is read twice for it. */
const MAX_COUNTED_FILES = 2000
/** Larger files (bytes) are compared as binary. */
const DIFF_SETTINGS = ['-c', 'core.bigFileThreshold=2m']
const DIFF_FLAGS = ['--no-ext-diff', '--no-textconv', '--no-renames', '--no-color']

/** What differs between two trees, in the order of the names' bytes. */
export async function compareTrees(
  place: GitPlace,
  from: string,
  to: string,
  signal: AbortSignal,
): Promise<Difference[]> {
  if (from === to) return []
  const differences: Difference[] = []
  let head: string | null = null
  const onRecord = (record: string) => {
    if (head === null) {
      head = record
      return
    }
    const [oldMode = '', newMode = '', oldId = '', newId = ''] = head.slice(1).split(' ')
    differences.push({ name: record, old: entry(oldMode, oldId), new: entry(newMode, newId) })
    head = null
  }
  await runGit(place, ['diff-tree', '-r', '-z', '--raw', '--no-abbrev', ...DIFF_FLAGS, from, to], { signal, onRecord })
  return differences
}

function entry(mode: string, oid: string): Entry | null {
  return /^0+$/.test(mode) ? null : { mode, oid }
}

/** Differences as the window shows them, with counted lines. */
export async function fileChanges(
  place: GitPlace,
  from: string,
  to: string,
  signal: AbortSignal,
): Promise<FileChange[]> {
  const differences = await compareTrees(place, from, to, signal)
  const counts = new Map<RawName, [number | null, number | null]>()
  if (differences.length > 0 && differences.length <= MAX_COUNTED_FILES) {
    const onRecord = (record: string) => {
      const [added = '-', removed = '-', ...name] = record.split('\t')
      counts.set(name.join('\t'), [count(added), count(removed)])
    }
    const args = [...DIFF_SETTINGS, 'diff-tree', '-r', '-z', '--numstat', ...DIFF_FLAGS, from, to]
    await runGit(place, args, { signal, onRecord })
  }
  return differences.map((difference) => {
    const [added, removed] = counts.get(difference.name) ?? [null, null]
    return { path: decodeName(difference.name), kind: kindOf(difference), added, removed }
  })
}

function count(text: string): number | null {
  return text === '-' ? null : Number(text)
}

function kindOf(difference: Difference): FileChange['kind'] {
  if (difference.old === null) return 'added'
  return difference.new === null ? 'deleted' : 'changed'
}

/** Unified diff of one file between two trees; empty when it is the same. Ends with a note when it was cut. */
export async function fileDiff(
  place: GitPlace,
  trees: { from: string; to: string },
  path: string,
  signal: AbortSignal,
): Promise<string> {
  const args = ['diff-tree', '-p', '-r', '-U3', ...DIFF_FLAGS, trees.from, trees.to, '--', path]
  const raw = await runGit(place, [...DIFF_SETTINGS, ...args], { signal, max_bytes: MAX_DIFF_CHARS * 4 })
  const text = decodeName(raw)
  if (text.length <= MAX_DIFF_CHARS) return text
  const whole = text.slice(0, text.lastIndexOf('\n', MAX_DIFF_CHARS) + 1)
  return `${whole}\\ The diff is longer: only its first ${MAX_DIFF_CHARS.toLocaleString('en')} characters are shown.\n`
}
