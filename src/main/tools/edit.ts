import { z } from 'zod'
import { UserError } from '../errors'
import { diffTexts } from '../workspace/diff'
import { applyEdit, type EditOutcome, nearestLines } from '../workspace/edit-match'
import { formatBytes, loadFile, missingFile, resolveTarget, withFileLock, writeAtomic } from '../workspace/files'
import { displayPath, resolvePath } from '../workspace/paths'
import { pythonSyntaxWarning } from '../workspace/python-check'
import { fileFacts, openedPaths } from '../workspace/shell'
import { decodeUtf8 } from '../workspace/text'
import { editCell, MAX_NOTEBOOK_BYTES, refuseTextEdit } from './edit-notebook'
import { counted, defineTool, failure, oneLine, requireFresh, requireNoMarks } from './support'
import type { ToolResult } from './types'

/** Larger files are data: matching them would hold up everything else, and a script does it better. */
const MAX_EDIT_BYTES = 1_000_000
/** Line numbers named in a message. */
const MAX_LINES_NAMED = 10

const fields = z.strictObject({
  path: z.string().min(1).describe('File to change: absolute, relative to the working folder, or starting with ~.'),
  old_str: z
    .string()
    .describe(
      'The text to find, exactly as in the file (without the line numbers that read shows). ' +
        'It must occur once unless replace_all is true: include neighbouring lines to make it unique. ' +
        'Empty for a whole cell of a notebook (cell_op).',
    ),
  new_str: z.string().describe('The text to put in its place, or to insert; empty to delete old_str.'),
  replace_all: z.boolean().default(false).describe('Change every occurrence instead of requiring exactly one.'),
  mode: z
    .enum(['replace', 'append_after', 'prepend_before'])
    .default('replace')
    .describe(
      'replace: new_str takes the place of old_str. append_after and prepend_before: old_str stays, ' +
        'and new_str is inserted right behind or before its first occurrence.',
    ),
  // Some models write the number as one.
  cell: z.coerce
    .string()
    .min(1)
    .optional()
    .describe('For notebooks (.ipynb), and required there: number of the cell, from 1, or its id, as read shows them.'),
  cell_op: z
    .enum(['edit', 'replace', 'insert_after', 'insert_before', 'delete'])
    .default('edit')
    .describe(
      'With cell. edit: old_str and new_str within that cell; replace: new_str is its whole source; insert_after and ' +
        'insert_before: a new cell with new_str next to it (after 0: the first); delete: the cell goes.',
    ),
  cell_type: z
    .enum(['code', 'markdown', 'raw'])
    .optional()
    .describe('Of a cell that is inserted (default: code) or replaced (default: as it was).'),
})
const schema = fields.superRefine((input, context) => {
  const whole = input.cell !== undefined && input.cell_op !== 'edit'
  if (input.old_str === '' && !whole) {
    context.addIssue({ code: 'custom', path: ['old_str'], message: 'must not be empty' })
  }
  if (input.cell === undefined && input.cell_op !== 'edit') {
    context.addIssue({ code: 'custom', path: ['cell'], message: 'is missing: which cell is meant?' })
  }
})

const description = `Changes part of a text file: finds old_str and replaces it, or inserts new_str next to it.

Use it for every change that leaves most of a file as it is. The file must have been read in this session and be unchanged \
since; otherwise the call is refused.

- If old_str is not found exactly, whole lines are compared again without surrounding whitespace and with typographic
  quotes, dashes and spaces made plain; the result says so. new_str is inserted as given, with its own indentation.
- Line endings (LF or CRLF), permissions and everything outside the match are kept.
- When old_str occurs more than once the call is refused and names the lines.
- In a notebook (.ipynb) one cell is changed, inserted or deleted: give cell, and cell_op where it is not edit. Outputs of
  a changed code cell are cleared; everything else in the file stays as it is.`

