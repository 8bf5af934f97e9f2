import { createHash, randomBytes } from 'node:crypto'
import { constants, type Stats } from 'node:fs'
import { type FileHandle, lstat, open, readlink, realpath, rename, stat, unlink } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { isNodeError, messageOf, UserError } from '../errors'
import { similarNames } from './paths'

export interface FileVersion {
  mtime_ms: number
  size: number
  /** SHA-256 of the bytes, hex. */
  hash: string
}

/** Above this a file is never read whole. */
export const MAX_WHOLE_BYTES = 50 * 1024 * 1024
export const CHUNK_BYTES = 256 * 1024
/** Linux gives up after 40 links as well (path_resolution(7)). */
const MAX_LINKS = 40

/** Opened for reading so that a pipe put there meanwhile does not make it wait, and a link put there is not followed. */
export const READ_REAL = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/**
 * Opens an ordinary file for reading. `path`: a real path (resolveTarget). Throws UserError for anything else: missing
 * (with similar names), folder, device, link.
 */
export async function openFile(path: string): Promise<{ handle: FileHandle; stats: Stats }> {
  try {
    // Looked at before it is opened: to open a device can have effects.
    requireOrdinary(await stat(path), path)
    const handle = await open(path, READ_REAL)
    try {
      const stats = await handle.stat()
      requireOrdinary(stats, path)
      return { handle, stats }
    } catch (error) {
      await handle.close()
      throw error
    }
  } catch (error) {
    throw await fileProblem(error, path)
  }
}

/** Throws UserError for what is no file with content of its own. `name`: as in messages. */
export function requireOrdinary(stats: Stats, name: string): void {
  if (stats.isDirectory()) {
    throw new UserError('invalid_request', `${name} is a folder, not a file.`, 'Use list to see what is in it.')
  }
  if (stats.isFile()) return
  throw new UserError('invalid_request', `${name} is not an ordinary file (a device, a pipe or a socket).`)
}

/** The bytes of an open file, piece by piece; a piece is valid until the next is asked for. Throws when aborted. */
export async function* readChunks(handle: FileHandle, signal: AbortSignal): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES)
  for (;;) {
    signal.throwIfAborted()
    const { bytesRead } = await handle.read(buffer, 0, CHUNK_BYTES, null)
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
  }
}

export interface LoadedFile {
  version: FileVersion
  stats: Stats
  /** The whole content, or only its first piece when it has more than `keep` bytes. */
  bytes: Buffer
  whole: boolean
}

/** Hashes a file and keeps its content up to `keep` bytes. Null when it does not exist. Throws UserError. */
export async function loadFile(path: string, keep: number, signal: AbortSignal): Promise<LoadedFile | null> {
  if (!(await exists(path))) return null
  const { handle, stats } = await openFile(path)
  try {
    if (stats.size > MAX_WHOLE_BYTES) {
      throw new UserError(
        'invalid_request',
        `${path} is too large for this tool (${formatBytes(stats.size)}; the limit is ${formatBytes(MAX_WHOLE_BYTES)}).`,
        'Change it with a script, or move it away with bash first.',
      )
    }
    const hash = createHash('sha256')
    const pieces: Buffer[] = []
    let size = 0
    for await (const piece of readChunks(handle, signal)) {
      hash.update(piece)
      size += piece.length
      if (pieces.length === 0 || stats.size <= keep) pieces.push(Buffer.from(piece))
    }
    const version = { mtime_ms: stats.mtimeMs, size, hash: hash.digest('hex') }
    const bytes = Buffer.concat(pieces)
    return { version, stats, bytes, whole: bytes.length === size }
  } catch (error) {
    throw await fileProblem(error, path)
  } finally {
    await handle.close()
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if (isNodeError(error) && error.code === 'ENOENT') return false
    throw await fileProblem(error, path)
  }
}

/**
 * The file a path means after all symbolic links, existing or not: so that writing through a link (a dangling one too)
 * changes its target and leaves the link. Parts of the path that do not exist yet are kept as they are.
 */
export async function resolveTarget(path: string): Promise<string> {
  let current = path
  for (let links = 0; links < MAX_LINKS; links += 1) {
    try {
      return await realpath(current)
    } catch (error) {
      if (!isNodeError(error) || error.code !== 'ENOENT') throw await fileProblem(error, path)
    }
    const link = await linkTarget(current)
    if (link === null) {
      const parent = dirname(current)
      return parent === current ? current : join(await resolveTarget(parent), basename(current))
    }
    current = link
  }
  throw new UserError('invalid_request', `${path} goes through too many symbolic links.`)
}

