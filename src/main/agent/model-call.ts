import { randomUUID } from 'node:crypto'
import type { Block, ToolUseBlock } from '@shared/content'
import { withRetry } from '../models/retry'
import type { ModelClient, ModelFailure, ModelRequest, StopReason } from '../models/types'
import { StreamRedactor } from '../redact'
import { CallMeter } from './call-meter'
import { contextTokens } from './compaction/tokens'
import { type CallMoney, holdMoney } from './spending'
import type { TurnContext } from './types'

export type Reply =
  | { kind: 'reply'; blocks: Block[]; calls: ToolUseBlock[]; text: string; stop_reason: StopReason; refusal: Refusal }
  /** The partial reply, if any, has already been recorded. */
  | { kind: 'failed'; failure: ModelFailure }

/** What the provider says about a reply that it stopped; empty where it says nothing. */
export interface Refusal {
  why: string
  category: string
}

/**
 * One model call: streams its chunks as events, records the whole reply as `assistant_message` and its cost as
 * `llm_call`. A failed attempt that is tried again leaves no trace in the transcript; one that is final leaves what had
 * arrived, marked partial. Throws BudgetStop when a cap forbids it.
 */
export async function callModel(
  turn: TurnContext,
  client: ModelClient,
  request: ModelRequest,
  /** Estimated tokens of system prompt and tools. */
  overhead: number,
): Promise<Reply> {
  const prompt_tokens = () => contextTokens(turn.state(), overhead)
  const money = await holdMoney(turn, client, { prompt_tokens, max_tokens: request.max_tokens })
  try {
    return await attempts(turn, client, request, money, overhead)
  } finally {
    await money.end()
  }
}

async function attempts(
  turn: TurnContext,
  client: ModelClient,
  request: ModelRequest,
  money: CallMoney,
  overhead_tokens: number,
): Promise<Reply> {
  const meter = new CallMeter(turn, client, money, 'main', { effort: request.effort, overhead_tokens })
  let id = randomUUID()
  let chunks = new ReplyChunks(turn, id)
  const seen_seq = turn.state().last_seq

  for await (const delta of withRetry(client, request, turn.signal)) {
    switch (delta.type) {
      case 'text':
      case 'reasoning':
        meter.arrived()
        if (!request.streaming) break
        chunks.push(delta.type, delta.text)
        break
      case 'retry': {
        if (delta.discard) turn.emit('assistant_stream_end', { id, discarded: true, reason: delta.reason })
        id = randomUUID()
        chunks = new ReplyChunks(turn, id)
        const retry = { attempt: delta.attempt, delay_ms: Math.round(delta.delay_ms), reason: delta.reason }
        turn.emit('processing', { message: 'Waiting to try again', retry })
        if (delta.usage) {
          meter.record(delta.usage, 'retried')
          money.again()
        }
        break
      }
      case 'failed': {
        chunks.end()
        const text = textOf(delta.blocks)
        if (text !== '') {
          const stop_reason = delta.failure.kind
          const blocks: Block[] = [{ type: 'text', text }]
          const model = client.id
          turn.emit('assistant_message', { id, content: text, blocks, model, stop_reason, seen_seq, partial: true })
        }
        turn.emit('assistant_stream_end', { id })
        if (delta.usage) meter.record(delta.usage, delta.failure.kind)
        return { kind: 'failed', failure: delta.failure }
      }
      case 'done': {
        chunks.end()
        const blocks = uniqueCallIds(delta.blocks, turn)
        const text = textOf(blocks)
        const { stop_reason } = delta
        turn.emit('assistant_message', { id, content: text, blocks, model: client.id, stop_reason, seen_seq })
        if (request.streaming) turn.emit('assistant_stream_end', { id })
        meter.record(delta.usage, stop_reason, delta)
        const calls = blocks.filter((block) => block.type === 'tool_use')
        return {
          kind: 'reply',
          blocks,
          calls,
          text,
          stop_reason,
          refusal: { why: delta.refusal ?? '', category: delta.refusal_category ?? '' },
        }
      }
    }
  }
  throw new Error('the model stream ended without a result')
}

/** The chunks of one reply as events. A secret that the model writes piece by piece is not shown piece by piece. */
class ReplyChunks {
  private readonly redactors: Record<'text' | 'reasoning', StreamRedactor>
  private last: 'text' | 'reasoning' = 'text'

  constructor(
    private readonly turn: TurnContext,
    private readonly id: string,
  ) {
    const made = (): StreamRedactor => new StreamRedactor(turn.secrets, 'precise')
    this.redactors = { text: made(), reasoning: made() }
  }

  push(type: 'text' | 'reasoning', content: string): void {
    // What one of them holds back belongs before what comes of the other.
    if (type !== this.last) this.emit(this.last, this.redactors[this.last].flush())
    this.last = type
    this.emit(type, this.redactors[type].push(content))
  }

  /** What was held back, before the whole reply is told. */
  end(): void {
    this.emit(this.last, this.redactors[this.last].flush())
  }

  private emit(type: 'text' | 'reasoning', content: string): void {
    if (content === '') return
    this.turn.emit(type === 'text' ? 'assistant_chunk' : 'reasoning_chunk', { id: this.id, content })
  }
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
