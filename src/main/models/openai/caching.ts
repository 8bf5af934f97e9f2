import type { MessageParam, TextPart } from './messages'

/**
 * What the Hugging Face router is told so that a repeated prompt is not paid for twice. Only where a provider is known
 * to take it: fal, for models of Anthropic and for gpt-5.5 (reference, 2.5). Nothing here changes what it was given.
 */
export type CacheKind = 'anthropic' | 'openai' | null

/** `model`: the router's own name, `<org>/<model>[:provider]`. */
export function cacheKind(model: string): CacheKind {
  const [id = '', provider = ''] = model.split(':', 2)
  if (!provider.startsWith('fal')) return null
  if (id.startsWith('anthropic/')) return 'anthropic'
  return /^openai\/gpt-5\.5(?![\d.])/.test(id) ? 'openai' : null
}

export interface CacheControl {
  type: 'ephemeral'
}
export interface CacheFields {
  cache_control?: CacheControl
  prompt_cache_key?: string
  prompt_cache_retention?: '24h'
}

/** Fields of the request body. */
export function cacheFields(model: string, session: string | null): CacheFields {
  switch (cacheKind(model)) {
    case 'anthropic':
      return { cache_control: EPHEMERAL }
    case 'openai':
      return { ...(session ? { prompt_cache_key: session } : {}), prompt_cache_retention: '24h' }
    case null:
      return {}
  }
}

/** By this header Hugging Face tells what a session cost; it takes at most 256 characters. */
export function sessionHeader(session: string | null | undefined): Record<string, string> {
  const value = session?.replace(/[^\x21-\x7e]/g, '').slice(0, 256)
  return value ? { 'X-HF-Session-id': value } : {}
}

const EPHEMERAL: CacheControl = { type: 'ephemeral' }

/** Marks the last tool, and the last text of the nearest system or user message before the newest message. */
export function withCacheHints<M extends Pick<MessageParam, 'role' | 'content'>, T extends object>(
  model: string,
  messages: readonly M[],
  tools: readonly T[] | null,
): { messages: readonly M[]; tools: readonly (T | (T & { cache_control: CacheControl }))[] | null } {
  if (cacheKind(model) !== 'anthropic') return { messages, tools }
  return {
    messages: markedMessages(messages),
    tools: tools?.map((tool, at) => (at === tools.length - 1 ? { ...tool, cache_control: EPHEMERAL } : tool)) ?? null,
  }
}

function markedMessages<M extends Pick<MessageParam, 'role' | 'content'>>(messages: readonly M[]): readonly M[] {
  for (let at = messages.length - 2; at >= 0; at--) {
    const message = messages[at]
    if (!message || (message.role !== 'system' && message.role !== 'user')) continue
    const content = markedContent(message.content)
    if (content) return messages.with(at, { ...message, content })
  }
  return messages
}

/** Null: there is no text to mark. */
function markedContent(content: MessageParam['content']): TextPart[] | null {
  if (typeof content === 'string') {
    return content === '' ? null : [{ type: 'text', text: content, cache_control: EPHEMERAL }]
  }
  const last = content?.findLastIndex(({ type }) => type === 'text') ?? -1
  if (last === -1) return null
  return content?.map((part, at) => (at === last ? { ...part, cache_control: EPHEMERAL } : part)) ?? null
}
