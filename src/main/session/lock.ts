import { execFile } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { link, readdir, readFile, rename, stat, unlink, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { z } from 'zod'
import { isNodeError, messageOf, UserError } from '../errors'

/** The right to write one session. */
export interface WriterLock {
  /** Gives the right back; calling it again does nothing. */
  release(): Promise<void>
}

export interface LockHolder {
  pid: number
  host: string
  /** True: this very process, so the session is open here. */
  own: boolean
}

const LOCK_FILE = 'writer.lock'
const CLAIM_PREFIX = `${LOCK_FILE}.claim-`
const TEMP_PREFIX = `${LOCK_FILE}.new-`
/** Waits of 10 ms for a process that is just dying or just taking over: both need a few milliseconds. */
const MAX_WAITS = 50
const WAIT_MS = 10

const recordSchema = z.object({
  pid: z.number().int().positive(),
  /** Tells a process from a later one with the same number; null where the system does not say. */
  start_time: z.string().nullable(),
  host: z.string(),
  nonce: z.uuid(),
})
type LockRecord = z.infer<typeof recordSchema>

/** A lock file as found. `id` is unique to this record for ever, so that it names what a take-over replaces. */
interface Found {
  id: string
  /** Null when the file cannot be read as a record. Records appear whole, so only a power cut leaves that. */
  record: LockRecord | null
}

type Liveness = 'alive' | 'dying' | 'dead'

/**
 * Takes the writer lock of a session folder. A lock whose process is gone is taken over at once.
 * Throws UserError: `session_busy` when a living process (this one included) has it, `session_not_found` when the
 * folder is gone, `permission` or `log_write` when the folder cannot be written.
 */
export async function acquireWriterLock(dir: string): Promise<WriterLock> {
  const nonce = randomUUID()
  const record: LockRecord = { pid: process.pid, start_time: await ownStartTime(), host: hostname(), nonce }
  const temp = join(dir, `${TEMP_PREFIX}${nonce}`)
  let held: HeldLock | null = null
  try {
    try {
      await writeFile(temp, JSON.stringify(record), { flag: 'wx', mode: 0o600 })
      await take(dir, temp)
      held = new HeldLock(join(dir, LOCK_FILE), nonce)
    } finally {
      await remove(temp)
    }
    await sweep(dir)
    return held
  } catch (error) {
    await held?.release()
    throw error instanceof UserError ? error : lockFailure(error, dir)
  }
}

/** The living process that writes the session, or null. */
export async function lockHolder(dir: string): Promise<LockHolder | null> {
  const found = await read(join(dir, LOCK_FILE))
  if (!found?.record) return null
  const { record } = found
  if ((await livenessOf(record)) === 'dead') return null
  const { pid, host } = record
  return { pid, host, own: pid === process.pid && host === hostname() }
}

class HeldLock implements WriterLock {
  #released: Promise<void> | null = null

  constructor(
    private readonly file: string,
    private readonly nonce: string,
  ) {}

  release(): Promise<void> {
    this.#released ??= this.#release()
    return this.#released
  }

  async #release(): Promise<void> {
    // Somebody may have deleted the file by hand and locked the session again: that lock is not ours to remove.
    if ((await read(this.file))?.id === this.nonce) await remove(this.file)
  }
}

async function take(dir: string, temp: string): Promise<void> {
  const lock = join(dir, LOCK_FILE)
  for (let waits = 0; ; ) {
    if (await linked(temp, lock)) return
    const found = await read(lock)
    if (!found) continue
    const state = await livenessOf(found.record)
    if (state === 'alive' && found.record) throw busy(found.record, lock)
    if (state === 'dead') {
      const claim = await claimFor(dir, found.id, temp)
      if (claim.won) {
        // Only the winner of the claim may replace this record, and its owner is dead: it cannot change between these lines.
        if ((await read(lock))?.id === found.id) {
          await rename(temp, lock)
          return
        }
        // Read before somebody else replaced it: the claim is about a record that is gone.
        await remove(claim.file)
        continue
      }
      if (waits >= MAX_WAITS && claim.by) throw busy(claim.by, claim.file)
    } else if (waits >= MAX_WAITS && found.record) {
      throw busy(found.record, lock)
    }
    waits++
    await delay(WAIT_MS)
  }
}

type Claim = { won: true; file: string } | { won: false; file: string; by: LockRecord | null }

/**
 * The right to replace a dead record. A claim on record N is the file `claim-N`, made once by link: the first one has
 * it. When that process died too, its own record is claimed in the same way, and so on: the living end of the chain
 * has the right. Nothing of the chain is removed while record N stands, so nobody can win twice.
 */
async function claimFor(dir: string, id: string, temp: string): Promise<Claim> {
  let dead = id
  for (;;) {
    const file = join(dir, `${CLAIM_PREFIX}${dead}`)
    if (await linked(temp, file)) return { won: true, file }
    const found = await read(file)
    // Removed between the two calls: the take-over is done, and the caller looks at the lock again.
    if (!found) return { won: false, file, by: null }
    if ((await livenessOf(found.record)) !== 'dead') return { won: false, file, by: found.record }
    dead = found.id
  }
}

/** Link is atomic and refuses an existing name, and the new name shows the whole content at once. */
async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if (isNodeError(error) && error.code === 'EEXIST') return false
    throw error
  }
}

