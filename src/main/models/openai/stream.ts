import { randomUUID } from 'node:crypto'
import type { Block } from '@shared/content'
import type { StopReason, TokenUsage } from '../types'
import { estimateUsage } from '../usage'
import { isObject, type JsonObject, listOf, numberOf, objectOf, parseJson, textOf } from './json'

export interface Shown {
  type: 'text' | 'reasoning'
  text: string
}

export interface FinishedReply {
  blocks: Block[]
  stop_reason: StopReason
  usage: TokenUsage
  usage_estimated?: true
  model: string
  refusal?: string
  refusal_category?: string
}

interface CallSlot {
  index: number | null
  id: string | null
  name: string
  args: string
}

/**
 * Builds a reply from chat-completion chunks, from servers that leave out what the API promises: the type, id or index
 * of a call, its arguments as text, the usage, the right finish reason.
 */
export class ReplyBuilder {
  #text = ''
  #reasoning = ''
  #refusal = ''
  #calls: CallSlot[] = []
  #usage: TokenUsage | null = null
  #model = ''
  #finish: string | null = null

  /** The server has said why it stopped; a usage chunk may still come. */
  get finished(): boolean {
    return this.#finish !== null
  }

  /** The server gave the reply up: `error` and vLLM's `abort` are no ends of a reply. */
  get abandoned(): boolean {
    return this.#finish === 'error' || this.#finish === 'abort'
  }

  /** What the server counted; null when it did not. */
  get usage(): TokenUsage | null {
    return this.#usage
  }

  /** Takes a chunk, or a reply in one piece; returns what it adds to the visible text, in order. */
  add(chunk: JsonObject): Shown[] {
    this.#model = textOf(chunk.model) ?? this.#model
    this.#usage = usageOf(chunk.usage) ?? this.#usage
    // Only one reply is ever asked for; the chunk with the usage has none at all.
    const choice = objectOf(listOf(chunk.choices)[0])
    const delta = isObject(choice.delta) ? choice.delta : objectOf(choice.message)
    const shown: Shown[] = []
    const show = (type: Shown['type'], text: string): void => {
      if (text === '') return
      if (type === 'text') this.#text += text
      else this.#reasoning += text
      shown.push({ type, text })
    }
    // Servers that send both fields send the same text in both.
    show('reasoning', textOf(delta.reasoning_content) ?? textOf(delta.reasoning) ?? '')
    for (const part of partsOf(delta.content)) show(part.type, part.text)
    this.#refusal += textOf(delta.refusal) ?? ''
    for (const call of listOf(delta.tool_calls)) this.#addCall(objectOf(call))
    this.#finish = textOf(choice.finish_reason) ?? this.#finish
    return shown
  }

  /** What had arrived when the stream died. The end of a call is known only by the end of the reply. */
  partial(): Block[] {
    return this.#blocks().filter((block) => block.type !== 'tool_use')
  }

  /** `prompt_bytes`: size of the request, asked only for servers that do not count. */
  finish(prompt_bytes: () => number): FinishedReply {
    const blocks = this.#blocks()
    return {
      blocks,
      stop_reason: this.#stopReason(),
      usage: this.#usage ?? estimateUsage(prompt_bytes(), blocks),
      ...(this.#usage ? {} : { usage_estimated: true }),
      model: this.#model,
      ...(this.#refusal === '' ? {} : { refusal: this.#refusal }),
      ...(this.#finish === 'content_filter' ? { refusal_category: this.#finish } : {}),
    }
  }

  #blocks(): Block[] {
    const cut = this.#finish === 'length'
    return [
      ...(this.#reasoning === '' ? [] : [{ type: 'reasoning' as const, text: this.#reasoning }]),
      ...(this.#text === '' ? [] : [{ type: 'text' as const, text: this.#text }]),
      ...this.#calls.map((call, at) => callBlock(call, cut && at === this.#calls.length - 1)),
    ]
  }

  #stopReason(): StopReason {
    if (this.#finish === 'length') return 'max_tokens'
    if (this.#finish === 'content_filter') return 'refusal'
    // Several servers say `stop` after calls, some say nothing.
    if (this.#calls.length > 0) return 'tool_use'
    return this.#refusal !== '' && this.#text === '' ? 'refusal' : 'end_turn'
  }

  #addCall(part: JsonObject): void {
    const fn = objectOf(part.function)
    const id = textOf(part.id)
    const name = textOf(fn.name) ?? ''
    const whole = isObject(fn.arguments) ? JSON.stringify(fn.arguments) : null
    const args = whole ?? textOf(fn.arguments) ?? ''
    const index = numberOf(part.index)
    const known =
      index === null
        ? (this.#calls.find((call) => id !== null && call.id === id) ?? this.#calls.at(-1))
        : this.#calls.findLast((call) => call.index === index)
    if (!known || startsAnother(known, { id, name, args })) {
      this.#calls.push({ index, id, name, args })
      return
    }
    known.id ??= id
    // Some repeat the name with every piece of the arguments.
    if (name !== known.name) known.name += name
    known.args += args
  }
}

/** Whether a piece that points at `known` begins another call: servers that number all calls 0, or none. */
function startsAnother(known: CallSlot, part: { id: string | null; name: string; args: string }): boolean {
  if (known.name === '' || part.name === '') return false
  // A new id alone is no new call: some make one up for every piece.
  if (part.id !== null && known.id !== null && part.id !== known.id) return true
  if (part.id !== null && part.id === known.id) return false
  return isObject(parseJson(known.args)) && (part.name !== known.name || part.args !== '')
}

function callBlock({ id, name, args }: CallSlot, cut: boolean): Block {
  return { type: 'tool_use', id: id ?? `call_${randomUUID().replaceAll('-', '')}`, name, ...inputOf(args, cut) }
}

function inputOf(args: string, cut: boolean): { input: JsonObject; malformed?: string } {
  // A call without arguments; one that was cut before the first of them looks the same.
  if (args.trim() === '') return cut ? { input: {}, malformed: args } : { input: {} }
  const once = parseJson(args)
  // A few servers encode the arguments twice.
  const input = typeof once === 'string' ? parseJson(once) : once
  if (isObject(input)) return { input }
  // `null` is how some write "no arguments".
  return input === null ? { input: {} } : { input: {}, malformed: args }
}

/** Text, or a list of parts of which some are thinking. */
function partsOf(content: unknown): Shown[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  return listOf(content).map((value) => {
    const part = objectOf(value)
    if (part.type !== 'thinking') return { type: 'text', text: textOf(part.text) ?? '' }
    const text =
      textOf(part.thinking) ??
      partsOf(part.thinking)
        .map((inner) => inner.text)
        .join('')
    return { type: 'reasoning', text }
  })
}

/** Null when nothing was counted; the counts are those of the whole reply, also in the middle of it. */
function usageOf(value: unknown): TokenUsage | null {
  if (!isObject(value)) return null
  const prompt_tokens = numberOf(value.prompt_tokens) ?? 0
  const completion_tokens = numberOf(value.completion_tokens) ?? 0
  if (prompt_tokens === 0 && completion_tokens === 0) return null
  const details = objectOf(value.prompt_tokens_details)
  const read = numberOf(details.cached_tokens) ?? numberOf(value.prompt_cache_hit_tokens) ?? 0
  return {
    prompt_tokens,
    completion_tokens,
    cache_read_tokens: Math.min(read, prompt_tokens),
    cache_creation_tokens: 0,
  }
}
