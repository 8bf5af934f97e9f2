import type { EventData } from './events'
import type { SessionState, Usage, UsageShare } from './state'

/** The fold of `llm_call`. */
export function foldUsage(s: SessionState, data: EventData<'llm_call'>): SessionState {
  const usage = withCall(s.usage, data)
  if (data.kind !== 'main') return { ...s, usage }
  const overhead_tokens = data.overhead_tokens ?? s.context.overhead_tokens
  const context = { used_tokens: data.total_tokens, window: data.context_window, overhead_tokens }
  return { ...s, usage, context, measured: measure(s, data) }
}

/** The fold of `spend`: money, and no call of a model. */
export function foldSpend(s: SessionState, { kind, label, usd }: EventData<'spend'>): SessionState {
  const cost = { cost_usd: usd, prompt_tokens: 0, completion_tokens: 0, cache_read_tokens: 0, cache_creation_tokens: 0 }
  const { calls } = s.usage
  return { ...s, usage: { ...add(s.usage, cost), calls, parts: withPart(s.usage.parts, kind, label, cost) } }
}

function withCall(usage: Usage, data: EventData<'llm_call'>): Usage {
  return { ...add(usage, data), parts: withPart(usage.parts, data.kind, data.model, data) }
}

function withPart(
  parts: Usage['parts'],
  kind: Usage['parts'][number]['kind'],
  model: string,
  amount: Amount,
): Usage['parts'] {
  const at = parts.findIndex((part) => part.kind === kind && part.model === model)
  const before = parts[at] ?? { ...none, kind, model }
  const part = { ...before, ...add(before, amount) }
  return at < 0 ? [...parts, part] : parts.with(at, part)
}

type Amount = Pick<
  EventData<'llm_call'>,
  'prompt_tokens' | 'completion_tokens' | 'cache_read_tokens' | 'cache_creation_tokens' | 'cost_usd'
>

const none: UsageShare = {
  calls: 0,
  prompt_tokens: 0,
  completion_tokens: 0,
  cache_read_tokens: 0,
  cache_creation_tokens: 0,
  cost_usd: 0,
  unpriced_calls: 0,
}

function add(u: UsageShare, data: Amount): UsageShare {
  return {
    calls: u.calls + 1,
    prompt_tokens: u.prompt_tokens + data.prompt_tokens,
    completion_tokens: u.completion_tokens + data.completion_tokens,
    cache_read_tokens: u.cache_read_tokens + data.cache_read_tokens,
    cache_creation_tokens: u.cache_creation_tokens + data.cache_creation_tokens,
    cost_usd: u.cost_usd + (data.cost_usd ?? 0),
    unpriced_calls: u.unpriced_calls + (data.cost_usd === null ? 1 : 0),
  }
}

/** A count belongs to the reply before it; one without a new reply is of a failed attempt, and 0 is no count. */
function measure(s: SessionState, { total_tokens, estimated }: EventData<'llm_call'>): SessionState['measured'] {
  const reply = s.items.findLast((item) => item.kind === 'assistant')
  if (reply?.kind !== 'assistant' || reply.partial || reply.key === s.measured?.reply_key) return s.measured
  if (total_tokens <= 0 || estimated) return null
  return { tokens: total_tokens, seen_seq: reply.seen_seq ?? reply.seq, reply_key: reply.key }
}
