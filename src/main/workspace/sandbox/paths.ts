import { constants } from 'node:fs'
import { lstat, open, readdir, realpath } from 'node:fs/promises'
import { isNodeError } from '../../errors'

/** Whether `path` is `folder` or lies in it. Both absolute and without `..`. */
export function isInside(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`)
}

/** Of folders inside each other only the outermost. */
export function outermost(folders: readonly string[]): string[] {
  const unique = [...new Set(folders)]
  return unique.filter((path) => !unique.some((other) => other !== path && isInside(other, path)))
}

export type PathKind = 'file' | 'folder' | 'link' | 'other'

/** What lies at a path, without following a link at its end; null: nothing, or nothing that we may see. */
export async function kindOf(path: string): Promise<PathKind | null> {
  try {
    const found = await lstat(path)
    if (found.isSymbolicLink()) return 'link'
    if (found.isDirectory()) return 'folder'
    return found.isFile() ? 'file' : 'other'
  } catch (error) {
    return notThere(error)
  }
}

/** The path without links, and what is there; null as above. */
export async function realKind(path: string): Promise<{ path: string; kind: PathKind } | null> {
  try {
    const real = await realpath(path)
    const kind = await kindOf(real)
    return kind ? { path: real, kind } : null
  } catch (error) {
    return notThere(error)
  }
}

/** Names in a folder; none where it cannot be read. */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    notThere(error)
    return []
  }
}

/** Makes a new file with that content; fails where there is one. */
export async function writePrivate(path: string, content: Buffer): Promise<void> {
  const file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600)
  try {
    await file.writeFile(content)
  } finally {
    await file.close()
  }
}

const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP', 'EPERM', 'ENAMETOOLONG'])

function notThere(error: unknown): null {
  if (isNodeError(error) && ABSENT.has(error.code ?? '')) return null
  throw error
}
