import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { copyFile, type FileHandle, link, lstat, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type AnyEvent, type EventData, parseEvent, type SessionEvent, serializeEvent } from '@shared/events'
import { startFold } from '@shared/reducer'
import { initialState } from '@shared/state'
import { isNodeError, messageOf, UserError } from '../errors'
import { type StoredEvent, storedEvents } from './export/log'
import { syncFolder } from './log'
import type { SessionStore } from './store'

export interface ForkOptions {
  /** Copies the events up to and including this number; absent: all. */
  at_seq?: number
  /** Absent: the source's, marked as a fork. */
  title?: string
  now: Date
  signal?: AbortSignal
}

const TEMPORARY = '.forking-'
/** What a crash left behind; no copy takes this long. */
const STALE_MS = 24 * 60 * 60 * 1000
const OUTPUTS = 'outputs'
/** As the store reads them: nothing that leads out of the folder. */
const OUTPUT_NAME = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,128}$/
/** Characters written in one go. */
const BATCH_CHARS = 256 * 1024
/** Milliseconds of work before others are let run. */
const SLICE_MS = 5

/**
 * A new session that begins with the stored events of another up to `at_seq`; returns its id. The source is only read:
 * its lock is not taken, its log may grow meanwhile, and a torn last line counts as not there, so the caller makes
 * durable what has to be in it. The new folder gets its name when it is whole: a failure leaves nothing behind.
 * Throws `session_not_found`, `invalid_request` (no such event), `log_write` (disk full, not allowed), and the signal's
 * reason.
 */
export async function forkSession(store: SessionStore, id: string, options: ForkOptions): Promise<string> {
  const { at_seq: upTo = Number.MAX_SAFE_INTEGER, signal } = options
  const forked = randomUUID()
  const target = store.dir(forked)
  const root = dirname(target)
  if (!(await store.exists(id))) throw noSession(id)
  const temporary = join(root, `${TEMPORARY}${forked}`)
  try {
    await removeStale(root, options.now)
    await mkdir(temporary, { mode: 0o700 })
    const copy = await copyLog(store, { id, forked, temporary, upTo }, options)
    await copyOutputs(join(store.dir(id), OUTPUTS), join(temporary, OUTPUTS), copy.outputs, signal)
    signal?.throwIfAborted()
    await syncFolder(temporary)
    await rename(temporary, target)
    await syncFolder(root)
    await saveSummary(store, copy.state)
    return forked
  } catch (error) {
    await rm(temporary, { recursive: true, force: true })
    throw isNodeError(error) && !isAbort(error, signal) ? writeFailure(error) : error
  }
}

interface Places {
  id: string
  forked: string
  temporary: string
  upTo: number
}

async function copyLog(store: SessionStore, { id, forked, temporary, upTo }: Places, options: ForkOptions) {
  const folder = startFold(initialState(forked))
  const outputs = new Set<string>()
  const log = await BatchFile.create(join(temporary, 'events.jsonl'))
  let copied = 0
  let last = 0
  let renamed: Pick<EventData<'session_update'>, 'title' | 'title_by'> | null = null
  let sliceStart = performance.now()
  try {
    for await (const stored of readSource(store, id)) {
      options.signal?.throwIfAborted()
      last = stored.seq
      const value = { ...stored.value, session: forked }
      const event = parseEvent(value)
      if (stored.seq <= upTo) {
        await log.write(`${JSON.stringify(value)}\n`)
        if (event) folder.apply(event)
        const file = outputOf(event)
        if (file !== null) outputs.add(file)
        copied = stored.seq
      } else if (event?.type === 'session_update' && !('unknown' in event) && event.data.title !== undefined) {
        // The name of the source today, also when it got it later.
        renamed = { title: event.data.title, title_by: event.data.title_by ?? 'user' }
      }
      if (performance.now() - sliceStart > SLICE_MS) {
        await nextTurn()
        sliceStart = performance.now()
      }
    }
    if (copied === 0 || (options.at_seq !== undefined && options.at_seq > last)) {
      throw new UserError('invalid_request', `The session has no event ${options.at_seq ?? 1} to fork from.`)
    }
    const before = folder.end()
    const named = renamed ?? { title: before.title, title_by: before.title_by ?? undefined }
    const title = options.title ?? forkTitle(named.title ?? '')
    const add = async <T extends 'forked' | 'session_update'>(seq: number, type: T, data: EventData<T>) => {
      const event = { seq, time: options.now.toISOString(), session: forked, type, data } as SessionEvent
      await log.write(`${serializeEvent(event)}\n`)
      folder.apply(event)
    }
    await add(copied + 1, 'forked', { from_session: id, from_seq: copied })
    if (title !== '') {
      // A name that nobody chose yet, the first line of the first message, stays one that a model may replace.
      const title_by = options.title === undefined ? (named.title_by ?? 'model') : 'user'
      await add(copied + 2, 'session_update', { title, title_by })
    }
    await log.sync()
    return { state: folder.end(), outputs }
  } finally {
    await log.close()
  }
}

