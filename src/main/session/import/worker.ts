import { parentPort, workerData } from 'node:worker_threads'
import { messageOf, UserError } from '../../errors'
import { runImport } from './run'
import type { ImportJob, ImportReport } from './types'

export type ImportReply =
  | { ok: true; report: ImportReport }
  | { ok: false; code: UserError['code']; message: string; remedy: string }

/** The entry of the import worker: one job, one answer. */
if (parentPort) {
  const port = parentPort
  runImport(workerData as ImportJob).then(
    (report) => port.postMessage({ ok: true, report } satisfies ImportReply),
    (error: unknown) => {
      const known = error instanceof UserError ? error : new UserError('internal', messageOf(error))
      const { code, message, remedy } = known
      port.postMessage({ ok: false, code, message, remedy } satisfies ImportReply)
    },
  )
}
