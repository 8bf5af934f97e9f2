import { PassThrough } from 'node:stream'
import type { AnyEvent, EventData, EventType, SessionEvent } from '@shared/events'
import type { Operation, OperationReceipt } from '@shared/operations'
import { applyEvent } from '@shared/reducer'
import { DEFAULT_SETTINGS } from '@shared/settings'
import { initialState, type SessionState, summarize } from '@shared/state'
import type { Engine, EngineOptions, NewSession, RunOptions } from '../../../src/main/engine-types'
import { UserError } from '../../../src/main/errors'
import type { CliIo, InputStream, OutputStream, Signal } from '../../../src/main/hosts/headless/io'
import type { Session } from '../../../src/main/session/types'

export const ID = '11111111-1111-4111-8111-111111111111'
export const ID2 = '11112222-2222-4222-8222-222222222222'

/** A session whose turn is a function of the test. */
export class FakeSession implements Session {
  state: SessionState
  read_only = false
  closed = false
  readonly operations: Operation[] = []
  readonly ring: AnyEvent[] = []
  private readonly listeners = new Set<(event: AnyEvent) => void>()
  private running: Promise<void> = Promise.resolve()
  /** Resolves the promise that a turn may wait on for its interruption. */
  private interrupted: () => void = () => undefined
  readonly interrupt = new Promise<void>((resolve) => {
    this.interrupted = resolve
  })

  constructor(
    readonly id: string,
    state: Partial<SessionState>,
    private readonly turn: (session: FakeSession) => Promise<void> | void,
  ) {
    this.state = { ...initialState(id), ...state }
  }

  emit<T extends EventType>(type: T, data: EventData<T>): void {
    const time = '2026-11-20T12:00:00.000Z'
    const event = { seq: this.state.last_seq + 1, time, session: this.id, type, data } as SessionEvent
    this.state = applyEvent(this.state, event)
    this.ring.push(event)
    for (const listener of this.listeners) listener(event)
  }

  async submit(operation: Operation): Promise<OperationReceipt> {
    this.operations.push(operation)
    switch (operation.op) {
      case 'user_input':
        this.emit('user_message', { id: 'u1', content: operation.text, source: 'user' })
        this.running = Promise.resolve().then(() => this.turn(this))
        break
      case 'interrupt':
        this.interrupted()
        break
      case 'set_mode':
        this.emit('session_update', { mode: operation.mode })
        break
      case 'set_budget':
        this.emit('session_update', { max_cost_usd: operation.max_cost_usd })
        break
      case 'set_effort':
        this.emit('session_update', { effort: operation.effort })
        break
      case 'set_model':
        this.emit('session_update', { model: operation.model })
        break
      case 'exec_approval': {
        const decisions = operation.approvals.map(({ tool_call_id, approved, feedback, scope }) => ({
          tool_call_id,
          approved,
          feedback,
          scope,
        }))
        this.emit('approval_resolved', { decisions, by: 'user' })
        break
      }
      default:
        throw new UserError('unsupported_operation', operation.op)
    }
    return { seq: this.state.last_seq }
  }

  onEvent(listener: (event: AnyEvent) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }
  since(after: number) {
    return { kind: 'events', events: this.ring.filter((event) => event.seq > after) } as const
  }
  durable(): Promise<void> {
    return Promise.resolve()
  }

  idle(): Promise<void> {
    return this.running
  }
  async close(): Promise<void> {
    this.closed = true
  }
  /** Resolves with the first event, from now on, of that kind. */
  next(type: EventType): Promise<void> {
    return new Promise((resolve) => {
      const off = this.onEvent((event) => {
        if (event.type !== type) return
        off()
        resolve()
      })
    })
  }
}

export class FakeEngine implements Engine {
  readonly settings = DEFAULT_SETTINGS
  readonly home = '/nowhere'
  readonly sessions: FakeSession[] = []
  readonly created: { options: NewSession; run: RunOptions | undefined }[] = []
  readonly opened: (RunOptions | undefined)[] = []
  readonly removed: string[] = []
  known_models = new Set([DEFAULT_SETTINGS.model, 'anthropic/other'])
  latest: string | null = null
  closed = false
  turn: (session: FakeSession) => Promise<void> | void = (session) => reply(session, 'Hello.')

  constructor(readonly options: EngineOptions) {}

  async listSessions() {
    return this.sessions.map(({ state }) => summarize(state))
  }
  async createSession(options: NewSession, run?: RunOptions): Promise<Session> {
    this.created.push({ options, run })
    const { cwd, model, mode, effort } = options
    const session = new FakeSession(ID, {}, this.turn)
    const created = { log_version: 1, app_version: '0' } as const
    session.emit('session_update', { created, cwd, model, mode, effort })
    this.sessions.push(session)
    return session
  }
  async openSession(id: string, run?: RunOptions): Promise<Session> {
    this.opened.push(run)
    return this.find(id)
  }
  async readSession(id: string): Promise<SessionState> {
    return this.find(id).state
  }
  async removeSession(id: string): Promise<void> {
    this.removed.push(id)
  }
  async latestSession(): Promise<string | null> {
    return this.latest
  }
  async createDemo(run?: RunOptions) {
    this.created.push({ options: {}, run })
    const session = new FakeSession(ID, { model: 'demo/scripted', cwd: '/demo', mode: 'auto' }, this.turn)
    this.sessions.push(session)
    return { session, prompt: 'the demo prompt' }
  }
  async checkModel(model: string): Promise<void> {
    if (!this.known_models.has(model))
      throw new UserError('unknown_model', `There is no model ${model}.`, 'Try another.')
  }
  async updateSettings() {
    return this.settings
  }
  connect(): never {
    throw new Error('no window here')
  }
  async runDoctor() {
    return []
  }
  async close(): Promise<void> {
    this.closed = true
  }
  private find(id: string): FakeSession {
    const session = this.sessions.find((entry) => entry.id === id)
    if (!session) throw new UserError('session_not_found', `There is no session ${id}.`)
    return session
  }
}

