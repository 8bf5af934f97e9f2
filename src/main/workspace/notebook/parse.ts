import { z } from 'zod'
import { stripAnsi } from '../output'
import type { CellView, NotebookProblem, NotebookView } from './types'

/** Characters of one cell's outputs that are shown. */
const MAX_OUTPUT_CHARS = 4000
/** The end tells more: it holds the error. */
const HEAD_SHARE = 0.4

const textSchema = z.union([z.string(), z.array(z.string()).transform((lines) => lines.join(''))])
const outputSchema = z.looseObject({
  output_type: z.string(),
  name: z.string().optional(),
  text: textSchema.optional(),
  data: z.record(z.string(), z.unknown()).optional(),
  traceback: z.array(z.string()).optional(),
  ename: z.string().optional(),
  evalue: z.string().optional(),
})
type Output = z.infer<typeof outputSchema>
const cellSchema = z.looseObject({
  id: z.string().optional(),
  cell_type: z.string(),
  source: textSchema.default(''),
  execution_count: z.number().nullish(),
  outputs: z.array(outputSchema).default([]),
})
const notebookSchema = z.looseObject({
  nbformat: z.literal(4),
  nbformat_minor: z.number().default(0),
  cells: z.array(cellSchema),
  metadata: z
    .looseObject({
      language_info: z.looseObject({ name: z.string().optional() }).optional(),
      kernelspec: z.looseObject({ language: z.string().optional() }).optional(),
    })
    .optional(),
})
export type Notebook = z.infer<typeof notebookSchema>

/** The notebook in a file's text, or what is wrong with it. `text` of a problem: better read as a text file. */
export function parseNotebook(text: string): { kind: 'notebook'; notebook: Notebook } | NotebookProblem {
  let value: unknown
  try {
    value = JSON.parse(text.startsWith('\ufeff') ? text.slice(1) : text)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    return problem(`It is no notebook: its JSON is broken (${why}).`, 'Read it as text and mend it.', true)
  }
  const parsed = notebookSchema.safeParse(value)
  if (parsed.success) return { kind: 'notebook', notebook: parsed.data }
  const version = z.looseObject({ nbformat: z.number() }).safeParse(value)
  if (version.success && version.data.nbformat !== 4) {
    return problem(
      `It is a notebook of format ${version.data.nbformat}; only format 4 is understood.`,
      'Convert it with bash: jupyter nbconvert --to notebook --nbformat 4 FILE.',
      false,
    )
  }
  const [issue] = parsed.error.issues
  return problem(`It is no notebook: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}.`, '', true)
}

function problem(message: string, remedy: string, text: boolean): NotebookProblem {
  return { kind: 'problem', message, remedy, text }
}

export function viewNotebook(text: string): NotebookView | NotebookProblem {
  const parsed = parseNotebook(text)
  if (parsed.kind === 'problem') return parsed
  const { cells, metadata } = parsed.notebook
  const language = metadata?.language_info?.name ?? metadata?.kernelspec?.language ?? null
  return {
    language,
    cells: cells.map(
      (cell, at): CellView => ({
        number: at + 1,
        id: cell.id ?? null,
        type: cell.cell_type,
        execution_count: cell.execution_count ?? null,
        source: cell.source,
        outputs: shorten(cell.outputs.map(outputText)),
      }),
    ),
  }
}

function outputText(output: Output): string {
  switch (output.output_type) {
    case 'stream':
      return `[${output.name ?? 'output'}]\n${stripAnsi(output.text ?? '').trimEnd()}`
    case 'error': {
      const trace = (output.traceback ?? []).join('\n')
      return `[error]\n${stripAnsi(trace || `${output.ename ?? ''}: ${output.evalue ?? ''}`).trimEnd()}`
    }
    default:
      return dataText(output.data ?? {})
  }
}

/** The plain text of an output in several forms, and the names of those that are no text. */
function dataText(data: Record<string, unknown>): string {
  const lines: string[] = []
  for (const [type, value] of Object.entries(data)) {
    const text = textSchema.safeParse(value)
    const length = text.success ? text.data.length : 0
    if (type.startsWith('image/')) {
      const bytes = type === 'image/svg+xml' ? length : Math.floor((length * 3) / 4)
      lines.push(`[${type}, ${Math.ceil(bytes / 1024)} KiB, not shown]`)
    } else if (type !== 'text/plain') lines.push(`[${type}, not shown]`)
    else if (text.success) lines.push(stripAnsi(text.data).trimEnd())
  }
  return `[result]\n${lines.join('\n')}`
}

function shorten(outputs: string[]): string[] {
  let left = MAX_OUTPUT_CHARS
  const shown: string[] = []
  for (const [at, text] of outputs.entries()) {
    if (left <= 0) {
      shown.push(`[${outputs.length - at} more outputs not shown]`)
      break
    }
    if (text.length <= left) shown.push(text)
    else {
      const head = Math.floor(left * HEAD_SHARE)
      const omitted = text.length - left
      shown.push(`${text.slice(0, head)}\n[${omitted} characters left out]\n${text.slice(text.length - (left - head))}`)
    }
    left -= text.length
  }
  return shown
}
