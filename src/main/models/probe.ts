import type { Effort } from '@shared/settings'
import { UserError } from '../errors'
import type { ModelClient, ModelDelta, ModelRequest, TokenUsage } from './types'

/** Reference, 2.5: a word, few tokens, and no longer than a user waits for a menu. */
const PROBE_TOKENS = 64
const PROBE_MS = 15_000

export interface Probe {
  /** The level that calls will really be made with; null: none. */
  effort: Effort | null
  /** What the user should know, one sentence each. */
  notes: string[]
  /** What the probe used; null when nothing was answered. */
  usage: TokenUsage | null
}

/**
 * Makes one tiny call, to find out which effort the model takes before the first real one. Only for a user who chooses a
 * model: it costs a call, and a local server may load the model for it. A server that cannot answer now is a note;
 * throws `model` when it never will, and the signal's reason when the signal aborts.
 */
export async function probeModel(
  client: ModelClient,
  effort: Effort | null,
  signal: AbortSignal,
  timeout_ms = PROBE_MS,
): Promise<Probe> {
  client.relearn?.()
  const request: ModelRequest = {
    system: '',
    messages: [{ role: 'user', content: [{ type: 'text', text: 'ping' }] }],
    tools: [],
    effort,
    streaming: false,
    max_tokens: PROBE_TOKENS,
  }
  const timeout = AbortSignal.timeout(timeout_ms)
  const last = await lastOf(client.stream(request, AbortSignal.any([signal, timeout])))
  signal.throwIfAborted()
  const notes = client.info().notes ?? []
  if (last?.type === 'done') {
    const used = last.effort === undefined ? effort : last.effort
    return { effort: used, notes: [...notes, ...effortNotes(client.id, effort, used)], usage: last.usage }
  }
  if (last?.type !== 'failed') throw new Error('the model client ended its stream without a result')
  const { failure } = last
  if (timeout.aborted) {
    const waited = `${client.id} did not answer within ${timeout_ms / 1000} s; it may still be loading.`
    return { effort, notes: [...notes, waited], usage: last.usage }
  }
  if (failure.retryable) return { effort, notes: [...notes, failure.message], usage: last.usage }
  throw new UserError('model', failure.message, failure.remedy)
}

function effortNotes(id: string, asked: Effort | null, used: Effort | null): string[] {
  if (asked === used) return []
  return [used === null ? `${id} takes no effort level.` : `${id} does not take effort ${asked}: ${used} is used.`]
}

async function lastOf(deltas: AsyncIterable<ModelDelta>): Promise<ModelDelta | null> {
  let last: ModelDelta | null = null
  for await (const delta of deltas) last = delta
  return last
}
