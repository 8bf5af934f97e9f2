import type { Block } from '@shared/content'
import type { ModelMessage, ModelRequest, UserContent } from '../types'

/** What a server was found to want or to refuse. One record for each client, filled by its refusals. */
export interface Quirks {
  /** Takes `stream_options`. */
  usage: boolean
  /** Takes `reasoning_effort`. */
  effort: boolean
  /** Wants its own reasoning back beside the calls it led to: no, until it asks; never, once it refused that too. */
  reasoning: 'no' | 'yes' | 'never'
  /** The name it has for the limit of a reply: newer models of OpenAI refuse the old one. */
  limit: 'max_tokens' | 'max_completion_tokens'
}

export function newQuirks(kind: string): Quirks {
  // Local servers never get an effort: most of them fail on it, and the rest ignore it.
  return { usage: true, effort: kind === 'hf', reasoning: 'no', limit: 'max_tokens' }
}

interface ToolCallParam {
  id: string
  type: 'function'
  function: { name: string; arguments: string }
}
export type MessageParam =
  | { role: 'system' | 'user'; content: string }
  | { role: 'tool'; tool_call_id: string; content: string }
  | { role: 'assistant'; content: string | null; tool_calls?: ToolCallParam[]; reasoning_content?: string }

export interface ChatBody {
  model: string
  messages: MessageParam[]
  stream: boolean
  stream_options?: { include_usage: true }
  tools?: { type: 'function'; function: { name: string; description: string; parameters: Record<string, unknown> } }[]
  tool_choice?: 'auto'
  reasoning_effort?: 'low' | 'medium' | 'high'
  max_tokens?: number
  max_completion_tokens?: number
}

/** The body of POST /chat/completions. Nothing in it that a server could not know from the first days of that API. */
export function toBody(model: string, request: ModelRequest, kind: string, quirks: Quirks): ChatBody {
  const { effort, streaming, max_tokens } = request
  const tools = request.tools.map(({ name, description, input_schema }) => ({
    type: 'function' as const,
    function: { name, description, parameters: { ...input_schema, type: 'object' } },
  }))
  return {
    model,
    messages: toMessages(request.system, request.messages, {
      // Chat templates of local models join strings; hosted ones refuse an empty text.
      noText: kind === 'hf' ? null : '',
      reasoning: quirks.reasoning === 'yes',
    }),
    stream: streaming,
    ...(streaming && quirks.usage ? { stream_options: { include_usage: true } } : {}),
    ...(tools.length === 0 ? {} : { tools, tool_choice: 'auto' }),
    ...(max_tokens === undefined ? {} : { [quirks.limit]: max_tokens }),
    // The router knows three levels (reference, 2.5); what is above the highest is the highest.
    ...(effort && quirks.effort ? { reasoning_effort: effort === 'xhigh' || effort === 'max' ? 'high' : effort } : {}),
  }
}

/**
 * The conversation in chat-completions form: results of calls as messages of their own in call order, texts of one
 * author in a row as one message. Reasoning and the blocks of other providers stay behind.
 */
export function toMessages(
  system: string,
  messages: readonly ModelMessage[],
  options: { noText: string | null; reasoning: boolean },
): MessageParam[] {
  const params: MessageParam[] = []
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
): MessageParam | null {
  const text = blocks.flatMap((block) => (block.type === 'text' && block.text.trim() !== '' ? [block.text] : []))
  const calls = blocks.flatMap((block): ToolCallParam[] => {
    if (block.type !== 'tool_use') return []
    // Encoded, half a pair would only come out on the other side.
    const args = JSON.stringify(block.input, (_key, value) => (typeof value === 'string' ? wellFormed(value) : value))
    return [{ id: block.id, type: 'function', function: { name: block.name, arguments: args } }]
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

function resultParam(result: Extract<UserContent, { type: 'tool_result' }>): MessageParam {
  const text = wellFormed(result.content)
  // This API has no mark for a failed call, and many chat templates drop or refuse an empty result.
  const content = text.trim() === '' ? '(no output)' : text
  const failed = result.is_error && !/^\W*(error|failed)/i.test(content)
  return { role: 'tool', tool_call_id: result.tool_use_id, content: failed ? `Error: ${content}` : content }
}

/** Half a surrogate pair is refused by strict JSON parsers, and cannot be shown anyway. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\uFFFD')
}
