import { editNotebook } from './edit'
import { viewNotebook } from './parse'
import type { NotebookReply, NotebookTask } from './types'

/** What is done with a notebook, on whichever thread. Time and memory grow with the text. */
export async function notebookTask(task: NotebookTask): Promise<NotebookReply> {
  return task.kind === 'read' ? viewNotebook(task.text) : editNotebook(task.text, task.edit)
}
