import type { Dirent } from 'node:fs'
import { opendir, realpath, stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'

/** Most paths that are given, whatever is asked for. */
const MAX_PATHS = 50
/** After so many milliseconds what was found is given: somebody is typing. */
const TIME_MS = 250
/** Folders that are rarely meant and often large: only given when their name was begun. */
const QUIET: ReadonlySet<string> = new Set(['.git', 'node_modules', '__pycache__', '.venv'])

/**
 * Paths inside `cwd` that begin with `prefix`, sorted; folders end in `/`. Where none does, paths of which a name holds
 * it. Nothing outside of `cwd` is given, also not through a link. Never rejects: what cannot be read is not completed.
 */
export async function completePath(cwd: string, prefix: string, limit = MAX_PATHS): Promise<string[]> {
  const wanted = Math.max(0, Math.min(limit, MAX_PATHS))
  const slash = prefix.lastIndexOf('/')
  const folder = prefix.slice(0, slash + 1)
  const name = prefix.slice(slash + 1)
  if (wanted === 0 || prefix.includes('\0') || prefix.startsWith('/') || prefix.startsWith('~')) return []
  const until = performance.now() + TIME_MS
  const root = await realpath(cwd).catch(() => null)
  const base = await realpath(join(cwd, folder)).catch(() => null)
  if (root === null || base === null || !isInside(root, base)) return []
  const begun = await list(base, until, (entry) => begins(entry, name))
  const paths = begun.map((entry) => folder + shown(entry))
  if (paths.length > 0 || name === '') return paths.slice(0, wanted)
  return (await seek(base, name, wanted, until)).map((path) => folder + path)
}

function isInside(root: string, path: string): boolean {
  const way = relative(root, path)
  return way === '' || !(way === '..' || way.startsWith(`..${sep}`) || way.startsWith(sep) || /^[a-z]:/i.test(way))
}

function begins(entry: string, name: string): boolean {
  if (!entry.toLowerCase().startsWith(name.toLowerCase())) return false
  return name !== '' || !(QUIET.has(entry) || entry.startsWith('.'))
}

interface Entry {
  name: string
  folder: boolean
  link: boolean
}

function shown({ name, folder }: Entry): string {
  return folder ? `${name}/` : name
}

/** The entries of a folder that `accept` takes, sorted. */
async function list(folder: string, until: number, accept: (name: string) => boolean): Promise<Entry[]> {
  const found: Entry[] = []
  try {
    for await (const entry of await opendir(folder)) {
      if (accept(entry.name)) {
        const link = entry.isSymbolicLink()
        found.push({ name: entry.name, link, folder: link ? await leadsToFolder(folder, entry) : entry.isDirectory() })
      }
      if (performance.now() > until) break
    }
  } catch {
    // Gone, or closed to us: what was read so far is what can be completed.
  }
  return found.sort((a, b) => a.name.localeCompare(b.name, 'en'))
}

function leadsToFolder(folder: string, { name }: Dirent): Promise<boolean> {
  return stat(join(folder, name)).then(
    (target) => target.isDirectory(),
    () => false,
  )
}

/** Breadth first, nearest first: entries below a folder whose names hold `name`. Links are not followed. */
async function seek(base: string, name: string, limit: number, until: number): Promise<string[]> {
  const wanted = name.toLowerCase()
  const found: string[] = []
  const folders = ['']
  for (let at = 0; at < folders.length && found.length < limit && performance.now() < until; at++) {
    const folder = folders[at] ?? ''
    for (const entry of await list(join(base, folder), until, (other) => begins(other, ''))) {
      const path = folder + shown(entry)
      if (entry.folder && !entry.link) folders.push(path)
      if (entry.name.toLowerCase().includes(wanted) && found.length < limit) found.push(path)
    }
  }
  return found
}