async function* readSource(store: SessionStore, id: string): AsyncGenerator<StoredEvent, void, undefined> {
  try {
    yield* storedEvents(store.logFile(id))
  } catch (error) {
    if (!isNodeError(error)) throw error
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') throw noSession(id, error)
    const message = `The log of session ${id} cannot be read: ${error.code ?? error.message}.`
    throw new UserError('permission', message, 'Make its folder readable.', { cause: error })
  }
}

/** `Title` → `Title (fork)` → `Title (fork 2)`. */
export function forkTitle(title: string): string {
  if (title === '') return ''
  const found = /^(.*) \(fork(?: (\d{1,4}))?\)$/s.exec(title)
  return found ? `${found[1]} (fork ${Number(found[2] ?? 1) + 1})` : `${title} (fork)`
}

function outputOf(event: AnyEvent | null): string | null {
  if (!event || 'unknown' in event || event.type !== 'tool_output') return null
  const file = event.data.spill?.file
  return file !== undefined && OUTPUT_NAME.test(file) ? file : null
}

/** Outputs are written once and never changed: a second name for the same bytes is as good as a copy. */
async function copyOutputs(from: string, to: string, files: ReadonlySet<string>, signal?: AbortSignal): Promise<void> {
  if (files.size === 0 || !(await isKind(from, 'isDirectory'))) return
  await mkdir(to, { mode: 0o700 })
  for (const file of files) {
    signal?.throwIfAborted()
    const source = join(from, file)
    // A link that a command of the session put there could lead anywhere.
    if (!(await isKind(source, 'isFile'))) continue
    try {
      await link(source, join(to, file))
    } catch (error) {
      // Not every file system has links.
      if (!isNodeError(error)) throw error
      await copyFile(source, join(to, file), constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
    }
  }
  await syncFolder(to)
}

async function isKind(path: string, kind: 'isFile' | 'isDirectory'): Promise<boolean> {
  try {
    return (await lstat(path))[kind]()
  } catch (error) {
    if (isNodeError(error) && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return false
    throw error
  }
}

/** The line of the session list is a cache: without it the next listing folds the log. */
async function saveSummary(store: SessionStore, state: Parameters<SessionStore['saveSummary']>[0]): Promise<void> {
  try {
    await store.saveSummary(state)
  } catch (error) {
    if (!isNodeError(error)) throw error
  }
}

async function removeStale(root: string, now: Date): Promise<void> {
  for (const name of await readdir(root)) {
    if (!name.startsWith(TEMPORARY)) continue
    const path = join(root, name)
    if (now.getTime() - (await changedAt(path)) > STALE_MS) await rm(path, { recursive: true, force: true })
  }
}

/** In milliseconds; one that has just got its own name, or is gone, is new. */
async function changedAt(path: string): Promise<number> {
  try {
    return (await stat(path)).mtimeMs
  } catch (error) {
    if (isNodeError(error) && error.code === 'ENOENT') return Number.POSITIVE_INFINITY
    throw error
  }
}

/** A new file that is written in large pieces. */
class BatchFile {
  readonly #handle: FileHandle
  #lines: string[] = []
  #chars = 0

  private constructor(handle: FileHandle) {
    this.#handle = handle
  }

  static async create(path: string): Promise<BatchFile> {
    return new BatchFile(await open(path, 'wx', 0o600))
  }

  async write(line: string): Promise<void> {
    this.#lines.push(line)
    this.#chars += line.length
    if (this.#chars >= BATCH_CHARS) await this.#flush()
  }

  async sync(): Promise<void> {
    await this.#flush()
    await this.#handle.datasync()
  }

  close(): Promise<void> {
    return this.#handle.close()
  }

  async #flush(): Promise<void> {
    const text = this.#lines.join('')
    this.#lines = []
    this.#chars = 0
    // Unlike one call of `write`, it goes on until everything is in the file.
    await this.#handle.writeFile(text)
  }
}

function isAbort(error: unknown, signal?: AbortSignal): boolean {
  return signal?.aborted === true && error === signal.reason
}

function noSession(id: string, cause?: unknown): UserError {
  const remedy = 'List the sessions with “ml-intern sessions list” and choose one.'
  return new UserError('session_not_found', `There is no session “${id}”.`, remedy, { cause })
}

function writeFailure(error: NodeJS.ErrnoException): UserError {
  const { code } = error
  const remedy =
    code === 'ENOSPC' || code === 'EDQUOT'
      ? 'Free some space on the disk of the data folder, then fork again.'
      : 'Check the disk and the data folder, then fork again.'
  const why =
    code === 'ENOSPC' ? 'the disk is full' : code === 'EDQUOT' ? 'the disk quota is used up' : messageOf(error)
  return new UserError('log_write', `The session could not be forked: ${why}.`, `${remedy} Nothing was changed.`, {
    cause: error,
  })
}
