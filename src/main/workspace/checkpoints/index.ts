import { randomUUID } from 'node:crypto'
import { unlink } from 'node:fs/promises'
import type { FileChange, TurnChanges } from '@shared/checkpoints'
import { isNodeError, messageOf, UserError } from '../../errors'
import { bytesBelow, type CheckpointLimits, collect, DEFAULT_LIMITS, removeFolder } from './collect'
import { compareTrees, fileChanges, fileDiff } from './compare'
import { decodeName, GitFailure } from './git'
import { withLock } from './lock'
import type { Note, StateRecord } from './records'
import { dropRefs, endOf, keepRecord, listRecords, type RecordKind, sessionRefs, userIntervals } from './records'
import { findShadow, hasRepository, isThere, makeRepository, makeShadowFolder, type Shadow } from './repository'
import { restore } from './restore'
import { printable } from './rules'
import { indexFile, type Snapshot, takeSnapshot } from './snapshot'

export { countsAsChange } from './change'
export type { CheckpointLimits } from './collect'

export interface CheckpointsOptions {
  /** `<home>/checkpoints`: one shadow repository a workspace in it, which the sessions of that workspace share. */
  dir: string
  session: string
  /** Absolute. */
  workspace: string
  env: NodeJS.ProcessEnv
  /** Ends everything that runs, as when the session is closed. */
  signal?: AbortSignal
  /** Sentences for the user: that there is no checkpoint and why, that it takes long. */
  notify: (text: string) => void
  /** Milliseconds; defaults: 120,000 and 10,000. */
  limit_ms?: number
  slow_ms?: number
}

export interface RewindResult {
  /** For `undo`; null: nothing was done, and `outside` says why. */
  undo_id: string | null
  /** What was done to the files (seen from before the rewind), or would be. */
  files: FileChange[]
  /** Files among them that changed outside of the agent's turns: the changes would be lost. Ask, then `force`. */
  outside: string[]
  /** What could not be restored, in sentences. */
  problems: string[]
}

/** Longer than any recording should take; the turn waits for it. */
const LIMIT_MS = 120_000
const SLOW_MS = 10_000
const PACK_LIMIT_MS = 600_000

/** The recorded states of one session's workspace. The user's own repository is neither read nor written. */
export class Checkpoints {
  readonly #options: CheckpointsOptions
  readonly #said = new Set<string>()

  constructor(options: CheckpointsOptions) {
    this.#options = options
  }

  /**
   * Records the workspace before the first change of a turn; a second call for the same message changes nothing.
   * Null: there is no checkpoint, and `notify` has said why (the same reason once). Rejects only when aborted.
   */
  record(user_message_id: string, signal?: AbortSignal): Promise<{ left_out: string[] } | null> {
    return this.#record('before', user_message_id, signal)
  }

  /** Records the workspace at the end of a turn, if its beginning was: later changes are the user's then. */
  async finish(user_message_id: string, signal?: AbortSignal): Promise<void> {
    await this.#record('after', user_message_id, signal)
  }

  /** The messages of which the turn can be rewound, oldest first. */
  async turns(signal?: AbortSignal): Promise<{ user_message_id: string; recorded_at: string; left_out: string[] }[]> {
    const records = await this.#read(signal, (_shadow, found) => found)
    return (records ?? [])
      .filter(({ kind }) => kind === 'before')
      .map(({ id, at, left_out }) => ({ user_message_id: id, recorded_at: iso(at), left_out }))
  }

