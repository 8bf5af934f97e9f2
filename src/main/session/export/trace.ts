import { createHash } from 'node:crypto'
import type { SessionState, TranscriptItem } from '@shared/state'
import type { Redact } from './redact'

/** A message in the form of chat completions, which traces are made from. */
export interface TraceMessage {
  role: string
  content?: unknown
  tool_calls?: { id: string; function: { name: string; arguments: unknown } }[]
  tool_call_id?: string
  /** ISO 8601; absent: the start of the session. */
  timestamp?: string
  /** Absent: the session's. */
  model?: string
}

interface TraceSession {
  session_id: string
  model_name: string
  session_start_time: string
}

/** Rows of a Claude-Code trace, one a message, chained by their ids. */
export class TraceRows {
  readonly #session: TraceSession
  #index = 0
  #parent: string | null = null

  constructor(session: TraceSession) {
    this.#session = session
  }

  /** Null: the message has no row, but counts in the numbering. */
  row(message: TraceMessage): Record<string, unknown> | null {
    const { session_id, session_start_time } = this.#session
    const id = shaped(`${session_id}::${message.role}::${this.#index++}`)
    const body = this.#body(message)
    if (!body) return null
    const row = {
      ...body,
      uuid: id,
      parentUuid: this.#parent,
      sessionId: session_id,
      timestamp: message.timestamp ?? session_start_time,
    }
    this.#parent = id
    return row
  }

  #body({ role, content, tool_calls, tool_call_id, model }: TraceMessage): Record<string, unknown> | null {
    const text = flat(content)
    switch (role) {
      case 'user':
        return { type: 'user', message: { role, content: text } }
      case 'tool':
        return {
          type: 'user',
          message: { role: 'user', content: [{ type: 'tool_result', tool_use_id: tool_call_id ?? '', content: text }] },
        }
      case 'assistant': {
        const calls = (tool_calls ?? []).map(({ id, function: { name, arguments: given } }) => {
          return { type: 'tool_use', id, name, input: inputOf(given) }
        })
        const blocks = [...(text ? [{ type: 'text', text }] : []), ...calls]
        if (blocks.length === 0) return null
        return { type: 'assistant', message: { role, model: model ?? this.#session.model_name, content: blocks } }
      }
      default:
        return null
    }
  }
}

/** The rows of a session, one JSON text a line. */
export function* trace(state: SessionState, redact: Redact): Generator<string> {
  const { model, created_at } = redact.head(state)
  const rows = new TraceRows({ session_id: state.id, model_name: model, session_start_time: created_at })
  for (const item of state.items) {
    const message = messageOf(redact.item(item))
    const row = message && rows.row(message)
    if (row) yield `${JSON.stringify(row)}\n`
  }
}

/** What the model read and wrote; notices are for the user alone. */
function messageOf(item: TranscriptItem): TraceMessage | null {
  const { time: timestamp } = item
  switch (item.kind) {
    case 'user':
      return { role: 'user', content: item.text, timestamp }
    case 'guard':
      return { role: 'user', content: `[Automatic note from ML Intern, not from the user]\n${item.text}`, timestamp }
    case 'assistant': {
      const tool_calls = item.blocks.flatMap((block) => {
        if (block.type !== 'tool_use') return []
        return [{ id: block.id, function: { name: block.name, arguments: block.malformed ?? block.input } }]
      })
      return { role: 'assistant', content: item.text, tool_calls, model: item.model, timestamp }
    }
    case 'tool':
      return item.has_output ? { role: 'tool', tool_call_id: item.call_id, content: item.output, timestamp } : null
    case 'notice':
      return null
  }
}

/** The digest of a text in the form of a UUID: the same message has the same id in every upload. */
function shaped(text: string): string {
  const hex = createHash('sha1').update(text).digest('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-')
}

function flat(content: unknown): string {
  if (content === null || content === undefined) return ''
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return JSON.stringify(content)
  return content.map((part: unknown) => textOf(part) ?? JSON.stringify(part)).join('\n')
}

function textOf(part: unknown): string | null {
  if (typeof part === 'string') return part
  if (typeof part !== 'object' || part === null || !('text' in part)) return null
  return typeof part.text === 'string' ? part.text : null
}

function inputOf(given: unknown): unknown {
  if (typeof given !== 'string') return given
  try {
    const value: unknown = JSON.parse(given)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  } catch {
    // What the model wrote is no JSON, and is kept as it is.
  }
  return { _raw: given }
}
