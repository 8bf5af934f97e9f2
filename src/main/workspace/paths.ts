import { readdir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, dirname, extname, join, relative, resolve, sep } from 'node:path'
import { UserError } from '../errors'

/** Absolute form of a path argument: `~` is the home folder, relative paths start at `cwd`. Throws on a NUL character. */
export function resolvePath(path: string, cwd: string): string {
  if (path.includes('\0')) throw new UserError('invalid_request', 'A path cannot contain a NUL character.')
  if (path === '~') return homedir()
  if (path.startsWith('~/') || path.startsWith(`~${sep}`)) return join(homedir(), path.slice(2))
  return resolve(cwd, path)
}

/** Short form for messages: relative inside `cwd`, absolute outside. */
export function displayPath(path: string, cwd: string): string {
  const short = relative(cwd, path)
  return short === '' || short.startsWith('..') || resolve(short) === short ? path : short
}

const MAX_SUGGESTIONS = 5

/** Entries of the same folder whose names resemble a missing one, best first; empty when the folder cannot be read. */
export async function similarNames(path: string): Promise<string[]> {
  const wanted = basename(path).toLowerCase()
  // The folder is missing or closed to us as well: then there is nothing to suggest, and the caller's error says so.
  const names = await readdir(dirname(path)).catch(() => [])
  const scored = names.map((name) => ({ name, score: similarity(wanted, name.toLowerCase()) }))
  return scored
    .filter((entry) => entry.score > 0)
    .sort((a, b) => b.score - a.score || a.name.localeCompare(b.name))
    .slice(0, MAX_SUGGESTIONS)
    .map((entry) => entry.name)
}

function similarity(wanted: string, name: string): number {
  if (wanted === name) return 1
  const [a, b] = [stem(wanted), stem(name)]
  if (a === b) return 0.9
  if (a.length >= 3 && b.length >= 3 && (a.includes(b) || b.includes(a))) return 0.7
  const distance = editDistance(wanted, name)
  return distance <= Math.max(1, Math.floor(wanted.length / 4)) ? 0.6 - distance / 100 : 0
}

function stem(name: string): string {
  return basename(name, extname(name))
}

/** Levenshtein distance. File names are at most 255 bytes, so the quadratic table is small. */
function editDistance(a: string, b: string): number {
  // Far apart in length is far apart: most names of a large folder end here.
  if (Math.abs(a.length - b.length) > a.length / 4 + 1) return a.length + b.length
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
