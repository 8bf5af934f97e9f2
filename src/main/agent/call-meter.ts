import type { EventData } from '@shared/events'
import { costOf } from '../models/catalogue'
import type { ModelClient, TokenUsage } from '../models/types'
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
  ) {}

  /** Something of a reply has arrived; only the first time counts. */
  arrived(): void {
    this.firstToken ??= performance.now() - this.started
  }

  /** Emits `llm_call` and books the cost. Called once for each attempt whose usage is known. */
  record(usage: TokenUsage, finish_reason: string, request_id?: string): void {
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
      request_id,
    })
    this.money.spend(this.kind, cost_usd)
  }
}
