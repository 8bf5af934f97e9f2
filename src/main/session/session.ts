import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { Subscription } from '@shared/bridge'
import { type AnyEvent, type EventData, type EventType, type SessionEvent, TRANSIENT_EVENTS } from '@shared/events'
import type { Operation, OperationReceipt } from '@shared/operations'
import { applyEvent } from '@shared/reducer'
import type { SessionState } from '@shared/state'
import { ApprovalGate } from '../agent/approvals'
import type { TurnContext } from '../agent/types'
import { messageOf, UserError } from '../errors'
import { redactEvent } from '../redact'
import type { FileTracker } from '../tools/types'
import type { WriterLock } from './lock'
import type { EventLog } from './log'
import { interruptedTail } from './recovery'
import type { Session } from './types'

/** Events kept in memory so that a window that reconnects gets exactly what it missed. */
const RING_EVENTS = 8_192

/** What a session needs from the engine around it. */
export interface SessionDeps {
  dir: string
  log: EventLog
  lock: WriterLock
  /** Throws `unknown_model` or `no_credentials`. */
  checkModel: (model: string) => Promise<void>
  runTurn: (turn: TurnContext) => Promise<void>
  /** Everything of a turn that is not the session's own. */
  turnDefaults: () => Promise<
    Omit<TurnContext, 'state' | 'emit' | 'durable' | 'gate' | 'signal' | 'outputs_dir' | 'files'>
  >
  files: FileTracker
  secrets: () => readonly string[]
  /** The turn ended or the session changed in a way the list of sessions shows. */
  onSettled: (state: SessionState) => Promise<void>
  /** After every event that is not transient. */
  onChange: (state: SessionState) => void
}

interface RunningTurn {
  controller: AbortController
  gate: ApprovalGate
  done: Promise<void>
}

/** A session that this process writes. */
export class LiveSession implements Session {
  readonly read_only = false
  private current: SessionState
  private readonly ring: AnyEvent[] = []
  private readonly listeners = new Set<(event: AnyEvent) => void>()
  private running: RunningTurn | null = null
  private closing: Promise<void> | null = null

  constructor(
    state: SessionState,
    private readonly deps: SessionDeps,
  ) {
    this.current = state
  }

  get id(): string {
    return this.current.id
  }

  get state(): SessionState {
    return this.current
  }

  /** Listeners that hosts have registered. */
  get watchers(): number {
    return this.listeners.size
  }

  /** After a crash: what was half done is closed in the log, so that the conversation can go on. */
  async recover(): Promise<void> {
    const { torn_bytes } = this.deps.log
    const tail = interruptedTail(this.current)
    if (!tail && torn_bytes === 0) return
    for (const { type, data } of tail?.events ?? []) this.emit(type, data)
    this.emit('resumed', { torn_bytes, repaired_calls: tail?.repaired_calls ?? 0 })
    await this.deps.log.durable()
    await this.deps.onSettled(this.current)
  }

  emit<T extends EventType>(type: T, data: EventData<T>): number {
    const event = {
      seq: this.current.last_seq + 1,
      time: new Date().toISOString(),
      session: this.current.id,
      type,
      data: redactEvent(type, data, this.deps.secrets()),
    } as SessionEvent
    this.current = applyEvent(this.current, event)
    this.deps.log.append(event)
    this.ring.push(event)
    // Trimmed in blocks: shifting an array once an event would cost more than the event.
    if (this.ring.length > RING_EVENTS * 2) this.ring.splice(0, this.ring.length - RING_EVENTS)
    for (const listener of this.listeners) listener(event)
    if (!TRANSIENT_EVENTS.has(type)) this.deps.onChange(this.current)
    return event.seq
  }