export const editTool = defineTool({
  name: 'edit',
  description,
  schema,
  concurrency: 'serial',
  effect: () => 'write',
  approval: ({ path }, context) => fileFacts('edit', path, context.cwd, context),
  paths: ({ path }, { cwd }) => openedPaths(path, cwd),
  intent: ({ path, replace_all, cell, cell_op }) => {
    if (cell !== undefined) return `${CELL_VERBS[cell_op]} cell ${cell} of ${path}`
    return `Edit ${path}${replace_all ? ' (every occurrence)' : ''}`
  },
  run: async (input, context): Promise<ToolResult> => {
    const { path, old_str, new_str, replace_all, mode, cell, cell_op, cell_type } = input
    if (cell_op === 'edit') {
      if (mode === 'replace' && old_str === new_str)
        return failure('old_str and new_str are the same: nothing to change.')
      if (mode !== 'replace' && new_str === '') return failure('new_str is empty: nothing to insert.')
    }
    const file = resolvePath(path, context.cwd)
    const name = displayPath(file, context.cwd)
    const target = await resolveTarget(file)
    const notebook = target.toLowerCase().endsWith('.ipynb')
    if (cell !== undefined && !notebook) return failure(`${name} is no notebook: cell is for files that end in .ipynb.`)

    const done = await withFileLock(target, async () => {
      const existing = await loadFile(target, notebook ? MAX_NOTEBOOK_BYTES : MAX_EDIT_BYTES, context.signal)
      if (!existing) throw await missingFile(file)
      if (notebook) {
        const at = { file, name, target, existing }
        const edit = { cell: cell ?? '', op: cell_op, old_str, new_str, replace_all, mode, cell_type }
        const refusal = cell === undefined ? await refuseTextEdit(at, context.signal) : null
        if (cell !== undefined) return { changed: false as const, result: await editCell(at, edit, context) }
        if (refusal) return { changed: false as const, result: refusal }
      }
      if (!existing.whole) {
        throw new UserError(
          'invalid_request',
          `${name} is too large to edit (${formatBytes(existing.version.size)}; the limit is ${formatBytes(MAX_EDIT_BYTES)}).`,
          'Change it with a script or sed.',
        )
      }
      const before = decodeUtf8(existing.bytes, name)
      requireFresh(context.files, target, name, existing.version)
      requireNoMarks(new_str, before, name)
      const outcome = await applyEdit({ content: before, old_str, new_str, mode, replace_all })
      if (!outcome.ok) return { changed: false as const, result: refuse(outcome, name, before, old_str) }
      context.signal.throwIfAborted()
      context.files.note(target, await writeAtomic(target, Buffer.from(outcome.content, 'utf8'), existing.stats))
      return { changed: true as const, outcome, before }
    })
    if (!done.changed) return done.result

    const { outcome, before } = done
    const diff = await diffTexts(name, before, outcome.content)
    const syntax = target.endsWith('.py') ? await pythonSyntaxWarning(outcome.content, context) : null
    const places = `${counted(outcome.replacements, 'place')}, line ${nameLines(outcome.lines)}`
    const others = outcome.matches > outcome.replacements ? ` (the first of ${outcome.matches} matches)` : ''
    const note = outcome.note ? ` ${outcome.note}` : ''
    return {
      output: [`Edited ${name}: ${places}${others}.${note}`, ...(syntax ? [syntax] : [])].join('\n'),
      ok: true,
      details: { kind: 'diff', path: file, ...diff, created: false },
    }
  },
})

const CELL_VERBS = {
  edit: 'Edit',
  replace: 'Replace',
  insert_after: 'Insert after',
  insert_before: 'Insert before',
  delete: 'Delete',
} as const

function refuse(outcome: EditOutcome & { ok: false }, name: string, content: string, old_str: string): ToolResult {
  if (outcome.error === 'ambiguous') {
    return failure(
      `old_str occurs ${outcome.match_count} times in ${name} (lines ${nameLines(outcome.lines)}); nothing was changed.`,
      'Add neighbouring lines to old_str so that it names one place, or set replace_all to true.',
    )
  }
  const near = nearestLines(content, old_str).map(({ line, text }) => `line ${line}: ${oneLine(text, 160)}`)
  const hint = near.length > 0 ? `Similar: ${near.join('; ')}.` : ''
  return failure(
    `old_str was not found in ${name}; nothing was changed.`,
    hint,
    'Read the file and copy the text exactly, as whole lines.',
  )
}

function nameLines(lines: number[]): string {
  const named = lines.slice(0, MAX_LINES_NAMED).join(', ')
  return lines.length > MAX_LINES_NAMED ? `${named} and ${lines.length - MAX_LINES_NAMED} more` : named
}
