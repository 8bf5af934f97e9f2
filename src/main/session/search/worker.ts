import { parentPort, workerData } from 'node:worker_threads'
import { messageOf } from '../../errors'
import { Indexer } from './indexer'
import type { FromWorker, ToWorker, WorkerConfig } from './types'

/** The entry of the search worker: one index, asked by messages. Whatever it does, the main thread does not wait for it. */
if (parentPort) {
  const port = parentPort
  const indexer = new Indexer(workerData as WorkerConfig)
  /** Queries that somebody still waits for. */
  const wanted = new Set<number>()
  const answer = (reply: FromWorker): void => port.postMessage(reply)

  const search = async ({ id, query, limit, wait_ms }: Extract<ToWorker, { kind: 'search' }>): Promise<void> => {
    wanted.add(id)
    try {
      await within(indexer.refresh(), wait_ms)
      if (wanted.delete(id)) answer({ id, ok: true, result: indexer.search(query, limit) })
    } catch (error) {
      wanted.delete(id)
      answer({ id, ok: false, message: messageOf(error) })
    }
  }

  port.on('message', (message: ToWorker) => {
    switch (message.kind) {
      case 'search':
        void search(message)
        return
      case 'cancel':
        wanted.delete(message.id)
        return
      case 'changed':
        // What goes wrong is told to the next query, which tries it again.
        indexer.refresh().catch(() => undefined)
        return
      case 'removed':
        indexer.forget(message.session)
        return
      case 'close':
        indexer.save()
        answer({ id: message.id, ok: true, result: null })
        return
    }
  })
}

/** Resolves when `work` is done, or after `ms`; the work goes on. Rejects as it does. */
async function within(work: Promise<void>, ms: number): Promise<void> {
  if (!Number.isFinite(ms)) return work
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  try {
    await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
