import { z } from 'zod'
import { openWithin, readFacts, withinBounds } from '../workspace/bounds'
import { displayPath, resolvePath } from '../workspace/paths'
import { openedPaths } from '../workspace/shell'
import { readTextWindow, type TextWindow } from '../workspace/text-window'
import type { ReadRequest } from './read-formats'
import { counted, defineTool, failure } from './support'
import type { ToolContext, ToolResult } from './types'

const DEFAULT_LIMIT = 2000
/** About 50,000 tokens: a result must not fill the context by itself. */
const MAX_CHARS = 200_000

const schema = z.strictObject({
  path: z.string().min(1).describe('File to read: absolute, relative to the working folder, or starting with ~.'),
  offset: z.int().min(0).default(1).describe('Number of the first line to show; lines count from 1.'),
  limit: z.int().positive().default(DEFAULT_LIMIT).describe('How many lines to show at most.'),
  pages: z.string().min(1).max(200).optional().describe('Of a PDF: pages such as 3, 1-5 or 1-3,8; at most 100.'),
})

const description = `Reads a file: text by lines with their numbers, pictures, notebooks by cells, PDFs by pages.

Use it before you change a file (write and edit require it), and to look at code, configurations, logs and samples of data. \
Large files are streamed: read a window of them with offset and limit, or search them with grep first.

- Each line of text is its number, a tab, and the text. The number and the tab are not part of the file. Lines above 4,000
  characters are cut and end with "...". Only UTF-8 text.
- PNG, JPEG, GIF and WebP pictures are shown to models that see.
- A notebook (.ipynb) is shown by cells with their numbers, ids, sources and outputs as text; offset and limit count cells.
- Of a PDF the text is given by pages, the first 20 or those named in pages.
- For folders use list; for data files (parquet, large CSV or JSONL, archives) use bash with a fitting library.`

export const readTool = defineTool({
  name: 'read',
  description,
  schema,
  concurrency: 'parallel',
  effect: () => 'read',
  approval: ({ path }, context) => readFacts(path, context),
  paths: ({ path }, { cwd }) => openedPaths(path, cwd),
  intent: ({ path, offset, limit, pages }) => {
    if (pages !== undefined) return `Read ${path} (pages ${pages})`
    const partial = offset > 1 || limit !== DEFAULT_LIMIT
    return partial ? `Read ${path} (from line ${Math.max(1, offset)}, ${counted(limit, 'line')})` : `Read ${path}`
  },
  run: async ({ path, offset, limit, pages }, context) => {
    const file = resolvePath(path, context.cwd)
    const name = displayPath(file, context.cwd)
    context.signal.throwIfAborted()
    const opened = await openWithin(file, context)
    const { real, inside } = await withinBounds(file, context)
    // A path outside was allowed by its name: where that is a link, it is said what was read.
    const link = inside || real === file ? '' : `[${file} leads to ${real}.]\n`
    let result: ToolResult
    try {
      const request = { opened, file, name, first: Math.max(1, offset), limit, pages, max_chars: MAX_CHARS }
      const special = await (await import('./read-formats')).readSpecial(request, context)
      result = special ?? (await readText(request, context))
    } finally {
      await opened.handle.close()
    }
    return link === '' || !result.ok ? result : { ...result, output: link + result.output }
  },
})

async function readText({ opened, file, name, first, limit }: ReadRequest, context: ToolContext): Promise<ToolResult> {
  const { signal } = context
  const window = await readTextWindow(file, { first, limit, max_chars: MAX_CHARS, signal, opened })
  if (window.version) context.files.note(opened.real, window.version)

  if (window.total === 0) return { output: `(${name} is empty)`, ok: true, details: details(file, 0, 0) }
  if (window.lines.length === 0) {
    return failure(`${name} has ${counted(window.total ?? 0, 'line')}: there is no line ${first}.`)
  }
  const last = first + window.lines.length - 1
  const lines = window.lines.map((line, i) => `${String(first + i).padStart(6)}\t${line}`)
  const end = [...remark(window, last), ...(window.more ? dataHint(file) : [])]
  return { output: [...lines, ...end].join('\n'), ok: true, details: details(file, first, last) }
}

/** Rows of a table read one by one say little, and fill the context. */
function dataHint(path: string): string[] {
  if (!/\.(csv|tsv|jsonl|ndjson)$/i.test(path)) return []
  return [
    '[For counts, columns and samples of such data use bash with pandas, duckdb or datasets instead of reading on.]',
  ]
}

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
