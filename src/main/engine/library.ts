import { join } from 'node:path'
import type { BridgeResults, ExportFormat, ImportResult, SearchResult } from '@shared/bridge'
import type { TurnChanges } from '@shared/checkpoints'
import type { Settings } from '@shared/settings'
import type { SessionState } from '@shared/state'
import { version } from '../../../package.json'
import type { EngineOptions } from '../engine-types'
import { UserError } from '../errors'
import { expandPath } from '../home'
import { redactValue } from '../redact'
import type { SessionCore } from '../session/core'
import type { Transfers } from '../session/export/transfers'
import type { SessionSearch } from '../session/search'
import type { SessionStore } from '../session/store'
import type { Checkpoints } from '../workspace/checkpoints'
import { commandEnvironment } from '../workspace/environment'

/** Not while a session is opened and its first turn records the workspace; in milliseconds. */
const TIDY_MS = 120_000
/** As Checkpoints.diff cuts it. */
const MAX_PATCH_CHARS = 60_000

type Workspace = Pick<SessionState, 'id' | 'cwd'>

export interface LibraryDeps {
  store: SessionStore
  options: Pick<EngineOptions, 'home' | 'cwd' | 'env'>
  settings: () => Settings
  secrets: () => readonly string[]
  /** What an open session has not yet written is on disk afterwards. */
  flush: (id: string) => Promise<void>
}

/** What is done with sessions as files: search, fork, export, upload, import. Nothing of it is loaded before it is asked for. */
export class SessionLibrary {
  private searching: Promise<SessionSearch> | null = null
  private readonly controller = new AbortController()
  private tidying: NodeJS.Timeout | null = null

  constructor(private readonly deps: LibraryDeps) {}

  /** Id of a new session with everything up to and including the event `at_seq`; absent: all. */
  async fork(id: string, at_seq?: number): Promise<string> {
    const transfers = await this.transfers()
    const forked = await transfers.forkSession(id, { at_seq, signal: this.controller.signal })
    this.changed(forked)
    return forked
  }

  async search(query: string, limit?: number): Promise<SearchResult> {
    this.searching ??= import('../session/search').then(
      ({ SessionSearch }) => new SessionSearch({ home: this.deps.options.home, secrets: this.deps.secrets }),
    )
    const search = await this.searching
    return search.search(query, { limit, signal: this.controller.signal })
  }

  /** Throws `too_large` above 64 M characters. */
  async exportFile(id: string, format: ExportFormat): Promise<BridgeResults['sessions.export']> {
    return (await this.transfers()).exportFile(id, format)
  }

  /** Only when the user asked for it: a redacted trace in a private dataset of theirs. */
  async upload(id: string): Promise<BridgeResults['sessions.upload']> {
    const { url, repo } = await (await this.transfers()).uploadSession(id, { signal: this.controller.signal })
    return { url, repo }
  }

  async import(path: string): Promise<ImportResult> {
    const { importSessions } = await import('../session/import')
    const { home, cwd } = this.deps.options
    const { sessions, skipped } = await importSessions(expandPath(path.trim(), cwd), {
      home,
      secrets: this.deps.secrets(),
      app_version: version,
      model: this.deps.settings().model,
      signal: this.controller.signal,
    })
    for (const { id } of sessions) this.changed(id)
    return { sessions, skipped }
  }

  /** Where the states of a session's workspace are recorded; null: the settings want none. */
  async recorder(core: Pick<SessionCore, 'state' | 'emit'>): Promise<Checkpoints | null> {
    if (!this.deps.settings().checkpoints) return null
    const { id, cwd } = core.state
    return this.checkpoints(id, cwd, (text) => core.emit('notice', { code: 'checkpoint', text }))
  }

  /** What the turn of a message changed in the workspace. Throws `not_found` when it was not recorded. */
  async changes({ id, cwd }: Workspace, user_message_id: string): Promise<TurnChanges> {
    const changes = await (await this.checkpoints(id, cwd)).changes(user_message_id, this.controller.signal)
    if (changes) return changes
    throw new UserError('not_found', 'There is no record of the files of this turn.')
  }

  async changeDiff({ id, cwd }: Workspace, user_message_id: string, path: string) {
    const checkpoints = await this.checkpoints(id, cwd)
    const patch = await checkpoints.diff(user_message_id, path, this.controller.signal)
    return { patch: redactValue(patch, this.deps.secrets()), truncated: patch.length >= MAX_PATCH_CHARS }
  }

  /** A window is open: recorded states beyond their limits are let go, when its user has begun to work. */
  tidyLater(): void {
    this.tidying ??= setTimeout(() => void this.tidy(), TIDY_MS).unref()
  }

  private async tidy(): Promise<void> {
    const { collectAll } = await import('../workspace/checkpoints/collect-all')
    const { home, env } = this.deps.options
    const { signal } = this.controller
    await collectAll({ dir: join(home, 'checkpoints'), env: commandEnvironment(env), signal }).catch(() => undefined)
  }

  /** A session is deleted: so are the recorded states of its workspace. Never rejects. */
  async forgetFiles({ id, cwd }: Workspace): Promise<void> {
    await (await this.checkpoints(id, cwd)).remove().catch(() => undefined)
  }

  private async checkpoints(session: string, workspace: string, notify = (_text: string): unknown => undefined) {
    const { Checkpoints } = await import('../workspace/checkpoints')
    const { home, env } = this.deps.options
    const dir = join(home, 'checkpoints')
    return new Checkpoints({
      dir,
      session,
      workspace,
      env: commandEnvironment(env),
      signal: this.controller.signal,
      notify: (text) => void notify(text),
    })
  }

  /** What completes `prefix` in the folder of a session. */
  async completePath(cwd: string, prefix: string): Promise<string[]> {
    const { completePath } = await import('../workspace/complete-path')
    return completePath(cwd, prefix)
  }

  /** A session's log has grown: the next query should find what is new. */
  changed(id: string): void {
    void this.searching?.then((search) => search.changed(id))
  }

  removed(id: string): void {
    void this.searching?.then((search) => search.removed(id))
  }

  async close(): Promise<void> {
    if (this.tidying) clearTimeout(this.tidying)
    this.controller.abort(new Error('ML Intern is ending.'))
    await (await this.searching)?.close()
  }

  private async transfers(): Promise<Transfers> {
    const { Transfers } = await import('../session/export/transfers')
    const { options, ...deps } = this.deps
    return new Transfers({ ...deps, env: options.env })
  }
}
