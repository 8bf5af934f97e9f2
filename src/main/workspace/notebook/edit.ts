import { randomBytes } from 'node:crypto'
import { applyEdit, nearestLines } from '../edit-match'
import { blank, elementSpans, memberSpans, type Span } from './json-spans'
import { type Notebook, parseNotebook } from './parse'
import type { CellEdit, CellOutcome } from './types'

type Cell = Notebook['cells'][number]

/**
 * Changes one cell in the text of a notebook. Everything else stays byte for byte as it is: other cells, metadata, numbers
 * in the form they have, the end of the file. (Parsed and written again, large numbers and `1.0` would not survive.)
 */
export async function editNotebook(file: string, edit: CellEdit): Promise<CellOutcome> {
  const bom = file.startsWith('\ufeff') ? '\ufeff' : ''
  const text = file.slice(bom.length)
  const parsed = parseNotebook(text)
  if (parsed.kind === 'problem') return { ok: false, message: parsed.message, remedy: parsed.remedy }
  const { notebook } = parsed
  const found = findCell(notebook.cells, edit)
  if (typeof found === 'string') return { ok: false, message: found, remedy: 'Read it to see its cells.' }
  const array = memberSpans(text, blank(text, 0)).get('cells')
  if (!array) return { ok: false, message: 'It has no cells.', remedy: '' }
  const spans = elementSpans(text, array.start)
  const outcome = await change(text, notebook, found, spans, array, edit)
  return outcome.ok ? { ...outcome, text: bom + outcome.text } : outcome
}

/** Index of the cell that is meant, or why there is none. -1: before the first, for insert_after 0. */
function findCell(cells: readonly Cell[], { cell, op }: CellEdit): number | string {
  const byId = cells.findIndex(({ id }) => id === cell)
  if (byId >= 0) return byId
  const number = /^\d{1,9}$/.test(cell) ? Number(cell) : null
  if (number === 0 && op === 'insert_after') return -1
  if (number !== null && number >= 1 && number <= cells.length) return number - 1
  return `It has no cell ${cell}: there are ${cells.length}, numbered from 1.`
}

async function change(
  text: string,
  { cells, nbformat_minor }: Notebook,
  at: number,
  spans: Span[],
  array: Span,
  edit: CellEdit,
): Promise<CellOutcome> {
  const cell = cells[at]
  const span = spans[at]
  if (edit.op === 'insert_after' || edit.op === 'insert_before') {
    const place = edit.op === 'insert_after' ? at + 1 : at
    const ids = new Set(cells.map(({ id }) => id))
    const added = newCell(edit, nbformat_minor >= 5 ? freshId(ids) : null)
    const done = insert(text, spans, array, place, added)
    return { ok: true, text: done, number: place + 1, before: null, after: edit.new_str, note: null, cleared: false }
  }
  if (!cell || !span) return { ok: false, message: 'There is no such cell.', remedy: '' }
  if (edit.op === 'delete') {
    const done = remove(text, spans, array, at)
    return { ok: true, text: done, number: at + 1, before: cell.source, after: null, note: null, cleared: false }
  }
  let after = edit.new_str
  let note: string | null = null
  if (edit.op === 'edit') {
    const { old_str, new_str, mode, replace_all } = edit
    const result = await applyEdit({ content: cell.source, old_str, new_str, mode, replace_all })
    if (!result.ok) return refusal(result.match_count, cell.source, old_str, at + 1)
    after = result.content
    note = result.note
  }
  const type = edit.op === 'replace' ? (edit.cell_type ?? cell.cell_type) : cell.cell_type
  const done = rewrite(text, span, cell, after, type)
  const cleared = cell.outputs.length > 0
  return { ok: true, text: done, number: at + 1, before: cell.source, after, note, cleared }
}

function refusal(matches: number | null, source: string, old_str: string, number: number): CellOutcome {
  if (matches !== null) {
    const message = `old_str occurs ${matches} times in cell ${number}; nothing was changed.`
    return { ok: false, message, remedy: 'Add neighbouring lines to it, or set replace_all to true.' }
  }
  const near = nearestLines(source, old_str).map(({ line, text }) => `line ${line}: ${text.trim().slice(0, 160)}`)
  const hint = near.length > 0 ? `Similar: ${near.join('; ')}.` : 'Read the notebook and copy the text exactly.'
  return { ok: false, message: `old_str was not found in cell ${number}; nothing was changed.`, remedy: hint }
}