  /** What a turn changed; null: nothing was recorded for it. Throws UserError. */
  async changes(user_message_id: string, signal?: AbortSignal): Promise<TurnChanges | null> {
    return this.#work(signal, LIMIT_MS, async (shadow, ends) => {
      const span = await this.#span(shadow, user_message_id, ends)
      if (span === null) return null
      const { before, to } = span
      const files = await fileChanges(shadow.place, before.tree, to, ends)
      return { user_message_id, recorded_at: iso(before.at), files, left_out: before.left_out }
    })
  }

  /** Unified diff of one file over a turn, cut at 60,000 characters; empty: not changed. Throws UserError. */
  async diff(user_message_id: string, path: string, signal?: AbortSignal): Promise<string> {
    const found = await this.#work(signal, LIMIT_MS, async (shadow, ends) => {
      const span = await this.#span(shadow, user_message_id, ends)
      return span && fileDiff(shadow.place, { from: span.before.tree, to: span.to }, path, ends)
    })
    if (found === null) throw noCheckpoint()
    return found
  }

  /**
   * Makes the files what they were before a turn. Without `force` it does nothing when that would take back changes
   * made outside of the agent's turns, and names them. Throws UserError `not_found`, `invalid_request`, `internal`.
   */
  rewind(user_message_id: string, { force = false, signal }: RewindOptions = {}): Promise<RewindResult> {
    const pick = (records: StateRecord[]) => find(records, 'before', user_message_id)
    return this.#restore(pick, force, signal)
  }

  /** Takes a rewind back; that can be undone, too. `undo_id`: as returned by `rewind`, `undo` or `undoable`. */
  undo(undo_id: string, { force = false, signal }: RewindOptions = {}): Promise<RewindResult> {
    return this.#restore((records) => find(records, 'undo', undo_id), force, signal)
  }

  /** Rewinds that can be undone, the newest first: also one that a crash interrupted. */
  async undoable(signal?: AbortSignal): Promise<{ undo_id: string; at: string }[]> {
    const records = await this.#read(signal, (_shadow, found) => found)
    const undos = (records ?? []).filter(({ kind }) => kind === 'undo')
    return undos.map(({ id, at }) => ({ undo_id: id, at: iso(at) })).reverse()
  }

  /** Bytes on the disk for this workspace, all its sessions together. */
  async size(): Promise<number> {
    const shadow = await this.#shadow()
    return shadow ? bytesBelow(shadow.dir) : 0
  }

  /** Drops records over the limits, of all sessions of the workspace, and packs the rest: seconds. Throws UserError. */
  async gc(limits: Partial<CheckpointLimits> = {}, signal?: AbortSignal): Promise<void> {
    await this.#work(signal, PACK_LIMIT_MS, (shadow, ends) =>
      withLock(shadow.dir, ends, () => collect(shadow, { ...DEFAULT_LIMITS, ...limits }, ends)),
    )
  }

  /** Removes the session's records, and the whole shadow folder with the last session's. */
  async remove(signal?: AbortSignal): Promise<void> {
    await this.#work(signal, PACK_LIMIT_MS, (shadow, ends) =>
      withLock(shadow.dir, ends, async () => {
        const own = await listRecords(shadow.place, sessionRefs(this.#options.session), ends)
        const all = await listRecords(shadow.place, 'refs/checkpoints/', ends)
        if (all.length === own.length) return removeFolder(shadow.dir)
        const refs = own.map(({ ref }) => ref)
        await dropRefs(shadow.place, refs, ends)
      }),
    )
  }

  async #record(kind: 'before' | 'after', id: string, signal?: AbortSignal): Promise<{ left_out: string[] } | null> {
    try {
      return await this.#within(signal, this.#options.limit_ms ?? LIMIT_MS, async (ends) => {
        const shadow = await this.#shadow()
        if (shadow === null) return this.#refuse('git was not found on PATH. Install git to be able to rewind files.')
        if (kind === 'before') await makeShadowFolder(shadow)
        else if (!(await hasRepository(shadow))) return null
        return withLock(shadow.dir, ends, async () => {
          await makeRepository(shadow)
          const records = await this.#records(shadow, ends)
          const known = find(records, kind, id)
          if (known !== null) return { left_out: known.left_out }
          if (kind === 'after' && find(records, 'before', id) === null) return null
          const snapshot = await this.#snapshot(shadow, ends)
          await this.#keep(shadow, kind, id, snapshot, records, ends)
          return { left_out: snapshot.left_out }
        })
      })
    } catch (error) {
      if (signal?.aborted || this.#options.signal?.aborted) throw error
      return this.#refuse(reason(error))
    }
  }

  /** The turn goes on without a checkpoint, and the user knows. */
  #refuse(why: string): null {
    const text = `Files are not recorded in this turn, so it cannot be rewound: ${why}`
    if (!this.#said.has(text)) this.#options.notify(text)
    this.#said.add(text)
    return null
  }

  #restore(
    pick: (records: StateRecord[]) => StateRecord | null,
    force: boolean,
    signal: AbortSignal | undefined,
  ): Promise<RewindResult> {
    return this.#work(signal, LIMIT_MS, (shadow, ends) =>
      withLock(shadow.dir, ends, async () => {
        const records = await this.#records(shadow, ends)
        const target = pick(records)
        if (target === null) throw noCheckpoint()
        const now = await this.#snapshot(shadow, ends)
        const { place, dir } = shadow
        const differences = await compareTrees(place, now.tree, target.tree, ends)
        const files = await fileChanges(place, now.tree, target.tree, ends)
        const outside = force ? [] : await this.#outside(shadow, records, target, now.tree, ends)
        const lost = differences.filter(({ name }) => outside.includes(name)).map(({ name }) => decodeName(name))
        if (lost.length > 0) return { undo_id: null, files, outside: lost, problems: [] }

        const undo_id = randomUUID()
        const undo = await this.#keep(shadow, 'undo', undo_id, now, records, ends)
        const { omitted, modes } = target
        const problems = await restore({ place, dir, differences, omitted, modes, signal: ends })
        const after = await this.#snapshot(shadow, ends)
        await this.#keep(shadow, 'rewound', undo_id, after, [undo], ends)
        const wrong = await compareTrees(place, after.tree, target.tree, ends)
        const names = wrong.map(({ name }) => printable(decodeName(name)))
        const unsaid = names.filter((name) => !problems.some((problem) => problem.startsWith(`${name} `)))
        for (const name of unsaid) problems.push(`${name} is not as it was.`)
        return { undo_id, files, outside: [], problems }
      }),
    ).then((result) => result ?? Promise.reject(noCheckpoint()))
  }

  /** Names that changed while no turn ran, since the target was recorded. */
  async #outside(
    { place }: Shadow,
    records: StateRecord[],
    target: StateRecord,
    now: string,
    signal: AbortSignal,
  ): Promise<string[]> {
    const found = new Set<string>()
    for (const [from, to] of userIntervals(records, target.at, now)) {
      for (const { name } of await compareTrees(place, from, to, signal)) found.add(name)
    }
    return [...found]
  }

  /** The two trees of a turn; null: it has no checkpoint. */
  async #span(shadow: Shadow, id: string, signal: AbortSignal): Promise<{ before: StateRecord; to: string } | null> {
    if (!(await hasRepository(shadow))) return null
    const records = await this.#records(shadow, signal)
    const before = find(records, 'before', id)
    if (before === null) return null
    const end = endOf(records, before)
    if (end !== null) return { before, to: end.tree }
    const now = await withLock(shadow.dir, signal, () => this.#snapshot(shadow, signal))
    return { before, to: now.tree }
  }

  #records({ place }: Shadow, signal: AbortSignal): Promise<StateRecord[]> {
    return listRecords(place, sessionRefs(this.#options.session), signal)
  }

  /** The caller holds the lock. */
  async #snapshot({ dir, place, exclude }: Shadow, signal: AbortSignal): Promise<Snapshot> {
    let progress = ''
    const slow = setInterval(() => {
      this.#options.notify(`Recording the workspace, so that it can be rewound, takes long${progress}…`)
    }, this.#options.slow_ms ?? SLOW_MS)
    const onProgress = (done: number, all: number) => {
      progress = ` (${done.toLocaleString('en')} of ${all.toLocaleString('en')} files)`
    }
    const take = () => takeSnapshot(place, dir, { signal, exclude, onProgress })
    try {
      return await take()
    } catch (error) {
      if (!(error instanceof GitFailure) || error.no_space || !(await isThere(indexFile(dir)))) throw error
      // An index that is broken, or names content that a power cut took: everything is read again, once.
      await unlink(indexFile(dir))
      return await take()
    } finally {
      clearInterval(slow)
    }
  }

  #keep(
    { place }: Shadow,
    kind: RecordKind,
    id: string,
    { tree, left_out, omitted, modes }: Snapshot,
    records: readonly StateRecord[],
    signal: AbortSignal,
  ): Promise<StateRecord> {
    const last = records.at(-1)?.at ?? 0
    const note: Note = { kind, id, at: Math.max(Date.now(), last + 1), left_out, omitted, modes }
    return keepRecord(place, this.#options.session, tree, note, signal)
  }

  #shadow(): Promise<Shadow | null> {
    const { dir, workspace, env } = this.#options
    return findShadow(dir, workspace, env)
  }

  #read<T>(
    signal: AbortSignal | undefined,
    use: (shadow: Shadow, records: StateRecord[]) => T | Promise<T>,
  ): Promise<T | null> {
    return this.#work(signal, LIMIT_MS, async (shadow, ends) => use(shadow, await this.#records(shadow, ends)))
  }

  /** Null: nothing was ever recorded here. Errors become ones for the user. */
  async #work<T>(
    signal: AbortSignal | undefined,
    limit_ms: number,
    work: (shadow: Shadow, ends: AbortSignal) => Promise<T>,
  ): Promise<T | null> {
    try {
      return await this.#within(signal, limit_ms, async (ends) => {
        const shadow = await this.#shadow()
        return shadow !== null && (await hasRepository(shadow)) ? work(shadow, ends) : null
      })
    } catch (error) {
      if (error instanceof UserError || signal?.aborted || this.#options.signal?.aborted) throw error
      throw new UserError('internal', `The checkpoints could not be used: ${reason(error)}`, '', { cause: error })
    }
  }

  /** One signal for everything that may end the work. */
  async #within<T>(
    signal: AbortSignal | undefined,
    limit_ms: number,
    work: (ends: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const ends = new AbortController()
    const sources = [signal, this.#options.signal].filter((source) => source !== undefined)
    const onAbort = () => ends.abort(sources.find((source) => source.aborted)?.reason)
    const limit = setTimeout(() => ends.abort(new TimeLimit(limit_ms)), limit_ms)
    for (const source of sources) source.addEventListener('abort', onAbort, { once: true })
    if (sources.some((source) => source.aborted)) onAbort()
    try {
      return await work(ends.signal)
    } finally {
      clearTimeout(limit)
      for (const source of sources) source.removeEventListener('abort', onAbort)
    }
  }
}

export interface RewindOptions {
  force?: boolean
  signal?: AbortSignal
}

class TimeLimit extends Error {
  constructor(ms: number) {
    super(`it took longer than ${Math.round(ms / 1000)} seconds`)
  }
}

function find(records: readonly StateRecord[], kind: RecordKind, id: string): StateRecord | null {
  return records.find((record) => record.kind === kind && record.id === id) ?? null
}

function iso(at: number): string {
  return new Date(at).toISOString()
}

function noCheckpoint(): UserError {
  return new UserError('not_found', 'The files before this turn are not recorded, or no longer.')
}

/** Why it did not work, as the end of a sentence. */
function reason(error: unknown): string {
  if (error instanceof UserError) return [error.message, error.remedy].filter(Boolean).join(' ')
  const full = error instanceof GitFailure ? error.no_space : isNodeError(error) && isFull(error.code)
  if (full) return 'the disk is full. Make room, and the next turn is recorded again.'
  return `${printable(messageOf(error)).slice(0, 300)}.`
}

function isFull(code: string | undefined): boolean {
  return code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG'
}
