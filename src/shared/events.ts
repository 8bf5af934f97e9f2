import { z } from 'zod'
import { approvalRequestSchema, recordedDecisionSchema, rulesSchema } from './approvals'
import { blockSchema, planItemSchema, spillSchema, toolDetailsSchema } from './content'
import { approvalModeSchema, effortSchema } from './settings'

/**
 * The payload of every event kind. Names of the reference are kept; the fields are the contract with the log on disk,
 * `--output-format stream-json` and the window. Times are ISO 8601 in the envelope; durations are milliseconds.
 */
const usageFields = {
  /** All input tokens, cached ones included. */
  prompt_tokens: z.number().int(),
  completion_tokens: z.number().int(),
  total_tokens: z.number().int(),
  cache_read_tokens: z.number().int(),
  cache_creation_tokens: z.number().int(),
}

export type { ApprovalRequest } from './approvals'

export const toolCallStates = [
  'approved',
  'rejected',
  'running',
  'cancelled',
  'abandoned',
  'billing_required',
  'completed',
  'failed',
  'canceled',
  'error',
  'unknown',
] as const

/** What a model call was made for. */
export const callKinds = ['main', 'research', 'compaction', 'title', 'explain', 'probe'] as const
export type CallKind = (typeof callKinds)[number]

/** What money goes to beside model calls. */
export const spendKinds = ['job', 'sandbox'] as const
export type SpendKind = (typeof spendKinds)[number]

export const turnEndReasons = [
  'finished',
  'max_iterations',
  'budget',
  'approval_unavailable',
  'refusal',
  'guard',
] as const
export type TurnEndReason = (typeof turnEndReasons)[number]

