import { createHash } from 'node:crypto'

/**
 * What the fake Anthropic server answers: the script a test writes, and the events and bodies made of it (shapes:
 * `@anthropic-ai/sdk` 1.11, resources/messages/messages.d.ts).
 */
export type ScriptBlock =
  /** `chunks`: into how many deltas the text is cut, or the deltas themselves. Default 1. */
  | { type: 'text'; text: string; chunks?: number | string[] }
  | { type: 'thinking'; thinking: string; signature?: string; chunks?: number | string[] }
  | { type: 'redacted_thinking'; data: string }
  /** `rawJson`: sent instead of the input, whatever it is. */
  | {
      type: 'tool_use'
      name: string
      input?: Record<string, unknown>
      rawJson?: string
      id?: string
      chunks?: number | string[]
    }
  /** Any other block, sent as it is. */
  | { type: 'raw'; block: { type: string; [field: string]: unknown } }

export interface ScriptUsage {
  input_tokens?: number
  output_tokens?: number
  cache_creation_input_tokens?: number
  cache_read_input_tokens?: number
}

export interface MessageReply {
  blocks: ScriptBlock[]
  /** Default: `tool_use` when a block is one, else `end_turn`. */
  stopReason?: string
  stopDetails?: { category: string | null; explanation: string | null }
  usage?: ScriptUsage
  /** Holds the stream after `afterChunks` deltas (default 0: before the first one) until the gate opens. */
  gate?: Gate
  afterChunks?: number
  /** Called before each delta; the stream goes on when the promise settles. Slow: for short replies. */
  beforeChunk?: (chunk: number) => Promise<void> | void
  /** After so many deltas the socket is destroyed, the body ends as if all was well, an error event comes, or nothing. */
  dropAfterChunks?: number
  endAfterChunks?: number
  eventError?: { type: string; message: string; afterChunks: number }
  hangAfterChunks?: number
  /** Every event in a write of its own, as a model that thinks between them sends it. Default: batches. */
  unbatched?: boolean
}

export interface ErrorReply {
  error: {
    status: number
    /** Absent: the body is `message` alone, as a proxy sends it. */
    type?: string
    message: string
    details?: Record<string, unknown>
    headers?: Record<string, string>
  }
}

/** No headers and no body until the client goes away. */
export interface HangReply {
  hang: true
}
/** The socket is destroyed before any byte of the response. */
export interface DropReply {
  drop: true
}
/** Bytes of the test's own. */
export interface RawReply {
  raw: {
    contentType: string
    body: string
    /** Default: 200. */
    status?: number
    /** The socket is destroyed after the body. */
    drop?: boolean
  }
}

export type Reply = MessageReply | ErrorReply | HangReply | DropReply | RawReply

/** Holds a reply in the middle; made by `createGate`. */
export interface Gate {
  /** Resolves when the server has written everything before the gate. */
  readonly reached: Promise<void>
  open(): void
  /** For the server. */
  arrive(): Promise<void>
}

export function createGate(): Gate {
  let reach = () => {}
  let open = () => {}
  const reached = new Promise<void>((resolve) => {
    reach = resolve
  })
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return {
    reached,
    open: () => open(),
    arrive: () => {
      reach()
      return opened
    },
  }
}

/** A text of `chunks` deltas and about `bytes` bytes; the benchmark's reply is 10,145 chunks and 203 kB. */
export function longText(chunks: number, bytes: number): { type: 'text'; text: string; chunks: string[] } {
  const size = Math.max(1, Math.round(bytes / chunks))
  const pieces = Array.from({ length: chunks }, (_, i) => `${i} lorem ipsum dolor sit amet consetetur`.slice(0, size))
  return { type: 'text', text: pieces.join(''), chunks: pieces }
}

/**
 * The signature the fake puts on its thinking. It can be checked without remembering it, so a session may go on against
 * another instance of the server.
 */
export function signatureOf(thinking: string): string {
  return createHash('sha256').update('fake-anthropic\n').update(thinking).digest('base64')
}

export interface RenderedReply {
  message: { id: string; content: Record<string, unknown>[]; [field: string]: unknown }
  /** Events before the first delta of a block carry `chunk: false`. */
  events: { text: string; chunk: boolean }[]
}

