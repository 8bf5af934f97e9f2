import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import type { Block } from '@shared/content'
import { DEMO_MODEL } from '@shared/settings'
import { messageOf } from '../errors'
import type { ModelClient, ModelDelta, ModelFailure, ModelRequest, TokenUsage } from '../models/types'
import { readHistory } from './history'
import { nextReply, type ScriptedReply } from './script'

export interface DemoOptions {
  /** Milliseconds between two words; 0 streams without waiting. */
  pace?: number
}

/** Slow enough to be read as it comes, fast enough not to be waited for. */
const DEFAULT_PACE_MS = 12

/**
 * A provider that follows a script instead of calling a language model. It drives the same loop and the same tools as
 * any other, reads their real results, and keeps no state: each reply follows from the messages of the request.
 */
export function createDemoClient(options: DemoOptions = {}): ModelClient {
  const pace = options.pace ?? DEFAULT_PACE_MS
  return {
    id: DEMO_MODEL,
    // No tokens are counted, so there is no window to fill; the price is known, and it is nothing.
    info: () => ({
      name: 'Scripted demo model',
      context_window: null,
      max_output: null,
      price: { input: 0, output: 0, cache_read: 0, cache_write: 0 },
    }),
    stream: (request, signal) => streamReply(request, signal, pace),
  }
}

async function* streamReply(request: ModelRequest, signal: AbortSignal, pace: number): AsyncGenerator<ModelDelta> {
  if (signal.aborted) return yield failed(interrupted, [])
  let reply: ScriptedReply
  try {
    reply = nextReply(readHistory(request.messages))
  } catch (error) {
    return yield failed(defect(error), [])
  }

  const sent = { reasoning: '', text: '' }
  for (const [type, text] of [
    ['reasoning', reply.reasoning ?? ''],
    ['text', reply.text],
  ] as const) {
    for (const chunk of request.streaming ? words(text) : text ? [text] : []) {
      sent[type] += chunk
      yield { type, text: chunk }
      if (!(await pause(request.streaming ? pace : 0, signal))) return yield failed(interrupted, proseBlocks(sent))
    }
  }
  const calls = reply.calls.map((call): Block => ({ type: 'tool_use', id: `demo_${randomUUID()}`, ...call }))
  yield {
    type: 'done',
    blocks: [...proseBlocks(sent), ...calls],
    stop_reason: calls.length > 0 ? 'tool_use' : 'end_turn',
    usage: NO_USAGE,
    model: DEMO_MODEL.slice(DEMO_MODEL.indexOf('/') + 1),
  }
}

const NO_USAGE: TokenUsage = {
  prompt_tokens: 0,
  completion_tokens: 0,
  cache_read_tokens: 0,
  cache_creation_tokens: 0,
}

/** A word and the space after it at a time; together the chunks are the text. */
function words(text: string): string[] {
  return text.match(/\s*\S+\s*/g) ?? []
}

function proseBlocks(sent: { reasoning: string; text: string }): Block[] {
  const blocks: Block[] = []
  if (sent.reasoning !== '') blocks.push({ type: 'reasoning', text: sent.reasoning })
  if (sent.text !== '') blocks.push({ type: 'text', text: sent.text })
  return blocks
}

/** False when the signal aborted before the time was over. */
async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  if (ms > 0 && !signal.aborted) {
    try {
      await wait(ms, undefined, { signal })
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }
  return !signal.aborted
}

function failed(failure: ModelFailure, blocks: Block[]): ModelDelta {
  return { type: 'failed', failure, blocks, usage: blocks.length > 0 ? NO_USAGE : null }
}

const interrupted: ModelFailure = {
  kind: 'interrupted',
  message: 'Stopped.',
  remedy: 'Send “continue” to go on.',
  retryable: false,
  retry_after_ms: null,
  status: null,
}

function defect(error: unknown): ModelFailure {
  return {
    kind: 'bad_request',
    message: `The demo script failed: ${messageOf(error)}`,
    remedy: 'Start the demo again in a new session.',
    retryable: false,
    retry_after_ms: null,
    status: null,
  }
}