async function linkTarget(path: string): Promise<string | null> {
  try {
    return (await lstat(path)).isSymbolicLink() ? resolve(dirname(path), await readlink(path)) : null
  } catch (error) {
    if (isNodeError(error) && error.code === 'ENOENT') return null
    throw await fileProblem(error, path)
  }
}

/**
 * Replaces a file as a whole or not at all: temporary file in the same folder, fsync, rename. `like` gives mode and
 * owner. Returns the new version. (Own code, because write-file-atomic takes a write that was cut short by a full disk
 * for a success.)
 */
export async function writeAtomic(target: string, bytes: Buffer, like: Stats | null): Promise<FileVersion> {
  const temporary = join(dirname(target), `.${basename(target).slice(0, 200)}.${randomBytes(6).toString('hex')}.tmp`)
  try {
    const handle = await open(temporary, 'wx', (like?.mode ?? 0o666) & 0o7777)
    return await fillAndRename(handle, temporary, target, bytes, like)
  } catch (error) {
    throw await fileProblem(error, target)
  }
}

async function fillAndRename(
  handle: FileHandle,
  temporary: string,
  target: string,
  bytes: Buffer,
  like: Stats | null,
): Promise<FileVersion> {
  try {
    let stats: Stats
    try {
      await handle.writeFile(bytes)
      if (like) await keepOwnerAndMode(handle, like)
      await handle.sync()
      stats = await handle.stat()
    } finally {
      await handle.close()
    }
    await rename(temporary, target)
    return { mtime_ms: stats.mtimeMs, size: bytes.length, hash: createHash('sha256').update(bytes).digest('hex') }
  } catch (error) {
    await unlink(temporary).catch((cleanup: unknown) => {
      throw new AggregateError([error, cleanup], `${messageOf(error)}; ${temporary} could not be removed`)
    })
    throw error
  }
}

async function keepOwnerAndMode(handle: FileHandle, like: Stats): Promise<void> {
  const own = await handle.stat()
  if (own.uid !== like.uid || own.gid !== like.gid) {
    await handle.chown(like.uid, like.gid).catch((error: unknown) => {
      // Only root may give files away: for everybody else the file becomes the user's own.
      if (!isNodeError(error) || error.code !== 'EPERM') throw error
    })
  }
  // After chown, which clears special bits; and open() has applied the umask.
  await handle.chmod(like.mode & 0o7777)
}

const locks = new Map<string, Promise<unknown>>()

/** Runs changes of one file one after the other within this process, so that check and write are one step. */
export async function withFileLock<T>(target: string, change: () => Promise<T>): Promise<T> {
  const before = locks.get(target) ?? Promise.resolve()
  const turn = before.then(change, change)
  locks.set(target, turn)
  try {
    return await turn
  } finally {
    if (locks.get(target) === turn) locks.delete(target)
  }
}

/** The error for a path that is not there, with similar names of its folder. */
export async function missingFile(path: string, options?: ErrorOptions): Promise<UserError> {
  const names = await similarNames(path)
  const hint = names.length > 0 ? `Similar names there: ${names.join(', ')}.` : 'Check the path, for example with ls.'
  return new UserError('not_found', `${path} does not exist.`, hint, options)
}

/** Turns an error of the file system into one for the user. */
export async function fileProblem(error: unknown, path: string): Promise<unknown> {
  if (!isNodeError(error) || error instanceof UserError) return error
  const cause = { cause: error }
  switch (error.code) {
    case 'ENOENT':
      return missingFile(path, cause)
    case 'ENOTDIR':
      return new UserError('not_a_directory', `A part of the path ${path} is a file, not a folder.`, '', cause)
    case 'EISDIR':
      return new UserError('invalid_request', `${path} is a folder, not a file.`, '', cause)
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new UserError(
        'permission',
        `No permission for ${path} (${error.code}).`,
        'Use a place you may write.',
        cause,
      )
    case 'ENOSPC':
    case 'EDQUOT':
      return new UserError('resource_missing', `The disk is full: ${path} was not written.`, 'Free space first.', cause)
    case 'ENAMETOOLONG':
      return new UserError('invalid_request', 'The path is too long.', '', cause)
    case 'ELOOP':
      return new UserError('invalid_request', `${path} goes through too many symbolic links.`, '', cause)
    default:
      return error
  }
}

export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(1)} KiB`
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`
}
