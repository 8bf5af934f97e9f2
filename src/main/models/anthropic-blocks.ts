import type {
  ContentBlock,
  ContentBlockParam,
  Message,
  MessageDeltaUsage,
  MessageParam,
  RawMessageStreamEvent,
  RefusalStopDetails,
  Usage,
} from '@anthropic-ai/sdk/resources/messages/messages'
import type { Block } from '@shared/content'
import { portableCallId } from './call-ids'
import type { ModelMessage, StopReason, TokenUsage, UserContent } from './types'
import { estimateUsage } from './usage'

export const ANTHROPIC = 'anthropic'

// ---------------------------------------------------------------- what is sent

/**
 * The conversation as the API wants it: no empty text, tool results before other content, roles that alternate, and of
 * the reasoning only what the API signed. A message of which nothing remains is left out. `refused`: signatures and
 * encrypted reasoning that stay behind.
 */
export function toMessageParams(
  messages: readonly ModelMessage[],
  refused: ReadonlySet<string> = new Set(),
): (MessageParam & { content: ContentBlockParam[] })[] {
  const params: { role: 'user' | 'assistant'; content: ContentBlockParam[] }[] = []
  for (const message of messages) {
    const content =
      message.role === 'user'
        ? message.content.flatMap(userParam)
        : message.content.flatMap((block) => assistantParam(block, refused))
    if (content.length === 0) continue
    const last = params.at(-1)
    if (last?.role === message.role) last.content.push(...content)
    else params.push({ role: message.role, content })
  }
  for (const param of params) {
    if (param.role === 'user') param.content.sort((a, b) => rank(a) - rank(b))
  }
  return params
}

function rank(block: ContentBlockParam): number {
  return block.type === 'tool_result' ? 0 : 1
}

function userParam(content: UserContent): ContentBlockParam[] {
  if (content.type === 'text') return textParam(content.text)
  const text = wellFormed(content.content)
  return [
    {
      type: 'tool_result',
      tool_use_id: portableCallId(content.tool_use_id),
      ...(text === '' ? {} : { content: text }),
      ...(content.is_error ? { is_error: true } : {}),
    },
  ]
}

function assistantParam(block: Block, refused: ReadonlySet<string>): ContentBlockParam[] {
  switch (block.type) {
    case 'text':
      return textParam(block.text)
    case 'reasoning':
      if (refused.has(block.redacted ?? block.signature ?? '')) return []
      if (block.redacted !== undefined) return [{ type: 'redacted_thinking', data: block.redacted }]
      if (!block.signature) return []
      return [{ type: 'thinking', thinking: block.text, signature: block.signature }]
    case 'tool_use':
      return [{ type: 'tool_use', id: portableCallId(block.id), name: block.name, input: block.input }]
    case 'opaque':
      return block.provider === ANTHROPIC && isBlockParam(block.value) ? [block.value] : []
  }
}

function textParam(text: string): ContentBlockParam[] {
  // The API refuses a text block without any visible character.
  return text.trim() === '' ? [] : [{ type: 'text', text: wellFormed(text) }]
}

/** Half a surrogate pair (a string cut in the middle of an emoji) is a 400; it cannot be shown anyway. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\uFFFD')
}

function isBlockParam(value: unknown): value is ContentBlockParam {
  return isRecord(value) && typeof value.type === 'string'
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

// ---------------------------------------------------------------- what comes back

export interface FinishedReply {
  blocks: Block[]
  stop_reason: StopReason
  usage: TokenUsage
  usage_estimated?: true
  model: string
  refusal?: string
  refusal_category?: string
}

/** A reply that came in one piece. Throws when the body is not a message at all. `prompt_bytes`: see `finish`. */
export function fromMessage(message: unknown, prompt_bytes: () => number): FinishedReply {
  if (!isMessage(message)) throw new TypeError('the body is not a message')
  const reply = new ReplyBuilder()
  reply.add({ type: 'message_start', message })
  message.content.forEach((content_block, index) => {
    reply.add({ type: 'content_block_start', index, content_block })
    reply.add({ type: 'content_block_stop', index })
  })
  return reply.finish(prompt_bytes, message.stop_reason, message.stop_details)
}

function isMessage(value: unknown): value is Message {
  return isRecord(value) && value.type === 'message' && Array.isArray(value.content) && isRecord(value.usage)
}

