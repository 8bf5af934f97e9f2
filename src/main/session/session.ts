import { join } from 'node:path'
import type { Subscription } from '@shared/bridge'
import { type AnyEvent, type EventData, type EventType, type SessionEvent, TRANSIENT_EVENTS } from '@shared/events'
import type { Operation, OperationReceipt } from '@shared/operations'
import { applyEvent } from '@shared/reducer'
import type { SessionState } from '@shared/state'
import { ApprovalGate } from '../agent/approvals'
import { type TurnContext, TurnSuspended } from '../agent/types'
import { messageOf, UserError } from '../errors'
import { redactEvent } from '../redact'
import { dequeue, edit, enqueue, regenerate, sendNext, sendQueued, undo, userInput, whenIdle } from './conversation'
import type { RunningTurn, SessionCore, SessionDeps, TurnStart } from './core'
import { decide, dropWaiting } from './decisions'
import { interruptedTail } from './recovery'
import { rewind, TurnRecord, undoRewind } from './rewind'
import type { Session } from './types'

/** Events kept in memory so that a window that reconnects gets exactly what it missed. */
const RING_EVENTS = 8_192

/** Whether a model should name the session: after its first turns, and never over the user's own name. */
function wantsTitle({ title_by, last_outcome, turns }: SessionState): boolean {
  return title_by === null && last_outcome === 'finished' && turns <= 2
}

/** A session that this process writes. */
export class LiveSession implements Session, SessionCore {
  readonly read_only = false
  private current: SessionState
  private readonly ring: AnyEvent[] = []
  private readonly listeners = new Set<(event: AnyEvent) => void>()
  private turn: RunningTurn | null = null
  /** Work beside the turn: titles, explanations. It ends with the session. */
  private readonly side = new Map<AbortController, Promise<unknown>>()
  /** Calls that are being explained: each once at a time. */
  private readonly explaining = new Set<string>()
  private closing: Promise<void> | null = null

  constructor(
    state: SessionState,
    readonly deps: SessionDeps,
  ) {
    this.current = state
  }

  get id(): string {
    return this.current.id
  }

  get state(): SessionState {
    return this.current
  }

  get running(): RunningTurn | null {
    return this.turn
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
    const waiting_calls = tail ? tail.waiting_calls : this.current.pending_approvals.length
    this.emit('resumed', {
      torn_bytes,
      repaired_calls: tail?.repaired_calls ?? 0,
      ...(waiting_calls > 0 ? { waiting_calls } : {}),
    })
    await this.deps.log.durable()
    await this.deps.onSettled(this.current).catch(() => undefined)
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
    this.requireOpen()
    const { failure } = this.deps.log
    if (failure && operation.op !== 'interrupt' && operation.op !== 'shutdown') throw failure
    switch (operation.op) {
      case 'user_input':
      case 'steer':
        return userInput(this, operation.text)
      case 'enqueue':
        return enqueue(this, operation.text)
      case 'dequeue':
        return dequeue(this, operation.id)
      case 'send_queued':
        return sendQueued(this, operation.id)
      case 'exec_approval':
        return decide(this, operation.approvals)
      case 'explain':
        return this.explain(operation.tool_call_id)
      case 'interrupt':
        return this.interrupt()
      case 'set_model':
        return this.setModel(operation.model)
      case 'set_mode':
        return this.update({ mode: operation.mode })
      case 'set_effort':
        return this.update({ effort: operation.effort })
      case 'set_rules':
        return this.update({ rules: operation.rules })
      case 'set_budget':
        return this.update({ max_cost_usd: operation.max_cost_usd })
      case 'rewind':
        return rewind(this, operation)
      case 'undo_rewind':
        return undoRewind(this, operation.undo_id)
      case 'undo':
        return undo(this, operation.user_message_id)
      case 'edit':
        return edit(this, operation.user_message_id, operation.text)
      case 'regenerate':
        return regenerate(this, operation.user_message_id)
      case 'fork':
        await this.deps.log.durable()
        return { seq: null, session: await this.deps.fork(operation.at_seq) }
      case 'shutdown':
        await this.close()
        return { seq: null }
      case 'compact':
        return this.compact()
      case 'new':
      case 'resume':
        throw new UserError('invalid_operation', `"${operation.op}" opens a session; it is not sent to one.`)
    }
  }

