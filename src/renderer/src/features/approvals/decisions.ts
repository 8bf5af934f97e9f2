import type { ApprovalDecision, ApprovalRequest, ApprovalRisk, ApprovalScope, Rule } from '@shared/approvals'
import { scopeAllows } from '@shared/approvals'
import { formatCost } from '../../lib/format'
import { argument, toolName } from '../chat/tool-text'

export type Choice =
  /** `rules`: what a scope beyond `once` keeps. */
  { approved: true; scope: ApprovalScope; rules?: Rule[] } | { approved: false; feedback: string }
export type Choices = Readonly<Record<string, Choice | undefined>>
/** Arguments that the user put in the place of the model's, by call id. */
export type Edits = Readonly<Record<string, Record<string, unknown> | undefined>>

/** The engine takes at most this much of a reason (shared/approvals.ts). */
export const MAX_FEEDBACK = 10_000

/** What goes to the engine: one decision for each request, in their order; null while one is missing. */
export function decisionsOf(
  requests: ApprovalRequest[],
  choices: Choices,
  edits: Edits = {},
): ApprovalDecision[] | null {
  const decisions: ApprovalDecision[] = []
  for (const { tool_call_id } of requests) {
    const choice = choices[tool_call_id]
    if (!choice) return null
    if (choice.approved) {
      const { scope, rules } = choice
      const edited = edits[tool_call_id]
      const kept = scope !== 'once' && rules ? { rules } : {}
      decisions.push({ tool_call_id, approved: true, scope, ...kept, ...(edited ? { arguments: edited } : {}) })
    } else {
      const feedback = choice.feedback.trim().slice(0, MAX_FEEDBACK)
      decisions.push({ tool_call_id, approved: false, ...(feedback ? { feedback } : {}) })
    }
  }
  return decisions
}

/** The choices made so far, and `choice` for all others. */
export function fillChoices(requests: ApprovalRequest[], made: Choices, choice: Choice): Choices {
  return Object.fromEntries(requests.map(({ tool_call_id: id }) => [id, made[id] ?? choice]))
}

/** The question, in the user's terms. */
export function questionOf(request: ApprovalRequest): string {
  switch (request.tool) {
    case 'bash':
      return 'Run this command?'
    case 'write':
      return 'Write this file?'
    case 'edit':
      return 'Change this file?'
    default:
      return `Allow “${toolName(request.tool)}”?`
  }
}

/** What will happen, where the preview does not say the same; empty otherwise. */
export function intentOf(request: ApprovalRequest): string {
  const intent = request.intent?.trim() ?? ''
  switch (request.tool) {
    case 'bash': {
      const command = argument(request, 'command').replace(/\s+/g, ' ').trim()
      const start = intent.replace(/…$/, '').replace(/\s+/g, ' ').trim()
      return command === '' || !command.startsWith(start) ? intent : ''
    }
    case 'write':
      return typeof request.arguments.content === 'string' ? '' : intent
    case 'edit':
      return replacementOf(request) ? '' : intent
    default:
      return intent
  }
}

export interface LongerScope {
  scope: Exclude<ApprovalScope, 'once'>
  /** In the menu. */
  label: string
  /** On the button that confirms it. */
  confirm: string
  /** Above the rules. */
  heading: string
}

const LONGER: readonly LongerScope[] = [
  {
    scope: 'turn',
    label: 'For this turn…',
    confirm: 'Approve for this turn',
    heading: 'Until this turn ends, these run without asking:',
  },
  {
    scope: 'session',
    label: 'For this session…',
    confirm: 'Approve for this session',
    heading: 'In this session, these run without asking:',
  },
  {
    scope: 'project',
    label: 'For this project…',
    confirm: 'Approve for this project',
    heading: 'In every session in this folder, these run without asking:',
  },
  {
    scope: 'always',
    label: 'Always…',
    confirm: 'Always approve',
    heading: 'In every session on this computer, these run without asking:',
  },
]

/** The scopes beyond `once` that may be chosen, shortest first. */
export function longerScopes(request: ApprovalRequest): readonly LongerScope[] {
  if (suggestedRules(request).length === 0) return []
  // Absent in logs of older versions, which knew nothing longer.
  const max = request.max_scope ?? 'session'
  return LONGER.filter(({ scope }) => scopeAllows(max, scope))
}

/** The rules that a longer scope keeps, unless the user changes them. */
export function suggestedRules(request: ApprovalRequest): Rule[] {
  return request.suggested_rules ?? [{ effect: 'allow', tool: request.tool }]
}

/** Why nothing longer is offered; empty where everything is. */
export function scopeLimit(request: ApprovalRequest): string {
  if (!request.risk) return ''
  return longerScopes(request).length > 0 ? 'Never kept beyond this session' : RISKS[request.risk].limit
}

export interface RiskText {
  badge: string
  limit: string
}
const RISKS: Record<ApprovalRisk, RiskText> = {
  money: { badge: 'Spends money', limit: 'Spending is always asked' },
  secrets: { badge: 'Touches secrets', limit: 'Secrets are always asked' },
  hub_deletion: { badge: 'Deletes on the Hub', limit: 'Deletion on the Hub is always asked' },
  schedule: { badge: 'Runs on a schedule', limit: 'Schedules are always asked' },
  rights: { badge: 'Changes ML Intern itself', limit: 'Changes of its own settings and records are always asked' },
}

export function riskOf(request: ApprovalRequest): RiskText | null {
  return request.risk ? RISKS[request.risk] : null
}

export interface Cost {
  /** "$1.50", "Cost not known". */
  amount: string
  known: boolean
  /** "of $8.16 left"; empty without a cap. */
  left: string
  /** More than what is left. */
  over: boolean
}

/** What it costs beside the model; null for what costs nothing by its nature. */
export function costOf({ estimated_cost_usd: cost, remaining_cap_usd: remaining }: ApprovalRequest): Cost | null {
  if (cost === undefined) return null
  const known = cost !== null
  const left = typeof remaining === 'number' ? formatCost(remaining) : ''
  const over = known && typeof remaining === 'number' && cost > remaining
  return {
    amount: known ? formatCost(cost) : 'Cost not known',
    known,
    left: left && (over ? `more than the ${left} left` : known ? `of ${left} left` : `${left} left`),
    over,
  }
}

const CHOSEN: Record<ApprovalScope, string> = {
  once: 'Approved',
  turn: 'Approved for this turn',
  session: 'Approved for this session',
  project: 'Approved for this project',
  always: 'Approved for always',
}

export function choiceLabel(choice: Choice): string {
  return choice.approved ? CHOSEN[choice.scope] : 'Denied'
}

export interface Replacement {
  before: string
  after: string
  everywhere: boolean
  mode: string
}

/** The arguments of an edit; null when they are not those of an edit. */
export function replacementOf(request: Pick<ApprovalRequest, 'tool' | 'arguments'>): Replacement | null {
  const before = argument(request, 'old_str')
  const after = argument(request, 'new_str')
  if (request.tool !== 'edit' || (!before && !after)) return null
  const mode = argument(request, 'mode') || 'replace'
  const everywhere = request.arguments.replace_all === true || mode === 'replace_all'
  if (mode === 'append_after') return { before, after: before + after, everywhere, mode }
  if (mode === 'prepend_before') return { before, after: after + before, everywhere, mode }
  return { before, after, everywhere, mode: 'replace' }
}
