import { randomUUID } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { DEFAULT_MODEL } from '@shared/settings'
import { isNodeError, messageOf, UserError } from '../../errors'
import { redactValue } from '../../redact'
import { unfinishedPrefix } from './prefix'
import type { ImportJob, ImportReport } from './types'
import type { ImportReply } from './worker'

export type { ImportReport } from './types'

export interface ImportOptions {
  /** Data folder. Absolute. */
  home: string
  secrets: readonly string[]
  app_version: string
  /** For sessions that name no model that is known here; absent: the default model. */
  model?: string
  /** Milliseconds since 1970. */
  now?: () => number
  /** Where sessions work that name no folder; absent: the user's own folder. */
  user_home?: string
  signal?: AbortSignal
  /** File of the worker; absent: the built one. */
  worker?: string
}

/**
 * Imports session files of the reference, or Claude-Code traces: one file, or those of a folder. Each becomes a new session;
 * one that was imported before is skipped. Runs in a worker thread. `path` is absolute. Throws UserError `not_found`,
 * `permission`, `log_write`; rejects with the signal's reason, and then sessions that were whole stay.
 */
export async function importSessions(path: string, options: ImportOptions): Promise<ImportReport> {
  const { home, secrets, app_version, signal } = options
  signal?.throwIfAborted()
  const job: ImportJob = {
    path,
    home,
    secrets,
    app_version,
    user_home: options.user_home ?? homedir(),
    model: options.model ?? DEFAULT_MODEL,
    now: (options.now ?? Date.now)(),
    token: randomUUID(),
  }
  const file = options.worker ?? (await import('./worker?modulePath')).default
  try {
    const reply = await inWorker(file, job, signal)
    if (!reply.ok) throw new UserError(reply.code, reply.message, reply.remedy)
    // Reasons quote what stood in the files.
    return redactValue(reply.report, secrets)
  } finally {
    await sweep(job)
  }
}

async function inWorker(file: string, job: ImportJob, signal: AbortSignal | undefined): Promise<ImportReply> {
  const { Worker } = await import('node:worker_threads')
  signal?.throwIfAborted()
  const worker = new Worker(file, { workerData: job, name: 'session-import', execArgv: [], env: {} })
  let abort = (): void => undefined
  try {
    return await new Promise<ImportReply>((resolve, reject) => {
      const failed = (why: string): void => {
        reject(new UserError('internal', `The import ended unexpectedly: ${why}.`, 'Import the files one by one.'))
      }
      abort = () => reject(signal?.reason)
      signal?.addEventListener('abort', abort, { once: true })
      worker.once('message', (reply: ImportReply) => resolve(reply))
      worker.once('error', (error) => failed(messageOf(error)))
      worker.once('exit', () => failed('the worker ended without a word'))
    })
  } finally {
    signal?.removeEventListener('abort', abort)
    await worker.terminate()
  }
}

/** What was not finished when the worker ended. */
async function sweep({ home, token }: ImportJob): Promise<void> {
  const root = join(home, 'sessions')
  try {
    const names = (await readdir(root)).filter((name) => name.startsWith(unfinishedPrefix(token)))
    for (const name of names) await rm(join(root, name), { recursive: true, force: true })
  } catch (error) {
    // No session was ever made.
    if (!isNodeError(error)) throw error
  }
}
