import { z } from 'zod'

/**
 * Who may do what without being asked. Precedence is deny > ask > allow, whatever the order and the source; where no
 * rule speaks, the mode of the session decides.
 */
export const ruleSchema = z
  .object({
    effect: z.enum(['deny', 'ask', 'allow']),
    /** Name of a tool; `*` stands for any characters. */
    tool: z.string().trim().min(1).max(200),
    /** What the call does: `run`, `redirect`, `write`, `edit`, `upload` ...; `*` as above; absent: anything. */
    operation: z.string().trim().min(1).max(200).optional(),
    /**
     * What it does it to: a simple command, a path, a repository. `*` stands for any characters, and `git push *` also
     * means `git push` alone. Absent: anything.
     */
    pattern: z.string().min(1).max(4000).optional(),
  })
  .strict()
export type Rule = z.infer<typeof ruleSchema>
export const MAX_RULES = 1_000
export const rulesSchema = z.array(ruleSchema).max(MAX_RULES)

/** How long an answer holds, shortest first. `project` and `always` are written into the settings. */
export const approvalScopes = ['once', 'turn', 'session', 'project', 'always'] as const
export const approvalScopeSchema = z.enum(approvalScopes)
export type ApprovalScope = z.infer<typeof approvalScopeSchema>

/** What is never allowed for longer than a session; `rights`, a change of what ML Intern itself may do, not even for that. */
export const approvalRisks = ['money', 'secrets', 'hub_deletion', 'schedule', 'rights'] as const
export const approvalRiskSchema = z.enum(approvalRisks)
export type ApprovalRisk = z.infer<typeof approvalRiskSchema>

/** One thing that a call would do; a shell line does several. */
export const approvalSubjectSchema = z.object({
  operation: z.string(),
  /** As rules see it: `git push origin main`, `src/train.py`. */
  text: z.string(),
})
export type ApprovalSubject = z.infer<typeof approvalSubjectSchema>

export const approvalRequestSchema = z.object({
  tool: z.string(),
  arguments: z.record(z.string(), z.unknown()),
  tool_call_id: z.string(),
  /** One line: what will happen if it is approved. */
  intent: z.string().optional(),
  /** Why it is asked. */
  block_reason: z.string().optional(),
  auto_approval_blocked: z.boolean().optional(),
  estimated_cost_usd: z.number().nullable().optional(),
  remaining_cap_usd: z.number().nullable().optional(),
  /** What it does, part by part; absent where the arguments say it all. */
  subjects: z.array(approvalSubjectSchema).optional(),
  risk: approvalRiskSchema.optional(),
  /** The longest scope that may be chosen; absent in logs of older versions: `session`. */
  max_scope: approvalScopeSchema.optional(),
  /** What is allowed from then on when a scope beyond `once` is chosen; the user may narrow it. */
  suggested_rules: z.array(ruleSchema).optional(),
})
export type ApprovalRequest = z.infer<typeof approvalRequestSchema>

/** Longest text that the user may put in the place of an argument, in characters. */
const MAX_ARGUMENT_CHARS = 2_000_000

export const approvalDecisionSchema = z.object({
  tool_call_id: z.string(),
  approved: z.boolean(),
  /** Read by the model when denied. */
  feedback: z.string().max(10_000).optional(),
  /** How long the approval holds; absent: `once`. */
  scope: approvalScopeSchema.optional(),
  /** The rules that a longer scope keeps; absent: those that were suggested. */
  rules: z.array(ruleSchema).max(20).optional(),
  /** In the place of the call's arguments: checked like those, and told to the model. */
  arguments: z
    .record(z.string(), z.unknown())
    .refine((value) => JSON.stringify(value).length <= MAX_ARGUMENT_CHARS, 'the arguments are too long')
    .optional(),
  /** Takes the place of the argument `script`. */
  edited_script: z.string().max(MAX_ARGUMENT_CHARS).optional(),
  namespace: z.string().optional(),
})
export type ApprovalDecision = z.infer<typeof approvalDecisionSchema>

/** A decision as it is recorded. */
export const recordedDecisionSchema = z.object({
  tool_call_id: z.string(),
  approved: z.boolean(),
  feedback: z.string().optional(),
  scope: approvalScopeSchema.optional(),
  rules: z.array(ruleSchema).optional(),
  arguments: z.record(z.string(), z.unknown()).optional(),
})
export type RecordedDecision = z.infer<typeof recordedDecisionSchema>

export function scopeAllows(max: ApprovalScope, wanted: ApprovalScope): boolean {
  return approvalScopes.indexOf(wanted) <= approvalScopes.indexOf(max)
}

export function sameRule(a: Rule, b: Rule): boolean {
  return a.effect === b.effect && a.tool === b.tool && a.operation === b.operation && a.pattern === b.pattern
}

/** `rules` and those of `more` that are not in it yet. Beyond MAX_RULES the oldest that allow go first. */
export function withRules(rules: readonly Rule[], more: readonly Rule[]): Rule[] {
  const fresh = more.filter((rule, at) => ![...rules, ...more.slice(0, at)].some((known) => sameRule(known, rule)))
  const all = [...rules, ...fresh]
  let excess = Math.max(0, all.length - MAX_RULES)
  return all.filter(({ effect }) => effect !== 'allow' || excess-- <= 0).slice(0, MAX_RULES)
}
