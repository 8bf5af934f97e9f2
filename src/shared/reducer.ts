import { foldDecisions } from './approval-fold'
import { foldBudget, withCap } from './budget'
import { addCompaction, compactedText, dropCompactions } from './compaction'
import { type AnyEvent, type EventData, isUnknownEvent, type SessionEvent } from './events'
import { appendItem, inherit, ownItems, releaseItems, replaceItem } from './items'
import { forkedText, limitTexts, rewoundText } from './notice-texts'
import {
  initialState,
  LIVE_LOG_CHARS,
  type NoticeItem,
  type SessionState,
  type ToolItem,
  type ToolItemState,
  type TranscriptItem,
} from './state'
import { foldSpend, foldUsage } from './usage'

/**
 * The fold: one event onto a state. Pure and total: any prefix of any log folds, an event already seen (by number) is
 * ignored, an unknown event is kept. Merged partials and the chunks they were merged from give the same state.
 */
export function applyEvent(state: SessionState, event: AnyEvent): SessionState {
  if (event.seq <= state.last_seq) return state
  const base: SessionState = {
    ...state,
    last_seq: event.seq,
    updated_at: event.time,
    created_at: state.created_at || event.time,
  }
  if (isUnknownEvent(event)) return { ...base, unknown: [...base.unknown, event] }
  return fold(base, event)
}

export function foldEvents(state: SessionState, events: Iterable<AnyEvent>): SessionState {
  const folder = startFold(state)
  for (const event of events) folder.apply(event)
  return folder.end()
}

/** A fold of many events in pieces, in time that grows with their number; the state can be seen at the end only. */
export function startFold(state: SessionState): { apply: (event: AnyEvent) => void; end: () => SessionState } {
  let current: SessionState = { ...state, items: ownItems(state.items) }
  return {
    apply: (event) => {
      current = applyEvent(current, event)
    },
    end: () => {
      releaseItems(current.items)
      return current
    },
  }
}

/** The first line of the first message, for the list of sessions until a better title comes. */
export function titleFrom(text: string): string {
  const line = text.trim().split('\n', 1)[0]?.replace(/\s+/g, ' ') ?? ''
  const chars = [...line]
  return chars.length > 72 ? `${chars.slice(0, 71).join('')}…` : line
}

