import { runTask } from '../worker-task'
import type { CellEdit, CellOutcome, NotebookProblem, NotebookReply, NotebookTask, NotebookView } from './types'

export type { CellEdit, CellOutcome, CellView, NotebookProblem, NotebookView } from './types'

/** Longer texts (characters; pictures make them long) are parsed in a worker thread: 300 kB take about 3 ms. */
const MAX_HERE = 300_000
const MAX_MS = 20_000
const HEAP_MB = 768

/** Cells of a notebook (nbformat 4) with their outputs as text, or why it cannot be shown so. */
export async function readNotebook(text: string, signal: AbortSignal): Promise<NotebookView | NotebookProblem> {
  const reply = await run({ kind: 'read', text }, signal)
  if ('ok' in reply) throw new TypeError('an edit answered a read')
  return reply
}

/** The text of a notebook in which one cell is changed, or why not. Nothing is written. */
export async function changeCell(text: string, edit: CellEdit, signal: AbortSignal): Promise<CellOutcome> {
  const reply = await run({ kind: 'edit', text, edit }, signal)
  if (!('ok' in reply)) throw new TypeError('a read answered an edit')
  return reply
}

async function run(task: NotebookTask, signal: AbortSignal): Promise<NotebookReply> {
  if (task.text.length <= MAX_HERE) return (await import('./task')).notebookTask(task)
  const { default: file } = await import('./worker?modulePath')
  const options = { what: 'Parsing the notebook', signal, max_ms: MAX_MS, heap_mb: HEAP_MB }
  return runTask<NotebookReply>(file, task, options)
}
