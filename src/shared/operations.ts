import { z } from 'zod'
import { approvalModeSchema } from './settings'

/** Longest user message, in characters: larger input belongs in a file that the agent reads. */
export const MAX_INPUT_CHARS = 200_000

export const approvalDecisionSchema = z.object({
  tool_call_id: z.string(),
  approved: z.boolean(),
  /** Read by the model when denied. */
  feedback: z.string().max(10_000).optional(),
  /** `session`: this tool runs without asking until the session ends. */
  scope: z.enum(['once', 'session']).optional(),
  edited_script: z.string().optional(),
  namespace: z.string().optional(),
})
export type ApprovalDecision = z.infer<typeof approvalDecisionSchema>

const text = z.string().min(1).max(MAX_INPUT_CHARS)

export const operationSchema = z.discriminatedUnion('op', [
  z.object({ op: z.literal('user_input'), text }),
  /** A message while a turn runs: the model reads it before its next call. */
  z.object({ op: z.literal('steer'), text }),
  z.object({ op: z.literal('exec_approval'), approvals: z.array(approvalDecisionSchema).min(1) }),
  z.object({ op: z.literal('interrupt') }),
  z.object({ op: z.literal('compact') }),
  z.object({ op: z.literal('undo') }),
  z.object({ op: z.literal('fork'), at_seq: z.number().int().positive().optional() }),
  z.object({ op: z.literal('new') }),
  z.object({ op: z.literal('resume'), session: z.string() }),
  z.object({ op: z.literal('set_model'), model: z.string().min(1) }),
  z.object({ op: z.literal('set_mode'), mode: approvalModeSchema }),
  /** US dollars for this session's model calls, what is spent included; null: no cap. */
  z.object({ op: z.literal('set_budget'), max_cost_usd: z.number().nonnegative().nullable() }),
  z.object({ op: z.literal('shutdown') }),
])
export type Operation = z.infer<typeof operationSchema>

/** An operation is acknowledged when its event is durable. */
export interface OperationReceipt {
  /** Number of the event that recorded the operation; null when nothing had to be recorded. */
  seq: number | null
}
