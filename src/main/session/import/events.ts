import { randomUUID } from 'node:crypto'
import { type Block, type PlanItem, planItemSchema } from '@shared/content'
import type { EventData, EventType, SessionEvent } from '@shared/events'
import { titleFrom } from '@shared/reducer'
import { ORPHAN_RESULT } from '../../agent/context'
import { redactEvent } from '../../redact'
import { MAX_OUTPUT_CHARS, OutputWindow } from '../../workspace/output'
import { importedModel } from './models'
import type { ForeignCall, ForeignMessage, ForeignSession, ImportJob } from './types'

/** The reference hides its notes to the model in messages of the user that begin so. */
const GUARD = /^\[SYSTEM\b/
const REDACTED = /\[REDACTED[A-Z_]*\]/g

export interface Converted {
  events: SessionEvent[]
  title: string
  /** User messages and replies. */
  messages: number
  notes: string[]
}

type Spill = (callId: string, output: string) => { file: string; bytes: number }

/**
 * A saved conversation as the log of a new session. Times are those of the file, as far as it has some, and never go back.
 * `spill` keeps an output that is too long for the log; the text is redacted.
 */
export function toEvents(
  session: ForeignSession,
  id: string,
  from: { file: string; cwd: string },
  job: Pick<ImportJob, 'secrets' | 'app_version' | 'model' | 'now'>,
  spill: Spill,
): Converted {
  return new Converter(session, id, job, spill).run(from)
}

class Converter {
  readonly #events: SessionEvent[] = []
  readonly #model: string
  readonly #answered = new Set<ForeignMessage>()
  #time: number
  readonly #callIds = new Set<string>()
  #reply = ''
  #inTurn = false
  #iterations = 0
  readonly #counts = { messages: 0, redacted: 0, orphans: 0, stubs: 0 }

  constructor(
    private readonly session: ForeignSession,
    private readonly id: string,
    private readonly job: Pick<ImportJob, 'secrets' | 'app_version' | 'model' | 'now'>,
    private readonly spill: Spill,
  ) {
    const firstTime = session.messages.find(({ time }) => millis(time) !== null)?.time
    this.#time = millis(session.started) ?? millis(firstTime) ?? job.now
    this.#model = importedModel(session.model) ?? job.model
  }

  run({ file, cwd }: { file: string; cwd: string }): Converted {
    const { title, old_id } = this.session
    this.#emit('session_update', {
      created: { log_version: 1, app_version: this.job.app_version },
      cwd,
      model: this.#model,
      mode: 'ask',
      effort: null,
      ...(title ? { title: title.slice(0, 200) } : {}),
    })
    this.#emit('forked', { from_session: old_id ?? '', from_seq: 0, imported_from: file })
    const { messages } = this.session
    for (const [at, message] of messages.entries()) {
      this.#at(message.time)
      this.#counts.redacted += message.text.match(REDACTED)?.length ?? 0
      if (message.role === 'user') this.#user(message)
      else if (message.role === 'assistant')
        this.#assistant(message, messages.slice(at + 1, nextReply(messages, at + 1)))
      else if (!this.#answered.has(message)) this.#counts.orphans += 1
    }
    this.#at(this.session.ended)
    this.#endTurn(true)
    const notes = this.#notes()
    if (notes.length > 0) this.#emit('notice', { code: 'imported', text: notes.join(' ') })
    return { events: this.#events, title: this.#title(), messages: this.#counts.messages, notes }
  }

  #user({ text }: ForeignMessage): void {
    if (text.trim() === '') return
    if (GUARD.test(text.trimStart())) {
      this.#emit('guard', { kind: 'imported', content: text })
      return
    }
    this.#endTurn()
    this.#counts.messages += 1
    this.#inTurn = true
    this.#emit('user_message', { id: randomUUID(), content: text, source: 'user' })
  }

  /** `following`: what came before the next reply, where the results of its calls are. */
  #assistant(message: ForeignMessage, following: readonly ForeignMessage[]): void {
    const { text, reasoning = '' } = message
    const calls = (message.calls ?? []).map((call) => ({ ...call, id: this.#callId(call.id), old_id: call.id }))
    if (text.trim() === '' && calls.length === 0) return
    const blocks: Block[] = []
    // Without its signature, which another conversation's keys would refuse.
    if (reasoning) blocks.push({ type: 'reasoning', text: reasoning })
    if (text.trim()) blocks.push({ type: 'text', text })
    for (const { id, name, input, malformed } of calls) {
      blocks.push({ type: 'tool_use', id, name, input, ...(malformed === undefined ? {} : { malformed }) })
    }
    this.#counts.messages += 1
    this.#iterations += 1
    this.#reply = text
    this.#emit('assistant_message', {
      id: randomUUID(),
      content: text,
      blocks,
      model: this.#model,
      stop_reason: calls.length > 0 ? 'tool_use' : 'end_turn',
    })
    this.#inTurn = true
    for (const { id, old_id, name, input } of calls) {
      this.#at(this.session.results.get(old_id)?.started)
      this.#emit('tool_call', { tool: name, arguments: input, tool_call_id: id })
    }
    for (const call of calls) this.#result(call, following)
  }

  /** Every call is answered right after its reply, also when its result came late, or never. */
  #result(call: ForeignCall & { old_id: string }, following: readonly ForeignMessage[]): void {
    const { id, name, old_id } = call
    const answer = following.find(
      (message) => message.role === 'tool' && message.call_id === old_id && !this.#answered.has(message),
    )
    if (!answer) {
      this.#counts.stubs += 1
      this.#emit('tool_state_change', { tool_call_id: id, tool: name, state: 'cancelled' })
      this.#emit('tool_output', { tool: name, tool_call_id: id, output: ORPHAN_RESULT, success: false, duration_ms: 0 })
      return
    }
    this.#answered.add(answer)
    const known = this.session.results.get(old_id)
    this.#at(answer.time ?? known?.ended)
    const success = known?.success ?? !(answer.failed ?? call.malformed !== undefined)
    const started = millis(known?.started)
    const ended = millis(known?.ended)
    const duration_ms = started !== null && ended !== null ? Math.max(0, ended - started) : 0
    this.#emit('tool_output', {
      tool: name,
      tool_call_id: id,
      success,
      duration_ms,
      ...this.#output(id, name, answer.text),
    })
    const plan = success && name === 'plan_tool' ? planOf(call.input) : null
    if (plan) this.#emit('plan_update', { plan })
  }

  /** A long output is kept whole beside the log, as that of a command is. */
  #output(id: string, tool: string, text: string): Pick<EventData<'tool_output'>, 'output' | 'spill'> {
    if (text.length <= MAX_OUTPUT_CHARS) return { output: text }
    const { output } = redactEvent('tool_output', { tool, output: text }, this.job.secrets)
    const window = new OutputWindow()
    window.add(output)
    const shown = window.render((omitted) => `\n\n[… ${omitted} characters left out …]\n\n`)
    return { output: shown.text, spill: { ...this.spill(id, output), omitted_chars: shown.omitted } }
  }

  /** A message without any reply before the next one ended nothing; at the end of the log nothing runs any more. */
  #endTurn(last = false): void {
    if (this.#iterations === 0 && !(last && this.#inTurn)) return
    const history_size = this.#counts.messages
    const iterations = this.#iterations
    this.#emit('turn_complete', { history_size, final_response: this.#reply, reason: 'finished', iterations })
    this.#inTurn = false
    this.#iterations = 0
    this.#reply = ''
  }

  /** Ids that are empty or used before would mix up results. */
  #callId(given: string): string {
    let id = given || `call-${this.#callIds.size + 1}`
    for (let n = 2; this.#callIds.has(id); n++) id = `${given || 'call'}-${n}`
    this.#callIds.add(id)
    return id
  }

  #notes(): string[] {
    const { redacted, orphans, stubs } = this.#counts
    const { unreadable, model } = this.session
    const notes: string[] = []
    if (redacted > 0) notes.push(`${counted(redacted, 'place')} had been redacted before and cannot be restored.`)
    if (stubs > 0) notes.push(`${counted(stubs, 'tool call')} had no result.`)
    if (orphans > 0) notes.push(`${counted(orphans, 'result')} of unknown tool calls left out.`)
    if (unreadable > 0) notes.push(`${counted(unreadable, 'message')} could not be read and left out.`)
    if (model && importedModel(model) === null) notes.push(`Its model “${model.slice(0, 100)}” is not known here.`)
    return notes
  }

  #title(): string {
    for (const event of this.#events) {
      if (event.type === 'session_update' && event.data.title) return event.data.title
      if (event.type === 'user_message') return titleFrom(event.data.content)
    }
    return ''
  }

  #at(time: string | undefined): void {
    this.#time = Math.max(this.#time, millis(time) ?? this.#time)
  }

  #emit<T extends EventType>(type: T, data: EventData<T>): void {
    const seq = this.#events.length + 1
    const time = new Date(this.#time).toISOString()
    const clean = redactEvent(type, data, this.job.secrets)
    this.#events.push({ seq, time, session: this.id, type, data: clean } as SessionEvent)
  }
}

function nextReply(messages: readonly ForeignMessage[], from: number): number {
  const at = messages.findIndex((message, i) => i >= from && message.role === 'assistant')
  return at < 0 ? messages.length : at
}

function planOf({ todos }: Record<string, unknown>): PlanItem[] | null {
  if (!Array.isArray(todos)) return null
  const plan: PlanItem[] = []
  for (const todo of todos as unknown[]) {
    if (typeof todo !== 'object' || todo === null) return null
    const id = 'id' in todo && typeof todo.id === 'number' ? String(todo.id) : undefined
    const item = planItemSchema.safeParse(id === undefined ? todo : { ...todo, id })
    if (!item.success) return null
    plan.push(item.data)
  }
  return plan
}

/** Milliseconds since 1970 of an ISO time; null: it is none. Without a zone it was the time of that machine. */
function millis(time: string | undefined): number | null {
  const value = time === undefined ? Number.NaN : Date.parse(time)
  return Number.isNaN(value) ? null : value
}

function counted(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`
}
