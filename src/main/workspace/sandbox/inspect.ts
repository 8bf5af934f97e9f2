import { readdir, readFile, readlink, rename, symlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { isInside, kindOf, namesIn, outermost, realKind } from './paths'
import type { Placeholders } from './placeholders'
import {
  GIT_FILES,
  GIT_PROTECTED,
  isEnvFile,
  PLANTABLE_FILES,
  PLANTABLE_FOLDERS,
  PLANTABLE_IN_HOME,
} from './secret-paths'

/** `.env` files are looked for in the workspace and two levels below; no more folders than this, for its cost. */
const MAX_FOLDERS = 64
const DEPTH = 2
const SKIPPED: ReadonlySet<string> = new Set(['.git', 'node_modules', '.venv', 'venv', '__pycache__', 'site-packages'])

export interface Guarded {
  pinned: string[]
  protected: string[]
  /** Where nothing is yet, and nothing may be made. */
  absent: string[]
  /** Afterwards this must be so again (null: nothing there). Links: what they lead to can be covered, they themselves cannot, so they are put right again afterwards. */
  linked: { path: string; target: string | null }[]
}

/** What must stay as it is in a writable folder, because programs outside of the sandbox act on it. */
export async function guard(root: string, homes: readonly string[], placeholders: Placeholders): Promise<Guarded> {
  const found: Guarded = { pinned: [], protected: [], absent: [], linked: [] }
  const names: string[] = [...PLANTABLE_FOLDERS, ...PLANTABLE_FILES]
  const inHome = homes.filter((home) => isInside(root, home))
  const paths = [
    ...names.map((name) => join(root, name)),
    ...inHome.flatMap((home) => PLANTABLE_IN_HOME.map((name) => join(home, name))),
  ]
  await Promise.all([
    ...paths.map((path) => sort(path, root, found, placeholders)),
    guardGit(root, found, placeholders),
  ])
  return found
}

async function sort(path: string, root: string, found: Guarded, placeholders: Placeholders): Promise<void> {
  const kind = placeholders.has(path) ? null : await kindOf(path)
  if (kind === null) {
    // Where not even the folder above is there, that one is held instead: mkdir -p must not get around it.
    const parent = dirname(path)
    if (parent === root || (await kindOf(parent)) === 'folder') found.absent.push(path)
    else if (isInside(root, parent)) await sort(parent, root, found, placeholders)
    return
  }
  if (kind !== 'link') {
    found.protected.push(path)
    return
  }
  const target = await realKind(path)
  if (target && isInside(root, target.path)) found.protected.push(target.path)
  found.linked.push({ path, target: await readlink(path) })
}

async function guardGit(root: string, found: Guarded, placeholders: Placeholders): Promise<void> {
  const git = join(root, '.git')
  const kind = placeholders.has(git) ? null : await kindOf(git)
  if (kind === null) found.absent.push(git)
  else if (kind !== 'folder') await sort(git, root, found, placeholders)
  else {
    const before = found.linked.length
    await Promise.all(GIT_PROTECTED.map((name) => sort(join(git, name), git, found, placeholders)))
    // A folder in their place would stop git, also the user's own: what appears is taken away afterwards.
    const files = found.absent.filter((path) => GIT_FILES.some((name) => path === join(git, name)))
    found.absent = found.absent.filter((path) => !files.includes(path))
    found.linked.push(...files.map((path) => ({ path, target: null })))
    // A link inside could be exchanged: then all of it is read-only. Else it is only held where it is, because moved
    // away with what is protected in it, it could be made anew.
    const inside = found.linked.slice(before).filter(({ path, target }) => target !== null && isInside(git, path))
    found.linked = found.linked.filter((link) => !inside.includes(link))
    if (inside.length > 0) found.protected.push(git)
    else found.pinned.push(git)
  }
}

/** The `.env` files of a folder. */
export async function envFiles(root: string): Promise<string[]> {
  const files: string[] = []
  let level = [root]
  let left = MAX_FOLDERS
  for (let depth = 0; depth <= DEPTH && level.length > 0 && left > 0; depth += 1) {
    const folders = level.slice(0, left)
    left -= folders.length
    const next: string[] = []
    await Promise.all(
      folders.map(async (folder) => {
        for (const name of await namesIn(folder)) {
          if (isEnvFile(name)) files.push(join(folder, name))
          // A name with a dot inside is a file nearly always; the rest is asked by being read.
          else if (depth < DEPTH && !SKIPPED.has(name) && !/.\./.test(name)) next.push(join(folder, name))
        }
      }),
    )
    level = next
  }
  return files
}

/** Existing ones of the given paths, by what they are; without links, and none inside another. */
export async function existing(paths: readonly string[]): Promise<{ files: string[]; folders: string[] }> {
  const found = (await Promise.all(paths.map((path) => realKind(path)))).filter((entry) => entry !== null)
  const folders = outermost(found.filter(({ kind }) => kind === 'folder').map(({ path }) => path))
  const files = found.filter(({ kind }) => kind !== 'folder').map(({ path }) => path)
  return { folders, files: [...new Set(files)].filter((path) => !folders.some((folder) => isInside(folder, path))) }
}

/**
 * The given paths without those below one of `homes` that are not there: some hundred paths are looked for before every
 * command, and reading the few folders that exist is quicker than asking for each. What cannot be read stays in.
 */
export async function presentBelow(homes: readonly string[], paths: readonly string[]): Promise<string[]> {
  const listings = new Map<string, Promise<ReadonlySet<string> | null>>()
  const list = (folder: string): Promise<ReadonlySet<string> | null> => {
    const known = listings.get(folder)
    if (known) return known
    const names = readdir(folder).then(
      (found) => new Set(found),
      () => null,
    )
    listings.set(folder, names)
    return names
  }
  const present = async (path: string): Promise<boolean> => {
    if (!homes.some((home) => path !== home && isInside(home, path))) return true
    if (!(await present(dirname(path)))) return false
    return (await list(dirname(path)))?.has(basename(path)) ?? true
  }
  const found = await Promise.all(paths.map((path) => present(path)))
  return paths.filter((_path, i) => found[i])
}

/**
 * Every unix socket that somebody listens on by a path, from the kernel's own list: a read-only mount does not keep
 * anybody from connecting to it. Abstract ones end at the network namespace.
 */
export async function listeningSockets(): Promise<string[]> {
  const table = await readFile('/proc/net/unix', 'utf8').catch(() => '')
  const paths = table.split('\n').map((line) => / (\/.*)$/.exec(line)?.[1])
  return [...new Set(paths.filter((path): path is string => path !== undefined))]
}

/** Graphics cards: NVIDIA, AMD, and what carries them in WSL. */
export async function gpuDevices(): Promise<string[]> {
  const names = await namesIn('/dev')
  return names.filter((name) => /^(nvidia.*|kfd|dri|dxg|nvmap|nvhost.*)$/.test(name)).map((name) => join('/dev', name))
}

/**
 * Puts links back that a command has exchanged; what stood there is kept under another name. Until then, while the
 * command runs, the other thing is there: a link cannot be covered by a mount.
 */
export async function restoreLinks(links: readonly { path: string; target: string | null }[]): Promise<void> {
  for (const { path, target } of links) {
    if (target === null && (await kindOf(path)) === null) continue
    const now = await readlink(path).catch(() => null)
    if (target !== null && now === target) continue
    // Gone, or in a folder that is gone: then there is nothing to move.
    await rename(path, `${path}.changed-in-sandbox-${Date.now()}`).catch(() => undefined)
    if (target !== null) await symlink(target, path).catch(() => undefined)
  }
}