  requireOpen(): void {
    if (this.closing) throw new UserError('invalid_operation', 'This session is closed.', 'Open it again.')
  }

  private update(change: EventData<'session_update'>): Promise<OperationReceipt> {
    return this.recorded(this.emit('session_update', change))
  }

  private async interrupt(): Promise<OperationReceipt> {
    if (this.turn) {
      this.turn.controller.abort(new Error('interrupted'))
      return { seq: null }
    }
    // Calls that wait since an earlier run have no turn to stop.
    if (this.current.status !== 'waiting_approval') return { seq: null }
    dropWaiting(this, 'interrupt')
    return this.recorded(this.emit('interrupted', {}))
  }

  private async setModel(model: string): Promise<OperationReceipt> {
    await this.deps.checkModel(model)
    this.requireOpen()
    const receipt = await this.update({ model })
    if (!this.deps.interactive) return receipt
    this.inBackground(async (signal) => {
      const { probeChoice } = await import('../agent/probe')
      await probeChoice(await this.context(signal, new ApprovalGate()), model)
    })
    return receipt
  }

  /** The answer comes as an event: a model takes its time, and the user may decide before it has finished. */
  private explain(tool_call_id: string): OperationReceipt {
    const isWaiting = () => this.current.pending_approvals.some((request) => request.tool_call_id === tool_call_id)
    if (!isWaiting()) {
      throw new UserError('invalid_operation', 'This call does not wait for a decision any more.')
    }
    if (this.explaining.has(tool_call_id)) return { seq: null }
    this.explaining.add(tool_call_id)
    this.inBackground(async (signal) => {
      try {
        const { explainCall } = await import('../agent/explain')
        const text = await explainCall(await this.context(signal, new ApprovalGate()), tool_call_id)
        if (!signal.aborted && isWaiting()) this.emit('approval_explained', { tool_call_id, text })
      } finally {
        this.explaining.delete(tool_call_id)
      }
    })
    return { seq: null }
  }

  async rename(title: string): Promise<void> {
    await this.update({ title, title_by: 'user' })
    await this.deps.onSettled(this.current).catch(() => undefined)
  }

  durable(): Promise<void> {
    return this.deps.log.durable()
  }

  async idle(): Promise<void> {
    while (this.turn) await this.turn.done
  }

  close(): Promise<void> {
    this.closing ??= this.shutDown()
    return this.closing
  }

  private async shutDown(): Promise<void> {
    this.turn?.controller.abort(new TurnSuspended())
    for (const controller of this.side.keys()) controller.abort(new TurnSuspended())
    await this.idle()
    await Promise.allSettled(this.side.values())
    // A failed log has already been reported to whoever waited for it; closing must still release the lock.
    await this.deps.log.close().catch(() => undefined)
    await this.deps.onSettled(this.current).catch(() => undefined)
    await this.deps.lock.release()
    this.listeners.clear()
  }

  async recorded(seq: number): Promise<OperationReceipt> {
    await this.deps.log.durable()
    return { seq }
  }

  /** Summarises the conversation now, as a turn of its own. */
  private async compact(): Promise<OperationReceipt> {
    await this.deps.checkModel(this.current.model)
    const [{ canCompact, compactNow }, { client }] = await Promise.all([
      import('../agent/compaction'),
      this.deps.turnDefaults(),
    ])
    const window = (await client()).info().context_window
    return whenIdle(this, 'summarise the conversation', () => {
      if (this.current.status === 'waiting_approval') {
        throw new UserError('invalid_operation', 'A call waits for your decision.', 'Decide about it first.')
      }
      if (!canCompact(this.current, window)) {
        const remedy = 'Go on: it is summarised by itself when the context window is nearly full.'
        throw new UserError('invalid_operation', 'There is too little in this conversation to summarise.', remedy)
      }
      const seq = this.emit('processing', { message: 'Summarising the conversation' })
      this.startTurn({ run: compactNow })
      return seq
    })
  }

