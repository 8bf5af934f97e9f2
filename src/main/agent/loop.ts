import { setMaxListeners } from 'node:events'
import type { ToolUseBlock } from '@shared/content'
import type { SessionState } from '@shared/state'
import { UserError } from '../errors'
import type { ModelFailure, ToolSpec } from '../models/types'
import { toolSpecs } from '../tools/registry'
import { ContextKeeper, contextStuck } from './compaction'
import { modelMessages } from './compaction/view'
import { checkGuards } from './guards'
import { callModel, type Refusal, type Reply } from './model-call'
import { BudgetStop } from './spending'
import { runToolCalls } from './tool-calls'
import { type TurnContext, TurnSuspended } from './types'

/** A reply cut by the output limit is continued at most this often in a row. */
const MAX_CONTINUATIONS = 3
/** A reply without a word and without a call is asked for again at most this often in a row. */
const MAX_EMPTY_REPLIES = 2

/**
 * One turn: from the user's message to an end that is recorded (`turn_complete`, `interrupted` or `error`). Never
 * throws for what a model or a tool does; what it throws is a defect or a log that can no longer be written.
 */
export async function runTurn(turn: TurnContext): Promise<void> {
  // Every running call listens to it; there may be many at once, and none stays.
  setMaxListeners(0, turn.signal)
  const turn_start = turn.resumed ? lastMessageSeq(turn.state()) : turn.state().last_seq
  if (!turn.resumed) turn.emit('processing', { message: 'Thinking' })
  const tools = toolSpecs(turn.tools)
  const context = new ContextKeeper(turn, tools)
  let calls = 0
  let continuations = 0
  let empty = 0
  /** The last reply was whole, and the model was asked to go on with its plan. */
  let nudged = false
  try {
    if (turn.resumed) {
      const outcome = await runToolCalls(turn, openCalls(turn.state()))
      if (outcome === 'approval_unavailable') return complete(turn, 'approval_unavailable', calls)
      turn.emit('processing', { message: 'Thinking' })
    }
    for (;;) {
      turn.signal.throwIfAborted()
      if (turn.max_iterations >= 0 && calls >= turn.max_iterations) return complete(turn, 'max_iterations', calls)
      const guard = checkGuards({ point: 'before_call', state: turn.state(), turn_start })
      if (guard) turn.emit('guard', { kind: guard.kind, content: guard.content })
      if (guard?.action === 'ask_user') return complete(turn, 'guard', calls)
      calls += 1

      if ((await context.makeRoom()) === 'stuck') return failTurn(turn, contextStuck)
      const seen = turn.state().last_seq
      const reply = await requestReply(turn, tools, context.overhead())
      if (reply.kind === 'failed') {
        if (nudged && reply.failure.kind !== 'interrupted') return endAsItWas(turn, reply.failure, calls)
        if (reply.failure.kind !== 'context_overflow') return failTurn(turn, reply.failure)
        if (await context.overflowed()) continue
        return failTurn(turn, contextStuck)
      }
      if (reply.stop_reason === 'context_overflow') {
        refuseCutCalls(turn, reply)
        if (await context.overflowed()) continue
        return failTurn(turn, contextStuck)
      }
      await context.replied()

      if (reply.calls.length > 0) {
        empty = 0
        if (reply.stop_reason === 'max_tokens') {
          refuseCutCalls(turn, reply)
          continuations += 1
          // Each try costs a whole reply: a model that cannot make it shorter would go on to the limit of calls.
          if (continuations > MAX_CONTINUATIONS) return complete(turn, 'guard', calls)
          const lost = reply.calls.length === 1 ? 'its call was' : `its ${reply.calls.length} calls were`
          turn.emit('guard', {
            kind: 'truncated_output',
            content: `Your reply was cut at the output limit, so ${lost} not run. Make the next one much shorter.`,
          })
          continue
        }
        const outcome = await runToolCalls(turn, reply.calls)
        if (outcome === 'approval_unavailable') return complete(turn, 'approval_unavailable', calls)
        continuations = 0
        nudged = false
        continue
      }
      switch (reply.stop_reason) {
        case 'pause_turn':
          continue
        case 'refusal':
          return refused(turn, reply.refusal)
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
          if (reply.text.trim() !== '') {
            const unfinished = checkGuards({ point: 'reply_without_calls', state: turn.state(), turn_start })
            if (!unfinished) return complete(turn, 'finished', calls)
            turn.emit('guard', { kind: unfinished.kind, content: unfinished.content })
            nudged = true
            continue
          }
          empty += 1
          if (empty > MAX_EMPTY_REPLIES) return silent(turn, empty)
          turn.emit('guard', {
            kind: 'empty_reply',
            content:
              'Your reply was empty. If the task is not finished, go on with it; if it is, give your final report.',
          })
      }
    }
  } catch (error) {
    if (turn.signal.aborted) return interrupted(turn)
    if (!(error instanceof BudgetStop)) throw error
    complete(turn, 'budget', error.called ? calls : calls - 1, { message: error.message, remedy: error.remedy })
  }
}

