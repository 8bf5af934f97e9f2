import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  type Stats,
  statSync,
} from 'node:fs'
import { join, relative } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { messageOf } from '../../errors'
import { isSecretPath } from '../shell/secrets'
import { compileInclude } from './glob'
import { compilePattern, matchText } from './match'
import { walkRemarks } from './remarks'
import { type FromGrepWorker, type GrepWorkerData, MAX_KEPT, MAX_MS } from './types'
import { Walk } from './walk'

/** Larger files are data, and not held in memory for a search. */
const MAX_FILE_BYTES = 50 * 1024 * 1024
const MAX_ENTRIES = 500_000
/** Milliseconds between two signs of life. */
const BEAT_MS = 100
const FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/** The search without ripgrep. It may block as long as it likes: nothing else runs on this thread. */
async function search({ request, env }: GrepWorkerData, say: (message: FromGrepWorker) => void): Promise<void> {
  const { root, file, mode, before, after, multiline } = request
  const regex = compilePattern(request)
  const includes = request.include.map(compileInclude)
  const signal = new AbortController().signal
  const secrets: string[] = []
  let kept = 0
  let large = 0
  let beat = 0

  const look = (path: string): void => {
    if (performance.now() - beat > BEAT_MS) {
      beat = performance.now()
      say({ kind: 'at', path })
    }
    const text = readText(join(root, path))
    if (text === 'large') large += 1
    if (typeof text !== 'object' || text === null) return
    const found = matchText(path, text.text, regex, { mode, before, after, multiline, max_lines: MAX_KEPT })
    if (!found) return
    kept += Math.max(1, found.lines.length)
    say({ kind: 'found', file: found })
  }

  const walk = new Walk({
    root,
    ignored: request.ignored ? 'enter' : 'leave_out',
    env,
    max_entries: MAX_ENTRIES,
    max_ms: MAX_MS,
    signal,
  })
  if (file !== null) look(relative(root, file))
  else {
    for await (const entries of walk.folders()) {
      for (const { kind, path } of entries) {
        if (kind !== 'file' || kept >= MAX_KEPT) continue
        if (includes.length > 0 && !includes.some((fits) => fits(path))) continue
        if (isSecretPath(join(root, path))) secrets.push(path)
        else look(path)
      }
      if (kept >= MAX_KEPT) break
    }
  }
  const remarks = walkRemarks(walk, { entries: MAX_ENTRIES, ms: MAX_MS })
  if (large > 0) remarks.push(`${large} files above 50 MiB were not searched: use bash for them.`)
  say({ kind: 'done', remarks, secrets })
}

/** The text of an ordinary file; null for what is none: binary, a link, gone, closed to us. */
function readText(path: string): { text: string } | 'large' | null {
  let fd: number
  try {
    fd = openSync(path, FLAGS)
  } catch {
    return null
  }
  try {
    const stats = fstatSync(fd)
    if (!stats.isFile()) return null
    if (stats.size > MAX_FILE_BYTES) return 'large'
    // A folder above it was exchanged for a link: this file belongs to another tree.
    if (openedPath(fd) !== path && !isStill(path, stats)) return null
    const bytes = readFileSync(fd)
    if (bytes.length >= 2 && bytes[0] === 0xff && bytes[1] === 0xfe) return { text: bytes.toString('utf16le').slice(1) }
    if (bytes.includes(0)) return null
    const text = bytes.toString('utf8')
    return { text: text.startsWith('\ufeff') ? text.slice(1) : text }
  } catch {
    // It changed while it was read: as if it were gone.
    return null
  } finally {
    closeSync(fd)
  }
}

/** The path of an open file as the kernel knows it; null where that cannot be asked. */
function openedPath(fd: number): string | null {
  if (process.platform !== 'linux') return null
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    return null
  }
}

function isStill(path: string, { ino, dev }: Stats): boolean {
  if (process.platform === 'linux') return false
  const now = statSync(path)
  return realpathSync.native(path) === path && now.ino === ino && now.dev === dev
}

if (parentPort) {
  const port = parentPort
  const say = (message: FromGrepWorker): void => port.postMessage(message)
  search(workerData as GrepWorkerData, say).catch((error: unknown) =>
    say({ kind: 'failed', message: messageOf(error) }),
  )
}
