import { type AnyEvent, type EventData, isUnknownEvent, type SessionEvent } from '@shared/events'
import type { SessionState, ToolItem } from '@shared/state'
import { clean, dollars, modelLabel, StreamCleaner, type Style } from '../headless/style'
import { liveLines, noticeLines, planLines, toolLine } from '../headless/text-lines'
import { MarkdownLines } from './markdown-lines'

/** Of a line of the reply that has not ended, on the screen. */
const OPEN_ROWS = 6

export interface ConversationOptions {
  style: Style
  /** Prints whole lines for good. */
  print: (text: string) => void
  columns: () => number
}

/** What happens in a session, as text: whole lines are printed, the rest is rows that are drawn again and again. */
export class Conversation {
  /** What of the message with this id has been taken. */
  private taken = { id: '', text: '' }
  private readonly cleaner = new StreamCleaner()
  private readonly markdown: MarkdownLines
  /** The reply's last line, which has not ended. */
  private open = ''
  private retry = ''
  private plan = ''
  private warned = 0

  constructor(private readonly options: ConversationOptions) {
    this.markdown = new MarkdownLines(options.style)
  }

  /** Another session: what it has said before is not printed. */
  start(state: SessionState): void {
    this.taken = { id: '', text: '' }
    this.open = ''
    this.retry = ''
    this.plan = this.planText(state)
    this.warned = state.budget?.warning ?? 0
    if (state.draft) this.chunk(state.draft.id, state.draft.text)
  }

  event(event: AnyEvent, state: SessionState): void {
    if (!isUnknownEvent(event)) this.known(event, state)
    const notice = state.items.at(-1)
    if (notice?.kind === 'notice' && notice.seq === event.seq) this.say(noticeLines(notice, this.options.style))
  }

  /** The rows above the input: the open line of the reply, running tools, the plan. */
  rows(state: SessionState, limit: number): string[] {
    const columns = this.options.columns()
    const { style } = this.options
    const reply = this.open === '' ? [] : this.markdown.open(this.open, columns).slice(-Math.min(OPEN_ROWS, limit))
    const running = state.status === 'running'
    const waiting = this.retry || (running && this.open === '' ? state.activity : '')
    const tools = state.status === 'idle' ? [] : runningTools(state)
    const plan = state.status === 'idle' ? [] : state.plan
    const rows = Math.max(0, limit - reply.length)
    if (rows === 0) return reply
    return [...reply, ...liveLines({ tools, plan, waiting, rows, columns, style })]
  }

  private known(event: SessionEvent, state: SessionState): void {
    const { style } = this.options
    switch (event.type) {
      case 'user_message': {
        const text = clean(event.data.content).trim().split('\n')
        this.say(`\n${text.map((line, i) => `${style.bold(style.cyan(i === 0 ? '›' : ' '))} ${line}\n`).join('')}\n`)
        break
      }
      case 'assistant_chunk':
        this.chunk(event.data.id, event.data.content)
        break
      case 'assistant_message':
        this.message(event.data.id, event.data.content)
        break
      case 'assistant_stream_end':
        if (event.data.discarded && this.taken.text !== '' && this.taken.id === event.data.id) {
          this.taken = { id: '', text: '' }
          const why = event.data.reason ? `: ${clean(event.data.reason)}` : ''
          this.say(`${style.yellow(`The reply was cut off${why}; it is asked for again.`)}\n`)
        }
        break
      case 'processing':
        this.retry = event.data.retry
          ? `${clean(event.data.retry.reason).replace(/\.$/, '')}: attempt ${event.data.retry.attempt}`
          : ''
        break
      case 'tool_output':
        this.toolEnded(event.data.tool_call_id, state)
        break
      case 'budget_update':
        this.warnOfBudget(state)
        break
      case 'session_update':
        this.changed(event.data)
        break
      case 'undo_complete':
        this.say(`${style.dim('The last message was taken back, with everything after it.')}\n`)
        break
      case 'guard':
        this.say(`${style.dim(`Note to the model (${event.data.kind}): ${firstLine(event.data.content)}`)}\n`)
        break
      case 'queue_update':
        this.queued(event.data.queue.length)
        break
      case 'turn_complete':
      case 'interrupted':
      case 'error':
        this.endTurn(state)
        break
      default:
        break
    }
  }