async function requestReply(turn: TurnContext, tools: ToolSpec[], overhead: number): Promise<Reply> {
  const client = await turn.client()
  const state = turn.state()
  const request = {
    system: turn.system(),
    messages: modelMessages(state, turn.outputs_dir),
    tools,
    effort: state.effort,
    streaming: turn.streaming,
    session_id: state.id,
  }
  const reply = await callModel(turn, client, request, overhead)
  turn.signal.throwIfAborted()
  return reply
}

/** Calls of the last reply that have no result yet. */
function openCalls({ items }: SessionState): ToolUseBlock[] {
  const at = items.findLastIndex((item) => item.kind === 'assistant')
  const reply = items[at]
  if (reply?.kind !== 'assistant' || reply.partial) return []
  const answered = new Set(
    items.slice(at).flatMap((item) => (item.kind === 'tool' && item.has_output ? item.call_id : [])),
  )
  return reply.blocks.filter((block) => block.type === 'tool_use').filter(({ id }) => !answered.has(id))
}

function lastMessageSeq({ items, last_seq }: SessionState): number {
  return items.findLast((item) => item.kind === 'user' && item.source === 'user')?.seq ?? last_seq
}

/** A message that came after the model was last asked. */
function hasNewInput(state: SessionState, since: number): boolean {
  const last = state.items.findLast((item) => item.kind === 'user')
  return last !== undefined && last.seq > since
}

function complete(
  turn: TurnContext,
  reason: 'finished' | 'max_iterations' | 'approval_unavailable' | 'guard' | 'budget',
  calls: number,
  why: { message?: string; remedy?: string } = {},
): void {
  const { items } = turn.state()
  const last = items.findLast((item) => item.kind === 'assistant')
  turn.emit('turn_complete', {
    history_size: items.length,
    final_response: reason === 'finished' && last?.kind === 'assistant' ? last.text : '',
    reason,
    iterations: calls,
    ...why,
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
  // Put aside, not stopped: the question is still there when the session is opened again.
  if (reason instanceof TurnSuspended && pending.length > 0) return
  if (pending.length > 0) {
    const decisions = pending.map((request) => ({ tool_call_id: request.tool_call_id, approved: false }))
    turn.emit('approval_resolved', { decisions, by: 'interrupt' })
  }
  turn.emit('interrupted', {})
}

function refused(turn: TurnContext, { why, category }: Refusal): void {
  const filter = category === '' ? 'The model declined this request' : `The model declined this request (${category})`
  // The category of work on large models is known to hit ordinary training and fine-tuning too.
  const benign = category === 'frontier_llm' ? ' This filter can stop ordinary ML work: it says nothing about you.' : ''
  // A provider's reason begins with the category, or is no more than that.
  const reason = why === category ? '' : why.startsWith(`${category}: `) ? why.slice(category.length + 2) : why
  turn.emit('error', {
    error: `${reason === '' ? `${filter}.` : `${filter}: ${reason}`}${benign}`,
    code: 'refusal',
    remedy: 'Choose another model for this session and ask again, or rephrase the request.',
  })
}

/** Our own question whether there is more to do got no answer: the reply before it stands, and the failure is shown. */
function endAsItWas(turn: TurnContext, failure: ModelFailure, calls: number): void {
  failTurn(turn, failure)
  complete(turn, 'finished', calls)
}

/** Nothing was said, again and again: that is not a finished task, whatever the provider calls it. */
function silent(turn: TurnContext, times: number): void {
  turn.emit('error', {
    error: `The model gave an empty reply ${times} times in a row.`,
    code: 'empty_reply',
    remedy: 'Send a message to go on, or choose another model for this session.',
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