async function read(file: string): Promise<Found | null> {
  try {
    const text = await readFile(file, 'utf8')
    const record = parseRecord(text)
    if (record) return { id: record.nonce, record }
    const { ino, mtimeMs } = await stat(file)
    const id = createHash('sha256').update(`${ino} ${mtimeMs} ${text}`).digest('hex').slice(0, 32)
    return { id, record: null }
  } catch (error) {
    if (isNodeError(error) && error.code === 'ENOENT') return null
    throw error
  }
}

function parseRecord(text: string): LockRecord | null {
  try {
    return recordSchema.parse(JSON.parse(text))
  } catch {
    // Not a record, see Found.
    return null
  }
}

async function remove(file: string): Promise<void> {
  try {
    await unlink(file)
  } catch (error) {
    if (!isNodeError(error) || error.code !== 'ENOENT') throw error
  }
}

/** Removes what killed processes left. The caller holds the lock, so every claim is about a record that is gone. */
async function sweep(dir: string): Promise<void> {
  for (const name of await readdir(dir)) {
    const file = join(dir, name)
    if (name.startsWith(CLAIM_PREFIX)) await remove(file)
    if (!name.startsWith(TEMP_PREFIX)) continue
    const found = await read(file)
    // An unreadable one is being written at this moment.
    if (found?.record && (await livenessOf(found.record)) === 'dead') await remove(file)
  }
}

async function livenessOf(record: LockRecord | null): Promise<Liveness> {
  if (!record) return 'dead'
  // Another computer's processes cannot be looked at: a shared folder is not taken over.
  if (record.host !== hostname()) return 'alive'
  if (!exists(record.pid)) return 'dead'
  const now = await processInfo(record.pid)
  if (now === null) return exists(record.pid) ? 'alive' : 'dead'
  if (record.start_time === null) return now.liveness
  return now.startTime === record.start_time ? now.liveness : 'dead'
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it is there and belongs to another user.
    return !(isNodeError(error) && error.code === 'ESRCH')
  }
}

interface ProcessInfo {
  startTime: string
  liveness: Liveness
}

/** Null when the system does not tell. */
async function processInfo(pid: number): Promise<ProcessInfo | null> {
  if (process.platform === 'linux') return linuxProcess(pid)
  if (process.platform === 'win32') return null
  try {
    const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC' }
    const { stdout } = await promisify(execFile)('ps', ['-o', 'state=', '-o', 'lstart=', '-p', String(pid)], { env })
    const [, state, startTime] = /^(\S+)\s+(.*\S)\s*$/.exec(stdout.trim()) ?? []
    if (!state || !startTime) return null
    return { startTime, liveness: state.startsWith('Z') ? 'dead' : 'alive' }
  } catch {
    // `ps` fails for a process that has just ended, and where there is no `ps`: then its number has to do.
    return null
  }
}

async function linuxProcess(pid: number): Promise<ProcessInfo | null> {
  try {
    const [text, boot] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
    ])
    // proc(5): after the name in brackets come state (field 3), ... num_threads (20), itrealvalue, starttime (22).
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const [state, threads, ticks] = [fields[0], Number(fields[17]), fields[19]]
    if (ticks === undefined) return null
    // Killed and not yet collected by its parent: dead, as soon as none of its threads is left in a system call.
    const ended = state === 'Z' || state === 'X'
    const liveness = !ended ? 'alive' : threads > 1 ? 'dying' : 'dead'
    // Ticks count from boot, and after a reboot the same numbers come again.
    return { startTime: `${boot.trim()} ${ticks}`, liveness }
  } catch (error) {
    // The process ended in between, or there is no /proc: then its number has to do.
    if (isNodeError(error)) return null
    throw error
  }
}

let ownStart: Promise<string | null> | null = null
function ownStartTime(): Promise<string | null> {
  ownStart ??= processInfo(process.pid).then((info) => info?.startTime ?? null)
  return ownStart
}

function busy(record: LockRecord, file: string): UserError {
  const { pid, host } = record
  if (host !== hostname()) {
    const remedy = `Close it there. If that computer does not use it any more, delete ${file}.`
    return new UserError('session_busy', `Process ${pid} on ${host} is writing this session.`, remedy)
  }
  const remedy = 'Close the session there, or wait for it to end; until then it can only be read here.'
  const who = pid === process.pid ? `This process (${pid})` : `Another process (${pid})`
  return new UserError('session_busy', `${who} is writing this session.`, remedy)
}

function lockFailure(error: unknown, dir: string): UserError {
  const code = isNodeError(error) ? error.code : undefined
  const options = { cause: error }
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new UserError(
      'session_not_found',
      `There is no session in ${dir}.`,
      'List the sessions and choose one.',
      options,
    )
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    const remedy = 'Make it writable, or choose another data folder with ML_INTERN_HOME.'
    return new UserError('permission', `Not allowed to write into the session folder ${dir}.`, remedy, options)
  }
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    const remedy = 'Free some space on that disk and try again.'
    return new UserError(
      'log_write',
      `The disk is full: the session in ${dir} cannot be opened for writing.`,
      remedy,
      options,
    )
  }
  const remedy = 'The data folder must be on a file system with hard links; choose another one with ML_INTERN_HOME.'
  return new UserError('log_write', `Could not lock the session in ${dir}: ${messageOf(error)}`, remedy, options)
}