/** `inputTokens`: of the request, when the script does not say. */
export function render(reply: MessageReply, id: string, model: string, inputTokens: number): RenderedReply {
  const content: Record<string, unknown>[] = []
  const events: RenderedReply['events'] = []
  const push = (type: string, data: Record<string, unknown>, chunk = false) => {
    events.push({ text: `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`, chunk })
  }
  const usage = {
    input_tokens: reply.usage?.input_tokens ?? inputTokens,
    cache_creation_input_tokens: reply.usage?.cache_creation_input_tokens ?? 0,
    cache_read_input_tokens: reply.usage?.cache_read_input_tokens ?? 0,
  }
  const rest = { cache_creation: null, inference_geo: null, server_tool_use: null, service_tier: 'standard' }
  const output_tokens = reply.usage?.output_tokens ?? Math.max(1, Math.ceil(sizeOf(reply.blocks) / 4))
  const head = { id, type: 'message', role: 'assistant', model }
  const open = { content: [], stop_reason: null, stop_sequence: null, stop_details: null, container: null }
  push('message_start', { message: { ...head, ...open, usage: { ...usage, ...rest, output_tokens: 0 } } })
  push('ping', {})

  reply.blocks.forEach((block, index) => {
    const { start, whole, deltas } = renderBlock(block, `${id}_${index}`)
    content.push(whole)
    push('content_block_start', { index, content_block: start })
    for (const delta of deltas) push('content_block_delta', { index, delta }, true)
    push('content_block_stop', { index })
  })

  const hasTool = reply.blocks.some((block) => block.type === 'tool_use')
  const stop_reason = reply.stopReason ?? (hasTool ? 'tool_use' : 'end_turn')
  const stop_details = reply.stopDetails ? { type: 'refusal', ...reply.stopDetails } : null
  const stop = { stop_reason, stop_sequence: null, stop_details }
  const details = { output_tokens_details: null, server_tool_use: null }
  push('message_delta', { delta: { ...stop, container: null }, usage: { ...usage, ...details, output_tokens } })
  push('message_stop', {})
  return {
    message: { ...head, content, ...stop, container: null, usage: { ...usage, ...rest, output_tokens } },
    events,
  }
}

interface RenderedBlock {
  start: Record<string, unknown>
  whole: Record<string, unknown>
  deltas: Record<string, unknown>[]
}

function renderBlock(block: ScriptBlock, id: string): RenderedBlock {
  switch (block.type) {
    case 'text': {
      const deltas = cut(block.text, block.chunks).map((text) => ({ type: 'text_delta', text }))
      const shape = { type: 'text', citations: null }
      return { start: { ...shape, text: '' }, whole: { ...shape, text: block.text }, deltas }
    }
    case 'thinking': {
      const signature = block.signature ?? signatureOf(block.thinking)
      const deltas = cut(block.thinking, block.chunks).map((thinking) => ({ type: 'thinking_delta', thinking }))
      return {
        start: { type: 'thinking', thinking: '', signature: '' },
        whole: { type: 'thinking', thinking: block.thinking, signature },
        deltas: [...deltas, { type: 'signature_delta', signature }],
      }
    }
    case 'redacted_thinking':
      return { start: { ...block }, whole: { ...block }, deltas: [] }
    case 'tool_use': {
      const shape = { type: 'tool_use', id: block.id ?? `toolu_${id}`, name: block.name, caller: { type: 'direct' } }
      const json = block.rawJson ?? JSON.stringify(block.input ?? {})
      const deltas = cut(json, block.chunks).map((partial_json) => ({ type: 'input_json_delta', partial_json }))
      return { start: { ...shape, input: {} }, whole: { ...shape, input: block.input ?? {} }, deltas }
    }
    case 'raw':
      return { start: block.block, whole: block.block, deltas: [] }
  }
}

function cut(text: string, chunks: number | string[] | undefined): string[] {
  if (Array.isArray(chunks)) return chunks
  if (text === '') return []
  const chars = [...text]
  const size = Math.ceil(chars.length / Math.max(1, chunks ?? 1))
  return Array.from({ length: Math.ceil(chars.length / size) }, (_, i) =>
    chars.slice(i * size, i * size + size).join(''),
  )
}

function sizeOf(blocks: ScriptBlock[]): number {
  return blocks.reduce((sum, block) => {
    if (block.type === 'text') return sum + block.text.length
    if (block.type === 'thinking') return sum + block.thinking.length
    return sum + JSON.stringify(block).length
  }, 0)
}