/** The cell with another source; of code that has been run, what came out belongs to the old one. */
function rewrite(text: string, span: Span, cell: Cell, source: string, type: string): string {
  const members = memberSpans(text, span.start)
  const changes: { span: Span; value: unknown }[] = []
  const old = members.get('source')
  const asArray = old === undefined || text[old.start] === '['
  if (old) changes.push({ span: old, value: asArray ? linesOf(source) : source })
  const outputs = members.get('outputs')
  if (outputs) changes.push({ span: outputs, value: [] })
  const count = members.get('execution_count')
  if (count) changes.push({ span: count, value: null })
  // Another type has other members: then the cell is written anew, with the metadata it has.
  if (type !== cell.cell_type || !old) {
    const { outputs: _outputs, execution_count: _count, cell_type: _type, source: _source, ...rest } = cell
    return splice(text, span, { ...rest, ...bare(type, source) })
  }
  let done = text
  for (const { span: at, value } of changes.sort((a, b) => b.span.start - a.span.start)) done = splice(done, at, value)
  return done
}

/** A value in the place of another, indented as its line is. */
function splice(text: string, { start, end }: Span, value: unknown): string {
  return text.slice(0, start) + written(text, value, indentAt(text, start)) + text.slice(end)
}

/** The white space before the line in which a place is; null for a text without lines. */
function indentAt(text: string, at: number): string | null {
  const line = text.lastIndexOf('\n', at) + 1
  if (line === 0 && !text.trimEnd().includes('\n')) return null
  return /^[ \t]*/.exec(text.slice(line, at))?.[0] ?? ''
}

/** As nbformat writes it, but with the indentation that the file has. `base`: that of the line it begins in. */
function written(text: string, value: unknown, base: string | null): string {
  if (base === null) return JSON.stringify(value)
  const unit = /\n([ \t]+)"/.exec(text)?.[1] ?? ' '
  const eol = /\r?\n/.exec(text)?.[0] ?? '\n'
  return JSON.stringify(value, null, unit).replaceAll('\n', eol + base)
}

function insert(text: string, spans: Span[], array: Span, place: number, cell: unknown): string {
  const next = spans[place]
  const before = spans[place - 1]
  const neighbour = next ?? before
  const base = neighbour ? indentAt(text, neighbour.start) : null
  const eol = /\r?\n/.exec(text)?.[0] ?? '\n'
  if (!neighbour) {
    const outer = indentAt(text, array.start)
    const value = written(text, [cell], outer)
    return text.slice(0, array.start) + value + text.slice(array.end)
  }
  const value = written(text, cell, base)
  const gap = base === null ? '' : eol + base
  if (next) return `${text.slice(0, next.start)}${value},${gap}${text.slice(next.start)}`
  return `${text.slice(0, neighbour.end)},${gap}${value}${text.slice(neighbour.end)}`
}

function remove(text: string, spans: Span[], array: Span, at: number): string {
  const own = spans[at]
  const next = spans[at + 1]
  const before = spans[at - 1]
  if (!own) return text
  if (next) return text.slice(0, own.start) + text.slice(next.start)
  if (before) return text.slice(0, before.end) + text.slice(own.end)
  return `${text.slice(0, array.start)}[]${text.slice(array.end)}`
}

function newCell({ cell_type = 'code', new_str }: CellEdit, id: string | null): unknown {
  return sorted({ ...(id === null ? {} : { id }), metadata: {}, ...bare(cell_type, new_str) })
}

function bare(cell_type: string, source: string): Record<string, unknown> {
  const code = cell_type === 'code' ? { execution_count: null, outputs: [] } : {}
  return { cell_type, ...code, source: linesOf(source) }
}

/** nbformat sorts the names. */
function sorted(cell: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(cell).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function freshId(known: ReadonlySet<string | undefined>): string {
  for (;;) {
    const id = randomBytes(4).toString('hex')
    if (!known.has(id)) return id
  }
}

/** Lines with their line feeds, as nbformat keeps a source. */
function linesOf(source: string): string[] {
  return source === '' ? [] : source.split(/(?<=\n)/)
}
