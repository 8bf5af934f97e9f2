import { UserError } from '../errors'
import { diffTexts } from '../workspace/diff'
import { formatBytes, type LoadedFile, writeAtomic } from '../workspace/files'
import { type CellEdit, changeCell, readNotebook } from '../workspace/notebook'
import { decodeUtf8 } from '../workspace/text'
import { failure, requireFresh, requireNoMarks } from './support'
import type { ToolContext, ToolResult } from './types'

/** Pictures in the outputs make notebooks large. */
export const MAX_NOTEBOOK_BYTES = 30_000_000

export interface NotebookTarget {
  /** As the model named it, absolute. */
  file: string
  /** For messages. */
  name: string
  /** After all links. */
  target: string
  existing: LoadedFile
}

/** Changes one cell and writes the notebook. Under the lock of the file. */
export async function editCell(at: NotebookTarget, edit: CellEdit, context: ToolContext): Promise<ToolResult> {
  const { file, name, target, existing } = at
  const before = textOf(at)
  requireFresh(context.files, target, name, existing.version)
  requireNoMarks(edit.new_str, before, name)
  const outcome = await changeCell(before, edit, context.signal)
  if (!outcome.ok) return failure(`${name}: ${outcome.message}`, outcome.remedy)
  context.signal.throwIfAborted()
  context.files.note(target, await writeAtomic(target, Buffer.from(outcome.text, 'utf8'), existing.stats))

  const diff = await diffTexts(`${name} cell ${outcome.number}`, outcome.before, outcome.after ?? '')
  const done = {
    edit: 'Edited',
    replace: 'Replaced',
    insert_after: 'Inserted',
    insert_before: 'Inserted',
    delete: 'Deleted',
  }
  const notes = [
    ...(outcome.note ? [outcome.note] : []),
    ...(outcome.cleared ? ['Its outputs were of the old source and are cleared.'] : []),
    ...(edit.op === 'delete' || edit.op.startsWith('insert') ? ['The cells behind it have other numbers now.'] : []),
  ]
  return {
    output: [`${done[edit.op]} cell ${outcome.number} of ${name}.`, ...notes].join(' '),
    ok: true,
    details: { kind: 'diff', path: file, ...diff, created: false },
  }
}

/** An error where a notebook is edited as text: what read shows of it is not what the file holds. */
export async function refuseTextEdit(at: NotebookTarget, signal: AbortSignal): Promise<ToolResult | null> {
  const view = await readNotebook(textOf(at), signal)
  if ('kind' in view) return null
  return failure(
    `${at.name} is a notebook; nothing was changed.`,
    'Name the cell to change: its number or id, as read shows it.',
  )
}

function textOf({ existing, name }: NotebookTarget): string {
  if (!existing.whole) {
    throw new UserError(
      'invalid_request',
      `${name} is too large to edit (${formatBytes(existing.version.size)}; the limit is ${formatBytes(MAX_NOTEBOOK_BYTES)}).`,
      'Clear its outputs first: jupyter nbconvert --clear-output --inplace FILE.',
    )
  }
  return decodeUtf8(existing.bytes, name)
}
