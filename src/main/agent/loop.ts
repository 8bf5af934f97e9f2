import type { SessionState } from '@shared/state'
import { UserError } from '../errors'
import type { ModelFailure, ToolSpec } from '../models/types'
import { toolSpecs } from '../tools/registry'
import { toModelMessages } from './context'
import { callModel, type Reply } from './model-call'
import { runToolCalls } from './tool-calls'
import type { TurnContext } from './types'

/** A reply cut by the output limit is continued at most this often in a row. */
const MAX_CONTINUATIONS = 3

/**
 * One turn: from the user's message to an end that is recorded (`turn_complete`, `interrupted` or `error`). Never
 * throws for what a model or a tool does; what it throws is a defect or a log that can no longer be written.
 */
export async function runTurn(turn: TurnContext): Promise<void> {
  turn.emit('processing', { message: 'Thinking' })
  const tools = toolSpecs(turn.tools)
  let calls = 0
  let continuations = 0
  try {
    for (;;) {
      turn.signal.throwIfAborted()
      if (turn.max_iterations >= 0 && calls >= turn.max_iterations) return complete(turn, 'max_iterations', calls)
      calls += 1

      const seen = turn.state().last_seq
      const reply = await requestReply(turn, tools)
      if (reply.kind === 'failed') return failTurn(turn, reply.failure)

      if (reply.calls.length > 0) {
        if (reply.stop_reason === 'max_tokens') {
          refuseCutCalls(turn, reply)
          continue
        }
        const outcome = await runToolCalls(turn, reply.calls)
        if (outcome === 'approval_unavailable') return complete(turn, 'approval_unavailable', calls)
        continuations = 0
        continue
      }
      switch (reply.stop_reason) {
        case 'pause_turn':
          continue
        case 'refusal':
          return refused(turn, reply.refusal)
        case 'context_overflow':
          return failTurn(turn, overflow)
        case 'max_tokens':
          continuations += 1
          if (continuations > MAX_CONTINUATIONS) return complete(turn, 'guard', calls)
          turn.emit('guard', {
            kind: 'truncated_output',
            content: 'Your reply was cut at the output limit. Go on exactly where it stopped, and be brief.',
          })
          continue
        default:
          if (hasNewInput(turn.state(), seen)) continue
          return complete(turn, 'finished', calls)
      }
    }
  } catch (error) {
    if (!turn.signal.aborted) throw error
    interrupted(turn)
  }
}

async function requestReply(turn: TurnContext, tools: ToolSpec[]): Promise<Reply> {
  const client = await turn.client()
  const state = turn.state()
  const reply = await callModel(turn, client, {
    system: turn.system(),
    messages: toModelMessages(state.items),
    tools,
    effort: state.effort,
    streaming: turn.streaming,
  })
  turn.signal.throwIfAborted()
  return reply
}

/** A message that came after the model was last asked. */
function hasNewInput(state: SessionState, since: number): boolean {
  const last = state.items.findLast((item) => item.kind === 'user')
  return last !== undefined && last.seq > since
}

function complete(
  turn: TurnContext,
  reason: 'finished' | 'max_iterations' | 'approval_unavailable' | 'guard',
  calls: number,
): void {
  const { items } = turn.state()
  const last = items.findLast((item) => item.kind === 'assistant')
  turn.emit('turn_complete', {
    history_size: items.length,
    final_response: reason === 'finished' && last?.kind === 'assistant' ? last.text : '',
    reason,
    iterations: calls,
  })
}

function failTurn(turn: TurnContext, failure: ModelFailure): void {
  if (failure.kind === 'interrupted' || turn.signal.aborted) interrupted(turn)
  else turn.emit('error', { error: failure.message, code: failure.kind, remedy: failure.remedy })
}

function interrupted(turn: TurnContext): void {
  const { reason } = turn.signal
  if (reason instanceof UserError) {
    turn.emit('error', { error: reason.message, code: reason.code, remedy: reason.remedy })
    return
  }
  const pending = turn.state().pending_approvals
  if (pending.length > 0) {
    const decisions = pending.map((request) => ({ tool_call_id: request.tool_call_id, approved: false }))
    turn.emit('approval_resolved', { decisions, by: 'interrupt' })
  }
  turn.emit('interrupted', {})
}

function refused(turn: TurnContext, explanation: string): void {
  turn.emit('error', {
    error: explanation ? `The model declined this request: ${explanation}` : 'The model declined this request.',
    code: 'refusal',
    remedy: 'Rephrase the request, or choose another model for this session and send it again.',
  })
}

/** A reply that was cut may hold half a call: none of its calls runs, and the model is told why. */
function refuseCutCalls(turn: TurnContext, reply: Extract<Reply, { kind: 'reply' }>): void {
  for (const call of reply.calls) {
    turn.emit('tool_call', { tool: call.name, arguments: call.input, tool_call_id: call.id, intent: '' })
    turn.emit('tool_output', {
      tool: call.name,
      tool_call_id: call.id,
      output:
        'Not run: the reply was cut at the output limit, so the arguments may be incomplete. Send smaller pieces: ' +
        'write a long file in parts with several edits.',
      success: false,
      duration_ms: 0,
    })
  }
}

const overflow: ModelFailure = {
  kind: 'context_overflow',
  message: 'The conversation no longer fits the context window of this model.',
  remedy: 'Take back the last message, choose a model with a larger window, or start a new session.',
  retryable: false,
  retry_after_ms: null,
  status: null,
}
