import { randomUUID } from 'node:crypto'
import { constants, type Dirent } from 'node:fs'
import { lstat, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { turnEndReasons } from '@shared/events'
import { isSessionId } from '@shared/ids'
import { startFold } from '@shared/reducer'
import { initialState, type SessionState, type SessionSummary, summarize } from '@shared/state'
import { z } from 'zod'
import { isNodeError, messageOf, UserError } from '../errors'
import { acquireWriterLock, lockHolder } from './lock'
import { type LogEnd, readLog, readLogEnd, syncFolder } from './log'

const LOG_FILE = 'events.jsonl'
const SUMMARY_FILE = 'summary.json'
const OUTPUTS_FOLDER = 'outputs'
/** A session that is being deleted gets this name first, so that a crash in between leaves no half session. */
const REMOVED_PREFIX = '.removed-'
/** Folders looked at together when sessions are listed; more only fills the thread pool that the logs write through. */
const LIST_CONCURRENCY = 4
const MIN_PREFIX = 4
const MAX_CANDIDATES = 10
/** As in the bridge's `session.readOutput`. */
const OUTPUT_NAME = /^[A-Za-z0-9._-]{1,128}$/
const MAX_READ_BYTES = 1_000_000
/** Longest UTF-8 character. */
const MAX_CHAR_BYTES = 4

/** What the list of sessions shows, kept beside the log it was folded from. Disposable: the log is the truth. */
const summaryFileSchema = z.object({
  version: z.literal(1),
  log: z.object({ size: z.number(), mtime_ms: z.number() }),
  summary: z.object({
    id: z.string(),
    title: z.string(),
    cwd: z.string(),
    model: z.string(),
    created_at: z.string(),
    updated_at: z.string(),
    status: z.enum(['idle', 'running', 'waiting_approval']),
    last_outcome: z.enum([...turnEndReasons, 'interrupted', 'error']).nullable(),
    turns: z.number().int(),
    cost_usd: z.number(),
  }),
})
type SummaryFile = z.infer<typeof summaryFileSchema>

/** The folder of all sessions: `<home>/sessions/<id>/{events.jsonl,outputs/,summary.json,writer.lock}`. */
export class SessionStore {
  readonly #root: string

  constructor(home: string) {
    this.#root = join(home, 'sessions')
  }

  /** Folder of a session, there or not. Throws `session_not_found` for anything that is not a session id. */
  dir(id: string): string {
    if (!isSessionId(id)) throw notFound(id)
    return join(this.#root, id)
  }

  logFile(id: string): string {
    return join(this.dir(id), LOG_FILE)
  }

  /** Makes the folder of a new session, on the disk for good, and returns the id. Throws `permission`. */
  async create(): Promise<string> {
    const id = randomUUID()
    try {
      // Conversations are private: nobody else on a shared machine may read them.
      await mkdir(this.#root, { recursive: true, mode: 0o700 })
      await mkdir(this.dir(id), { mode: 0o700 })
      await syncFolder(this.#root)
    } catch (error) {
      throw folderFailure(error, this.#root, 'create a session in')
    }
    return id
  }

  async exists(id: string): Promise<boolean> {
    if (!isSessionId(id)) return false
    try {
      return (await lstat(this.dir(id))).isDirectory()
    } catch (error) {
      if (isMissing(error)) return false
      throw folderFailure(error, this.dir(id), 'look into')
    }
  }

  /**
   * The id that a user's text means: a whole id, or the first characters (at least 4) of exactly one.
   * Throws `session_not_found`; `usage`, with the candidates, when several begin so.
   */
  async resolve(prefix: string): Promise<string> {
    const text = prefix.trim().toLowerCase()
    if (isSessionId(text)) {
      if (await this.exists(text)) return text
      throw notFound(text)
    }
    if (text.length < MIN_PREFIX) {
      const remedy = `Give the id or at least its first ${MIN_PREFIX} characters.`
      throw new UserError('session_not_found', `“${prefix}” is too short to name a session.`, remedy)
    }
    const found = (await this.#ids()).filter((id) => id.startsWith(text))
    const [id] = found
    if (id === undefined) throw notFound(prefix)
    if (found.length === 1) return id
    const shown = found.sort().slice(0, MAX_CANDIDATES).join('\n  ')
    const more = found.length > MAX_CANDIDATES ? `\n  and ${found.length - MAX_CANDIDATES} more` : ''
    const message = `${found.length} sessions begin with “${prefix}”:\n  ${shown}${more}`
    throw new UserError('usage', message, 'Give more characters of the id.')
  }

  /** Every readable session, the one changed last first. A folder that cannot be read is left out. */
  async list(): Promise<SessionSummary[]> {
    const summaries = await mapLimited(await this.#ids(), LIST_CONCURRENCY, (id) => this.#summary(id))
    return summaries
      .filter((summary) => summary !== null)
      .sort((a, b) => compare(b.updated_at, a.updated_at) || compare(a.id, b.id))
  }

  /** The state that the stored log folds to. Throws `session_not_found`, `permission`. */
  async fold(id: string): Promise<SessionState> {
    const folder = startFold(initialState(id))
    try {
      for await (const event of readLog(this.logFile(id))) folder.apply(event)
    } catch (error) {
      throw isMissing(error) ? notFound(id) : folderFailure(error, this.dir(id), 'read')
    }
    return folder.end()
  }

  /**
   * Stores the line of the session list for this state. When the log on the disk is ahead of the state or behind it,
   * nothing is stored and the next `list` folds the log. Rejects with the system's error.
   */
  async saveSummary(state: SessionState): Promise<void> {
    const end = await readLogEnd(this.logFile(state.id))
    if (end.last_seq === state.last_seq) await this.#writeSummary(state, end)
  }

  /** Deletes a session with its outputs. Throws `session_not_found`, `permission`, `session_busy` while somebody writes it. */
  async remove(id: string): Promise<void> {
    if (!(await this.exists(id))) throw notFound(id)
    const lock = await acquireWriterLock(this.dir(id))
    try {
      await rename(this.dir(id), join(this.#root, `${REMOVED_PREFIX}${randomUUID()}`))
    } catch (error) {
      await lock.release()
      throw folderFailure(error, this.dir(id), 'delete')
    }
    // What a crash in an earlier removal left goes too.
    const names = (await this.#entries()).map((entry) => entry.name).filter((name) => name.startsWith(REMOVED_PREFIX))
    for (const name of names) await rm(join(this.#root, name), { recursive: true, force: true })
  }

  /**
   * A piece of a spilled output, `offset` and `length` in bytes. Whole characters only: the piece may end up to three
   * bytes early, or late when not even one character fits. At the end `next_offset` equals `total_bytes`.
   * Throws `invalid_request` for a name that is no plain file name, `not_found`, `permission`.
   */
  async readOutput(
    id: string,
    file: string,
    offset: number,
    length: number,
  ): Promise<{ text: string; next_offset: number; total_bytes: number }> {
    if (!OUTPUT_NAME.test(file) || file === '.' || file === '..') {
      throw new UserError('invalid_request', `“${file}” is not the name of an output file.`)
    }
    if (offset < 0 || length < 1) throw new UserError('invalid_request', 'The piece to read must not be empty.')
    const folder = join(this.dir(id), OUTPUTS_FOLDER)
    try {
      // The commands of a session could put a link here that points anywhere on the disk.
      if (!(await lstat(folder)).isDirectory()) throw noOutput(file)
      if (!(await lstat(join(folder, file))).isFile()) throw noOutput(file)
      // Also when it is exchanged at this moment. Windows has neither flag, and refuses links to most users.
      const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)
      const handle = await open(join(folder, file), flags)
      try {
        const info = await handle.stat()
        if (!info.isFile()) throw noOutput(file)
        const start = Math.min(offset, info.size)
        const wanted = Math.min(length, MAX_READ_BYTES)
        // Room for the rest of one character before the piece and a whole one that ends behind it.
        const bytes = Buffer.alloc(Math.min(wanted + 2 * MAX_CHAR_BYTES, info.size - start))
        const { bytesRead } = await handle.read(bytes, 0, bytes.length, start)
        const { from, to } = wholeCharacters(bytes.subarray(0, bytesRead), wanted)
        return { text: bytes.toString('utf8', from, to), next_offset: start + to, total_bytes: info.size }
      } finally {
        await handle.close()
      }
    } catch (error) {
      if (error instanceof UserError) throw error
      if (isMissing(error) || (isNodeError(error) && error.code === 'ELOOP')) throw noOutput(file)
      throw folderFailure(error, folder, 'read')
    }
  }

  async #summary(id: string): Promise<SessionSummary | null> {
    try {
      const [info, holder] = await Promise.all([stat(this.logFile(id)), lockHolder(this.dir(id))])
      const cached = await this.#readSummary(id)
      let summary: SessionSummary
      if (cached && cached.log.size === info.size && cached.log.mtime_ms === info.mtimeMs) {
        summary = { ...cached.summary, locked: false }
      } else {
        // Taken before the fold: when the log grows meanwhile, the stored values do not match it and are not used.
        const end = await readLogEnd(this.logFile(id))
        const state = await this.fold(id)
        if (state.last_seq === 0) return null
        summary = summarize(state)
        if (!holder && end.last_seq === state.last_seq) await this.#cacheSummary(state, end)
      }
      // Nobody runs it any more: a crash ended the turn, whatever the log says.
      if (!holder && summary.status !== 'idle') return { ...summary, status: 'idle', last_outcome: 'interrupted' }
      return { ...summary, locked: holder !== null && !holder.own }
    } catch (error) {
      if (error instanceof UserError || isNodeError(error)) return null
      throw error
    }
  }

  async #readSummary(id: string): Promise<SummaryFile | null> {
    try {
      const parsed = summaryFileSchema.safeParse(JSON.parse(await readFile(this.#summaryFile(id), 'utf8')))
      return parsed.success && parsed.data.summary.id === id ? parsed.data : null
    } catch {
      // Missing or damaged: the log is folded instead.
      return null
    }
  }

  async #cacheSummary(state: SessionState, end: LogEnd): Promise<void> {
    try {
      await this.#writeSummary(state, end)
    } catch (error) {
      // A read-only or full disk costs the next listing another fold, and nothing else.
      if (!isNodeError(error)) throw error
    }
  }

  async #writeSummary(state: SessionState, end: LogEnd): Promise<void> {
    const { locked: _locked, ...summary } = summarize(state)
    const content: SummaryFile = { version: 1, log: { size: end.size, mtime_ms: end.mtime_ms }, summary }
    const { default: writeFileAtomic } = await import('write-file-atomic')
    // No fsync: a power cut may cost the cache, which costs a fold.
    await writeFileAtomic(this.#summaryFile(state.id), `${JSON.stringify(content)}\n`, { fsync: false, mode: 0o600 })
  }

  #summaryFile(id: string): string {
    return join(this.dir(id), SUMMARY_FILE)
  }

  async #ids(): Promise<string[]> {
    return (await this.#entries()).filter((entry) => entry.isDirectory() && isSessionId(entry.name)).map((e) => e.name)
  }

  async #entries(): Promise<Dirent[]> {
    try {
      return await readdir(this.#root, { withFileTypes: true })
    } catch (error) {
      if (isMissing(error)) return []
      throw folderFailure(error, this.#root, 'list')
    }
  }
}

/**
 * The part of `bytes` that is about `wanted` long and cuts no character: the rest of a character at the front is left
 * out, and one that does not end within `wanted` is left for the next piece, unless it is the only one.
 */
function wholeCharacters(bytes: Buffer, wanted: number): { from: number; to: number } {
  let from = 0
  while (from < MAX_CHAR_BYTES - 1 && isContinuation(bytes[from])) from++
  let to = Math.min(Math.max(wanted, from + 1), bytes.length)
  let end = to
  while (end > from && to - end < MAX_CHAR_BYTES && isContinuation(bytes[end])) end--
  if (end > from && !isContinuation(bytes[end])) return { from, to: end }
  // Not even one character fits, or the text is damaged: the piece still has to move on.
  while (to < bytes.length && to - from < MAX_CHAR_BYTES && isContinuation(bytes[to])) to++
  return { from: Math.min(from, to), to }
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80
}

/** Runs `work` on every value, at most `limit` at a time; results in order. */
async function mapLimited<T, R>(values: readonly T[], limit: number, work: (value: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  const queue = values.entries()
  const worker = async () => {
    for (const [at, value] of queue) results[at] = await work(value)
  }
  await Promise.all(Array.from({ length: Math.min(limit, values.length) }, worker))
  return results
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function isMissing(error: unknown): boolean {
  return isNodeError(error) && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
}

function notFound(id: string): UserError {
  const remedy = 'List the sessions with “ml-intern sessions list” and choose one.'
  return new UserError('session_not_found', `There is no session “${id}”.`, remedy)
}

function noOutput(file: string): UserError {
  return new UserError('not_found', `The output file “${file}” is not there any more.`)
}

function folderFailure(error: unknown, path: string, what: string): UserError {
  const options = { cause: error }
  const code = isNodeError(error) ? error.code : undefined
  const remedy = 'Make it accessible, or choose another data folder with ML_INTERN_HOME.'
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new UserError('permission', `Not allowed to ${what} ${path}.`, remedy, options)
  }
  return new UserError('config', `Could not ${what} ${path}: ${messageOf(error)}`, remedy, options)
}
