import { lstat, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { UserError } from '../errors'
import { isBelow, reach, readFacts } from '../workspace/bounds'
import { formatBytes } from '../workspace/files'
import { displayPath, resolvePath } from '../workspace/paths'
import { walkRemarks } from '../workspace/search/remarks'
import { searchRoot } from '../workspace/search/root'
import { Walk, type WalkEntry } from '../workspace/search/walk'
import { openedPaths } from '../workspace/shell'
import { defineTool } from './support'
import type { ToolContext } from './types'

const DEFAULT_LIMIT = 500
const MAX = { entries: 50_000, ms: 10_000 }
/** Entries whose sizes are asked for at the same time. */
const AT_ONCE = 64

const schema = z.strictObject({
  path: z.string().min(1).default('.').describe('Folder to list: absolute, relative to the working folder, or ~.'),
  depth: z.int().min(1).max(3).default(1).describe('1: its entries; 2 and 3: those of the folders in it as well.'),
  limit: z.int().min(1).max(5000).default(DEFAULT_LIMIT).describe('How many entries to show at most.'),
})

const description = `Lists a folder: kind, size, time of the last change (UTC) and name of its entries.

Use it to see what is there; use glob to find files by name and grep to find them by content.

- Folders end with "/", links show where they lead, and hidden entries are listed like others.
- What ignore files (.gitignore, .ignore) name is marked [ignored]; folders so marked, and .git, node_modules, .venv and
  the like, are not entered when depth is above 1. List them by their own path.`

export const listTool = defineTool({
  name: 'list',
  description,
  schema,
  concurrency: 'parallel',
  effect: () => 'read',
  approval: ({ path }, context) => readFacts(path, context),
  paths: ({ path }, { cwd }) => openedPaths(path, cwd),
  intent: ({ path, depth }) => `List ${path}${depth > 1 ? ` (${depth} levels)` : ''}`,
  run: async ({ path, depth, limit }, context) => {
    const folder = resolvePath(path, context.cwd)
    const name = displayPath(folder, context.cwd)
    const { root, file } = await searchRoot(folder, context)
    if (file) throw new UserError('not_a_directory', `${name} is a file, not a folder.`, 'Use read to look into it.')
    const { env, signal } = context
    const walk = new Walk({ root, depth, ignored: 'mark', env, max_entries: MAX.entries, max_ms: MAX.ms, signal })
    const entries: WalkEntry[] = []
    for await (const found of walk.folders()) entries.push(...found)
    const shown = entries.slice(0, limit).sort((a, b) => order(a, b))

    const lines: string[] = []
    for (let at = 0; at < shown.length; at += AT_ONCE) {
      signal.throwIfAborted()
      lines.push(...(await Promise.all(shown.slice(at, at + AT_ONCE).map((entry) => line(entry, root, context)))))
    }
    const remarks = walkRemarks(walk, MAX).filter((text) => depth > 1 || !text.startsWith('Not entered'))
    if (shown.length < entries.length) {
      remarks.unshift(`Not shown: ${entriesText(entries.length - shown.length)}. Raise limit, or use glob.`)
    }
    const own = name === folder && isBelow(folder, context.cwd)
    const title = `${own ? '.' : name}/ (${entriesText(entries.length)})`
    const end = remarks.length > 0 ? ['', `[${remarks.join(' ')}]`] : []
    return { output: [title, ...lines, ...end].join('\n'), ok: true }
  },
})

function entriesText(count: number): string {
  return count === 1 ? '1 entry' : `${count} entries`
}

/** Each folder is followed by what is in it. */
function order(a: WalkEntry, b: WalkEntry): number {
  const [left, right] = [a.path.split('/'), b.path.split('/')]
  for (let i = 0; i < Math.min(left.length, right.length); i += 1) {
    const [x = '', y = ''] = [left[i], right[i]]
    if (x !== y) return x < y ? -1 : 1
  }
  return left.length - right.length
}

async function line(entry: WalkEntry, root: string, context: ToolContext): Promise<string> {
  const path = join(root, entry.path)
  const folder = entry.kind === 'folder'
  const marks = entry.ignored ? '  [ignored]' : ''
  const name = visibleName(entry.path) + (folder ? '/' : '')
  try {
    const stats = await lstat(path)
    const time = stats.mtime.toISOString().slice(0, 16).replace('T', ' ')
    const size = folder ? '-' : formatBytes(stats.size)
    const leads = entry.kind === 'link' ? await linkText(path, context) : ''
    return `${SIGNS[entry.kind]}  ${size.padStart(10)}  ${time}  ${name}${leads}${marks}`
  } catch {
    // Gone since its folder was read, or closed to us: its name is what can be told.
    return `${SIGNS[entry.kind]}  ${'?'.padStart(10)}  ${'?'.padEnd(16)}  ${name}${marks}`
  }
}

const SIGNS = { file: 'f', folder: 'd', link: 'l', other: 'o' } as const

async function linkText(path: string, context: ToolContext): Promise<string> {
  const target = visibleName(await readlink(path))
  const out = await reach(path, context).then(
    () => '',
    () => '  [out of the workspace]',
  )
  return ` -> ${target}${out}`
}

/** A name with line feeds must not look like two. */
function visibleName(name: string): string {
  return /\p{Cc}/u.test(name) ? JSON.stringify(name) : name
}
