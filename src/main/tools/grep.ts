import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { UserError } from '../errors'
import { type Bounds, openWithin, readFacts } from '../workspace/bounds'
import { displayPath, resolvePath } from '../workspace/paths'
import { grep } from '../workspace/search/grep'
import { searchRoot } from '../workspace/search/root'
import type { GrepFile, GrepResult } from '../workspace/search/types'
import { openedPaths } from '../workspace/shell'
import { counted, defineTool, oneLine } from './support'

/** About 15,000 tokens: a search must not fill the context by itself. */
const MAX_CHARS = 60_000
const MAX_CONTEXT = 20
const AT_ONCE = 64
/** First bytes that are looked at to tell a binary file. */
const HEAD_BYTES = 8192

const schema = z.strictObject({
  pattern: z.string().min(1).max(10_000).describe('Regular expression; with literal, plain text.'),
  path: z.string().min(1).default('.').describe('Folder or file to search; default: the working folder.'),
  mode: z
    .enum(['content', 'files', 'count'])
    .default('content')
    .describe('content: lines that match; files: paths alone, those changed last first; count: matching lines a file.'),
  include: z
    .array(z.string().min(1))
    .max(20)
    .default([])
    .describe('Only files that fit one of these, such as *.py or src/**/*.ts. Without a slash: at any depth.'),
  ignore_case: z.boolean().default(false).describe('Capital and small letters are the same.'),
  literal: z.boolean().default(false).describe('Take the pattern as plain text.'),
  multiline: z.boolean().default(false).describe('A match may go over several lines, and . means a line feed too.'),
  before: z.int().min(0).max(MAX_CONTEXT).default(0).describe('Lines to show before each match.'),
  after: z.int().min(0).max(MAX_CONTEXT).default(0).describe('Lines to show after each match.'),
  ignored: z.boolean().default(false).describe('Also search what ignore files name, node_modules, .venv and so on.'),
  limit: z.int().min(1).max(2000).default(250).describe('How many lines, or paths, to show at most.'),
})

const description = `Searches the text of files with a regular expression.

Use it instead of grep in bash: it leaves out what .gitignore and .ignore name and folders such as .git, node_modules and \
.venv, and it cannot hang.

- content gives path:line:text, and path-line-text for lines around a match; paths are relative to the working folder.
- Binary files are left out, and so are files that may hold secrets unless one is named itself. Lines above 500
  characters are cut. Hidden files are searched like others.
- Finding something is not reading it: read a file before you change it.`

export const grepTool = defineTool({
  name: 'grep',
  description,
  schema,
  concurrency: 'parallel',
  effect: () => 'read',
  approval: ({ path }, context) => readFacts(path, context),
  paths: ({ path }, { cwd }) => openedPaths(path, cwd),
  intent: ({ pattern, path }) => `Search for ${oneLine(pattern, 80)}${path === '.' ? '' : ` in ${path}`}`,
  run: async ({ path, limit, ...wanted }, context) => {
    const place = resolvePath(path, context.cwd)
    const { root, file } = await searchRoot(place, context)
    if (wanted.pattern.includes('\0'))
      throw new UserError('invalid_request', 'A pattern cannot contain a NUL character.')
    if (file) await refuseBinaryFile(place, context)
    const found = await grep({ ...wanted, root, file }, context)
    /** As the caller named it: a link in the workspace stays that. */
    const name = (one: GrepFile): string => displayPath(file ? place : join(place, one.path), context.cwd)
    const { lines, total } =
      wanted.mode === 'content'
        ? contentLines(found.files, name, wanted.before + wanted.after > 0)
        : await pathLines(found.files, name, wanted.mode, root, context.signal)
    const shown = cut(lines, limit)
    const remarks = [...remarkOf(shown.length, lines.length, total, found, wanted.mode), ...found.remarks]
    const text = shown.length > 0 ? shown : [`No match for ${oneLine(wanted.pattern, 200)}.`]
    const closing = remarks.length > 0 ? ['', `[${remarks.join(' ')}]`] : []
    return { output: [...text, ...closing].join('\n'), ok: true }
  },
})

async function refuseBinaryFile(path: string, bounds: Bounds): Promise<void> {
  const { handle } = await openWithin(path, bounds)
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0)
    const head = buffer.subarray(0, bytesRead)
    const utf16 = head.length >= 2 && head.readUInt16BE(0) === 0xfffe
    if (utf16 || !head.includes(0)) return
    throw new UserError('invalid_request', `${displayPath(path, bounds.cwd)} is a binary file, not text.`)
  } finally {
    await handle.close()
  }
}

function byPath(a: GrepFile, b: GrepFile): number {
  return a.path < b.path ? -1 : 1
}

interface Lines {
  lines: string[]
  /** Matching lines in all. */
  total: number
}

function contentLines(files: GrepFile[], name: (file: GrepFile) => string, withContext: boolean): Lines {
  const lines: string[] = []
  let total = 0
  for (const file of [...files].sort(byPath)) {
    const path = name(file)
    total += file.count
    let last = 0
    for (const { number, text, match } of file.lines) {
      const sign = match ? ':' : '-'
      if (withContext && lines.length > 0 && number !== last + 1) lines.push('--')
      lines.push(`${path}${sign}${number}${sign}${text}`)
      last = number
    }
  }
  return { lines, total }
}

async function pathLines(
  files: GrepFile[],
  name: (file: GrepFile) => string,
  mode: 'files' | 'count',
  root: string,
  signal: AbortSignal,
): Promise<Lines> {
  const total = files.reduce((sum, { count }) => sum + count, 0)
  const sorted = [...files].sort(byPath)
  if (mode === 'count') return { lines: sorted.map((file) => `${name(file)}:${file.count}`), total }
  const timed: { file: GrepFile; time: number }[] = []
  for (let at = 0; at < sorted.length; at += AT_ONCE) {
    signal.throwIfAborted()
    timed.push(...(await Promise.all(sorted.slice(at, at + AT_ONCE).map((file) => withTime(file, root)))))
  }
  return { lines: timed.sort((a, b) => b.time - a.time).map(({ file }) => name(file)), total }
}

async function withTime(file: GrepFile, root: string): Promise<{ file: GrepFile; time: number }> {
  try {
    return { file, time: (await lstat(join(root, file.path))).mtimeMs }
  } catch {
    // Gone since it was searched: the oldest.
    return { file, time: 0 }
  }
}

/** The first lines that fit the limit and the size of a result. */
function cut(lines: string[], limit: number): string[] {
  let chars = 0
  const within = lines.findIndex((line, at) => {
    chars += line.length + 1
    return at >= limit || (at > 0 && chars > MAX_CHARS)
  })
  const shown = within < 0 ? lines : lines.slice(0, within)
  return shown.at(-1) === '--' ? shown.slice(0, -1) : shown
}

function remarkOf(shown: number, all: number, total: number, { files, more }: GrepResult, mode: string): string[] {
  const atLeast = more ? 'at least ' : ''
  if (shown < all || more) {
    const what = mode === 'content' ? counted(all, 'line') : counted(all, 'file')
    return [`The first ${shown} of ${atLeast}${what}. Narrow the pattern or the path, or raise limit.`]
  }
  if (mode === 'content' || all === 0) return []
  return [
    mode === 'count' ? `${counted(total, 'matching line')} in ${counted(files.length, 'file')}.` : counted(all, 'file'),
  ]
}
