import { z } from 'zod'
import { approvalDecisionSchema, rulesSchema } from './approvals'
import { approvalModeSchema, effortSchema } from './settings'

/** Longest user message, in characters: larger input belongs in a file that the agent reads. */
export const MAX_INPUT_CHARS = 200_000

export type { ApprovalDecision } from './approvals'

const text = z.string().min(1).max(MAX_INPUT_CHARS)

export const operationSchema = z.discriminatedUnion('op', [
  z.object({ op: z.literal('user_input'), text }),
  /** A message while a turn runs: the model reads it before its next call. */
  z.object({ op: z.literal('steer'), text }),
  /** A message for the time after the running turn; without one it is sent at once. */
  z.object({ op: z.literal('enqueue'), text }),
  /** Takes a waiting message back. */
  z.object({ op: z.literal('dequeue'), id: z.string() }),
  /** Sends a waiting message now, as `user_input` would. */
  z.object({ op: z.literal('send_queued'), id: z.string() }),
  z.object({ op: z.literal('exec_approval'), approvals: z.array(approvalDecisionSchema).min(1) }),
  /** Asks the model what a waiting call does and why; the call goes on waiting. */
  z.object({ op: z.literal('explain'), tool_call_id: z.string() }),
  z.object({ op: z.literal('interrupt') }),
  z.object({ op: z.literal('compact') }),
  /** Takes a message of the user back, with everything after it; absent: the last one. */
  z.object({ op: z.literal('undo'), user_message_id: z.string().optional() }),
  /** `undo` to that message, and this text in its place. */
  z.object({ op: z.literal('edit'), user_message_id: z.string(), text }),
  /** Takes back what followed a message of the user, and asks again; absent: the last one. */
  z.object({ op: z.literal('regenerate'), user_message_id: z.string().optional() }),
  /** The files as they were before the turn of that message; `both`: the conversation too. */
  z.object({ op: z.literal('rewind'), user_message_id: z.string(), target: z.enum(['files', 'both']) }),
  /** Takes a rewind of the files back. */
  z.object({ op: z.literal('undo_rewind'), undo_id: z.string() }),
  /** A new session that begins with everything up to and including that event; absent: all. */
  z.object({ op: z.literal('fork'), at_seq: z.number().int().positive().optional() }),
  z.object({ op: z.literal('new') }),
  z.object({ op: z.literal('resume'), session: z.string() }),
  z.object({ op: z.literal('set_model'), model: z.string().min(1) }),
  z.object({ op: z.literal('set_mode'), mode: approvalModeSchema }),
  z.object({ op: z.literal('set_effort'), effort: effortSchema.nullable() }),
  /** All rules of this session; those of the settings are not touched. */
  z.object({ op: z.literal('set_rules'), rules: rulesSchema }),
  /** US dollars for this session's model calls, what is spent included; null: no cap. */
  z.object({ op: z.literal('set_budget'), max_cost_usd: z.number().nonnegative().nullable() }),
  z.object({ op: z.literal('shutdown') }),
])
export type Operation = z.infer<typeof operationSchema>

/** An operation is acknowledged when its event is durable. */
export interface OperationReceipt {
  /** Number of the event that recorded the operation; null when nothing had to be recorded. */
  seq: number | null
  /** The session that `fork` made. */
  session?: string
}
