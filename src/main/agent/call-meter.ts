import type { EventData } from '@shared/events'
import type { Effort } from '@shared/settings'
import { costOf } from '../models/catalogue'
import type { ModelClient, ModelDelta, TokenUsage } from '../models/types'
import type { CallMoney } from './spending'
import type { TurnContext } from './types'

/** Times one model call with all its attempts, and records what each of them used and cost, whatever it was made for. */
export class CallMeter {
  private readonly started = performance.now()
  private firstToken: number | null = null

  constructor(
    private readonly turn: TurnContext,
    private readonly client: ModelClient,
    private readonly money: CallMoney,
    private readonly kind: EventData<'llm_call'>['kind'],
    private readonly asked: { effort: Effort | null; overhead_tokens?: number } = { effort: null },
  ) {}

  /** Something of a reply has arrived; only the first time counts. */
  arrived(): void {
    this.firstToken ??= performance.now() - this.started
  }

  /** Emits `llm_call` and books the cost. Called once for each attempt whose usage is known. */
  record(usage: TokenUsage, finish_reason: string, reply: ReplyFacts = {}): void {
    const { price, context_window } = this.client.info()
    const cost_usd = costOf(usage, price)
    this.turn.emit('llm_call', {
      ...usage,
      total_tokens: usage.prompt_tokens + usage.completion_tokens,
      model: this.client.id,
      kind: this.kind,
      finish_reason,
      cost_usd,
      latency_ms: Math.round(performance.now() - this.started),
      first_token_ms: this.firstToken === null ? null : Math.round(this.firstToken),
      context_window,
      request_id: reply.request_id,
      overhead_tokens: this.asked.overhead_tokens,
      ...(reply.usage_estimated ? { estimated: true } : {}),
      ...(reply.effort === undefined || reply.effort === this.asked.effort ? {} : { effort: reply.effort }),
    })
    this.lowered(reply.effort)
    this.money.spend(this.kind, cost_usd)
  }

  /** The model does not take the effort that was asked for: said once, and then when it changes. */
  private lowered(effort: Effort | null | undefined): void {
    if (effort === undefined || effort === this.asked.effort || this.kind !== 'main') return
    const taken = effort === null ? 'no effort setting' : `effort ${effort} at most`
    const text = `${this.client.id} takes ${taken}; ${this.asked.effort} was asked for.`
    const told = this.turn.state().items.some((item) => item.kind === 'notice' && item.text === text)
    if (!told) this.turn.emit('notice', { code: 'effort', text })
  }
}

/** What a reply says about itself beside its blocks. */
type ReplyFacts = Partial<Pick<Extract<ModelDelta, { type: 'done' }>, 'request_id' | 'usage_estimated' | 'effort'>>