type Slot =
  | { kind: 'text'; text: string; closed: boolean }
  | { kind: 'reasoning'; text: string; signature: string; redacted?: string; closed: boolean }
  | { kind: 'tool_use'; id: string; name: string; start: unknown; json: string; closed: boolean }
  | { kind: 'opaque'; value: ContentBlock; json: string; closed: boolean }

/** Builds a reply from the API's stream events. Events and fields it does not know are passed over. */
export class ReplyBuilder {
  #slots = new Map<number, Slot>()
  #usage: TokenUsage | null = null
  #input = { fresh: 0, read: 0, created: 0 }
  #model = ''
  #stop: string | null = null
  #details: RefusalStopDetails | null = null
  /** The stop reason is known: nothing but the last event is missing (some gateways leave that out). */
  stopped = false
  /** The last event was read. */
  complete = false

  get usage(): TokenUsage | null {
    return this.#usage
  }

  /** Returns the text to show, if the event carried any. */
  add(event: RawMessageStreamEvent): { type: 'text' | 'reasoning'; text: string } | null {
    switch (event.type) {
      case 'content_block_delta':
        return this.#delta(event.index, event.delta)
      case 'content_block_start': {
        const slot = slotOf(event.content_block)
        this.#slots.set(event.index, slot)
        const shown = slot.kind === 'text' || slot.kind === 'reasoning' ? slot.text : ''
        return shown === '' ? null : { type: slot.kind === 'text' ? 'text' : 'reasoning', text: shown }
      }
      case 'content_block_stop': {
        const slot = this.#slots.get(event.index)
        if (slot) slot.closed = true
        return null
      }
      case 'message_start':
        this.#model = event.message.model
        this.#count(event.message.usage)
        return null
      case 'message_delta':
        this.#count(event.usage)
        if (event.delta.stop_reason) {
          this.#stop = event.delta.stop_reason
          this.#details = event.delta.stop_details ?? null
          this.stopped = true
        }
        return null
      case 'message_stop':
        this.complete = true
        return null
      default:
        return null
    }
  }

  /** What had arrived when the stream died: shown text, and tool calls that were whole. */
  partial(): Block[] {
    return this.#blocks((slot) => slot.closed || slot.kind === 'text' || slot.kind === 'reasoning', false)
  }

  /** `prompt_bytes`: size of the request, asked only for a gateway that does not count. */
  finish(
    prompt_bytes: () => number,
    stop: string | null = this.#stop,
    details: RefusalStopDetails | null = this.#details,
  ): FinishedReply {
    const blocks = this.#blocks(() => true, stop === 'max_tokens')
    const refusal = refusalText(details)
    const counted = this.#usage && this.#usage.prompt_tokens + this.#usage.completion_tokens > 0 ? this.#usage : null
    return {
      blocks,
      stop_reason: stopReasonOf(stop, blocks),
      usage: counted ?? estimateUsage(prompt_bytes(), blocks),
      ...(counted ? {} : { usage_estimated: true }),
      model: this.#model,
      ...(refusal === '' ? {} : { refusal }),
      ...(details?.category ? { refusal_category: details.category } : {}),
    }
  }

  #delta(
    index: number,
    delta: Extract<RawMessageStreamEvent, { type: 'content_block_delta' }>['delta'],
  ): { type: 'text' | 'reasoning'; text: string } | null {
    const slot = this.#slots.get(index)
    if (!slot) return null
    switch (delta.type) {
      case 'text_delta':
        if (slot.kind !== 'text') return null
        slot.text += delta.text
        return { type: 'text', text: delta.text }
      case 'thinking_delta':
        if (slot.kind !== 'reasoning') return null
        slot.text += delta.thinking
        return { type: 'reasoning', text: delta.thinking }
      case 'signature_delta':
        if (slot.kind === 'reasoning') slot.signature = delta.signature
        return null
      case 'input_json_delta':
        if (slot.kind === 'tool_use' || slot.kind === 'opaque') slot.json += delta.partial_json
        return null
      default:
        return null
    }
  }

  /** Counts are cumulative; a later event may leave out what it does not repeat. */
  #count(usage: Partial<Usage> | MessageDeltaUsage | undefined): void {
    if (!usage) return
    this.#input = {
      fresh: usage.input_tokens ?? this.#input.fresh,
      read: usage.cache_read_input_tokens ?? this.#input.read,
      created: usage.cache_creation_input_tokens ?? this.#input.created,
    }
    this.#usage = {
      prompt_tokens: this.#input.fresh + this.#input.read + this.#input.created,
      completion_tokens: usage.output_tokens ?? this.#usage?.completion_tokens ?? 0,
      cache_read_tokens: this.#input.read,
      cache_creation_tokens: this.#input.created,
    }
  }

  #blocks(keep: (slot: Slot) => boolean, cut: boolean): Block[] {
    const slots = [...this.#slots].sort(([a], [b]) => a - b).map(([, slot]) => slot)
    return slots.filter(keep).flatMap((slot, at, kept) => blockOf(slot, cut && at === kept.length - 1))
  }
}