  private chunk(id: string, content: string): void {
    if (this.taken.id !== id) {
      this.endLine()
      this.taken = { id, text: '' }
      this.begin()
    }
    this.taken.text += content
    this.reply(this.cleaner.push(content))
  }

  private begin(): void {
    this.cleaner.reset()
    this.markdown.reset()
  }

  /** What was not streamed of a message that is whole now. */
  private message(id: string, content: string): void {
    const before = this.taken.id === id ? this.taken.text : ''
    if (before === '') this.begin()
    if (content.startsWith(before)) this.reply(this.cleaner.push(content.slice(before.length)))
    this.taken = { id: '', text: '' }
    this.endLine()
  }

  private reply(text: string): void {
    const all = this.open + text
    const end = all.lastIndexOf('\n') + 1
    if (end > 0) this.printLines(all.slice(0, end - 1))
    this.open = all.slice(end)
  }

  private endLine(): void {
    if (this.open !== '') this.printLines(this.open)
    this.open = ''
  }

  private printLines(text: string): void {
    const columns = this.options.columns()
    const rows = text.split('\n').flatMap((line) => this.markdown.line(line, columns))
    this.options.print(`${rows.join('\n')}\n`)
  }

  private say(text: string): void {
    this.endLine()
    this.options.print(text)
  }

  private toolEnded(callId: string, state: SessionState): void {
    const item = state.items.findLast((entry): entry is ToolItem => entry.kind === 'tool' && entry.call_id === callId)
    // The plan is shown as a plan.
    if (!item || (item.tool === 'plan_tool' && item.state === 'ok')) return
    this.say(toolLine(item, this.options.style, this.options.columns()))
  }

  private endTurn(state: SessionState): void {
    this.retry = ''
    this.endLine()
    const plan = this.planText(state)
    if (plan !== this.plan && plan !== '') this.options.print(plan)
    this.plan = plan
  }

  private planText({ plan }: SessionState): string {
    return planLines(plan, this.options.style, this.options.columns())
      .map((line) => `${line}\n`)
      .join('')
  }

  /** Once for each mark. */
  private warnOfBudget({ budget }: SessionState): void {
    const mark = budget?.warning ?? 0
    if (budget && mark > this.warned) {
      const cap = budget.cap_usd ?? budget.day?.cap_usd
      const of = cap === undefined ? '' : ` of ${dollars(cap)}`
      this.say(`${this.options.style.yellow(`Budget: ${mark} %${of} reached.`)}\n`)
    }
    this.warned = mark
  }

  private changed({ created, model, mode, effort, max_cost_usd }: EventData<'session_update'>): void {
    if (created) return
    const parts = [
      ...(model === undefined ? [] : [`model ${modelLabel(model)}`]),
      ...(mode === undefined ? [] : [`mode ${mode}`]),
      ...(effort === undefined ? [] : [`effort ${effort ?? 'off'}`]),
      ...(max_cost_usd === undefined ? [] : [max_cost_usd === null ? 'no cap' : `cap ${dollars(max_cost_usd)}`]),
    ]
    if (parts.length > 0) this.say(`${this.options.style.dim(clean(`Now: ${parts.join(', ')}`))}\n`)
  }

  private queued(length: number): void {
    if (length > 0) this.say(`${this.options.style.dim(`${length} waiting for the end of the turn.`)}\n`)
  }
}

/** In the order they were called; those of earlier turns have all ended. */
function runningTools({ items, live_logs }: SessionState): { name: string; intent: string; tail: string }[] {
  const turn = items.findLastIndex((item) => item.kind === 'user' && item.source === 'user')
  return items
    .slice(turn + 1)
    .flatMap((item) =>
      item.kind === 'tool' && item.state === 'running'
        ? [{ name: item.tool, intent: item.intent, tail: live_logs[item.call_id] ?? '' }]
        : [],
    )
}

function firstLine(text: string): string {
  return clean(text).trim().split('\n', 1)[0] ?? ''
}