function fold(s: SessionState, event: SessionEvent): SessionState {
  switch (event.type) {
    case 'session_update': {
      const { created: _created, allowed_tools, ...changes } = event.data
      const { max_cost_usd: cap, title } = changes
      const budget = cap === undefined ? s.budget : withCap(s.budget, s.usage.cost_usd, cap)
      const title_by = title === undefined ? s.title_by : (changes.title_by ?? 'user')
      const rules = allowed_tools?.map((tool) => ({ effect: 'allow' as const, tool })) ?? s.rules
      return { ...s, rules, ...definedOnly(changes), budget, title_by }
    }
    case 'ready':
    case 'job_update':
    case 'metric':
      return s
    case 'budget_update':
      return { ...s, budget: foldBudget(event.data) }
    case 'processing':
      return { ...s, status: 'running', activity: event.data.message, retry: event.data.retry ?? null }
    case 'user_message': {
      const { id, content, source } = event.data
      const item: TranscriptItem = { kind: 'user', key: id, seq: event.seq, time: event.time, text: content, source }
      return {
        ...s,
        title: s.title || titleFrom(content),
        items: appendItem(s.items, item),
        status: 'running',
        activity: s.status === 'idle' ? 'Thinking' : s.activity,
        turns: source === 'user' ? s.turns + 1 : s.turns,
        last_outcome: null,
      }
    }
    case 'assistant_chunk':
    case 'reasoning_chunk':
      return foldChunk(s, event)
    case 'assistant_message': {
      const { id, content, blocks, model, stop_reason, seen_seq, partial } = event.data
      const reasoning = blocks.flatMap((b) => (b.type === 'reasoning' && b.text ? [b.text] : [])).join('\n\n')
      const item: TranscriptItem = {
        kind: 'assistant',
        key: id,
        seq: event.seq,
        time: event.time,
        text: content,
        reasoning,
        blocks,
        model,
        stop_reason,
        seen_seq: seen_seq ?? null,
        partial: partial ?? false,
      }
      return { ...s, items: appendItem(s.items, item), draft: null, retry: null }
    }
    case 'assistant_stream_end':
      return s.draft?.id === event.data.id ? { ...s, draft: null } : s
    case 'tool_call':
      return withTool(s, event, event.data.tool_call_id, {
        tool: event.data.tool,
        arguments: event.data.arguments,
        intent: event.data.intent ?? '',
        state: 'running',
      })
    case 'tool_log':
      return foldLog(s, event.data)
    case 'tool_output':
      return foldOutput(s, event)
    case 'tool_state_change': {
      const state = toolStateOf(event.data.state)
      return state ? withTool(s, event, event.data.tool_call_id, { tool: event.data.tool, state }) : s
    }
    case 'approval_required': {
      let next: SessionState = { ...s, status: 'waiting_approval', pending_approvals: event.data.tools }
      for (const request of event.data.tools) {
        next = withTool(next, event, request.tool_call_id, {
          tool: request.tool,
          arguments: request.arguments,
          intent: request.intent ?? '',
          state: 'waiting_approval',
        })
      }
      return next
    }
    case 'approval_resolved':
      return foldDecisions(s, event.data)
    case 'approval_explained':
      return { ...s, explanations: { ...s.explanations, [event.data.tool_call_id]: event.data.text } }
    case 'queue_update':
      return { ...s, queue: event.data.queue }
    case 'notice':
      return withNotice(s, event, { notice: 'info', ...event.data })
    case 'plan_update':
      return { ...s, plan: event.data.plan }
    case 'llm_call':
      return foldUsage(s, event.data)
    case 'checkpoint': {
      const { user_message_id: id } = event.data
      return s.checkpoints.includes(id) ? s : { ...s, checkpoints: [...s.checkpoints, id] }
    }
    case 'rewound':
      return withNotice(settle(s, s.last_outcome), event, { notice: 'info', ...rewoundText(event.data) })
    case 'spend':
      return foldSpend(s, event.data)
    case 'turn_complete': {
      const ended = settle(s, event.data.reason)
      const last = s.items.at(-1)
      // A guard that ends a turn has just said why, in words for the user.
      const asked = event.data.reason === 'guard' && last?.kind === 'guard' ? last.text : undefined
      const { reason, message, remedy = '' } = event.data
      const text = asked ?? message ?? limitTexts[reason]
      return text ? withNotice(ended, event, { notice: 'limit', text, code: reason, remedy }) : ended
    }
    case 'interrupted':
      return withNotice(settle(s, 'interrupted'), event, { notice: 'interrupted', text: 'Stopped by you.' })
    case 'error': {
      const { error, code, remedy } = event.data
      return withNotice(settle(s, 'error'), event, { notice: 'error', text: error, code, remedy: remedy ?? '' })
    }
    case 'compacted': {
      const next = addCompaction(s, event)
      // One that the user asked for is no part of a turn: nothing comes after it.
      const ended = event.data.reason === 'manual' ? settle(next, next.last_outcome) : next
      return withNotice(ended, event, { notice: 'compacted', text: compactedText(event.data) })
    }
    case 'undo_complete': {
      const from = s.items.findIndex((item) => item.kind === 'user' && item.key === event.data.user_message_id)
      if (from < 0) return s
      const items = inherit(s.items, s.items.slice(0, from))
      const left = dropCompactions(s, s.items[from]?.seq ?? 0)
      const undone = { ...left, items, draft: null, live_logs: {}, measured: null }
      return { ...settle(undone, null), turns: countTurns(items) }
    }
    case 'guard': {
      const { kind, content } = event.data
      const item = { kind: 'guard', key: `guard-${event.seq}`, seq: event.seq, time: event.time } as const
      return { ...s, items: appendItem(s.items, { ...item, guard: kind, text: content }) }
    }
    case 'resumed':
      // What waits for the user goes on waiting.
      if (event.data.waiting_calls) return { ...s, draft: null, live_logs: {}, activity: '', retry: null }
      // A crash leaves a turn open in the log: resuming closes it.
      return s.status === 'idle'
        ? s
        : withNotice(settle(s, 'interrupted'), event, {
            notice: 'resumed',
            text: 'The previous run ended here unexpectedly. Everything up to this point was kept.',
          })
    case 'forked':
      // What was spent, asked and queued before belongs to the other session.
      return withNotice(
        { ...settle(s, null), usage: initialState('').usage, budget: null, queue: [], checkpoints: [] },
        event,
        {
          notice: 'forked',
          text: forkedText(event.data),
        },
      )
    case 'shutdown':
      return settle(s, s.last_outcome)
  }
}

type Chunk = Extract<SessionEvent, { type: 'assistant_chunk' | 'reasoning_chunk' }>

function foldChunk(s: SessionState, event: Chunk): SessionState {
  const { id, content } = event.data
  const draft = s.draft?.id === id ? s.draft : { id, text: '', reasoning: '', started_at: event.time }
  const text = event.type === 'assistant_chunk' ? draft.text + content : draft.text
  const reasoning = event.type === 'reasoning_chunk' ? draft.reasoning + content : draft.reasoning
  return { ...s, draft: { ...draft, text, reasoning }, retry: null }
}