function slotOf(block: ContentBlock): Slot {
  switch (block.type) {
    case 'text':
      return { kind: 'text', text: block.text ?? '', closed: false }
    case 'thinking':
      return { kind: 'reasoning', text: block.thinking ?? '', signature: block.signature ?? '', closed: false }
    case 'redacted_thinking':
      return { kind: 'reasoning', text: '', signature: '', redacted: block.data, closed: false }
    case 'tool_use':
      return { kind: 'tool_use', id: block.id, name: block.name, start: block.input, json: '', closed: false }
    default:
      return { kind: 'opaque', value: block, json: '', closed: false }
  }
}

/** `cut`: the reply reached its token limit inside this block. */
function blockOf(slot: Slot, cut: boolean): Block[] {
  switch (slot.kind) {
    case 'text':
      return slot.text === '' ? [] : [{ type: 'text', text: slot.text }]
    case 'reasoning': {
      if (slot.redacted !== undefined) return [{ type: 'reasoning', text: '', redacted: slot.redacted }]
      if (slot.signature !== '') return [{ type: 'reasoning', text: slot.text, signature: slot.signature }]
      return slot.text === '' ? [] : [{ type: 'reasoning', text: slot.text }]
    }
    case 'tool_use': {
      const { id, name } = slot
      return [{ type: 'tool_use', id, name, ...toolInput(slot.json, slot.start, cut) }]
    }
    case 'opaque': {
      const parsed = slot.json === '' ? undefined : toolInput(slot.json, {}, cut).input
      return [{ type: 'opaque', provider: ANTHROPIC, value: parsed ? { ...slot.value, input: parsed } : slot.value }]
    }
  }
}

function toolInput(json: string, start: unknown, cut: boolean): { input: Record<string, unknown>; malformed?: string } {
  if (json.trim() === '') {
    // A call without arguments streams none; a reply cut off before the first of them looks the same.
    if (cut && isRecord(start) && Object.keys(start).length === 0) return { input: {}, malformed: json }
    return isRecord(start) ? { input: start } : { input: {}, malformed: JSON.stringify(start) ?? '' }
  }
  try {
    const input: unknown = JSON.parse(json)
    return isRecord(input) ? { input } : { input: {}, malformed: json }
  } catch {
    return { input: {}, malformed: json }
  }
}

function stopReasonOf(reason: string | null, blocks: Block[]): StopReason {
  switch (reason) {
    case 'end_turn':
    case 'tool_use':
    case 'max_tokens':
    case 'stop_sequence':
    case 'pause_turn':
    case 'refusal':
      return reason
    case 'model_context_window_exceeded':
      return 'context_overflow'
    default:
      // A reason newer than this program: what the reply holds says how to go on.
      return blocks.some((block) => block.type === 'tool_use') ? 'tool_use' : 'end_turn'
  }
}

/** What the categories mean where the API explains nothing (SDK 1.11, RefusalStopDetails). */
const CATEGORIES: Record<string, string> = {
  frontier_llm: 'help with competing AI models is restricted; benign machine learning work can also trigger this.',
  cyber: 'the request could enable cyber harm; benign security work can also trigger this.',
  bio: 'the request could enable biological harm; beneficial life sciences work can also trigger this.',
  reasoning_extraction: 'the request asks the model to repeat its internal reasoning.',
  general_harms: 'the request could be related to something harmful; benign work might sometimes trigger this.',
}

/** "frontier_llm: the explanation"; empty when the provider gave neither. */
function refusalText(details: RefusalStopDetails | null | undefined): string {
  const category = details?.category ?? ''
  const explanation = details?.explanation || (Object.hasOwn(CATEGORIES, category) ? CATEGORIES[category] : '')
  return [category, explanation].filter((part) => part).join(': ')
}