  startTurn({ run = this.deps.runTurn, resumed, decided }: TurnStart = {}): void {
    const controller = new AbortController()
    const gate = new ApprovalGate(decided)
    const done = this.runTurn(controller.signal, gate, run, resumed).finally(() => {
      this.turn = null
      this.afterTurn(controller.signal.aborted)
    })
    this.turn = { controller, gate, done }
  }

  private afterTurn(stopped: boolean): void {
    if (this.closing) return
    // A message that came after the turn's last look, while it was being closed, starts the next one; unless the user
    // has stopped the session after that.
    if (this.current.status === 'running') {
      if (stopped && !this.deps.log.failure) this.emit('interrupted', {})
      else this.startTurn()
      return
    }
    if (this.deps.interactive && this.deps.wantsTitles() && wantsTitle(this.current)) {
      this.inBackground((signal) => this.nameIt(signal))
    }
    if (!stopped && !this.deps.log.failure) sendNext(this)
  }

  private async nameIt(signal: AbortSignal): Promise<void> {
    const { makeTitle } = await import('../agent/title')
    await makeTitle(await this.context(signal, new ApprovalGate()))
    await this.deps.log.durable()
    await this.deps.onSettled(this.current).catch(() => undefined)
  }

  /** Work that nobody waits for; a failure of it changes nothing. */
  private inBackground(work: (signal: AbortSignal) => Promise<void>): void {
    if (this.closing) return
    const controller = new AbortController()
    void this.tracked(controller, work(controller.signal)).catch(() => undefined)
  }

  private async tracked<T>(controller: AbortController, work: Promise<T>): Promise<T> {
    this.side.set(controller, work)
    try {
      return await work
    } finally {
      this.side.delete(controller)
    }
  }

  private async context(signal: AbortSignal, gate: ApprovalGate): Promise<TurnContext> {
    return {
      ...(await this.deps.turnDefaults()),
      state: () => this.current,
      emit: (type, data) => this.emit(type, data),
      durable: () => this.deps.log.durable(),
      gate,
      files: this.deps.files,
      outputs_dir: join(this.deps.dir, 'outputs'),
      signal,
    }
  }

  private async runTurn(
    signal: AbortSignal,
    gate: ApprovalGate,
    run: SessionDeps['runTurn'],
    resumed?: boolean,
  ): Promise<void> {
    const record = new TurnRecord(this, signal)
    try {
      await this.deps.log.durable()
      await run({ ...(await this.context(signal, gate)), resumed, beforeChange: () => record.before() })
      await this.deps.log.durable()
    } catch (error) {
      const code = error instanceof UserError ? error.code : 'internal'
      const remedy = error instanceof UserError ? error.remedy : 'This is a defect: please report it with this text.'
      // A log that broke during the turn has ended it already, with this very error.
      if (!this.endedWith(messageOf(error))) this.emit('error', { error: messageOf(error), code, remedy })
      await this.deps.log.durable().catch(() => undefined)
    }
    // Without it the turn is still rewound; only the user's later changes would count as its own.
    await record.finish().catch(() => undefined)
    await this.deps.onSettled(this.current).catch(() => undefined)
  }

  private endedWith(message: string): boolean {
    const last = this.current.items.at(-1)
    return last?.kind === 'notice' && last.notice === 'error' && last.text === message
  }

  /** Called by the engine when the log can no longer be written. */
  logFailed(failure: UserError): void {
    this.turn?.controller.abort(failure)
    if (!this.turn) this.emit('error', { error: failure.message, code: failure.code, remedy: failure.remedy })
  }
}
