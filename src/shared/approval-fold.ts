import { type Rule, withRules } from './approvals'
import type { EventData } from './events'
import { replaceItem } from './items'
import type { SessionState, TranscriptItem } from './state'

/** The fold of `approval_resolved`: what waits no longer, what is allowed from now on, and what the user changed. */
export function foldDecisions(s: SessionState, { decisions }: EventData<'approval_resolved'>): SessionState {
  const decided = new Map(decisions.map((decision) => [decision.tool_call_id, decision]))
  const pending = s.pending_approvals.filter((request) => !decided.has(request.tool_call_id))
  const kept = (scope: 'turn' | 'session'): Rule[] =>
    decisions.flatMap((decision) => (decision.approved && decision.scope === scope ? (decision.rules ?? []) : []))
  const turn = kept('turn')
  const session = kept('session')
  return {
    ...s,
    items: withEdits(s.items, decided),
    pending_approvals: pending,
    explanations: Object.fromEntries(Object.entries(s.explanations).filter(([id]) => !decided.has(id))),
    turn_rules: turn.length > 0 ? withRules(s.turn_rules, turn) : s.turn_rules,
    rules: session.length > 0 ? withRules(s.rules, session) : s.rules,
    status: pending.length === 0 && s.status === 'waiting_approval' ? 'running' : s.status,
  }
}

/** A call that the user changed shows what really runs; the reply keeps what the model had asked for. */
function withEdits(
  before: TranscriptItem[],
  decided: Map<string, EventData<'approval_resolved'>['decisions'][number]>,
): TranscriptItem[] {
  let items = before
  for (const [id, decision] of decided) {
    if (!decision.arguments) continue
    const at = items.findLastIndex((item) => item.kind === 'tool' && item.call_id === id)
    const item = items[at]
    if (item?.kind === 'tool') items = replaceItem(items, at, { ...item, arguments: decision.arguments })
  }
  return items
}
