import { createHash } from 'node:crypto'
import { unlink } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { isNodeError } from '../../errors'

/** Between looks at a holder that is just starting or just ending. */
const RETRY_MS = 10

/**
 * Runs `action` while no other process of this machine runs one under the same name. The lock is a local socket that the
 * system closes when its holder dies, kill -9 included; whoever waits is woken by that. Rejects with the signal's reason.
 */
export async function withMachineLock<T>(
  name: string,
  signal: AbortSignal,
  onWait: () => void,
  action: () => Promise<T>,
): Promise<T> {
  const address = addressOf(name)
  let told = false
  for (;;) {
    signal.throwIfAborted()
    const lock = await listen(address)
    if (lock) {
      try {
        return await action()
      } finally {
        lock.release()
      }
    }
    if (!told) onWait()
    told = true
    if (!(await holderGone(address, signal))) await removeStale(address)
    await delay(RETRY_MS)
  }
}

function addressOf(name: string): string {
  const id = `ml-intern-${createHash('sha256').update(name).digest('hex').slice(0, 24)}`
  // unix(7): a leading NUL is the abstract namespace, where a name lives as long as its socket.
  if (process.platform === 'linux') return `\0${id}`
  return process.platform === 'win32' ? `\\\\.\\pipe\\${id}` : join(tmpdir(), `${id}.sock`)
}

/** Null: somebody else has it. */
function listen(address: string): Promise<{ release: () => void } | null> {
  return new Promise((resolve, reject) => {
    const waiting = new Set<Socket>()
    const server: Server = createServer((socket) => {
      waiting.add(socket)
      // A waiter that dies is no failure of ours.
      socket.on('error', () => {})
      socket.on('close', () => waiting.delete(socket))
    })
    server.once('error', (error) => {
      if (isNodeError(error) && error.code === 'EADDRINUSE') resolve(null)
      else reject(error)
    })
    server.listen(address, () => {
      const release = () => {
        server.close()
        for (const socket of waiting) socket.destroy()
      }
      resolve({ release })
    })
  })
}

/** Waits for the end of the holder. False: nobody listens there (the holder is just starting or ending, or died). */
function holderGone(address: string, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    let connected = false
    const socket = connect(address)
    const onAbort = () => {
      socket.destroy()
      reject(signal.reason)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    socket.on('connect', () => {
      connected = true
    })
    // The close that follows tells.
    socket.on('error', () => {})
    socket.on('close', () => {
      signal.removeEventListener('abort', onAbort)
      resolve(connected)
    })
    socket.resume()
  })
}

/**
 * Where sockets are files, that of a dead holder stays. Two processes that find it in the same millisecond could both
 * take the lock; on Linux and Windows there is no file and no such moment.
 */
async function removeStale(address: string): Promise<void> {
  if (process.platform === 'linux' || process.platform === 'win32') return
  await unlink(address).catch((error: unknown) => {
    if (!isNodeError(error) || error.code !== 'ENOENT') throw error
  })
}
