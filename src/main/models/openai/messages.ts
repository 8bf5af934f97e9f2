import type { Block } from '@shared/content'
import type { Effort } from '@shared/settings'
import { portableCallId } from '../call-ids'
import type { ModelMessage, ModelRequest, UserContent } from '../types'
import { type CacheControl, type CacheFields, cacheFields, withCacheHints } from './caching'

/** What a server was found to want or to refuse. One record for each client, filled by its refusals. */
export interface Quirks {
  /** Takes `stream_options`. */
  usage: boolean
  /** Takes hints about what to cache. */
  cache: boolean
  /** Wants its own reasoning back beside the calls it led to: no, until it asks; never, once it refused that too. */
  reasoning: 'no' | 'yes' | 'never'
  /** The name it has for the limit of a reply: newer models of OpenAI refuse the old one. */
  limit: 'max_tokens' | 'max_completion_tokens'
}

export function newQuirks(): Quirks {
  return { usage: true, cache: true, reasoning: 'no', limit: 'max_tokens' }
}

interface ToolCallParam {
  id: string
  type: 'function'
  function: { name: string; arguments: string }
}
export interface TextPart {
  type: string
  text?: string
  cache_control?: CacheControl
}
export type MessageParam =
  | { role: 'system' | 'user'; content: string | TextPart[] }
  | { role: 'tool'; tool_call_id: string; content: string }
  | { role: 'assistant'; content: string | null; tool_calls?: ToolCallParam[]; reasoning_content?: string }

export interface ChatTool {
  type: 'function'
  function: { name: string; description: string; parameters: Record<string, unknown> }
  cache_control?: CacheControl
}

export interface ChatBody extends CacheFields {
  model: string
  messages: readonly MessageParam[]
  stream: boolean
  stream_options?: { include_usage: true }
  tools?: readonly ChatTool[]
  tool_choice?: 'auto'
  reasoning_effort?: Effort
  max_tokens?: number
  max_completion_tokens?: number
}

/**
 * The body of POST /chat/completions. Nothing in it that a server could not know from the first days of that API,
 * unless the server itself told that it takes more. `effort`: the level to send.
 */
export function toBody(
  model: string,
  request: ModelRequest,
  kind: string,
  quirks: Quirks,
  effort: Effort | null,
): ChatBody {
  const { streaming, max_tokens } = request
  const plain = request.tools.map(
    ({ name, description, input_schema }): ChatTool => ({
      type: 'function',
      function: { name, description, parameters: { ...input_schema, type: 'object' } },
    }),
  )
  const conversation = toMessages(request.system, request.messages, {
    // Chat templates of local models join strings; hosted ones refuse an empty text.
    noText: kind === 'hf' ? null : '',
    reasoning: quirks.reasoning === 'yes',
  })
  const caching = kind === 'hf' && quirks.cache
  const { messages, tools } = caching
    ? withCacheHints(model, conversation, plain)
    : { messages: conversation, tools: plain }
  return {
    model,
    messages,
    stream: streaming,
    ...(streaming && quirks.usage ? { stream_options: { include_usage: true } } : {}),
    ...(tools && tools.length > 0 ? { tools, tool_choice: 'auto' } : {}),
    ...(max_tokens === undefined ? {} : { [quirks.limit]: max_tokens }),
    ...(effort ? { reasoning_effort: effort } : {}),
    ...(caching ? cacheFields(model, request.session_id ?? null) : {}),
  }
}

type PlainParam = MessageParam & { content: string | null }

/**
 * The conversation in chat-completions form: results of calls as messages of their own in call order, texts of one
 * author in a row as one message. Reasoning and the blocks of other providers stay behind.
 */
export function toMessages(
  system: string,
  messages: readonly ModelMessage[],
  options: { noText: string | null; reasoning: boolean },
): PlainParam[] {
  const params: PlainParam[] = []
  const say = (role: 'system' | 'user', text: string): void => {
    if (text.trim() === '') return
    const last = params.at(-1)
    if (last?.role === role) last.content += `\n\n${wellFormed(text)}`
    else params.push({ role, content: wellFormed(text) })
  }
  say('system', system)
  for (const message of messages) {
    if (message.role === 'assistant') {
      const param = assistantParam(message.content, options)
      if (param) params.push(param)
      continue
    }
    for (const content of message.content) if (content.type === 'tool_result') params.push(resultParam(content))
    for (const content of message.content) if (content.type === 'text') say('user', content.text)
  }
  return params
}

function assistantParam(
  blocks: readonly Block[],
  { noText, reasoning }: { noText: string | null; reasoning: boolean },
): PlainParam | null {
  const text = blocks.flatMap((block) => (block.type === 'text' && block.text.trim() !== '' ? [block.text] : []))
  const calls = blocks.flatMap((block): ToolCallParam[] => {
    if (block.type !== 'tool_use') return []
    // Encoded, half a pair would only come out on the other side.
    const args = JSON.stringify(block.input, (_key, value) => (typeof value === 'string' ? wellFormed(value) : value))
    return [{ id: portableCallId(block.id), type: 'function', function: { name: block.name, arguments: args } }]
  })
  if (text.length === 0 && calls.length === 0) return null
  return {
    role: 'assistant',
    content: text.length === 0 ? noText : wellFormed(text.join('\n\n')),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
    ...(reasoning && calls.length > 0 ? { reasoning_content: reasoningOf(blocks) } : {}),
  }
}

/** Only what these servers wrote: signed and encrypted reasoning is another provider's. */
function reasoningOf(blocks: readonly Block[]): string {
  const own = blocks.flatMap((block) =>
    block.type === 'reasoning' && !block.signature && block.redacted === undefined ? [block.text] : [],
  )
  return wellFormed(own.join('\n\n'))
}

function resultParam(result: Extract<UserContent, { type: 'tool_result' }>): PlainParam {
  const text = wellFormed(result.content)
  // This API has no mark for a failed call, and many chat templates drop or refuse an empty result.
  const content = text.trim() === '' ? '(no output)' : text
  const failed = result.is_error && !/^\W*(error|failed)/i.test(content)
  return {
    role: 'tool',
    tool_call_id: portableCallId(result.tool_use_id),
    content: failed ? `Error: ${content}` : content,
  }
}

/** Half a surrogate pair is refused by strict JSON parsers, and cannot be shown anyway. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\uFFFD')
}
