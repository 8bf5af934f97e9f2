import type { ApprovalRisk, ApprovalScope, Rule } from '@shared/approvals'
import type { ApprovalMode } from '@shared/settings'
import type { Subject } from '../../tools/types'
import { riskReason } from '../../workspace/shell'
import { couldHit, covers, describeRule, globMatches, hits } from './rules'
import { suggestRules } from './suggest'

export { ApprovalGate } from './gate'

export interface CallFacts {
  tool: string
  effect: 'read' | 'write' | 'execute'
  /** Never empty. */
  subjects: readonly Subject[]
  risk?: ApprovalRisk
  /** The sandbox of the operating system bounds what it can do. */
  sandboxed?: boolean
  reason?: string
  /** Why its cost keeps it from running without a question: it is not known, or more than what is left. */
  cost_problem?: string
}

export interface Policy {
  mode: ApprovalMode
  /** Of the session and the turn; with `lasting` absent, of everything. */
  rules: readonly Rule[]
  /** Those that outlive the session: of the settings and the project. They allow nothing that carries a risk. */
  lasting?: readonly Rule[]
}

export type Verdict =
  | { kind: 'allow' }
  | { kind: 'ask'; reason: string; max_scope: ApprovalScope; suggested_rules: Rule[] }
  /** Refused without asking; the model reads `reason`. `by_rule`: not by the mode. */
  | { kind: 'deny'; reason: string; by_rule: boolean }

const PLAN_MODE = 'Plan mode is read-only: describe what you would do. The user can switch the mode to let you do it.'
/** Never without a question, whatever the mode. */
const ALWAYS_ASKED: ReadonlySet<ApprovalRisk> = new Set(['hub_deletion', 'schedule', 'rights'])

/**
 * Whether a call may run: deny rules, ask rules, allow rules, and where none speaks the mode of the session. A rule that
 * denies or asks means a call when it means any part of it; rules that allow have to cover every part.
 */
export function decide(call: CallFacts, { mode, rules, lasting = [] }: Policy): Verdict {
  const mine = (all: readonly Rule[]): Rule[] => all.filter((rule) => globMatches(rule.tool, call.tool))
  const own = mine(rules)
  const all = [...own, ...mine(lasting)]
  const guards = all.filter(({ effect }) => effect !== 'allow')
  const find = (effect: Rule['effect'], means: (rule: Rule, subject: Subject) => boolean): Rule | undefined =>
    guards.find((rule) => rule.effect === effect && call.subjects.some((subject) => means(rule, subject)))

  const denied = find('deny', hits)
  if (denied)
    return { kind: 'deny', reason: `A rule of the user forbids this: ${describeRule(denied)}.`, by_rule: true }
  if (mode === 'plan' && call.effect !== 'read') return { kind: 'deny', reason: PLAN_MODE, by_rule: false }

  const asked = find('ask', hits)
  if (asked) return ask(call, `A rule asks: ${describeRule(asked)}`)
  const guarded = find('deny', couldHit) ?? find('ask', couldHit)
  if (guarded) {
    return ask(call, `What runs is not known before, and there is a rule about ${describeRule(guarded)}`)
  }
  if (call.cost_problem) return ask(call, call.cost_problem)
  // No rule that was made for other files lets a call change the rules.
  if (call.risk === 'rights') return ask(call)

  if (allowed(call, call.risk ? own : all) || runsInMode(call, mode)) return { kind: 'allow' }
  return ask(call)
}

/** Whether allow rules cover every part that matters, and at least one part. */
function allowed({ subjects }: CallFacts, rules: readonly Rule[]): boolean {
  const allow = rules.filter(({ effect }) => effect === 'allow')
  const covered = subjects.map((subject) => allow.some((rule) => covers(rule, subject)))
  return covered.includes(true) && subjects.every(({ harmless }, at) => harmless || covered[at])
}

function runsInMode({ effect, risk, reason, sandboxed }: CallFacts, mode: ApprovalMode): boolean {
  if (sandboxed && mode === 'ask' && risk === undefined) return true
  // A look outside of the session's folders: in the modes that run commands it would be asked for nothing.
  if (effect === 'read' && reason && (mode === 'ask' || mode === 'plan')) return false
  if (mode === 'full') return risk === undefined || !ALWAYS_ASKED.has(risk)
  return risk === undefined && (effect === 'read' || mode === 'auto')
}

function ask(call: CallFacts, reason?: string): Verdict {
  const suggested_rules = call.risk === 'rights' ? [] : suggestRules(call)
  const lasting: ApprovalScope = call.risk ? 'session' : 'always'
  return {
    kind: 'ask',
    reason: reason ?? reasonOf(call),
    max_scope: suggested_rules.length === 0 ? 'once' : lasting,
    suggested_rules,
  }
}

function reasonOf({ reason, risk, effect }: CallFacts): string {
  if (reason) return reason
  if (risk) return riskReason(risk)
  // That a file is changed is what is asked; a command deserves a word more.
  return effect === 'execute' ? 'Runs a command outside a sandbox' : ''
}
