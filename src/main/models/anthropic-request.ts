import type {
  ContentBlockParam,
  MessageCreateParams,
  MessageParam,
  Tool as ToolParam,
} from '@anthropic-ai/sdk/resources/messages/messages'
import type { Effort } from '@shared/settings'
import { toMessageParams } from './anthropic-blocks'
import type { CallError } from './anthropic-sdk'
import type { Catalogue } from './catalogue'
import { type EffortMemory, isThinkingSignature, namesEffort } from './effort'
import type { ModelRequest } from './types'

/** What a client has learned from refusals. */
export interface Learned {
  efforts: EffortMemory
  /** Signatures and encrypted reasoning that the API does not take back: made by another account, or too old. */
  refusedReasoning: Set<string>
}

export type RequestParams = Omit<MessageCreateParams, 'stream'>

/** The body of POST /v1/messages, and the level of effort in it. */
export function paramsOf(
  { model, catalogue }: { model: string; catalogue: Catalogue },
  request: ModelRequest,
  { efforts, refusedReasoning }: Learned,
): { params: RequestParams; effort: Effort | null } {
  const limits = catalogue.limits(model)
  const effort = limits.effort ? efforts.level(request.effort, limits.efforts) : null
  const tools: ToolParam[] = request.tools.map(({ name, description, input_schema }) => ({
    name,
    description,
    input_schema: { ...input_schema, type: 'object' },
  }))
  const params: RequestParams = {
    model,
    max_tokens: Math.min(
      request.streaming ? limits.max_tokens : limits.max_tokens_unstreamed,
      request.max_tokens ?? Number.MAX_SAFE_INTEGER,
    ),
    ...(request.system.trim() === '' ? {} : { system: [{ type: 'text', text: request.system, ...CACHED }] }),
    ...(tools.length === 0 ? {} : { tools: withLast(tools, (tool) => ({ ...tool, ...CACHED })) }),
    messages: markLastRead(toMessageParams(request.messages, refusedReasoning)),
    ...(limits.adaptive_thinking && efforts.thinking ? { thinking: { type: 'adaptive', display: 'summarized' } } : {}),
    ...(effort ? { output_config: { effort } } : {}),
    // A marker on the last block that can be cached: the whole conversation so far is read back at a tenth.
    ...CACHED,
  }
  return { params, effort }
}

/**
 * At most four of these in a request, the one at its top included. Those on the tools and the system prompt are read
 * back by other sessions and after a compaction, when nothing of the conversation is the same.
 */
const CACHED = { cache_control: { type: 'ephemeral' as const } }
/** A marker finds what was cached up to 20 blocks before it (platform.claude.com, prompt caching); with a margin. */
const LOOKBACK_BLOCKS = 18

/** Many calls in one reply put the end of the last request out of the reach of the marker: it gets one of its own. */
function markLastRead(messages: MessageParam[]): MessageParam[] {
  const at = messages.findLastIndex(({ role }, i) => role === 'user' && i < messages.length - 1)
  const message = messages[at]
  if (!message || typeof message.content === 'string') return messages
  const since = messages.slice(at + 1).reduce((sum, { content }) => sum + content.length, 0)
  if (since < LOOKBACK_BLOCKS) return messages
  const content = withLast(message.content, (block): ContentBlockParam => {
    return block.type === 'text' || block.type === 'tool_result' ? { ...block, ...CACHED } : block
  })
  return messages.with(at, { role: 'user', content })
}

function withLast<T>(list: readonly T[], change: (last: T) => T): T[] {
  return list.map((item, at) => (at === list.length - 1 ? change(item) : item))
}

/** Whether the refused request is worth sending in another form. Each answer takes something away, so this ends. */
export function learn(
  { efforts, refusedReasoning }: Learned,
  request: ModelRequest,
  { params, effort }: { params: RequestParams; effort: Effort | null },
  error: CallError,
): boolean {
  if (error.kind !== 'response' || error.status !== 400 || error.message === null) return false
  const { message } = error
  if (isThinkingSignature(message)) return refuseReasoning(request, refusedReasoning)
  if (!namesEffort(message)) return false
  if (effort && /effort|output_config/i.test(message)) {
    efforts.refuse(effort, message)
    return true
  }
  if (params.thinking && /thinking/i.test(message)) {
    efforts.thinking = false
    return true
  }
  return false
}

/** Of the reasoning in one conversation; more than any has, and finite for a process that lives for weeks. */
const MAX_REFUSED = 20_000

/** False: there is nothing left to leave out. */
function refuseReasoning(request: ModelRequest, refused: Set<string>): boolean {
  const before = refused.size
  if (before > MAX_REFUSED) refused.clear()
  for (const { role, content } of request.messages) {
    if (role !== 'assistant') continue
    for (const block of content) {
      if (block.type !== 'reasoning') continue
      const key = block.redacted ?? block.signature
      if (key) refused.add(key)
    }
  }
  return refused.size > before
}
