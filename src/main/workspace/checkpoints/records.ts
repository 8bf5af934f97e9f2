import { createHash } from 'node:crypto'
import { unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { isNodeError } from '../../errors'
import { GitFailure, type GitPlace, runGit } from './git'

/**
 * - `before`: the workspace before the first change of a turn, `after`: at its end; `id` is the user message's.
 * - `undo`: before a rewind, `rewound`: after it; `id` is the rewind's own.
 */
export const recordKinds = ['before', 'after', 'undo', 'rewound'] as const
export type RecordKind = (typeof recordKinds)[number]

const noteSchema = z.object({
  kind: z.enum(recordKinds),
  id: z.string(),
  /** Milliseconds since 1970, made unique: the order of the session's records. */
  at: z.number(),
  left_out: z.array(z.string()),
  /** What was there and is not recorded, see Snapshot. */
  omitted: z.array(z.string()).nullable(),
  /** Permission bits that git does not keep, by raw name. */
  modes: z.array(z.tuple([z.string(), z.number()])),
})
export type Note = z.infer<typeof noteSchema>

/** One recorded state of the workspace: a commit without parents under a ref of its session. */
export interface StateRecord extends Note {
  tree: string
  ref: string
}

const ROOT = 'refs/checkpoints'

function key(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32)
}

export function sessionRefs(session: string): string {
  return `${ROOT}/${key(session)}/`
}

/** The records below a prefix (of one session, or of all), oldest first. */
export async function listRecords(place: GitPlace, prefix: string, signal: AbortSignal): Promise<StateRecord[]> {
  const records: StateRecord[] = []
  const format = '%(refname)%00%(tree)%00%(contents:subject)'
  const onRecord = (line: string) => {
    const [ref = '', tree = '', subject = ''] = Buffer.from(line, 'latin1').toString('utf8').split('\0')
    const note = parseNote(subject)
    if (note !== null) records.push({ ...note, tree, ref })
  }
  await runGit(place, ['for-each-ref', `--format=${format}`, prefix], { signal, onRecord, separator: '\n' })
  return records.sort((a, b) => a.at - b.at)
}

function parseNote(subject: string): Note | null {
  try {
    return noteSchema.parse(JSON.parse(subject))
  } catch {
    // Made by another version: not ours to show, and gc removes it with its session.
    return null
  }
}

/** Keeps a tree under the session's refs. The caller holds the lock. */
export async function keepRecord(
  place: GitPlace,
  session: string,
  tree: string,
  note: Note,
  signal: AbortSignal,
): Promise<StateRecord> {
  const ref = `${sessionRefs(session)}${note.kind}/${key(note.id)}`
  const input = Buffer.from(JSON.stringify(note), 'utf8').toString('latin1')
  const commit = (await runGit(place, ['commit-tree', tree, '-F', '-'], { signal, input })).trim()
  const update = () => runGit(place, ['update-ref', ref, commit], { signal })
  try {
    await update()
  } catch (error) {
    if (!(error instanceof GitFailure) || error.no_space) throw error
    // A git that was killed leaves its lock on the ref; we hold the lock on all of it, so nobody else is at it.
    await unlink(join(place.git_dir, `${ref}.lock`)).catch((problem: unknown) => {
      throw isNodeError(problem) && problem.code === 'ENOENT' ? error : problem
    })
    await update()
  }
  return { ...note, tree, ref }
}

export async function dropRefs(place: GitPlace, refs: readonly string[], signal: AbortSignal): Promise<void> {
  if (refs.length === 0) return
  await runGit(place, ['update-ref', '--stdin'], { signal, input: refs.map((ref) => `delete ${ref}\n`).join('') })
}

/**
 * The trees between which only the user can have changed something: from the end of a turn, or of a rewind, to what was
 * recorded next, or to now. A turn without an end (a crash) is all the agent's.
 */
export function userIntervals(records: readonly StateRecord[], from: number, now: string): [string, string][] {
  const intervals: [string, string][] = []
  let quiet: string | null = null
  for (const { kind, tree, at } of records) {
    if (at < from) continue
    if ((kind === 'before' || kind === 'undo') && quiet !== null) intervals.push([quiet, tree])
    quiet = kind === 'after' || kind === 'rewound' ? tree : null
  }
  if (quiet !== null) intervals.push([quiet, now])
  return intervals.filter(([a, b]) => a !== b)
}

/** The end of a turn as recorded; null: nothing was recorded since its beginning. */
export function endOf(records: readonly StateRecord[], before: StateRecord): StateRecord | null {
  const own = records.find(({ kind, id }) => kind === 'after' && id === before.id)
  return own ?? records.find(({ kind, at }) => at > before.at && (kind === 'before' || kind === 'undo')) ?? null
}
