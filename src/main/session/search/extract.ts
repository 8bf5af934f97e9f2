import { type AnyEvent, isUnknownEvent } from '@shared/events'
import { titleFrom } from '@shared/reducer'
import { isHighSurrogate, stripAnsi } from '../../workspace/output'
import type { DocKind, SessionRecord } from './types'

/** Characters of one document; a longer message becomes several. */
const DOC_CHARS = 4_000
const MAX_PARTS = 4
/** Of a tool's output and of its arguments. */
const TOOL_CHARS = 2_000
/** A head that is much longer than what is kept, so that taking out control sequences leaves enough. */
const RAW_FACTOR = 4

export interface Changes {
  /** Documents of the index that are no longer true. */
  stale: number[]
  /** The title is another one. */
  titled: boolean
}

/** What is needed of a log: every other line is not even parsed. */
export const INDEXED_EVENTS: ReadonlySet<string> = new Set([
  'session_update',
  'user_message',
  'assistant_message',
  'approval_required',
  'tool_call',
  'tool_state_change',
  'tool_output',
  'notice',
  'error',
  'turn_complete',
  'guard',
  'forked',
  'undo_complete',
])

export function newRecord(session: string): SessionRecord {
  return {
    session,
    size: -1,
    mtime_ms: -1,
    offset: 0,
    tail: '',
    last_seq: 0,
    title: '',
    cwd: '',
    updated_at: '',
    title_doc: 0,
    docs: [],
    users: [],
    calls: [],
    left_out: false,
  }
}

/** One event more. Numbers and places of the documents are those of the items that the fold makes of the same events. */
export function addEvent(record: SessionRecord, event: AnyEvent, changes: Changes): void {
  if (event.seq <= record.last_seq) return
  record.last_seq = event.seq
  record.updated_at = event.time
  if (isUnknownEvent(event)) return
  const { seq } = event
  const title = (text: string): void => {
    if (text === record.title) return
    record.title = text
    changes.titled = true
  }
  switch (event.type) {
    case 'session_update':
      if (event.data.title !== undefined) title(event.data.title)
      if (event.data.cwd !== undefined) record.cwd = event.data.cwd
      return
    case 'user_message':
      if (event.data.source === 'user') record.calls = []
      if (!record.title) title(titleFrom(event.data.content))
      record.users.push({ id: event.data.id, seq })
      addText(record, 'user', seq, event.data.content)
      return
    case 'assistant_message':
      addText(record, 'assistant', seq, event.data.content)
      return
    case 'approval_required':
      for (const { tool, tool_call_id, arguments: given } of event.data.tools) {
        setCall(record, changes, seq, tool_call_id, callHead(tool, given))
      }
      return
    case 'tool_call':
      setCall(record, changes, seq, event.data.tool_call_id, callHead(event.data.tool, event.data.arguments))
      return
    case 'tool_state_change':
      // The item begins here when nothing came before it.
      if (!callOf(record, event.data.tool_call_id))
        setCall(record, changes, seq, event.data.tool_call_id, event.data.tool)
      return
    case 'tool_output': {
      const { tool, tool_call_id, output } = event.data
      const head = callOf(record, tool_call_id)?.head ?? tool
      setCall(record, changes, seq, tool_call_id, head, `${head}\n${cut(output, TOOL_CHARS)}`)
      return
    }
    case 'notice':
      addText(record, 'notice', seq, [event.data.text, event.data.remedy].filter(Boolean).join(' '))
      return
    case 'error':
      addText(record, 'notice', seq, [event.data.error, event.data.remedy].filter(Boolean).join(' '))
      return
    case 'turn_complete':
      addText(record, 'notice', seq, [event.data.message, event.data.remedy].filter(Boolean).join(' '))
      return
    case 'guard':
      addText(record, 'notice', seq, event.data.content)
      return
    case 'forked':
      addText(record, 'notice', seq, event.data.imported_from ?? '')
      return
    case 'undo_complete':
      undo(record, event.data.user_message_id, changes)
      return
  }
}

/** What is taken back is not found any more. */
function undo(record: SessionRecord, messageId: string, changes: Changes): void {
  const at = record.users.findIndex(({ id }) => id === messageId)
  const from = record.users[at]
  if (!from) return
  record.users = record.users.slice(0, at)
  record.calls = []
  const kept = record.docs.filter(({ seq }) => seq === null || seq < from.seq)
  for (const { seq, id } of record.docs) if (id > 0 && seq !== null && seq >= from.seq) changes.stale.push(id)
  record.docs = kept
}

function addText(record: SessionRecord, kind: DocKind, seq: number, text: string): void {
  const clean = cut(text, DOC_CHARS * MAX_PARTS)
  for (let at = 0; at < clean.length; at += DOC_CHARS) {
    const part = clean.slice(at, at + DOC_CHARS)
    if (part.trim()) record.docs.push({ id: 0, seq, kind, text: part })
  }
}

function callOf(record: SessionRecord, id: string): SessionRecord['calls'][number] | undefined {
  return record.calls.findLast((call) => call.id === id)
}

/** A call is one document, which its output completes. */
function setCall(record: SessionRecord, changes: Changes, seq: number, id: string, head: string, text = head): void {
  const known = callOf(record, id)
  if (!known) {
    record.calls.push({ id, seq, head })
    record.docs.push({ id: 0, seq, kind: 'tool', text, call: id })
    return
  }
  known.head = head
  // Several calls of one request share its number.
  const doc = record.docs.findLast((other) => other.seq === known.seq && other.call === id)
  if (!doc || doc.text === text) return
  if (doc.id > 0) changes.stale.push(doc.id)
  doc.id = 0
  doc.text = text
}

function callHead(tool: string, given: Record<string, unknown>): string {
  return cut(`${tool} ${plain(given, 0)}`, TOOL_CHARS)
}

/** The values that a person would search for, without the punctuation of JSON. */
function plain(value: unknown, depth: number): string {
  if (typeof value === 'string') return value.slice(0, TOOL_CHARS * RAW_FACTOR)
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (value === null || typeof value !== 'object' || depth > 4) return ''
  return Object.values(value)
    .slice(0, 50)
    .map((entry) => plain(entry, depth + 1))
    .filter((text) => text !== '')
    .join('\n')
}

function cut(text: string, chars: number): string {
  const clean = stripAnsi(text.slice(0, chars * RAW_FACTOR))
  if (clean.length <= chars) return clean
  return clean.slice(0, isHighSurrogate(clean[chars - 1]) ? chars - 1 : chars)
}
