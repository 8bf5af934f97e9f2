import { parentPort, workerData } from 'node:worker_threads'
import { messageOf } from '../../errors'
import type { TaskReply } from '../worker-task'
import { notebookTask } from './task'
import type { NotebookReply, NotebookTask } from './types'

if (parentPort) {
  const port = parentPort
  const answer = (reply: TaskReply<NotebookReply>): void => port.postMessage(reply)
  notebookTask(workerData as NotebookTask).then(
    (value) => answer({ ok: true, value }),
    (error: unknown) => answer({ ok: false, message: messageOf(error) }),
  )
}
