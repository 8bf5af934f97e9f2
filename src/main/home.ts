import { mkdir, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { isNodeError, messageOf, UserError } from './errors'

/** The application-data folder of the system: where everything lies that ML Intern keeps. */
export function defaultHome(env: NodeJS.ProcessEnv, platform: NodeJS.Platform = process.platform): string {
  const user = homedir()
  if (platform === 'darwin') return join(user, 'Library', 'Application Support', 'ML Intern')
  if (platform === 'win32') return join(env.APPDATA || join(user, 'AppData', 'Roaming'), 'ML Intern')
  const data = env.XDG_DATA_HOME
  // The XDG specification says to ignore a relative path.
  return join(data && isAbsolute(data) ? data : join(user, '.local', 'share'), 'ml-intern')
}

/** `~/x` as a path of this user; anything else against `base`. */
export function expandPath(path: string, base: string): string {
  if (path === '~') return homedir()
  if (path.startsWith('~/') || path.startsWith('~\\')) return join(homedir(), path.slice(2))
  return resolve(base, path)
}

/** Makes the data folder for this user alone (mode 0700). An existing one is left as it is. Throws UserError. */
export async function ensureHome(home: string): Promise<void> {
  const remedy = 'Set ML_INTERN_HOME to a folder that you may write to.'
  try {
    await makeFolders(home, 0o700)
  } catch (error) {
    const code = isNodeError(error) ? error.code : ''
    if (code === 'EEXIST' || code === 'ENOTDIR') {
      throw new UserError('not_a_directory', `The data folder ${home} is not a folder.`, remedy, { cause: error })
    }
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
      throw new UserError('permission', `The data folder ${home} cannot be made: ${code}.`, remedy, { cause: error })
    }
    throw new UserError('config', `The data folder ${home} cannot be made: ${messageOf(error)}`, remedy, {
      cause: error,
    })
  }
  if (!(await stat(home)).isDirectory()) {
    throw new UserError('not_a_directory', `The data folder ${home} is not a folder.`, remedy)
  }
}

/**
 * Makes a folder and those above it that are missing; one that is there is left as it is, and so is a file. Rejects with
 * the system's error. Not `mkdir` with `recursive`: Node 20 repeats that for ever where a folder cannot be made below an
 * existing one (/proc).
 */
export async function makeFolders(path: string, mode?: number): Promise<void> {
  if (await makeFolder(path, mode, 'ENOENT')) return
  const parent = dirname(path)
  if (parent !== path && !(await isThere(parent))) await makeFolders(parent, mode)
  await makeFolder(path, mode)
}

/** False when it failed with the code that is allowed. */
async function makeFolder(path: string, mode: number | undefined, allowed?: string): Promise<boolean> {
  try {
    await mkdir(path, mode)
  } catch (error) {
    if (!isNodeError(error)) throw error
    if (error.code === allowed) return false
    // Another process was quicker, or it has always been there; what it is, the caller looks at.
    if (error.code !== 'EEXIST') throw error
  }
  return true
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if (isNodeError(error) && error.code === 'ENOENT') return false
    throw error
  }
}
