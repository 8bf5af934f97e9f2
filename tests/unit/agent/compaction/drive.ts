import type { Block } from '@shared/content'
import { contextStuck } from '../../../../src/main/agent/compaction'
import type { ModelClient, ModelDelta, ModelMessage, ModelRequest, StopReason } from '../../../../src/main/models/types'
import { use } from '../../../support/turn'

/** What a provider would answer with a 400; empty when the request is in order. */
export function problemOf(messages: readonly ModelMessage[]): string {
  if (messages[0]?.role !== 'user') return 'the first message is not of the user'
  if (messages.at(-1)?.role !== 'user') return 'the last message is not of the user'
  let open: string[] = []
  for (const [at, message] of messages.entries()) {
    if (message.content.length === 0) return `message ${at} is empty`
    if (at > 0 && messages[at - 1]?.role === message.role) return `message ${at} repeats the role ${message.role}`
    if (message.role === 'assistant') {
      open = message.content.flatMap((block) => (block.type === 'tool_use' ? [block.id] : []))
      continue
    }
    const answered = message.content.flatMap((block) => (block.type === 'tool_result' ? [block.tool_use_id] : []))
    if (answered.join() !== open.join()) return `message ${at} answers ${answered.join()} and not ${open.join()}`
    open = []
  }
  return ''
}

/** Characters over four: near enough to a tokenizer, and not the code under test. */
export function sizeOf({ system, tools, messages }: ModelRequest): number {
  let chars = system.length + JSON.stringify(tools).length
  for (const { content } of messages) {
    for (const block of content) {
      if (block.type === 'text') chars += block.text.length
      else if (block.type === 'tool_result') chars += block.content.length + 60
      else chars += JSON.stringify(block).length
    }
  }
  return Math.ceil(chars / 4)
}

export const isSummary = (request: ModelRequest): boolean => request.system.includes('You keep the record')
export const overflowFailure = { ...contextStuck, message: 'prompt is too long' }

export interface ClientOptions {
  window: number | null
  /** What the client believes; the server's real limit. */
  limit?: number
  /** Tokens the server counts; null: it reports none. */
  report?: ((size: number) => number) | null
  /** The reply to the n-th main request, from 1. */
  next: (n: number, request: ModelRequest) => Block[]
  summary?: (request: ModelRequest) => ModelDelta[] | string
}

/** A server that checks each request as a real one does, and refuses what is over its limit. */
export function strictClient({ window, limit = window ?? Infinity, report = (n) => n, next, summary }: ClientOptions) {
  const seen = {
    main: 0,
    summaries: 0,
    refused: 0,
    largest: 0,
    problems: [] as string[],
    last: null as ModelRequest | null,
  }
  const done = (blocks: Block[], size: number, stop?: StopReason): ModelDelta => ({
    type: 'done',
    blocks,
    stop_reason: stop ?? (blocks.some((block) => block.type === 'tool_use') ? 'tool_use' : 'end_turn'),
    usage: {
      prompt_tokens: report ? report(size) : 0,
      completion_tokens: report ? Math.ceil(JSON.stringify(blocks).length / 4) : 0,
      cache_read_tokens: 0,
      cache_creation_tokens: 0,
    },
    model: 'fake',
  })
  const client: ModelClient = {
    id: 'fake/model',
    info: () => ({
      name: 'Fake',
      context_window: window,
      max_output: null,
      price: { input: 1, output: 1, cache_read: 1, cache_write: 1 },
    }),
    async *stream(request): AsyncGenerator<ModelDelta> {
      const size = sizeOf(request)
      const problem = problemOf(request.messages)
      if (problem) seen.problems.push(problem)
      if (size > limit) {
        seen.refused += 1
        yield { type: 'failed', failure: overflowFailure, blocks: [], usage: null }
        return
      }
      if (isSummary(request)) {
        seen.summaries += 1
        const made = summary?.(request) ?? `SUMMARY ${seen.summaries}: ${'it went well. '.repeat(60)}`
        if (typeof made === 'string') yield done([{ type: 'text', text: made }], size)
        else yield* made
        return
      }
      seen.main += 1
      seen.largest = Math.max(seen.largest, size)
      seen.last = request
      yield done(next(seen.main, request), size)
    },
  }
  return { client, seen }
}

/** n tool calls, then a report. */
export function worker(n: number, arg = 'x'): (at: number) => Block[] {
  return (at) =>
    at <= n
      ? [{ type: 'text', text: `Step ${at}.` }, use(`c${at}`, 'probe', { value: arg })]
      : [{ type: 'text', text: 'Done.' }]
}
