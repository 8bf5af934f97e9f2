import type { ForeignCall, ForeignMessage, ForeignSession, Parsed } from './types'

type Fields = Record<string, unknown>

/** Keys of a configuration of the reference: people mix the files up. */
const CONFIG_KEYS = ['model_name', 'mcpServers', 'yolo_mode', 'max_iterations', 'reasoning_effort', 'messaging']

/** A saved session: an object with `messages` in the form of OpenAI's chat completions, or rows of a Claude-Code trace. */
export function parseSession(text: string): Parsed {
  const trimmed = text.trim()
  if (trimmed === '') return refused('The file is empty.')
  const whole = parseJson(trimmed)
  if (whole !== undefined) return fromValue(whole)
  const rows = trimmed.split('\n').map((line) => parseJson(line))
  const objects = rows.filter(isFields)
  if (objects.length === 0) return refused('It is not JSON.')
  if (objects.some((row) => 'seq' in row && 'type' in row && 'data' in row)) {
    return refused('It is the log of an ML Intern session: only files of other programs are imported.')
  }
  return fromTrace(objects, rows.length - objects.length)
}

function fromValue(value: unknown): Parsed {
  if (!isFields(value)) return refused('It holds no session: an object with “messages” is expected.')
  if (typeof value.type === 'string' && isFields(value.message)) return fromTrace([value], 0)
  // Rows of the data set of all sessions have these as text.
  const messages = typeof value.messages === 'string' ? parseJson(value.messages) : value.messages
  if (!Array.isArray(messages)) {
    if (CONFIG_KEYS.some((key) => key in value)) {
      return refused('It is a configuration, not a session: import it with “ml-intern config import FILE”.')
    }
    return refused('It holds no session: an object with “messages” is expected.')
  }
  const events = typeof value.events === 'string' ? parseJson(value.events) : value.events
  const session: ForeignSession = {
    old_id: text(value.session_id) || null,
    title: text(value.session_title) || text(value.title),
    model: text(value.model_name),
    cwd: text(value.cwd),
    started: text(value.session_start_time) || undefined,
    ended: text(value.session_end_time) || text(value.last_save_time) || undefined,
    messages: [],
    unreadable: 0,
    results: resultsOf(events),
  }
  for (const message of messages) {
    const read = isFields(message) ? fromMessage(message) : null
    if (read === null) session.unreadable += 1
    else if (read !== 'left out') session.messages.push(read)
  }
  return finished(session)
}

/** Null: it is no message. System prompts are ours to write, and are left out. */
function fromMessage(message: Fields): ForeignMessage | 'left out' | null {
  const time = text(message.timestamp) || undefined
  switch (message.role) {
    case 'system':
    case 'developer':
      return 'left out'
    case 'user':
      return { role: 'user', text: flat(message.content), time }
    case 'assistant': {
      const calls = Array.isArray(message.tool_calls) ? message.tool_calls.flatMap((call) => callOf(call) ?? []) : []
      const reasoning = text(message.reasoning_content) || thinking(message.thinking_blocks)
      return { role: 'assistant', text: flat(message.content), time, calls, reasoning }
    }
    case 'tool':
    case 'function':
      return { role: 'tool', text: flat(message.content), time, call_id: text(message.tool_call_id) }
    default:
      return null
  }
}

function callOf(call: unknown): ForeignCall | null {
  if (!isFields(call)) return null
  const fn = isFields(call.function) ? call.function : call
  const name = text(fn.name)
  if (!name) return null
  return { id: text(call.id), name, ...argumentsOf(fn.arguments) }
}

function argumentsOf(value: unknown): Pick<ForeignCall, 'input' | 'malformed'> {
  if (isFields(value)) return { input: value }
  if (value === undefined || value === null || value === '') return { input: {} }
  const raw = typeof value === 'string' ? value : JSON.stringify(value)
  const parsed = parseJson(raw)
  return isFields(parsed) ? { input: parsed } : { input: {}, malformed: raw }
}

/** What the events say of calls: whether they succeeded, and how long they took. */
function resultsOf(events: unknown): ForeignSession['results'] {
  const results: ForeignSession['results'] = new Map()
  for (const event of Array.isArray(events) ? events : []) {
    if (!isFields(event) || !isFields(event.data)) continue
    const id = text(event.data.tool_call_id)
    if (!id) continue
    const known = results.get(id) ?? {}
    const time = text(event.timestamp) || undefined
    if (event.event_type === 'tool_call') results.set(id, { ...known, started: time })
    if (event.event_type === 'tool_output') {
      const { success } = event.data
      results.set(id, { ...known, ended: time, ...(typeof success === 'boolean' ? { success } : {}) })
    }
  }
  return results
}

