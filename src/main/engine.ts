import { arch, platform, release } from 'node:os'
import { join } from 'node:path'
import type { AppInfo, BridgePush, CredentialStatus, DoctorCheck } from '@shared/bridge'
import { DEMO_MODEL, type Settings, type SettingsPatch } from '@shared/settings'
import type { SessionState, SessionSummary } from '@shared/state'
import { version } from '../../package.json'
import { runTurn } from './agent/loop'
import { systemPrompt } from './agent/prompts'
import type { TurnContext } from './agent/types'
import { readOnlySession } from './bridge/read-only'
import type { BridgeEngine } from './bridge/types'
import { connectWindow } from './bridge/window'
import { Budget, DayLedger } from './budget'
import { announcer } from './engine/announcer'
import { appInfo, HostFacts } from './engine/app-info'
import { ModelClients } from './engine/clients'
import { workingFolder } from './engine/folder'
import { SessionLibrary } from './engine/library'
import { ownFiles, RuleKeeper, refuseSecretRules, rulesFor } from './engine/rules'
import { Sandboxes } from './engine/sandboxes'
import { Terminals } from './engine/terminals'
import type { Engine, EngineClient, EngineOptions, NewSession, RunOptions } from './engine-types'
import { UserError } from './errors'
import { normalizeModelId } from './models/registry'
import { redactValue } from './redact'
import { acquireWriterLock } from './session/lock'
import { EventLog } from './session/log'
import { LiveSession } from './session/session'
import { SessionStore } from './session/store'
import type { Session } from './session/types'
import { createTools, SessionFileTracker } from './tools/registry'
import type { Tool } from './tools/types'
import { commandEnvironment, secretValues } from './workspace/environment'

export const APP_VERSION = version

export async function createEngine(options: EngineOptions): Promise<Engine> {
  return new EngineImpl(options)
}

class EngineImpl implements BridgeEngine {
  readonly store: SessionStore
  private current: Settings
  private readonly open = new Map<string, Promise<LiveSession>>()
  private readonly closing = new Map<string, Promise<void>>()
  private readonly removing = new Map<string, Promise<void>>()
  /** Calls of windows that work with a session at this moment: it stays open until they are done. */
  private readonly uses = new Map<string, number>()
  /** Sessions that nobody watches and whose turn goes on; they are closed at its end. */
  private readonly leaving = new Set<string>()
  private closed = false
  private readonly windows = new Set<(push: BridgePush) => void>()
  readonly clients: ModelClients
  readonly library: SessionLibrary
  readonly terminals: Terminals
  private readonly secretsFromEnv: string[]
  private readonly commandEnv: NodeJS.ProcessEnv
  private readonly host: HostFacts
  private readonly sandboxes: Sandboxes
  private readonly tools: Tool[]
  private readonly days: DayLedger
  private readonly rules = new RuleKeeper(
    () => this.current,
    (patch) => this.updateSettings(patch),
  )

  constructor(readonly options: EngineOptions) {
    this.current = options.settings
    this.store = new SessionStore(options.home)
    this.clients = new ModelClients(options, () => this.current)
    this.days = new DayLedger(join(options.home, 'spend'))
    this.secretsFromEnv = secretValues(options.env)
    this.commandEnv = commandEnvironment(options.env)
    this.host = new HostFacts(this.commandEnv)
    this.sandboxes = new Sandboxes({ ...options, settings: () => this.current })
    this.tools = createTools({ sandboxed: options.settings.sandbox !== 'off' })
    this.terminals = new Terminals({
      store: this.store,
      secrets: this.secrets,
      env: this.commandEnv,
      broadcast: (push) => this.broadcast(push),
    })
    this.library = new SessionLibrary({
      store: this.store,
      options,
      settings: () => this.current,
      secrets: this.secrets,
      flush: (id) => this.flush(id),
    })
  }

  get home(): string {
    return this.options.home
  }

  get settings(): Settings {
    return this.current
  }

  listSessions(): Promise<SessionSummary[]> {
    return this.store.list()
  }

  async createSession(spec: NewSession, run: RunOptions = {}): Promise<Session> {
    const cwd = await workingFolder(spec.cwd ?? this.current.default_cwd ?? this.options.cwd, this.options.cwd)
    const model = normalizeModelId(spec.model ?? this.current.model)
    await this.checkModel(model)
    const id = await this.store.create()
    const opening = this.openLive(id, run)
    this.open.set(id, opening)
    opening.catch(() => this.open.delete(id))
    const session = await opening
    session.emit('session_update', {
      created: { log_version: 1, app_version: version },
      cwd,
      model,
      mode: spec.mode ?? this.current.mode,
      effort: spec.effort === undefined ? this.current.effort : spec.effort,
      max_cost_usd: spec.max_cost_usd,
      ...(spec.title ? { title: spec.title } : {}),
    })
    session.emit('ready', { message: 'Ready', tool_count: this.tools.length })
    return session
  }