export const eventSchemas = {
  ready: z.object({ message: z.string(), tool_count: z.number().int() }),
  processing: z.object({
    message: z.string(),
    /** Present while waiting to try a failed model call again. */
    retry: z.object({ attempt: z.number().int(), delay_ms: z.number(), reason: z.string() }).optional(),
  }),
  user_message: z.object({
    id: z.string(),
    content: z.string(),
    /** `steer`: written while a turn was running. */
    source: z.enum(['user', 'steer']),
  }),
  assistant_chunk: z.object({ id: z.string(), content: z.string() }),
  reasoning_chunk: z.object({ id: z.string(), content: z.string() }),
  assistant_message: z.object({
    id: z.string(),
    content: z.string(),
    blocks: z.array(blockSchema),
    model: z.string(),
    stop_reason: z.string(),
    /** Number of the newest event that the model had read: a message that came later belongs after this reply. */
    seen_seq: z.number().int().optional(),
    /** The reply was cut by an interrupt or a failure; what had arrived is kept. */
    partial: z.boolean().optional(),
  }),
  assistant_stream_end: z.object({
    id: z.string(),
    /** The partial reply was thrown away because the call is tried again. */
    discarded: z.boolean().optional(),
    reason: z.string().optional(),
  }),
  tool_call: z.object({
    tool: z.string(),
    arguments: z.record(z.string(), z.unknown()),
    tool_call_id: z.string(),
    intent: z.string().optional(),
  }),
  tool_output: z.object({
    tool: z.string(),
    tool_call_id: z.string(),
    output: z.string(),
    success: z.boolean(),
    duration_ms: z.number(),
    spill: spillSchema.optional(),
    details: toolDetailsSchema.optional(),
  }),
  tool_log: z.object({
    tool: z.string(),
    log: z.string(),
    tool_call_id: z.string().optional(),
    stream: z.enum(['stdout', 'stderr']).optional(),
    agent_id: z.string().optional(),
    label: z.string().optional(),
  }),
  tool_state_change: z.looseObject({ tool_call_id: z.string(), tool: z.string(), state: z.enum(toolCallStates) }),
  approval_required: z.object({ tools: z.array(approvalRequestSchema), count: z.number().int() }),
  approval_resolved: z.object({
    decisions: z.array(recordedDecisionSchema),
    by: z.enum(['user', 'policy', 'interrupt', 'abandoned']),
  }),
  /** What the model says about a call that waits for a decision. */
  approval_explained: z.object({ tool_call_id: z.string(), text: z.string() }),
  /** Messages that wait for the end of the turn, oldest first. */
  queue_update: z.object({ queue: z.array(z.object({ id: z.string(), content: z.string() })) }),
  /** Something the user should know that is no failure. The model does not see it. */
  notice: z.object({ code: z.string(), text: z.string(), remedy: z.string().optional() }),
  plan_update: z.object({ plan: z.array(planItemSchema) }),
  turn_complete: z.object({
    history_size: z.number().int(),
    final_response: z.string(),
    reason: z.enum(turnEndReasons),
    /** Model calls made in this turn. */
    iterations: z.number().int(),
    /** Why it ended and what can be done, where the reason alone does not say it. */
    message: z.string().optional(),
    remedy: z.string().optional(),
  }),
  error: z.object({
    error: z.string(),
    /** Stable name: auth, billing, rate_limit, overloaded, network, ... */
    code: z.string(),
    /** What the user can do about it. */
    remedy: z.string().optional(),
  }),
  interrupted: z.object({}),
  compacted: z.object({
    old_tokens: z.number().int(),
    new_tokens: z.number().int(),
    /** What the model reads in the place of everything before `first_kept_seq`; absent in logs that do not say. */
    summary: z.string().optional(),
    /** Items with this number and later ones are sent as they are. */
    first_kept_seq: z.number().int().optional(),
    reason: z.enum(['budget', 'manual', 'overflow']).optional(),
    /** Tokens of the window that the parts were sized for. */
    window: z.number().int().optional(),
    /** Longer results among the kept ones are cut to this many tokens. */
    result_tokens: z.number().int().optional(),
    /** The model could not be asked: the summary is a list of what was done. */
    mechanical: z.boolean().optional(),
  }),
  undo_complete: z.object({
    /** Id of the user message that was taken back, with everything after it. */
    user_message_id: z.string(),
  }),
  shutdown: z.object({}),
  llm_call: z.object({
    model: z.string(),
    latency_ms: z.number(),
    /** Milliseconds to the first token; null when the reply was empty. */
    first_token_ms: z.number().nullable(),
    finish_reason: z.string(),
    /** Null when the price of the model is not known. */
    cost_usd: z.number().nullable(),
    kind: z.enum(callKinds),
    /** The server did not count: the tokens are our own estimate. */
    estimated: z.boolean().optional(),
    /** Estimated tokens of the system prompt and the tools, which go with every call. */
    overhead_tokens: z.number().int().optional(),
    /** The effort it was made with, where that is not the one asked for. */
    effort: effortSchema.nullable().optional(),
    context_window: z.number().int().nullable(),
    request_id: z.string().optional(),
    ...usageFields,
  }),
  job_update: z.looseObject({ job_id: z.string(), backend: z.string(), state: z.string() }),
  metric: z.object({ run: z.string(), step: z.number().nullable(), values: z.record(z.string(), z.number()) }),
  budget_update: z.object({
    spent_usd: z.number(),
    reserved_usd: z.number(),
    /** Of the session; null: none. */
    cap_usd: z.number().nullable(),
    /** All sessions of this local day, when the day has a cap. */
    day: z.object({ spent_usd: z.number(), cap_usd: z.number() }).optional(),
    /** Per cent of the nearer cap that have been reached. */
    warning: z.union([z.literal(50), z.literal(80), z.literal(100)]).optional(),
  }),
  /** What a tool call cost beside the model: a job, a sandbox. */
  spend: z.object({
    kind: z.enum(spendKinds),
    /** What was paid for: `a10g-large`, `t4-small`. */
    label: z.string(),
    /** US dollars; null: not known. */
    usd: z.number().nonnegative().nullable(),
    tool_call_id: z.string().optional(),
  }),
  /** The workspace was recorded before the first change of the turn that this message began. */
  checkpoint: z.object({
    user_message_id: z.string(),
    /** What it does not hold, in sentences for the user. */
    left_out: z.array(z.string()),
  }),
  /** The files of the workspace are again as they were before that turn. */
  rewound: z.object({
    user_message_id: z.string(),
    /** For `undo_rewind`; absent: this was one. */
    undo_id: z.string().optional(),
    /** Files that were changed back. */
    files: z.number().int(),
    /** What could not be changed back, in sentences for the user. */
    problems: z.array(z.string()),
  }),
  session_update: z.object({
    /** Only in the first event of a log. */
    created: z.object({ log_version: z.literal(1), app_version: z.string() }).optional(),
    title: z.string().optional(),
    /** Who made the title; absent: the user. */
    title_by: z.enum(['user', 'model']).optional(),
    cwd: z.string().optional(),
    model: z.string().optional(),
    mode: approvalModeSchema.optional(),
    effort: effortSchema.nullable().optional(),
    /** US dollars; null: this session has no cap, whatever the settings say. */
    max_cost_usd: z.number().nonnegative().nullable().optional(),
    /** The rules of this session, all of them. */
    rules: rulesSchema.optional(),
    /** Of older versions: tools that run without asking for the rest of this session. */
    allowed_tools: z.array(z.string()).optional(),
  }),
  resumed: z.object({
    /** Bytes of a torn last line that were cut off. */
    torn_bytes: z.number().int(),
    /** Tool calls that had no result, now answered with a stub. */
    repaired_calls: z.number().int(),
    /** Calls that still wait for the user's decision. */
    waiting_calls: z.number().int().optional(),
  }),
  forked: z.object({
    from_session: z.string(),
    from_seq: z.number().int(),
    /** Where the conversation came from, when that was not ML Intern itself. */
    imported_from: z.string().optional(),
  }),
  guard: z.object({ kind: z.string(), content: z.string() }),
} as const