export interface FakeIo extends CliIo {
  engine: FakeEngine | null
  /** What stands on the stream so far. */
  out(): string
  err(): string
  type(text: string): void
  signal(name: Signal): void
  listening(): boolean
  /** Resolves when the stream's text matches. */
  seen(stream: 'stdout' | 'stderr', pattern: RegExp): Promise<void>
}

export interface FakeIoOptions {
  cwd: string
  env?: NodeJS.ProcessEnv
  /** Terminal on these streams. */
  tty?: ('stdin' | 'stdout' | 'stderr')[]
  stdin?: string | Buffer
  setup?: (engine: FakeEngine) => void
}

export function fakeIo(options: FakeIoOptions): FakeIo {
  const is = (name: 'stdin' | 'stdout' | 'stderr'): boolean => options.tty?.includes(name) ?? false
  const stdin: InputStream = Object.assign(new PassThrough(), { isTTY: is('stdin') })
  if (options.stdin !== undefined) stdin.push(options.stdin)
  if (!is('stdin')) stdin.push(null)
  const stdout = recorder(is('stdout'))
  const stderr = recorder(is('stderr'))
  const listeners = new Set<(signal: Signal) => void>()
  const io: FakeIo = {
    engine: null,
    stdin,
    stdout: stdout.stream,
    stderr: stderr.stream,
    env: { ML_INTERN_HOME: `${options.cwd}/home`, ANTHROPIC_API_KEY: 'sk-ant-test-0123456789abcd', ...options.env },
    cwd: options.cwd,
    version: '9.9.9',
    renderer_dir: '/renderer',
    onSignal(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async createEngine(engineOptions) {
      const engine = new FakeEngine(engineOptions)
      options.setup?.(engine)
      io.engine = engine
      return engine
    },
    startBrowserHost: async (_engine, { host, port }) => ({
      url: `http://${host}:${port || 4321}/?token=t`,
      warnings: [],
      close: async () => undefined,
    }),
    openUrl: async () => true,
    out: stdout.text,
    err: stderr.text,
    type: (text) => stdin.push(text),
    signal: (name) => {
      for (const listener of [...listeners]) listener(name)
    },
    listening: () => listeners.size > 0,
    seen: (stream, pattern) => (stream === 'stdout' ? stdout : stderr).seen(pattern),
  }
  return io
}

function recorder(isTTY: boolean) {
  let text = ''
  const waiting = new Set<() => void>()
  const stream: OutputStream = Object.assign(new PassThrough(), { isTTY, columns: 80, rows: 24 })
  stream.on('data', (chunk: Buffer) => {
    text += chunk.toString('utf8')
    for (const look of waiting) look()
  })
  const seen = (pattern: RegExp): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!pattern.test(text)) return
        waiting.delete(look)
        resolve()
      }
      waiting.add(look)
      look()
    })
  return { stream, text: () => text, seen }
}

export const USAGE = {
  prompt_tokens: 100,
  completion_tokens: 20,
  total_tokens: 120,
  cache_read_tokens: 60,
  cache_creation_tokens: 10,
}

/** One streamed reply and the end of the turn. */
export function reply(session: FakeSession, text: string, cost: number | null = 0.0123): void {
  say(session, 'm1', text, cost)
  finish(session, text)
}

export function say(session: FakeSession, id: string, text: string, cost: number | null = 0.0123): void {
  const model = session.state.model
  for (const piece of text.match(/.{1,4}/gs) ?? []) session.emit('assistant_chunk', { id, content: piece })
  session.emit('llm_call', {
    model,
    latency_ms: 10,
    first_token_ms: 1,
    finish_reason: 'end_turn',
    cost_usd: cost,
    kind: 'main',
    context_window: 1_000_000,
    ...USAGE,
  })
  const blocks = [{ type: 'text' as const, text }]
  session.emit('assistant_message', { id, content: text, blocks, model, stop_reason: 'end_turn' })
}

export function finish(
  session: FakeSession,
  text: string,
  reason: EventData<'turn_complete'>['reason'] = 'finished',
): void {
  session.emit('turn_complete', { history_size: 2, final_response: text, reason, iterations: 1 })
}

/** A command, from call to result. */
export function command(session: FakeSession, id: string, intent: string, exit_code: number, output: string): void {
  session.emit('tool_call', { tool: 'bash', arguments: { command: intent }, tool_call_id: id, intent })
  session.emit('tool_log', { tool: 'bash', tool_call_id: id, log: output, stream: 'stdout' })
  session.emit('tool_output', {
    tool: 'bash',
    tool_call_id: id,
    output,
    success: exit_code === 0,
    duration_ms: 2_100,
    details: { kind: 'command', command: intent, cwd: '/x', exit_code, signal: null, timed_out: false },
  })
}