  async openSession(id: string, run: RunOptions = {}): Promise<Session> {
    const known = this.open.get(id)
    if (known) return known
    if (this.removing.has(id) || !(await this.store.exists(id))) throw noSession(id)
    // Another caller may have begun to open it meanwhile.
    const opening = this.open.get(id) ?? this.openLive(id, run)
    this.open.set(id, opening)
    opening.catch(() => this.open.delete(id))
    return opening
  }

  async viewSession(id: string): Promise<Session> {
    try {
      return await this.openSession(id)
    } catch (error) {
      if (!(error instanceof UserError) || error.code !== 'session_busy') throw error
      return readOnlySession(await this.store.fold(id), error)
    }
  }

  async readSession(id: string): Promise<SessionState> {
    const live = await this.open.get(id)
    if (live) return live.state
    if (!(await this.store.exists(id))) throw noSession(id)
    return this.store.fold(id)
  }

  useSession<T>(id: string, work: (session: Session) => Promise<T> | T): Promise<T> {
    return this.using(id, async () => work(await this.viewSession(id)))
  }

  async releaseSession(id: string): Promise<void> {
    const opening = this.open.get(id)
    // A session that could not be opened has nothing to release.
    const session = await opening?.catch(() => null)
    if (!opening || !session || this.leaving.has(id)) return
    if (!session.running) return this.closeIfUnused(id, opening, session)
    this.leaving.add(id)
    void session.idle().then(() => {
      this.leaving.delete(id)
      return this.closeIfUnused(id, opening, session)
    })
  }

  async renameSession(id: string, title: string): Promise<void> {
    await this.using(id, async () => {
      const session = await this.openSession(id)
      if (session instanceof LiveSession) await session.rename(title)
    })
  }

  removeSession(id: string): Promise<void> {
    const known = this.removing.get(id)
    if (known) return known
    const removed = this.remove(id).finally(() => this.removing.delete(id))
    this.removing.set(id, removed)
    return removed
  }

  async latestSession(cwd: string): Promise<string | null> {
    const folder = await workingFolder(cwd, this.options.cwd)
    const sessions = await this.store.list()
    return sessions.find((session) => session.cwd === folder)?.id ?? null
  }

  async createDemo(run: RunOptions = {}): Promise<{ session: Session; prompt: string }> {
    const { createDemoProject, DEMO_PROMPT } = await import('./demo/project')
    const cwd = await createDemoProject(join(this.home, 'demo'))
    const session = await this.createSession({ cwd, model: DEMO_MODEL, mode: 'auto' }, run)
    return { session, prompt: DEMO_PROMPT }
  }

  async checkModel(model: string): Promise<void> {
    await this.clients.client(model)
  }

  async updateSettings(patch: SettingsPatch): Promise<Settings> {
    if (patch.default_cwd) await workingFolder(patch.default_cwd, this.options.cwd)
    refuseSecretRules(patch, this.current, this.secrets())
    this.current = await this.options.save_settings(patch)
    this.broadcast({ kind: 'settings', settings: this.current })
    return this.current
  }

  connect(push: (message: BridgePush) => void): EngineClient {
    this.windows.add(push)
    if (this.windows.size === 1) void this.clients.refresh()
    this.library.tidyLater()
    const client = connectWindow(this, push)
    return {
      request: client.request,
      close: () => {
        this.windows.delete(push)
        client.close()
      },
    }
  }

  broadcast(push: BridgePush): void {
    for (const send of this.windows) send(push)
  }

  runDoctor(): Promise<DoctorCheck[]> {
    return this.options.run_doctor()
  }

  async close(): Promise<void> {
    this.closed = true
    const sessions = await Promise.allSettled(this.open.values())
    await Promise.all(sessions.map((s) => (s.status === 'fulfilled' ? s.value.close() : undefined)))
    this.open.clear()
    // Those that a window has just left are still being written.
    await Promise.allSettled(this.closing.values())
    await this.days.idle()
    await Promise.all([this.library.close(), this.terminals.close(), this.sandboxes.closeAll()])
  }

  /** What an open session has not yet written is on disk afterwards. */
  private async flush(id: string): Promise<void> {
    const session = await this.open.get(id)?.catch(() => null)
    await session?.durable()
  }

  appInfo(): Promise<AppInfo> {
    const { options, settings, clients, secrets, host, sandboxes } = this
    return appInfo({ options, settings, clients, secrets, host, sandboxes, env: this.commandEnv })
  }

  private secrets = (): readonly string[] => [...this.secretsFromEnv, ...this.options.credentials.known_secrets()]

  credentialChanged(status: CredentialStatus): CredentialStatus {
    this.clients.keyChanged()
    void this.clients.refresh()
    const shown = redactValue(status, this.secrets())
    this.broadcast({ kind: 'credentials', credentials: [shown] })
    return shown
  }

