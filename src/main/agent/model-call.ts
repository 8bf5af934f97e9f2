import { randomUUID } from 'node:crypto'
import type { Block, ToolUseBlock } from '@shared/content'
import { costOf } from '../models/catalogue'
import { withRetry } from '../models/retry'
import type { ModelClient, ModelFailure, ModelRequest, StopReason, TokenUsage } from '../models/types'
import { contextTokens, estimateTokens, toolsTokens } from './compaction/tokens'
import { type CallMoney, holdMoney } from './spending'
import type { TurnContext } from './types'

export type Reply =
  | { kind: 'reply'; blocks: Block[]; calls: ToolUseBlock[]; text: string; stop_reason: StopReason; refusal: string }
  /** The partial reply, if any, has already been recorded. */
  | { kind: 'failed'; failure: ModelFailure }

/**
 * One model call: streams its chunks as events, records the whole reply as `assistant_message` and its cost as
 * `llm_call`. A failed attempt that is tried again leaves no trace in the transcript; one that is final leaves what had
 * arrived, marked partial. Throws BudgetStop when a cap forbids it.
 */
export async function callModel(turn: TurnContext, client: ModelClient, request: ModelRequest): Promise<Reply> {
  const prompt_tokens = () => contextTokens(turn.state(), toolsTokens(request.tools) + estimateTokens(request.system))
  const money = await holdMoney(turn, client, { prompt_tokens, max_tokens: request.max_tokens })
  try {
    return await attempts(turn, client, request, money)
  } finally {
    await money.end()
  }
}

async function attempts(
  turn: TurnContext,
  client: ModelClient,
  request: ModelRequest,
  money: CallMoney,
): Promise<Reply> {
  const started = performance.now()
  let id = randomUUID()
  let firstToken: number | null = null
  const seen_seq = turn.state().last_seq

  for await (const delta of withRetry(client, request, turn.signal)) {
    switch (delta.type) {
      case 'text':
      case 'reasoning':
        firstToken ??= performance.now() - started
        if (!request.streaming) break
        turn.emit(delta.type === 'text' ? 'assistant_chunk' : 'reasoning_chunk', { id, content: delta.text })
        break
      case 'retry': {
        if (delta.discard) turn.emit('assistant_stream_end', { id, discarded: true, reason: delta.reason })
        id = randomUUID()
        const retry = { attempt: delta.attempt, delay_ms: Math.round(delta.delay_ms), reason: delta.reason }
        turn.emit('processing', { message: 'Waiting to try again', retry })
        if (delta.usage) {
          recordUsage(turn, client, money, delta.usage, started, firstToken, 'retried', undefined)
          money.again()
        }
        break
      }
      case 'failed': {
        const text = textOf(delta.blocks)
        if (text !== '') {
          const stop_reason = delta.failure.kind
          const blocks: Block[] = [{ type: 'text', text }]
          const model = client.id
          turn.emit('assistant_message', { id, content: text, blocks, model, stop_reason, seen_seq, partial: true })
        }
        turn.emit('assistant_stream_end', { id })
        if (delta.usage) {
          recordUsage(turn, client, money, delta.usage, started, firstToken, delta.failure.kind, undefined)
        }
        return { kind: 'failed', failure: delta.failure }
      }
      case 'done': {
        const blocks = uniqueCallIds(delta.blocks, turn)
        const text = textOf(blocks)
        const { stop_reason } = delta
        turn.emit('assistant_message', { id, content: text, blocks, model: client.id, stop_reason, seen_seq })
        if (request.streaming) turn.emit('assistant_stream_end', { id })
        recordUsage(turn, client, money, delta.usage, started, firstToken, stop_reason, delta.request_id)
        const calls = blocks.filter((block) => block.type === 'tool_use')
        return { kind: 'reply', blocks, calls, text, stop_reason, refusal: delta.refusal ?? '' }
      }
    }
  }
  throw new Error('the model stream ended without a result')
}

function recordUsage(
  turn: TurnContext,
  client: ModelClient,
  money: CallMoney,
  usage: TokenUsage,
  started: number,
  firstToken: number | null,
  finish_reason: string,
  request_id: string | undefined,
): void {
  const info = client.info()
  const cost_usd = costOf(usage, info.price)
  turn.emit('llm_call', {
    ...usage,
    total_tokens: usage.prompt_tokens + usage.completion_tokens,
    model: client.id,
    kind: 'main',
    finish_reason,
    cost_usd,
    latency_ms: Math.round(performance.now() - started),
    first_token_ms: firstToken === null ? null : Math.round(firstToken),
    context_window: info.context_window,
    request_id,
  })
  money.spend('main', cost_usd)
}

function textOf(blocks: Block[]): string {
  return blocks.flatMap((block) => (block.type === 'text' && block.text !== '' ? [block.text] : [])).join('\n\n')
}

/** What the API takes back as an id. */
const CALL_ID = /^[A-Za-z0-9_-]{1,128}$/

/**
 * Some servers send empty, repeated or odd call ids. A result must belong to exactly one call of the session, and an id
 * that the API refuses would make every later request of the session fail.
 */
function uniqueCallIds(blocks: Block[], turn: TurnContext): Block[] {
  if (!blocks.some((block) => block.type === 'tool_use')) return blocks
  const seen = new Set(turn.state().items.flatMap((item) => (item.kind === 'tool' ? [item.call_id] : [])))
  return blocks.map((block) => {
    if (block.type !== 'tool_use') return block
    const id = CALL_ID.test(block.id) && !seen.has(block.id) ? block.id : `call_${randomUUID()}`
    seen.add(id)
    return id === block.id ? block : { ...block, id }
  })
}
