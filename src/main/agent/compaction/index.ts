import { addCompaction } from '@shared/compaction'
import type { EventData } from '@shared/events'
import type { SessionState } from '@shared/state'
import type { ModelFailure, ToolSpec } from '../../models/types'
import { toolSpecs } from '../../tools/registry'
import { BudgetStop } from '../spending'
import type { TurnContext } from '../types'
import { type CompactionPlan, planCompaction } from './plan'
import { summarise } from './summarise'
import { contextTokens, estimatedContext, estimateTokens, toolsTokens, triggerOf } from './tokens'
import { modelMessages } from './view'

type Reason = NonNullable<EventData<'compacted'>['reason']>

/** Compactions in a row that did not help, after which the turn ends: each costs money. */
const MAX_USELESS = 2
/** Real tokens in one estimated token; what is outside is a wrong count and not a tokenizer. */
const MIN_SCALE = 1
const MAX_SCALE = 2.5

type Outcome = 'done' | 'nothing' | 'useless'

/** From this share of the limit on, an estimate is checked by the provider where it counts for us. */
const COUNT_SHARE = 0.7
/** Estimated tokens, of the window, that nobody has counted yet: fewer cannot make the difference. */
const UNCOUNTED_SHARE = 0.03

/** Keeps the conversation of one turn inside the model's window. */
export class ContextKeeper {
  /** Compactions since a reply last came with room to spare. */
  private useless = 0
  /** The last count, and what it was a count of. */
  private counted: { last: unknown; compaction: unknown; tokens: number | null } | null = null
  private readonly toolTokens: number

  constructor(
    private readonly turn: TurnContext,
    private readonly tools: ToolSpec[],
  ) {
    this.toolTokens = toolsTokens(tools)
  }

  /** Before a model call: summarises when the window is nearly full. `stuck`: two times did not help. */
  async makeRoom(): Promise<'ok' | 'stuck'> {
    while (await this.isFull()) {
      if (this.useless >= MAX_USELESS) return 'stuck'
      // Nearly full of what must stay: it may still fit, and the provider knows.
      if ((await this.compact('budget')) === 'nothing') break
    }
    return 'ok'
  }

  /** After a reply: the last compaction was of use when there is room now. */
  async replied(): Promise<void> {
    if (this.useless > 0 && !(await this.isFull())) this.useless = 0
  }

  /** The provider refused the request as too long. True: it is shorter now and worth another try. */
  async overflowed(): Promise<boolean> {
    while (this.useless < MAX_USELESS) {
      const outcome = await this.compact('overflow')
      if (outcome === 'nothing') return false
      if (outcome === 'useless') continue
      // A reply that was cut by the full window stands last; a request must not end with it.
      if (modelMessages(this.turn.state(), this.turn.outputs_dir).at(-1)?.role === 'assistant') {
        this.turn.emit('guard', {
          kind: 'truncated_output',
          content: 'The context window was full, so your last reply was cut. Older parts are summarised now. Go on.',
        })
      }
      return true
    }
    return false
  }

  private async isFull(): Promise<boolean> {
    const window = await this.window()
    return window !== null && (await this.tokens(window)) >= triggerOf(window)
  }

  /** Tokens of the next request: what is known and estimated, and near the limit what the provider counts. */
  private async tokens(window: number): Promise<number> {
    const state = this.turn.state()
    const tokens = contextTokens(state, this.overhead())
    if (tokens < triggerOf(window) * COUNT_SHARE) return tokens
    if (tokens - (state.measured?.tokens ?? 0) < window * UNCOUNTED_SHARE) return tokens
    const { items, compaction } = state
    const last = items.at(-1)
    if (this.counted?.last !== last || this.counted?.compaction !== compaction) {
      this.counted = { last, compaction, tokens: await this.count(state) }
    }
    return this.counted.tokens ?? tokens
  }

  private async count(state: SessionState): Promise<number | null> {
    const client = await this.turn.client()
    const { signal, streaming, outputs_dir } = this.turn
    const messages = modelMessages(state, outputs_dir)
    const request = { system: this.turn.system(), messages, tools: this.tools, effort: state.effort, streaming }
    return (await client.countTokens?.(request, signal)) ?? null
  }

  private async window(): Promise<number | null> {
    return (await this.turn.client()).info().context_window
  }

  /** Estimated tokens of what goes with every call: tools and system prompt. */
  overhead(): number {
    return this.toolTokens + estimateTokens(this.turn.system())
  }

