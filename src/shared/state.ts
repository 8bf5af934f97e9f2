import type { ApprovalRequest, Rule } from './approvals'
import type { BudgetState } from './budget'
import type { Block, PlanItem, Spill, ToolDetails } from './content'
import type { CallKind, EventData, SpendKind, TurnEndReason, UnknownEvent } from './events'
import type { ApprovalMode, Effort } from './settings'

/**
 * What a session is at one moment: the fold of its events. The window draws it, the loop builds the model's messages
 * from it, and there is no second truth. Values are never mutated: a changed part is a new object.
 */
export interface SessionState {
  id: string
  title: string
  /** The user named it: no model does. */
  title_by: 'user' | 'model' | null
  cwd: string
  model: string
  mode: ApprovalMode
  effort: Effort | null
  /** Allowed, denied or asked for the rest of this session. */
  rules: Rule[]
  /** The same for the turn that runs. */
  turn_rules: Rule[]
  /** The session's own cap in US dollars, null for none; absent: the settings decide. */
  max_cost_usd?: number | null
  created_at: string
  updated_at: string
  last_seq: number
  status: SessionStatus
  /** What the running turn is doing now, in a word or two; empty when idle. */
  activity: string
  retry: EventData<'processing'>['retry'] | null
  items: TranscriptItem[]
  /** The reply that is being streamed; it becomes an item when it is whole. */
  draft: AssistantDraft | null
  /** Live output of running tools by call id: the newest LIVE_LOG_CHARS characters. */
  live_logs: Record<string, string>
  plan: PlanItem[]
  pending_approvals: ApprovalRequest[]
  /** What the model said about calls that wait, by call id. */
  explanations: Record<string, string>
  /** Messages that wait for the end of the turn, oldest first. */
  queue: QueuedMessage[]
  /** Messages whose turns changed files that can be looked at and rewound, oldest first. */
  checkpoints: string[]
  usage: Usage
  /** Null while no cap is known to hold. */
  budget: BudgetState | null
  /** `overhead_tokens`: estimate of system prompt and tools; 0 while it is not known. */
  context: { used_tokens: number; window: number | null; overhead_tokens: number }
  /** The provider's own count at the last reply; null when there is none, or when the conversation changed since. */
  measured: { tokens: number; seen_seq: number; reply_key: string } | null
  /** The newest summary: the model reads it instead of the items before `first_kept_seq`. */
  compaction: Compaction | null
  /** Older ones, oldest first, that an undo may bring back. */
  earlier_compactions: Compaction[]
  turns: number
  last_outcome: TurnOutcome | null
  unknown: UnknownEvent[]
}

export type SessionStatus = 'idle' | 'running' | 'waiting_approval'
export type TurnOutcome = TurnEndReason | 'interrupted' | 'error'

export interface QueuedMessage {
  id: string
  content: string
}

export interface UsageShare {
  calls: number
  prompt_tokens: number
  completion_tokens: number
  cache_read_tokens: number
  cache_creation_tokens: number
  /** Sum of the calls whose price is known. */
  cost_usd: number
  /** Calls of a model without a known price: the cost is then a lower bound. */
  unpriced_calls: number
}
export interface Usage extends UsageShare {
  /** The same by what it was for and by model (of a job: its hardware), in the order of the first time. */
  parts: (UsageShare & { kind: CallKind | SpendKind; model: string })[]
}

export interface Compaction {
  /** Number of its event. */
  seq: number
  summary: string
  first_kept_seq: number
  /** Tokens of the window that the parts were sized for. */
  window: number
  /** Longer results before `seq` are cut to this many tokens in the model's view. */
  result_tokens: number
  /** The plan at that moment. */
  plan: PlanItem[]
  /** 1 for the first of a session. */
  count: number
}

export interface AssistantDraft {
  id: string
  text: string
  reasoning: string
  started_at: string
}

interface ItemBase {
  /** Stable key: the message id, call id, or `<kind>-<seq>`. */
  key: string
  seq: number
  time: string
}
export interface UserItem extends ItemBase {
  kind: 'user'
  text: string
  source: 'user' | 'steer'
}
export interface AssistantItem extends ItemBase {
  kind: 'assistant'
  text: string
  reasoning: string
  blocks: Block[]
  model: string
  stop_reason: string
  /** Newest event the model had read when it wrote this; null in logs that do not say. */
  seen_seq: number | null
  partial: boolean
}
export type ToolItemState = 'running' | 'waiting_approval' | 'ok' | 'error' | 'rejected' | 'cancelled' | 'abandoned'
export interface ToolItem extends ItemBase {
  kind: 'tool'
  call_id: string
  tool: string
  arguments: Record<string, unknown>
  intent: string
  state: ToolItemState
  /** What the model reads; empty while running. */
  output: string
  has_output: boolean
  duration_ms: number | null
  spill: Spill | null
  details: ToolDetails | null
}
export interface GuardItem extends ItemBase {
  kind: 'guard'
  guard: string
  text: string
}
export type NoticeKind = 'error' | 'interrupted' | 'limit' | 'compacted' | 'resumed' | 'forked' | 'info'
export interface NoticeItem extends ItemBase {
  kind: 'notice'
  notice: NoticeKind
  text: string
  remedy: string
  code: string
}
export type TranscriptItem = UserItem | AssistantItem | ToolItem | GuardItem | NoticeItem

/** Kept of a running tool's output in memory, in UTF-16 code units. */
export const LIVE_LOG_CHARS = 64_000

export function initialState(id: string): SessionState {
  return {
    id,
    title: '',
    title_by: null,
    cwd: '',
    model: '',
    mode: 'ask',
    effort: null,
    rules: [],
    turn_rules: [],
    created_at: '',
    updated_at: '',
    last_seq: 0,
    status: 'idle',
    activity: '',
    retry: null,
    items: [],
    draft: null,
    live_logs: {},
    plan: [],
    pending_approvals: [],
    explanations: {},
    queue: [],
    checkpoints: [],
    usage: {
      calls: 0,
      prompt_tokens: 0,
      completion_tokens: 0,
      cache_read_tokens: 0,
      cache_creation_tokens: 0,
      cost_usd: 0,
      unpriced_calls: 0,
      parts: [],
    },
    budget: null,
    context: { used_tokens: 0, window: null, overhead_tokens: 0 },
    measured: null,
    compaction: null,
    earlier_compactions: [],
    turns: 0,
    last_outcome: null,
    unknown: [],
  }
}

/** A line of the session list. */
export interface SessionSummary {
  id: string
  title: string
  cwd: string
  model: string
  created_at: string
  updated_at: string
  status: SessionStatus
  last_outcome: TurnOutcome | null
  turns: number
  cost_usd: number
  /** Another process writes this session; here it can only be read. */
  locked: boolean
}

export function summarize(state: SessionState, locked = false): SessionSummary {
  return {
    id: state.id,
    title: state.title,
    cwd: state.cwd,
    model: state.model,
    created_at: state.created_at,
    updated_at: state.updated_at,
    status: state.status,
    last_outcome: state.last_outcome,
    turns: state.turns,
    cost_usd: state.usage.cost_usd,
    locked,
  }
}