function foldLog(s: SessionState, data: EventData<'tool_log'>): SessionState {
  if (!data.tool_call_id) return s
  // A call may be named like something every object inherits.
  const before = Object.hasOwn(s.live_logs, data.tool_call_id) ? s.live_logs[data.tool_call_id] : ''
  const text = `${before ?? ''}${data.log}`
  // A bounded tail is the same however the chunks were merged.
  const tail = text.length > LIVE_LOG_CHARS ? text.slice(-LIVE_LOG_CHARS) : text
  return { ...s, live_logs: { ...s.live_logs, [data.tool_call_id]: tail } }
}

function foldOutput(s: SessionState, event: Extract<SessionEvent, { type: 'tool_output' }>): SessionState {
  const { tool, tool_call_id, output, success, duration_ms, spill, details } = event.data
  const { [tool_call_id]: _log, ...live_logs } = s.live_logs
  const before = findTool(s.items, tool_call_id)
  const kept = before && isDecided(before.state) ? before.state : null
  return withTool({ ...s, live_logs }, event, tool_call_id, {
    tool,
    state: kept ?? (success ? 'ok' : 'error'),
    output,
    has_output: true,
    duration_ms,
    spill: spill ?? null,
    details: details ?? null,
  })
}

function isDecided(state: ToolItemState): boolean {
  return state === 'rejected' || state === 'cancelled' || state === 'abandoned'
}

/** The end of a turn: nothing runs, nothing waits. */
function settle(s: SessionState, outcome: SessionState['last_outcome']): SessionState {
  let items = s.items
  for (let at = items.length - 1; at >= 0; at--) {
    const item = items[at]
    if (!item || isTurnStart(item)) break
    if (item.kind === 'tool' && isOpen(item.state)) items = replaceItem(items, at, { ...item, state: 'cancelled' })
  }
  return {
    ...s,
    items,
    draft: null,
    live_logs: {},
    pending_approvals: [],
    explanations: {},
    turn_rules: [],
    budget: s.budget && { ...s.budget, reserved_usd: 0 },
    status: 'idle',
    activity: '',
    retry: null,
    last_outcome: outcome,
  }
}

function isOpen(state: ToolItemState): boolean {
  return state === 'running' || state === 'waiting_approval'
}

function toolStateOf(state: EventData<'tool_state_change'>['state']): ToolItemState | null {
  switch (state) {
    case 'approved':
    case 'running':
      return 'running'
    case 'rejected':
      return 'rejected'
    case 'cancelled':
    case 'canceled':
      return 'cancelled'
    case 'abandoned':
      return 'abandoned'
    case 'completed':
      return 'ok'
    case 'failed':
    case 'error':
    case 'billing_required':
      return 'error'
    default:
      return null
  }
}

/** Calls belong to the turn they were made in: what is older need not be searched. */
function toolIndex(items: TranscriptItem[], callId: string): number {
  for (let at = items.length - 1; at >= 0; at--) {
    const item = items[at]
    if (!item || isTurnStart(item)) return -1
    if (item.kind === 'tool' && item.call_id === callId) return at
  }
  return -1
}

function isTurnStart(item: TranscriptItem): boolean {
  return item.kind === 'user' && item.source === 'user'
}

function findTool(items: TranscriptItem[], callId: string): ToolItem | null {
  const item = items[toolIndex(items, callId)]
  return item?.kind === 'tool' ? item : null
}

function withTool(
  s: SessionState,
  event: SessionEvent,
  callId: string,
  change: Partial<ToolItem> & { tool: string },
): SessionState {
  const at = toolIndex(s.items, callId)
  const existing = s.items[at]
  const before: ToolItem =
    existing?.kind === 'tool'
      ? existing
      : {
          kind: 'tool',
          key: `tool-${callId}-${event.seq}`,
          seq: event.seq,
          time: event.time,
          call_id: callId,
          tool: change.tool,
          arguments: {},
          intent: '',
          state: 'running',
          output: '',
          has_output: false,
          duration_ms: null,
          spill: null,
          details: null,
        }
  const item: ToolItem = { ...before, ...change }
  const items = at < 0 ? appendItem(s.items, item) : replaceItem(s.items, at, item)
  return { ...s, items }
}

function withNotice(
  s: SessionState,
  event: SessionEvent,
  notice: Pick<NoticeItem, 'notice' | 'text'> & Partial<NoticeItem>,
): SessionState {
  const item: NoticeItem = {
    kind: 'notice',
    key: `notice-${event.seq}`,
    seq: event.seq,
    time: event.time,
    remedy: '',
    code: '',
    ...notice,
  }
  return { ...s, items: appendItem(s.items, item) }
}

function countTurns(items: TranscriptItem[]): number {
  return items.filter((item) => item.kind === 'user' && item.source === 'user').length
}

function definedOnly<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as Partial<T>
}
