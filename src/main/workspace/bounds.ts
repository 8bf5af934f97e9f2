import type { Stats } from 'node:fs'
import { type FileHandle, open, readlink, realpath, stat } from 'node:fs/promises'
import { relative, sep } from 'node:path'
import { isNodeError, UserError } from '../errors'
import { fileProblem, READ_REAL, requireOrdinary, resolveTarget } from './files'
import { displayPath, resolvePath } from './paths'
import { type ActionFacts, fileFacts } from './shell'
import { isSecretPath } from './shell/secrets'

/** Where files are free to be read: the working folder and what was granted beside it. Absolute paths. */
export interface Bounds {
  cwd: string
  granted?: readonly string[]
}
export interface Place {
  /** The path after all symbolic links; parts that do not exist yet are kept. */
  real: string
  inside: boolean
}

const OUTSIDE = 'Reads outside of the workspace'
/** Files there are made by the kernel: endless, dangerous to read or somebody's secrets. /dev/shm is ordinary memory. */
const SPECIAL = /^\/(proc|sys|dev(?!\/shm\/))(\/|$)/

/** Whether `path` is `folder` or lies in it, by their names alone. */
export function isBelow(path: string, folder: string): boolean {
  const way = relative(folder, path)
  return way === '' || !(way === '..' || way.startsWith(`..${sep}`) || way.startsWith(sep) || /^[a-z]:/i.test(way))
}

function named(path: string, { cwd, granted = [] }: Bounds): boolean {
  return isBelow(path, cwd) || granted.some((folder) => isBelow(path, folder))
}

/** Where an absolute path really leads, existing or not, and whether that is within the bounds. Throws UserError. */
export async function withinBounds(path: string, { cwd, granted = [] }: Bounds): Promise<Place> {
  const real = await resolveTarget(path)
  for (const folder of [cwd, ...granted]) {
    if (isBelow(real, await resolveTarget(folder))) return { real, inside: true }
  }
  return { real, inside: false }
}

/**
 * What reading a path would do, for rules: outside of the bounds it is asked for. (A path inside that leads out through a
 * link is refused by the tool itself.) Pure.
 */
export function readFacts(path: string, context: ReadContext): ActionFacts {
  const facts = fileFacts('read', path, context.cwd, context)
  if (facts.reason || path.includes('\0')) return facts
  const file = resolvePath(path, context.cwd)
  // The working folder may be named by its real path as well.
  const granted = [...(context.granted ?? []), context.real?.get(context.cwd) ?? context.cwd]
  return named(file, { ...context, granted }) ? facts : { ...facts, reason: OUTSIDE }
}
interface ReadContext extends Bounds {
  real?: ReadonlyMap<string, string>
}

/**
 * The real path of what may be touched under an absolute path, existing or not. A path outside of the bounds was asked
 * for by its name; one inside must not lead out, and neither may lead to a secret that its name does not show. Throws
 * UserError.
 */
export async function reach(path: string, bounds: Bounds): Promise<Place> {
  const place = await withinBounds(path, bounds)
  const { real, inside } = place
  if (SPECIAL.test(real)) {
    throw new UserError(
      'invalid_request',
      `${path} is not an ordinary file (a device or a view into the system).`,
      'Look at it with bash if it is needed.',
    )
  }
  const out = !inside && named(path, bounds)
  const hidden = real !== path && isSecretPath(real) && !isSecretPath(path)
  if (!out && !hidden) return place
  const where = out ? 'leads out of the workspace' : 'leads to a file that may hold a secret'
  throw new UserError(
    'permission',
    `${displayPath(path, bounds.cwd)} is or goes through a link that ${where}: ${real}.`,
    'If it is needed, name that path itself, so that the user can decide about it.',
  )
}

/**
 * Opens an ordinary file within what may be read. What was opened is compared with what was checked: a path that is exchanged between the check and the opening gives an error, not another file. Throws UserError.
 */
export async function openWithin(path: string, bounds: Bounds): Promise<OpenedFile> {
  const { real } = await reach(path, bounds)
  const name = displayPath(path, bounds.cwd)
  try {
    // Looked at before it is opened: to open a device can have effects.
    requireOrdinary(await stat(real), name)
    const handle = await open(real, READ_REAL)
    try {
      const stats = await handle.stat()
      requireOrdinary(stats, name)
      if (!(await isAt(handle, stats, real))) throw exchanged(name)
      return { handle, stats, real }
    } catch (error) {
      await handle.close()
      throw error
    }
  } catch (error) {
    if (isNodeError(error) && error.code === 'ELOOP') throw exchanged(name)
    throw await fileProblem(error, path)
  }
}
/** Whether an open file is the one at a real path, and no link led to it. */
async function isAt(handle: FileHandle, stats: Stats, real: string): Promise<boolean> {
  if (process.platform === 'linux') {
    // The kernel says which path was opened: what the path means a moment later would prove nothing.
    const opened = await readlink(`/proc/self/fd/${handle.fd}`).catch(() => null)
    if (opened !== null) return opened === real
  }
  // Elsewhere: unless links come and go between these three looks, it is.
  const before = await stat(real)
  const same = (await realpath(real)) === real
  const after = await stat(real)
  return same && [before, after].every(({ ino, dev }) => ino === stats.ino && dev === stats.dev)
}

export interface OpenedFile {
  handle: FileHandle
  stats: Stats
  real: string
}

function exchanged(name: string): UserError {
  return new UserError('invalid_request', `${name} was exchanged while it was opened.`, 'Try again.')
}