/** Rows `{type, message, sessionId, timestamp}`, as the Hub's trace viewer reads them. */
function fromTrace(rows: readonly Fields[], unreadable: number): Parsed {
  const session: ForeignSession = {
    old_id: null,
    title: '',
    model: '',
    cwd: '',
    messages: [],
    unreadable,
    results: new Map(),
  }
  let replyId = ''
  for (const row of rows) {
    const { message } = row
    // Summaries, snapshots, and what sub-agents said among themselves.
    if ((row.type !== 'user' && row.type !== 'assistant') || !isFields(message) || row.isSidechain === true) continue
    session.old_id ??= text(row.sessionId) || null
    session.cwd ||= text(row.cwd)
    session.model ||= text(message.model)
    const time = text(row.timestamp) || undefined
    session.started ??= time
    session.ended = time ?? session.ended
    if (row.type === 'user') {
      replyId = ''
      session.messages.push(...traceUser(message.content, time))
      continue
    }
    const reply = traceReply(message.content, time)
    const last = session.messages.at(-1)
    // A reply may have come in several rows, one for each block.
    if (text(message.id) && text(message.id) === replyId && last?.role === 'assistant') {
      last.text = [last.text, reply.text].filter(Boolean).join('\n\n')
      last.reasoning = [last.reasoning, reply.reasoning].filter(Boolean).join('\n\n')
      last.calls = [...(last.calls ?? []), ...(reply.calls ?? [])]
    } else {
      session.messages.push(reply)
    }
    replyId = text(message.id)
  }
  return finished(session)
}

function traceUser(content: unknown, time: string | undefined): ForeignMessage[] {
  if (!Array.isArray(content)) return [{ role: 'user', text: flat(content), time }]
  const results = content.filter((block) => isFields(block) && block.type === 'tool_result')
  const rest = content.filter((block) => !results.includes(block))
  const messages = results.map((block): ForeignMessage => {
    const { tool_use_id, content: output, is_error } = block as Fields
    return { role: 'tool', text: flat(output), time, call_id: text(tool_use_id), failed: is_error === true }
  })
  return rest.length > 0 ? [...messages, { role: 'user', text: flat(rest), time }] : messages
}

function traceReply(content: unknown, time: string | undefined): ForeignMessage {
  const blocks = Array.isArray(content) ? content.filter(isFields) : []
  const calls = blocks.flatMap((block): ForeignCall[] => {
    if (block.type !== 'tool_use' || !text(block.name)) return []
    const raw = isFields(block.input) && typeof block.input._raw === 'string' ? block.input._raw : undefined
    // Our own export, and the reference's, write arguments that are no object like this.
    return [{ id: text(block.id), name: text(block.name), ...argumentsOf(raw ?? block.input) }]
  })
  const texts = Array.isArray(content) ? content.filter((block) => isFields(block) && block.type === 'text') : content
  return { role: 'assistant', text: flat(texts), time, calls, reasoning: thinking(blocks) }
}

function finished(session: ForeignSession): Parsed {
  const said = session.messages.some(({ role }) => role === 'user' || role === 'assistant')
  return said ? { ok: true, session } : refused('It holds no messages.')
}

function thinking(blocks: unknown): string {
  if (!Array.isArray(blocks)) return ''
  return blocks
    .flatMap((block) => (isFields(block) && block.type === 'thinking' ? [text(block.thinking)] : []))
    .join('\n\n')
}

/** Text of any content: blocks one under the other, those that are no text as JSON. */
function flat(content: unknown): string {
  if (typeof content === 'string') return content
  if (content === null || content === undefined) return ''
  if (!Array.isArray(content)) return JSON.stringify(content)
  return content
    .map((block) => {
      if (typeof block === 'string') return block
      if (isFields(block) && typeof block.text === 'string') return block.text
      return JSON.stringify(block)
    })
    .join('\n')
}

function refused(reason: string): Parsed {
  return { ok: false, reason }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value.trim() : ''
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parseJson(value: string): unknown {
  try {
    return JSON.parse(value)
  } catch {
    // The caller says what it is then.
    return undefined
  }
}
