import type { Dirent } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import type { BridgeResults } from '@shared/bridge'
import { isNodeError, UserError } from '../errors'

/** Folders shown at once by the folder chooser. */
const MAX_FOLDERS = 500
/** Links looked at in one folder; each costs a look at the disk. */
const MAX_LINKS = 1_000
/** A network drive whose server is gone answers never; the chooser has to. */
const TIME_LIMIT_MS = 10_000

/** The folders inside a folder, for the chooser; hidden ones are left out. An empty path is `fallback`. */
export async function listFolders(path: string, fallback: string): Promise<BridgeResults['folders.list']> {
  const typed = path.trim()
  const expanded = typed === '~' || typed.startsWith('~/') ? join(homedir(), typed.slice(1)) : typed
  const folder = resolve(fallback, expanded)
  try {
    const names = await withinLimit(folder, folderNames(folder))
    const parent = dirname(folder)
    return {
      path: folder,
      parent: parent === folder ? null : parent,
      folders: names.slice(0, MAX_FOLDERS),
      truncated: names.length > MAX_FOLDERS,
    }
  } catch (error) {
    if (!isNodeError(error)) throw error
    if (error.code === 'ENOENT') throw new UserError('not_found', `There is no folder ${folder}.`)
    if (error.code === 'ENOTDIR') throw new UserError('not_a_directory', `${folder} is a file, not a folder.`)
    if (error.code === 'ENAMETOOLONG' || error.code === 'ERR_INVALID_ARG_VALUE') {
      throw new UserError('not_found', 'No folder can have this name.')
    }
    throw new UserError('permission', `${folder} cannot be read (${error.code}).`)
  }
}

async function folderNames(folder: string): Promise<string[]> {
  const entries = (await readdir(folder, { withFileTypes: true })).filter((entry) => !entry.name.startsWith('.'))
  const links = entries.filter((entry) => entry.isSymbolicLink()).slice(0, MAX_LINKS)
  // Data often lies on another disk, with a link to it.
  const linked = await Promise.all(links.map((entry) => leadsToFolder(folder, entry)))
  const names = [
    ...entries.filter((entry) => entry.isDirectory()),
    ...links.filter((_, index) => linked[index] === true),
  ].map((entry) => entry.name)
  // One collator for all: a comparison that sets itself up each time takes seconds in a large folder.
  return names.sort(new Intl.Collator().compare)
}

async function leadsToFolder(folder: string, entry: Dirent): Promise<boolean> {
  try {
    return (await stat(join(folder, entry.name))).isDirectory()
  } catch {
    // A link to nothing, to itself or to where this user may not look is no folder to work in.
    return false
  }
}

async function withinLimit<T>(folder: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new UserError('permission', `${folder} does not answer.`, 'Its disk or server may be gone.')),
      TIME_LIMIT_MS,
    )
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
