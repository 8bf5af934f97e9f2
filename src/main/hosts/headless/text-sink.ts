import type { BudgetWarning } from '@shared/budget'
import { type AnyEvent, isUnknownEvent, type SessionEvent } from '@shared/events'
import type { SessionState, ToolItem } from '@shared/state'
import type { OutputStream } from './io'
import { LiveRegion } from './live-region'
import type { RunResult, Sink } from './sink'
import { clean, count, dollars, duration, modelLabel, StreamCleaner, type Style, styleFor, tildePath } from './style'
import { liveLines, noticeLines, planLines, toolLine } from './text-lines'
import type { Writer } from './writer'

export interface TextSinkOptions {
  stdout: OutputStream
  stderr: OutputStream
  out: Writer
  err: Writer
  env: NodeJS.ProcessEnv
}

/**
 * For people: the reply on stdout as it is written, everything else on stderr. On a terminal running tools and the plan
 * stay at the bottom and are redrawn; elsewhere each change is printed once.
 */
export class TextSink implements Sink {
  private readonly style: Style
  private readonly region: LiveRegion | null
  /** What of the message with this id has been printed. */
  private printed = { id: '', text: '' }
  private readonly cleaner = new StreamCleaner()
  /** The text on stdout ends in the middle of a line. */
  private midLine = false
  /** Messages that have been begun on stdout. */
  private messages = 0
  private state: SessionState | null = null
  private plan = ''
  private retry = ''
  private warned: BudgetWarning | null = null

  constructor(private readonly options: TextSinkOptions) {
    this.style = styleFor(options.stderr, options.env)
    const redraws = options.stderr.isTTY === true && options.env.TERM !== 'dumb'
    this.region = redraws
      ? new LiveRegion(
          options.err,
          () => this.liveLines(),
          () => options.stderr.columns ?? 80,
        )
      : null
  }

  start(state: SessionState): void {
    this.state = state
    this.warned = state.budget?.warning ?? null
    const { bold, dim } = this.style
    const parts = [
      `session ${state.id}`,
      `model ${modelLabel(state.model)}`,
      `mode ${state.mode}`,
      `in ${tildePath(state.cwd, this.options.env.HOME)}`,
    ]
    this.print(`${bold('ML Intern')}  ${dim(clean(parts.join('  ')))}\n`)
  }

  event(event: AnyEvent, state: SessionState): void {
    this.state = state
    if (!isUnknownEvent(event)) this.known(event, state)
    const notice = state.items.at(-1)
    if (notice?.kind === 'notice' && notice.seq === event.seq) {
      this.endLine()
      this.print(noticeLines(notice, this.style))
    }
    if (!this.midLine) this.region?.update()
  }

  pause(): void {
    this.endLine()
    this.region?.hide()
  }

  resume(): void {
    this.region?.show()
  }

  finish(result: RunResult, elapsedMs: number): void {
    this.endLine()
    this.options.out.push()
    this.region?.hide()
    if (this.region && result.plan.length > 0) this.options.err.write(this.planText(result.plan))
    const { calls, prompt_tokens, completion_tokens } = result.usage
    const demo = this.state?.model.startsWith('demo/') ?? false
    const cost = result.cost_usd === null ? 'cost unknown' : dollars(result.cost_usd)
    const parts = [
      duration(elapsedMs),
      `${count(calls)} model ${calls === 1 ? 'call' : 'calls'}`,
      `${count(prompt_tokens)} tokens in, ${count(completion_tokens)} out`,
      ...(calls === 0 ? [] : [demo ? 'no cost: scripted demo model' : cost]),
      ...budgetParts(this.state?.budget ?? null),
    ]
    const { dim } = this.style
    this.options.err.write(`${this.outcome(result)}  ${dim(parts.join(' · '))}\n`)
    this.options.err.write(`${dim(`Go on with: ml-intern --session ${result.session} "…"`)}\n`)
  }

  private known(event: SessionEvent, state: SessionState): void {
    switch (event.type) {
      case 'assistant_chunk':
        this.chunk(event.data.id, event.data.content)
        break
      case 'assistant_message':
        this.message(event.data.id, event.data.content)
        break
      case 'assistant_stream_end':
        if (event.data.discarded && this.printed.text && this.printed.id === event.data.id) {
          this.printed = { id: '', text: '' }
          this.endLine()
          const why = event.data.reason ? `: ${clean(event.data.reason)}` : ''
          this.print(`${this.style.yellow(`The reply was cut off${why}; it is asked for again.`)}\n`)
        }
        break
      case 'processing':
        this.retrying(event.data.retry)
        break
      case 'tool_call':
        this.endLine()
        break
      case 'tool_output':
        this.toolEnded(event.data.tool_call_id, state)
        break
      case 'plan_update':
        this.planChanged(state)
        break
      case 'budget_update':
        this.warnOfBudget(state)
        break
      case 'guard':
        this.endLine()
        this.print(`${this.style.dim(`Note to the model (${event.data.kind}): ${firstLine(event.data.content)}`)}\n`)
        break
      default:
        break
    }
  }

