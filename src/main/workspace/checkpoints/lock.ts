import { randomUUID } from 'node:crypto'
import { link, readFile, rename, unlink, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { isNodeError } from '../../errors'

const LOCK_FILE = 'lock'
/** How often a lock that another process holds is looked at: a recording of an unchanged folder takes 50 ms. */
const POLL_MS = 20

const recordSchema = z.object({
  pid: z.number().int().positive(),
  /** Tells a process from a later one with the same number; null where the system does not say. */
  start_time: z.string().nullable(),
  host: z.string(),
  nonce: z.uuid(),
})
type LockRecord = z.infer<typeof recordSchema>

const queues = new Map<string, Promise<unknown>>()

/**
 * Runs `work` while no other session of this or another process changes the shadow repository `dir`. A lock whose
 * process is gone is taken over at once. Rejects with the reason of `signal` when that fires while waiting.
 */
export async function withLock<T>(dir: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const before = queues.get(dir) ?? Promise.resolve()
  const run = async () => {
    signal.throwIfAborted()
    const release = await take(dir, signal)
    try {
      return await work()
    } finally {
      await release()
    }
  }
  const turn = before.then(run, run)
  // The next one only waits for the end: how this one ended is told to its own caller.
  const end = turn.catch(() => undefined)
  queues.set(dir, end)
  try {
    return await turn
  } finally {
    if (queues.get(dir) === end) queues.delete(dir)
  }
}

async function take(dir: string, signal: AbortSignal): Promise<() => Promise<void>> {
  const file = join(dir, LOCK_FILE)
  const own: LockRecord = {
    pid: process.pid,
    start_time: await startTime(process.pid),
    host: hostname(),
    nonce: randomUUID(),
  }
  const ready = join(dir, `${LOCK_FILE}.new-${own.nonce}`)
  await writeFile(ready, JSON.stringify(own), { flag: 'wx', mode: 0o600 })
  try {
    while (!(await linked(ready, file)) && !(await takenOver(dir, file, ready))) {
      await delay(POLL_MS, undefined, { signal }).catch(() => signal.throwIfAborted())
    }
  } finally {
    await remove(ready)
  }
  return async () => {
    // Somebody may have removed the lock by hand and taken it again: that one is not ours.
    if ((await read(file))?.nonce === own.nonce) await remove(file)
  }
}

/**
 * Replaces the lock of a dead process. One process at a time may, and it looks again once it has that right: between
 * the two looks another may have done the same.
 */
async function takenOver(dir: string, file: string, ready: string): Promise<boolean> {
  const found = await read(file)
  if (found === null || (await isAlive(found))) return false
  const claim = join(dir, `${LOCK_FILE}.claim-${found.nonce}`)
  if (!(await linked(ready, claim))) {
    const by = await read(claim)
    if (by !== null && !(await isAlive(by))) await remove(claim)
    return false
  }
  try {
    if ((await read(file))?.nonce !== found.nonce) return false
    await rename(ready, file)
    return true
  } finally {
    await remove(claim)
  }
}

/** Link is atomic and refuses an existing name; where the disk knows no links, an exclusive copy has to do. */
async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    const code = isNodeError(error) ? error.code : ''
    if (code === 'EEXIST') return false
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS') throw error
  }
  try {
    await writeFile(to, await readFile(from), { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    return rethrowUnless(error, 'EEXIST')
  }
}

function rethrowUnless(error: unknown, code: string): false {
  if (isNodeError(error) && error.code === code) return false
  throw error
}

/** Null: not there. A record that cannot be read (a power cut) is nobody's. */
async function read(file: string): Promise<LockRecord | null> {
  try {
    return parse(await readFile(file, 'utf8'))
  } catch (error) {
    if (isNodeError(error) && error.code === 'ENOENT') return null
    throw error
  }
}

const NOBODY: LockRecord = { pid: 2 ** 31 - 1, start_time: '0', host: hostname(), nonce: '' }

function parse(text: string): LockRecord {
  try {
    return recordSchema.parse(JSON.parse(text))
  } catch {
    return NOBODY
  }
}

async function isAlive({ pid, start_time, host }: LockRecord): Promise<boolean> {
  // Another computer's processes cannot be looked at: a shared folder is not taken over.
  if (host !== hostname()) return true
  try {
    process.kill(pid, 0)
  } catch (error) {
    // EPERM: it is there and belongs to another user.
    if (!isNodeError(error) || error.code !== 'EPERM') return false
  }
  const now = await startTime(pid)
  return start_time === null || now === null ? now !== 'dead' : now === start_time
}

/** Linux: clock ticks since boot; `dead` for a process that nobody has reaped. Null where the system has no /proc. */
async function startTime(pid: number): Promise<string | null> {
  if (process.platform !== 'linux') return null
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'latin1')
    // "pid (name) state ppid …": the name may hold spaces and parentheses. State is field 3, the start time field 22.
    const fields = text.slice(text.lastIndexOf(') ') + 2).split(' ')
    return fields[0] === 'Z' || fields[0] === 'X' ? 'dead' : (fields[19] ?? null)
  } catch (error) {
    // Gone between the two looks.
    if (isNodeError(error) && (error.code === 'ENOENT' || error.code === 'ESRCH')) return 'dead'
    throw error
  }
}

async function remove(file: string): Promise<void> {
  try {
    await unlink(file)
  } catch (error) {
    if (!isNodeError(error) || error.code !== 'ENOENT') throw error
  }
}