  private async compact(reason: Reason): Promise<Outcome> {
    const outcome = await compact(this.turn, this.overhead(), reason, await this.window(), this.useless)
    if (outcome !== 'nothing') this.useless += 1
    return outcome
  }
}

/** What the session says when it could not be made to fit. */
export const contextStuck: ModelFailure = {
  kind: 'context_overflow',
  message: 'The conversation no longer fits the context window of this model, and summarising it did not help.',
  remedy:
    'Choose a model with a larger window, take back the last message, or start a new session. Nothing of this ' +
    'conversation is lost.',
  retryable: false,
  retry_after_ms: null,
  status: null,
}

/** Whether a compaction that the user asks for would have anything to do. `window`: of the model, null: not known. */
export function canCompact(state: SessionState, window: number | null): boolean {
  return planFor(state, 'manual', window, 0, 0) !== null
}

/** A compaction that the user asked for: its own small turn, which ends with `compacted`, `interrupted` or `error`. */
export async function compactNow(turn: TurnContext): Promise<void> {
  const asked = turn.state().last_seq
  try {
    const { context_window } = (await turn.client()).info()
    const overhead = estimateTokens(turn.system()) + toolsTokens(toolSpecs(turn.tools))
    if ((await compact(turn, overhead, 'manual', context_window, 0)) !== 'done') {
      turn.emit('error', {
        error: 'The conversation was left as it is: a summary would not have been shorter.',
        code: 'nothing_to_compact',
        remedy: 'Go on; it is summarised by itself when the context window is nearly full.',
      })
    }
  } catch (error) {
    if (turn.signal.aborted) turn.emit('interrupted', {})
    else if (error instanceof BudgetStop) {
      turn.emit('error', { error: error.message, code: 'budget', remedy: error.remedy })
    } else throw error
    return
  }
  // A message that came meanwhile is still to be answered: the session starts a turn for it.
  const message = turn.state().items.findLast((item) => item.kind === 'user')
  if (message && message.seq > asked) turn.emit('processing', { message: 'Thinking' })
}

/** One compaction, recorded when it makes the context smaller. Throws the signal's reason when it is interrupted. */
async function compact(
  turn: TurnContext,
  overhead: number,
  reason: Reason,
  window: number | null,
  attempt: number,
): Promise<Outcome> {
  const state = turn.state()
  const plan = planFor(state, reason, window, overhead, attempt)
  if (!plan) return 'nothing'
  turn.emit('processing', { message: 'Summarising the conversation' })
  const { text, mechanical } = await summarise(turn, {
    items: plan.replaced,
    earlier: state.compaction?.summary ?? '',
    window: plan.window,
    summary_tokens: plan.summary_tokens,
  })
  turn.signal.throwIfAborted()

  const now = turn.state()
  const old_tokens = contextTokens(now, overhead)
  const { first_kept_seq, result_tokens } = plan
  const data: EventData<'compacted'> = {
    old_tokens,
    new_tokens: old_tokens,
    summary: text,
    first_kept_seq,
    reason,
    window: plan.window,
    result_tokens,
    ...(mechanical ? { mechanical } : {}),
  }
  const after = addCompaction(now, { seq: now.last_seq + 1, time: '', session: now.id, type: 'compacted', data })
  const new_tokens = Math.round(estimatedContext(after, overhead) * scaleOf(now, overhead))
  if (new_tokens >= old_tokens) return 'useless'
  turn.emit('compacted', { ...data, new_tokens })
  if (reason !== 'manual') turn.emit('processing', { message: 'Thinking' })
  return 'done'
}

function planFor(
  state: SessionState,
  reason: Reason,
  window: number | null,
  overhead: number,
  attempt: number,
): CompactionPlan | null {
  const used = contextTokens(state, overhead)
  // What was refused is too long, whatever the catalogue says; without a window it is all that is known.
  const known = reason === 'overflow' ? Math.min(window ?? used, used) : (window ?? used)
  // Asked for by the user, most of what there is goes, however much more would fit.
  const tail_window = reason === 'manual' ? Math.min(known, used) : known
  return planCompaction(state, { window: known, tail_window, scale: scaleOf(state, overhead), attempt })
}

function scaleOf(state: SessionState, overhead: number): number {
  const estimate = estimatedContext(state, overhead)
  const scale = estimate > 0 ? contextTokens(state, overhead) / estimate : 1
  return Math.min(MAX_SCALE, Math.max(MIN_SCALE, scale))
}
