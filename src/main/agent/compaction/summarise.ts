import type { TranscriptItem } from '@shared/state'
import template from '../../../../resources/prompts/compaction.md?raw'
import type { RetryNotice } from '../../models/retry'
import type { ModelRequest } from '../../models/types'
import { render } from '../prompts'
import { sideCall } from '../side-call'
import type { TurnContext } from '../types'
import { mechanicalSummary, renderItems } from './record'
import { leftOut, shorten } from './text'

/** English prose; a limit in words is one that a model can keep. */
const WORDS_PER_TOKEN = 0.7
/** A model that thinks first spends tokens of the same limit. */
const THINKING_TOKENS = 8_000
/** Of the window, for what is to be summarised: instructions, answer and a wrong estimate must fit beside it. */
const INPUT_SHARE = 0.6
/** Servers refuse a request whose input and limit of output do not fit the window together. */
const OUTPUT_SHARE = 0.25
/** Tries with half the input each, when the server says that it does not fit. */
const MAX_TRIES = 2

export interface SummaryInput {
  items: readonly TranscriptItem[]
  /** The summary that this one replaces; empty when it is the first. */
  earlier: string
  /** All in estimated tokens. */
  window: number
  summary_tokens: number
}
export interface Summary {
  text: string
  mechanical: boolean
}

/**
 * A summary of bounded length, by the session's model where it answers, else a plain list: a summary is never what ends
 * a run. Throws only the signal's reason, and BudgetStop, so that a cap does not leave a worse summary behind. The call is
 * recorded as `llm_call` of kind `compaction`.
 */
export async function summarise(turn: TurnContext, input: SummaryInput): Promise<Summary> {
  const { items, earlier, window, summary_tokens } = input
  if (items.length === 0) return { text: earlier, mechanical: false }
  let room = Math.floor(window * INPUT_SHARE)
  const onRetry = ({ attempt, delay_ms, reason }: RetryNotice): void => {
    const retry = { attempt, delay_ms: Math.round(delay_ms), reason }
    turn.emit('processing', { message: 'Waiting to try again', retry })
  }
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const request = requestOf(turn, input, room)
    const reply = await sideCall(turn, { kind: 'compaction', role: 'compaction', request, onRetry })
    turn.signal.throwIfAborted()
    if (reply.kind === 'none') break
    if (reply.kind === 'text') return { text: shorten(reply.text, summary_tokens, leftOut), mechanical: false }
    room = Math.floor(room / 2)
  }
  return { text: mechanicalSummary(items, earlier, summary_tokens), mechanical: true }
}

function requestOf(turn: TurnContext, input: SummaryInput, room: number): ModelRequest {
  const { items, earlier, window, summary_tokens } = input
  const first = turn.state().items.find((item) => item.kind === 'user')
  const parts: string[] = []
  if (first && first !== items[0]) parts.push(`# The first request\n\n${shorten(first.text, room * 0.1, leftOut)}`)
  if (earlier !== '') parts.push(`# Earlier record\n\n${shorten(earlier, room * 0.2, leftOut)}`)
  parts.push(`# Conversation to record\n\n${renderItems(items, Math.floor(room * 0.7))}`)
  parts.push('# Now write the record.')
  return {
    system: render(template, { max_words: String(Math.floor(summary_tokens * WORDS_PER_TOKEN)) }),
    messages: [{ role: 'user', content: [{ type: 'text', text: parts.join('\n\n') }] }],
    tools: [],
    effort: 'low',
    streaming: turn.streaming,
    max_tokens: Math.min(summary_tokens * 2 + THINKING_TOKENS, Math.floor(window * OUTPUT_SHARE)),
  }
}