export type EventType = keyof typeof eventSchemas
export type EventData<T extends EventType> = z.infer<(typeof eventSchemas)[T]>

export interface Envelope<T extends string, D> {
  /** 1, 2, 3 ... within a session; the stored log may have gaps where transient events were merged. */
  seq: number
  /** ISO 8601, UTC. */
  time: string
  session: string
  type: T
  data: D
}
export type SessionEvent = { [T in EventType]: Envelope<T, EventData<T>> }[EventType]
/** An event that this version does not know, or whose payload it cannot read: kept, and ignored by the fold. */
export type UnknownEvent = Envelope<string, unknown> & { unknown: true }
export type AnyEvent = SessionEvent | UnknownEvent

/** Streamed one by one, stored merged (see main/session/log). */
export const TRANSIENT_EVENTS: ReadonlySet<string> = new Set(['assistant_chunk', 'reasoning_chunk', 'tool_log'])

const envelopeSchema = z.object({
  // Far above any real session, and far below where adding one would no longer change a number.
  seq: z.number().int().positive().max(1e15),
  time: z.string(),
  session: z.string(),
  type: z.string(),
  data: z.unknown(),
})

export function isKnownType(type: string): type is EventType {
  return Object.hasOwn(eventSchemas, type)
}

export function isUnknownEvent(event: AnyEvent): event is UnknownEvent {
  return 'unknown' in event
}

/**
 * Reads one event that came from outside this process (a log line, the bridge).
 * Returns null when it is not an event at all; a newer or unreadable payload becomes an UnknownEvent.
 */
export function parseEvent(value: unknown): AnyEvent | null {
  const envelope = envelopeSchema.safeParse(value)
  if (!envelope.success) return null
  const { type, data } = envelope.data
  if (isKnownType(type)) {
    const payload = eventSchemas[type].safeParse(data)
    if (payload.success) return { ...envelope.data, data: payload.data } as SessionEvent
  }
  return { ...envelope.data, unknown: true }
}

/** The line of the log and of `stream-json`, without the newline. */
export function serializeEvent(event: AnyEvent): string {
  const { seq, time, session, type, data } = event
  return JSON.stringify({ seq, time, session, type, data })
}