  private async openLive(id: string, run: RunOptions): Promise<LiveSession> {
    await this.closing.get(id)
    // A lock taken now would not be given back.
    if (this.closed) throw new UserError('invalid_operation', 'ML Intern is ending.')
    const dir = this.store.dir(id)
    const lock = await acquireWriterLock(dir)
    try {
      const file = join(dir, 'events.jsonl')
      let session: LiveSession | null = null
      // One for the turn and the work beside it: what one of them holds, the other cannot spend.
      const budget = new Budget({ days: this.days, settings: () => this.current })
      const log = await EventLog.open(file, { onFailure: (failure) => session?.logFailed(failure) })
      const state = await this.store.fold(id)
      session = new LiveSession(state, {
        dir,
        log,
        lock,
        checkModel: (model) => this.checkModel(model),
        runTurn,
        turnDefaults: () => this.turnDefaults(id, run, budget),
        files: new SessionFileTracker(),
        secrets: this.secrets,
        keepRules: (scope, cwd, rules) => this.rules.keep(scope, cwd, rules),
        fork: (at_seq) => this.library.fork(id, at_seq),
        checkpoints: (core) => this.library.recorder(core),
        interactive: this.options.host !== 'headless',
        wantsTitles: () => this.current.auto_titles && session?.state.model !== DEMO_MODEL,
        onSettled: async (settled) => {
          await this.store.saveSummary(settled)
          this.library.changed(id)
        },
        onChange: announcer(id, (push) => this.broadcast(push)),
      })
      await session.recover()
      return session
    } catch (error) {
      await lock.release()
      throw error
    }
  }

  private async turnDefaults(
    id: string,
    run: RunOptions,
    budget: Budget,
  ): ReturnType<ConstructorParameters<typeof LiveSession>[1]['turnDefaults']> {
    const session = await this.open.get(id)
    if (!session) throw new UserError('session_not_found', `Session ${id} is not open.`)
    const [found, machine] = await Promise.all([this.host.python(), this.host.machine(session.state.cwd)])
    const python = found ?? 'none found on PATH'
    const host = `${platform()} ${release()} ${arch()}`
    const defaults: Pick<TurnContext, 'client' | 'system'> = {
      client: (role) => {
        const { model } = session.state
        return role ? this.clients.forRole(role, model) : this.clients.client(model)
      },
      system: () =>
        systemPrompt({
          cwd: session.state.cwd,
          mode: session.state.mode,
          platform: host,
          python,
          machine,
          now: new Date(),
        }),
    }
    return {
      ...defaults,
      tools: this.tools,
      approvals: run.approvals ?? 'wait',
      rules: () => rulesFor(session.state.cwd, this.current),
      budget,
      max_iterations: run.max_iterations ?? this.current.max_iterations,
      streaming: run.streaming ?? true,
      env: this.commandEnv,
      data_folder: this.home,
      sandbox: this.sandboxes.of(id, session.state.cwd),
      secrets: this.secrets,
      own_files: ownFiles(this.options),
    }
  }

  /** Keeps the session open while `work` runs, and lets it go afterwards when no window watches it. */
  private async using<T>(id: string, work: () => Promise<T>): Promise<T> {
    this.uses.set(id, (this.uses.get(id) ?? 0) + 1)
    try {
      return await work()
    } finally {
      const others = (this.uses.get(id) ?? 1) - 1
      if (others > 0) this.uses.set(id, others)
      else this.uses.delete(id)
      await this.releaseSession(id)
    }
  }

  private async closeIfUnused(id: string, opening: Promise<LiveSession>, session: LiveSession): Promise<void> {
    // It may have been closed, watched, used or started again while this waited.
    if (this.open.get(id) !== opening || session.watchers > 0 || this.uses.has(id)) return
    if (session.running) return this.releaseSession(id)
    // What is left of a lock that cannot be given back (a disk that went away) is free when this process ends.
    await this.closeSession(id, session).catch(() => undefined)
  }

  private async closeSession(id: string, session: LiveSession): Promise<void> {
    this.open.delete(id)
    const closed = session.close().finally(() => {
      this.closing.delete(id)
      return this.sandboxes.close(id)
    })
    this.closing.set(id, closed)
    await closed
  }

  private async remove(id: string): Promise<void> {
    const session = await this.open.get(id)
    if (session) {
      if (session.running) {
        throw new UserError('session_running', 'The session is still working.', 'Stop it first.')
      }
      await this.closeSession(id, session)
    }
    await this.closing.get(id)
    await this.terminals.closeSession(id)
    const known = await this.store.fold(id).catch(() => null)
    await this.store.remove(id)
    if (known && known.checkpoints.length > 0) await this.library.forgetFiles(known)
    this.library.removed(id)
    this.broadcast({ kind: 'session', id, summary: null })
  }
}

function noSession(id: string): UserError {
  return new UserError('session_not_found', `There is no session ${id}.`, 'List them: ml-intern sessions list')
}
