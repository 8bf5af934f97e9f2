import { z } from 'zod'
import { resolveTarget } from '../workspace/files'
import { displayPath, resolvePath } from '../workspace/paths'
import { fileFacts, openedPaths } from '../workspace/shell'
import { readTextWindow, type TextWindow } from '../workspace/text-window'
import { counted, defineTool, failure } from './support'

const DEFAULT_LIMIT = 2000
/** About 50,000 tokens: a result must not fill the context by itself. */
const MAX_CHARS = 200_000

const schema = z.strictObject({
  path: z.string().min(1).describe('File to read: absolute, relative to the working folder, or starting with ~.'),
  offset: z.int().min(0).default(1).describe('Number of the first line to show; lines count from 1.'),
  limit: z.int().positive().default(DEFAULT_LIMIT).describe('How many lines to show at most.'),
})

const description = `Reads a text file and returns its lines with their numbers.

Use it before you change a file (write and edit require it), and to look at code, configurations, logs and samples of data. \
Large files are streamed: read a window of them with offset and limit, or search them with bash (grep) first.

- Each line is its number, a tab, and the text. The number and the tab are not part of the file.
- Lines above 4,000 characters are cut and end with "...".
- Only UTF-8 text: for folders use bash ls; for images, archives, parquet and the like use bash with a fitting library.`

export const readTool = defineTool({
  name: 'read',
  description,
  schema,
  concurrency: 'parallel',
  effect: () => 'read',
  approval: ({ path }, context) => fileFacts('read', path, context.cwd, context),
  paths: ({ path }, { cwd }) => openedPaths(path, cwd),
  intent: ({ path, offset, limit }) => {
    const partial = offset > 1 || limit !== DEFAULT_LIMIT
    return partial ? `Read ${path} (from line ${Math.max(1, offset)}, ${counted(limit, 'line')})` : `Read ${path}`
  },
  run: async ({ path, offset, limit }, context) => {
    const file = resolvePath(path, context.cwd)
    const first = Math.max(1, offset)
    const window = await readTextWindow(file, { first, limit, max_chars: MAX_CHARS, signal: context.signal })
    if (window.version) context.files.note(await resolveTarget(file), window.version)

    const name = displayPath(file, context.cwd)
    if (window.total === 0) return { output: `(${name} is empty)`, ok: true, details: details(file, 0, 0) }
    if (window.lines.length === 0) {
      return failure(`${name} has ${counted(window.total ?? 0, 'line')}: there is no line ${first}.`)
    }
    const last = first + window.lines.length - 1
    const lines = window.lines.map((line, i) => `${String(first + i).padStart(6)}\t${line}`)
    return { output: [...lines, ...remark(window, last)].join('\n'), ok: true, details: details(file, first, last) }
  },
})

function details(path: string, first_line: number, last_line: number) {
  return { kind: 'file', path, first_line, last_line } as const
}

function remark({ first, more, total, full }: TextWindow, last: number): string[] {
  if (!more) return []
  const of = total === null ? '' : ` of ${total}`
  const why = full ? ' (as much as one result can hold)' : ''
  const tooLarge = total === null ? ' The file is too large to be counted or edited with these tools.' : ''
  return ['', `[Lines ${first} to ${last}${of}${why}. To go on, read with offset=${last + 1}.${tooLarge}]`]
}
