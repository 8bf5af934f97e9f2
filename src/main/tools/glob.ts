import { lstat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { UserError } from '../errors'
import { readFacts } from '../workspace/bounds'
import { displayPath, resolvePath } from '../workspace/paths'
import { compileGlob, splitBase } from '../workspace/search/glob'
import { walkRemarks } from '../workspace/search/remarks'
import { searchRoot } from '../workspace/search/root'
import { Walk } from '../workspace/search/walk'
import { openedPaths } from '../workspace/shell'
import { defineTool } from './support'

const MAX = { entries: 300_000, ms: 15_000 }
/** Matches whose times are compared; beyond them the newest are not known. */
const MAX_MATCHES = 50_000
const AT_ONCE = 64

const schema = z.strictObject({
  pattern: z
    .string()
    .min(1)
    .describe(
      'Such as **/*.py, src/**/*.{ts,tsx}, data/*.jsonl. ** stands for any folders; *.py is this folder alone.',
    ),
  path: z.string().min(1).default('.').describe('Folder the pattern starts from; default: the working folder.'),
  ignored: z
    .boolean()
    .default(false)
    .describe('Also look at what ignore files name and at node_modules, .venv and so on.'),
  limit: z.int().min(1).max(5000).default(200).describe('How many paths to show at most.'),
})

const description = `Finds files and links by a pattern of their path, those changed last first.

Use it to find files by name; use grep to find them by content, list to see one folder with sizes.

- * and ? stay within a name, ** goes through folders, {a,b} and [a-z] work; hidden files are found like others.
- What .gitignore, .ignore and git's excludes name is left out, and so are .git, node_modules, .venv and the like; the
  result says when something was. Links are not followed.
- Paths in the result are relative to the working folder.`

export const globTool = defineTool({
  name: 'glob',
  description,
  schema,
  concurrency: 'parallel',
  effect: () => 'read',
  approval: ({ pattern, path }, context) => readFacts(rootOf(path, pattern, context.cwd), context),
  paths: ({ pattern, path }, { cwd }) => openedPaths(rootOf(path, pattern, cwd), cwd),
  intent: ({ pattern, path }) => `Find ${pattern}${path === '.' ? '' : ` in ${path}`}`,
  run: async ({ pattern, path, ignored, limit }, context) => {
    const { rest } = splitBase(pattern)
    const matches = compileGlob(rest)
    const folder = resolvePath(rootOf(path, pattern, context.cwd), context.cwd)
    const where = displayPath(folder, context.cwd)
    const { root, file } = await searchRoot(folder, context)
    if (file) throw new UserError('not_a_directory', `${where} is a file, not a folder.`, 'Use read to look into it.')
    const { env, signal } = context
    const walk = new Walk({
      root,
      ...(rest.includes('**') ? {} : { depth: rest.split('/').length }),
      ignored: ignored ? 'enter' : 'leave_out',
      env,
      max_entries: MAX.entries,
      max_ms: MAX.ms,
      signal,
    })
    const found: string[] = []
    for await (const entries of walk.folders()) {
      for (const entry of entries) if (entry.kind !== 'folder' && matches(entry.path)) found.push(entry.path)
      if (found.length > MAX_MATCHES) break
    }
    const remarks = walkRemarks(walk, MAX)
    if (found.length > MAX_MATCHES) remarks.unshift(`Stopped after ${MAX_MATCHES} matches.`)
    if (found.length === 0) {
      const deeper = pattern.includes('**') ? '' : ` A pattern without ** stays in its folder: try **/${rest}.`
      return { output: [`No file matches ${pattern}.${deeper}`, ...bracketed(remarks)].join('\n'), ok: true }
    }
    const newest = await newestFirst(root, found, limit, signal)
    const shown = newest.map((name) => displayPath(join(folder, name), context.cwd))
    if (shown.length < found.length) {
      remarks.unshift(`The newest ${shown.length} of ${found.length} matches.`)
    }
    return { output: [...shown, ...bracketed(remarks)].join('\n'), ok: true }
  },
})

/** The folder in which a pattern begins, as far as it has no wildcards; a pattern that cannot be used begins at `path`. */
function rootOf(path: string, pattern: string, cwd: string): string {
  if (path.includes('\0') || pattern.includes('\0')) return path
  const { base } = baseOf(pattern)
  if (base === '') return path
  return base.startsWith('~') ? base : resolve(resolvePath(path, cwd), base)
}

function baseOf(pattern: string): { base: string } {
  try {
    return splitBase(pattern)
  } catch (error) {
    // The call itself will say what is wrong with it.
    if (error instanceof UserError) return { base: '' }
    throw error
  }
}

function bracketed(remarks: string[]): string[] {
  return remarks.length > 0 ? ['', `[${remarks.join(' ')}]`] : []
}

/** The newest `limit` of the paths. Only few are ever sorted at once: a long sort would hold up everything else. */
async function newestFirst(root: string, paths: string[], limit: number, signal: AbortSignal): Promise<string[]> {
  let best: Timed[] = []
  for (let at = 0; at < paths.length; at += AT_ONCE) {
    signal.throwIfAborted()
    best.push(...(await Promise.all(paths.slice(at, at + AT_ONCE).map((path) => timed(root, path)))))
    if (best.length > limit + 2000) best = best.sort(newer).slice(0, limit)
  }
  return best
    .sort(newer)
    .slice(0, limit)
    .map(({ path }) => path)
}

interface Timed {
  path: string
  time: number
}

async function timed(root: string, path: string): Promise<Timed> {
  try {
    return { path, time: (await lstat(join(root, path))).mtimeMs }
  } catch {
    // It is gone since its folder was read: the oldest.
    return { path, time: 0 }
  }
}

function newer(a: Timed, b: Timed): number {
  return b.time - a.time || (a.path < b.path ? -1 : 1)
}