  private chunk(id: string, content: string): void {
    if (this.printed.id !== id) {
      this.printed = { id, text: '' }
      this.cleaner.reset()
    }
    this.reply(this.cleaner.push(content), this.printed.text === '')
    this.printed.text += content
  }

  /** Prints what was not streamed: all of it with --no-stream. */
  private message(id: string, content: string): void {
    const before = this.printed.id === id ? this.printed.text : ''
    if (before === '') this.cleaner.reset()
    if (content.startsWith(before)) this.reply(this.cleaner.push(content.slice(before.length)), before === '')
    this.printed = { id: '', text: '' }
    this.endLine()
  }

  private reply(text: string, begins: boolean): void {
    if (text === '') return
    if (!this.midLine) this.region?.hide()
    // Both streams may be one terminal: what was said first stands first.
    this.options.err.push()
    // In a file of Markdown two messages are two paragraphs; on a terminal the tools stand between them.
    const gap = begins && this.messages > 0 && !this.options.stdout.isTTY ? '\n' : ''
    if (begins) this.messages++
    this.options.out.write(gap + text)
    this.midLine = !text.endsWith('\n')
    if (!this.midLine) this.shown()
  }

  private endLine(): void {
    if (!this.midLine) return
    this.options.out.write('\n')
    this.midLine = false
    this.shown()
  }

  /** The reply stands at the start of a line: the region may come back under it. */
  private shown(): void {
    if (!this.region) return
    this.options.out.push()
    this.region.show()
  }

  private print(text: string): void {
    this.options.out.push()
    if (this.region) this.region.print(text)
    else this.options.err.write(text)
  }

  private retrying(retry: { attempt: number; delay_ms: number; reason: string } | undefined): void {
    const text = retry ? `${clean(retry.reason).replace(/\.$/, '')}: trying again in ${duration(retry.delay_ms)}` : ''
    if (text && text !== this.retry && !this.region) this.print(`${text}\n`)
    this.retry = text
  }

  private toolEnded(callId: string, state: SessionState): void {
    this.endLine()
    const item = state.items.findLast((entry): entry is ToolItem => entry.kind === 'tool' && entry.call_id === callId)
    // The plan is shown as a plan.
    if (!item || (item.tool === 'plan_tool' && item.state === 'ok')) return
    this.print(toolLine(item, this.style, this.columns()))
  }

  /** Once for each mark. */
  private warnOfBudget({ budget }: SessionState): void {
    const mark = budget?.warning ?? null
    if (budget && mark !== null && mark > (this.warned ?? 0)) {
      this.endLine()
      this.print(`${this.style.yellow(`Budget: ${mark} % reached`)} (${budgetParts(budget).join(', ')})\n`)
    }
    this.warned = mark
  }

  private planChanged(state: SessionState): void {
    if (this.region) return
    const text = this.planText(state.plan)
    if (text === this.plan) return
    this.plan = text
    this.endLine()
    this.print(text)
  }

  private planText(plan: SessionState['plan']): string {
    return planLines(plan, this.style, this.columns())
      .map((line) => `${line}\n`)
      .join('')
  }

  private liveLines(): string[] {
    const state = this.state
    if (!state) return []
    const waiting = this.retry || (state.status === 'running' ? state.activity : '')
    const rows = Math.max(4, (this.options.stderr.rows ?? 24) - 2)
    return liveLines({
      tools: runningTools(state),
      plan: state.plan,
      waiting,
      rows,
      columns: this.columns(),
      style: this.style,
    })
  }

  private columns(): number {
    return this.region ? Math.max(20, (this.options.stderr.columns ?? 80) - 1) : 200
  }

  private outcome({ status }: RunResult): string {
    const { green, red, yellow } = this.style
    switch (status) {
      case 'finished':
        return green('Finished')
      case 'interrupted':
        return yellow('Stopped')
      case 'max_iterations':
        return yellow('Stopped at the limit of model calls')
      case 'budget':
        return yellow('Stopped at the budget')
      case 'approval_unavailable':
        return yellow('Stopped: an approval was needed')
      case 'refusal':
        return red('The model declined')
      case 'guard':
        return red('Stopped by a guard')
      case 'error':
        return red('Failed')
    }
  }
}

/** What is left of the caps. */
function budgetParts(budget: SessionState['budget']): string[] {
  if (!budget) return []
  const left = (cap: number, spent: number) => `${dollars(Math.max(0, cap - spent))} left`
  const { cap_usd, spent_usd, day } = budget
  return [
    ...(cap_usd === null ? [] : [`${left(cap_usd, spent_usd)} of the cap of ${dollars(cap_usd)}`]),
    ...(day ? [`${left(day.cap_usd, day.spent_usd)} of today's ${dollars(day.cap_usd)}`] : []),
  ]
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
