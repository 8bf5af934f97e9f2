import type { Block } from '@shared/content'
import type { CallKind } from '@shared/events'
import type { ModelRole } from '@shared/settings'
import { type RetryNotice, withRetry } from '../models/retry'
import type { ModelClient, ModelFailure, ModelRequest, UserContent } from '../models/types'
import { CallMeter } from './call-meter'
import { estimateTokens, sum } from './compaction/tokens'
import { holdMoney } from './spending'
import type { TurnContext } from './types'

export type SideReply =
  | { kind: 'text'; text: string }
  /** The request does not fit the model's window. */
  | { kind: 'too_long' }
  /** Nothing of use came; `failure` says why, where the provider did. */
  | { kind: 'none'; failure: ModelFailure | null }

export interface SideCall {
  kind: Exclude<CallKind, 'main'>
  /** Absent: the session's own model. */
  role?: ModelRole
  request: ModelRequest
  onRetry?: (notice: RetryNotice) => void
}

/**
 * One question to a model beside the conversation: nothing of it enters the transcript, but what it used and cost is
 * recorded and counts against the caps. Throws the signal's reason, and BudgetStop; everything else is a value.
 */
export async function sideCall(turn: TurnContext, { kind, role, request, onRetry }: SideCall): Promise<SideReply> {
  let client: ModelClient
  try {
    client = await turn.client(role)
  } catch (error) {
    turn.signal.throwIfAborted()
    // The key or the model is gone: the next call of the turn says so, in its own words.
    if (error instanceof Error) return { kind: 'none', failure: null }
    throw error
  }
  const prompt_tokens = () => estimateTokens(request.system) + sum(request.messages, messageTokens)
  const money = await holdMoney(turn, client, { prompt_tokens, max_tokens: request.max_tokens })
  const meter = new CallMeter(turn, client, money, kind, { effort: request.effort })
  try {
    for await (const delta of withRetry(client, request, turn.signal)) {
      switch (delta.type) {
        case 'text':
        case 'reasoning':
          meter.arrived()
          break
        case 'retry':
          onRetry?.(delta)
          if (delta.usage) {
            meter.record(delta.usage, 'retried')
            money.again()
          }
          break
        case 'failed':
          if (delta.usage) meter.record(delta.usage, delta.failure.kind)
          turn.signal.throwIfAborted()
          return delta.failure.kind === 'context_overflow'
            ? { kind: 'too_long' }
            : { kind: 'none', failure: delta.failure }
        case 'done': {
          meter.record(delta.usage, delta.stop_reason, delta)
          if (delta.stop_reason === 'context_overflow') return { kind: 'too_long' }
          const text = delta.blocks.flatMap((block) => (block.type === 'text' ? [block.text] : [])).join('\n\n')
          const useless = delta.stop_reason === 'refusal' || text.trim() === ''
          return useless ? { kind: 'none', failure: null } : { kind: 'text', text: text.trim() }
        }
      }
    }
    return { kind: 'none', failure: null }
  } finally {
    await money.end()
  }
}

function messageTokens(message: ModelRequest['messages'][number]): number {
  return sum<Block | UserContent>(message.content, (part) => (part.type === 'text' ? estimateTokens(part.text) : 0))
}