  onEvent(listener: (event: AnyEvent) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  since(after: number): Subscription {
    if (after === this.current.last_seq) return { kind: 'events', events: [] }
    const first = this.ring[0]
    if (after < this.current.last_seq && first && first.seq <= after + 1) {
      return { kind: 'events', events: this.ring.filter((event) => event.seq > after) }
    }
    return { kind: 'snapshot', state: this.current }
  }

  async submit(operation: Operation): Promise<OperationReceipt> {
    if (this.closing) throw new UserError('invalid_operation', 'This session is closed.', 'Open it again.')
    const { failure } = this.deps.log
    if (failure && operation.op !== 'interrupt' && operation.op !== 'shutdown') throw failure
    switch (operation.op) {
      case 'user_input':
      case 'steer':
        return this.userInput(operation.text)
      case 'exec_approval':
        return this.decide(operation.approvals)
      case 'interrupt':
        this.running?.controller.abort(new Error('interrupted'))
        return { seq: null }
      case 'set_model':
        await this.deps.checkModel(operation.model)
        return this.recorded(this.emit('session_update', { model: operation.model }))
      case 'set_mode':
        return this.recorded(this.emit('session_update', { mode: operation.mode }))
      case 'set_budget':
        return this.recorded(this.emit('session_update', { max_cost_usd: operation.max_cost_usd }))
      case 'undo':
        return this.undo()
      case 'shutdown':
        await this.close()
        return { seq: null }
      case 'compact':
        return this.compact()
      case 'fork':
        throw new UserError('unsupported_operation', `This version cannot ${operation.op} a conversation.`)
      case 'new':
      case 'resume':
        throw new UserError('invalid_operation', `"${operation.op}" opens a session; it is not sent to one.`)
    }
  }

  async rename(title: string): Promise<void> {
    await this.recorded(this.emit('session_update', { title }))
    await this.deps.onSettled(this.current)
  }

  durable(): Promise<void> {
    return this.deps.log.durable()
  }

  async idle(): Promise<void> {
    while (this.running) await this.running.done
  }

  close(): Promise<void> {
    this.closing ??= this.shutDown()
    return this.closing
  }

  private async shutDown(): Promise<void> {
    this.running?.controller.abort(new Error('closing'))
    await this.idle()
    // A failed log has already been reported to whoever waited for it; closing must still release the lock.
    await this.deps.log.close().catch(() => undefined)
    await this.deps.onSettled(this.current).catch(() => undefined)
    await this.deps.lock.release()
    this.listeners.clear()
  }

  private async recorded(seq: number): Promise<OperationReceipt> {
    await this.deps.log.durable()
    return { seq }
  }

  private async userInput(content: string): Promise<OperationReceipt> {
    await this.deps.checkModel(this.current.model)
    const running = this.running
    const source = running ? 'steer' : 'user'
    if (running && running.gate.pending().length > 0) this.abandonApprovals(running)
    const seq = this.emit('user_message', { id: randomUUID(), content, source })
    if (!running) this.startTurn()
    return this.recorded(seq)
  }

  /** A message instead of a decision: the waiting calls are refused and the model reads the message. */
  private abandonApprovals(running: RunningTurn): void {
    const ids = running.gate.pending()
    const decisions = ids.map((tool_call_id) => ({ tool_call_id, approved: false }))
    this.emit('approval_resolved', { decisions, by: 'abandoned' })
    for (const tool_call_id of ids) {
      const feedback = 'The user went on without deciding; read their message.'
      running.gate.resolve({ tool_call_id, approved: false, feedback })
    }
  }

  private async decide(approvals: Extract<Operation, { op: 'exec_approval' }>['approvals']): Promise<OperationReceipt> {
    const running = this.running
    const waiting = new Set(running?.gate.pending() ?? [])
    const decisions = approvals.filter((approval) => waiting.has(approval.tool_call_id))
    if (!running || decisions.length === 0) {
      throw new UserError('invalid_operation', 'No call waits for this decision any more.')
    }
    const allowed = new Set(this.current.allowed_tools)
    for (const decision of decisions) {
      const request = this.current.pending_approvals.find((r) => r.tool_call_id === decision.tool_call_id)
      if (decision.approved && decision.scope === 'session' && request) allowed.add(request.tool)
    }
    if (allowed.size > this.current.allowed_tools.length) {
      this.emit('session_update', { allowed_tools: [...allowed] })
    }
    const seq = this.emit('approval_resolved', {
      decisions: decisions.map(({ tool_call_id, approved, feedback, scope }) => ({
        tool_call_id,
        approved,
        feedback,
        scope,
      })),
      by: 'user',
    })
    const receipt = await this.recorded(seq)
    // The decision is on disk before anything it allows runs.
    for (const decision of decisions) running.gate.resolve(decision)
    return receipt
  }

  private async undo(): Promise<OperationReceipt> {
    if (this.running) {
      throw new UserError('session_running', 'The session is working.', 'Stop it first, then take the message back.')
    }
    const last = this.current.items.findLast((item) => item.kind === 'user' && item.source === 'user')
    if (!last) throw new UserError('invalid_operation', 'There is no message to take back.')
    return this.recorded(this.emit('undo_complete', { user_message_id: last.key }))
  }

  /** Summarises the conversation now, as a turn of its own. */
  private async compact(): Promise<OperationReceipt> {
    await this.deps.checkModel(this.current.model)
    const { canCompact, compactNow } = await import('../agent/compaction')
    if (this.running) {
      throw new UserError(
        'session_running',
        'The session is working.',
        'Stop it first, or wait for the end of the turn.',
      )
    }
    if (!canCompact(this.current)) {
      const remedy = 'Go on: it is summarised by itself when the context window is nearly full.'
      throw new UserError('invalid_operation', 'There is too little in this conversation to summarise.', remedy)
    }
    const seq = this.emit('processing', { message: 'Summarising the conversation' })
    this.startTurn(compactNow)
    return this.recorded(seq)
  }

  private startTurn(run = this.deps.runTurn): void {
    const controller = new AbortController()
    const gate = new ApprovalGate()
    const done = this.turn(controller.signal, gate, run).finally(() => {
      this.running = null
      // A message that came after the turn's last look, while it was being closed, starts the next one.
      if (this.current.status === 'running' && !this.closing) this.startTurn()
    })
    this.running = { controller, gate, done }
  }

  private async turn(signal: AbortSignal, gate: ApprovalGate, run: SessionDeps['runTurn']): Promise<void> {
    try {
      await this.deps.log.durable()
      const defaults = await this.deps.turnDefaults()
      await run({
        ...defaults,
        state: () => this.current,
        emit: (type, data) => this.emit(type, data),
        durable: () => this.deps.log.durable(),
        gate,
        files: this.deps.files,
        outputs_dir: join(this.deps.dir, 'outputs'),
        signal,
      })
      await this.deps.log.durable()
    } catch (error) {
      const code = error instanceof UserError ? error.code : 'internal'
      const remedy = error instanceof UserError ? error.remedy : 'This is a defect: please report it with this text.'
      // A log that broke during the turn has ended it already, with this very error.
      if (!this.endedWith(messageOf(error))) this.emit('error', { error: messageOf(error), code, remedy })
      await this.deps.log.durable().catch(() => undefined)
    }
    await this.deps.onSettled(this.current).catch(() => undefined)
  }

  private endedWith(message: string): boolean {
    const last = this.current.items.at(-1)
    return last?.kind === 'notice' && last.notice === 'error' && last.text === message
  }

  /** Called by the engine when the log can no longer be written. */
  logFailed(failure: UserError): void {
    this.running?.controller.abort(failure)
    if (!this.running) this.emit('error', { error: failure.message, code: failure.code, remedy: failure.remedy })
  }
}
