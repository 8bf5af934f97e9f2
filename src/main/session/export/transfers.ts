import type { ExportFormat } from '@shared/bridge'
import type { Settings } from '@shared/settings'
import type { UploadedTrace, UploadPhase } from '../../hub/traces'
import { forkSession } from '../fork'
import type { SessionStore } from '../store'
import { type ExportedFile, type ExportSource, exportFile, exportSession, fileName } from './index'

export interface SessionExport {
  file_name: string
  chunks: AsyncIterable<string>
}

/** What leads out of a session: files, copies, uploads. A part of the engine. */
export interface SessionTransfers {
  /** In pieces, for sessions of any size. Throws `session_not_found`. */
  exportSession(id: string, format: ExportFormat): Promise<SessionExport>
  /** Id of the new session. Throws `session_not_found`, `invalid_request`, `log_write`. */
  forkSession(id: string, options?: { at_seq?: number; title?: string; signal?: AbortSignal }): Promise<string>
  /** Only when the user asked for it. Throws UserError, and the signal's reason. */
  uploadSession(id: string, options?: UploadSessionOptions): Promise<UploadedTrace>
}

export interface UploadSessionOptions {
  signal?: AbortSignal
  onProgress?: (phase: UploadPhase, message: string) => void
}

export interface TransferDeps {
  store: SessionStore
  env: NodeJS.ProcessEnv
  secrets: () => readonly string[]
  settings: () => Pick<Settings, 'trace_repo'>
  /** What an open session has not yet written is on the disk afterwards. */
  flush: (id: string) => Promise<void>
}

export class Transfers implements SessionTransfers {
  readonly #deps: TransferDeps

  constructor(deps: TransferDeps) {
    this.#deps = deps
  }

  async exportSession(id: string, format: ExportFormat): Promise<SessionExport> {
    const source = await this.#source(id)
    return { file_name: fileName(source, format), chunks: exportSession(source, format) }
  }

  /** For the bridge. Throws `too_large` above 64 M characters. */
  async exportFile(id: string, format: ExportFormat): Promise<ExportedFile> {
    return exportFile(await this.#source(id), format)
  }

  async forkSession(
    id: string,
    options: { at_seq?: number; title?: string; signal?: AbortSignal } = {},
  ): Promise<string> {
    await this.#deps.flush(id)
    return forkSession(this.#deps.store, id, { ...options, now: new Date() })
  }

  async uploadSession(id: string, options: UploadSessionOptions = {}): Promise<UploadedTrace> {
    const source = await this.#source(id)
    const { uploadTrace } = await import('../../hub/traces')
    const { created_at } = source.state
    const repo = this.#deps.settings().trace_repo
    const trace = { content: exportSession(source, 'trace'), session_id: id, created_at, repo }
    return uploadTrace(trace, { env: this.#deps.env, ...options })
  }

  async #source(id: string): Promise<ExportSource> {
    const { store, flush, secrets } = this.#deps
    await flush(id)
    return { state: await store.fold(id), log_file: store.logFile(id), secrets: secrets() }
  }
}
