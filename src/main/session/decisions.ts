import { type ApprovalDecision, type RecordedDecision, type Rule, scopeAllows } from '@shared/approvals'
import type { ApprovalRequest } from '@shared/events'
import type { OperationReceipt } from '@shared/operations'
import { editedInput } from '../agent/judge'
import { UserError } from '../errors'
import type { SessionCore } from './core'

/** The user's answer to calls that wait, whether their turn runs in this process or waits since an earlier one. */
export async function decide(core: SessionCore, approvals: readonly ApprovalDecision[]): Promise<OperationReceipt> {
  const { pending_approvals: pending, cwd } = core.state
  if (new Set(approvals.map(({ tool_call_id }) => tool_call_id)).size < approvals.length) {
    throw new UserError('invalid_operation', 'There are two decisions about one call.', 'Send one for each call.')
  }
  const decisions = approvals.flatMap((decision) => {
    const request = pending.find(({ tool_call_id }) => tool_call_id === decision.tool_call_id)
    return request ? [{ decision, request, recorded: recordedDecision(decision, request) }] : []
  })
  if (decisions.length === 0) {
    throw new UserError('invalid_operation', 'No call waits for this decision any more.')
  }
  for (const { recorded } of decisions) {
    const { scope, rules = [] } = recorded
    if (scope === 'project' || scope === 'always') await core.deps.keepRules(scope, cwd, rules)
  }
  core.requireOpen()
  // The settings were being written: another window may have decided meanwhile.
  const still = new Set(core.state.pending_approvals.map(({ tool_call_id }) => tool_call_id))
  const open = decisions.filter(({ request }) => still.has(request.tool_call_id))
  if (open.length === 0) throw new UserError('invalid_operation', 'No call waits for this decision any more.')
  const { running } = core
  const answers = open.map(({ decision }) => decision)
  const seq = core.emit('approval_resolved', { decisions: open.map(({ recorded }) => recorded), by: 'user' })
  // At once, so that nothing else begins a turn or changes the history in between: it waits for the disk by itself.
  if (!running) core.startTurn({ resumed: true, decided: answers })
  const receipt = await core.recorded(seq)
  // The decision is on disk before anything it allows runs. A turn that was stopped meanwhile waits for nothing.
  if (running) for (const answer of answers) running.gate.resolve(answer)
  return receipt
}

function recordedDecision(decision: ApprovalDecision, request: ApprovalRequest): RecordedDecision {
  const { tool_call_id, approved, feedback } = decision
  if (!approved) return { tool_call_id, approved, ...(feedback === undefined ? {} : { feedback }) }
  const edited = editedInput(request.arguments, decision)
  return {
    tool_call_id,
    approved,
    ...(feedback === undefined ? {} : { feedback }),
    ...kept(decision, request),
    ...(edited ? { arguments: edited } : {}),
  }
}

/** How long the approval holds, and what it allows from then on. Throws UserError when that is more than may be allowed. */
function kept(decision: ApprovalDecision, request: ApprovalRequest): Pick<RecordedDecision, 'scope' | 'rules'> {
  const scope = decision.scope ?? 'once'
  if (scope === 'once') return { scope }
  const max = request.max_scope ?? 'session'
  if (!scopeAllows(max, scope)) {
    const most = max === 'once' ? 'each time anew' : `for this ${max} at most`
    throw new UserError('invalid_operation', `This can be allowed ${most}.`, 'Choose a shorter time.')
  }
  const rules: Rule[] = decision.rules ?? request.suggested_rules ?? [{ effect: 'allow', tool: request.tool }]
  const strange = rules.find((rule) => rule.effect !== 'allow' || rule.tool !== request.tool)
  if (strange || rules.length === 0) {
    throw new UserError('invalid_operation', `An approval can only allow calls of “${request.tool}”.`)
  }
  return { scope, rules }
}

/** Calls that wait since an earlier run of the program get the result that they were not run. */
export function dropWaiting(core: SessionCore, by: 'interrupt' | 'abandoned'): void {
  const pending = core.state.pending_approvals
  if (pending.length === 0) return
  const decisions = pending.map(({ tool_call_id }) => ({ tool_call_id, approved: false }))
  core.emit('approval_resolved', { decisions, by })
  const output =
    by === 'abandoned'
      ? 'Not run: the user went on without deciding; read their message.'
      : 'Not run: the user stopped the turn.'
  for (const { tool, tool_call_id } of pending) {
    core.emit('tool_state_change', { tool, tool_call_id, state: by === 'abandoned' ? 'abandoned' : 'cancelled' })
    core.emit('tool_output', { tool, tool_call_id, output, success: false, duration_ms: 0 })
  }
}

/** A message instead of a decision: the waiting calls are refused and the model reads the message. */
export function abandonWaiting(core: SessionCore): void {
  const { running } = core
  if (!running) {
    dropWaiting(core, 'abandoned')
    return
  }
  const ids = core.state.pending_approvals.map(({ tool_call_id }) => tool_call_id)
  if (ids.length === 0) return
  const decisions = ids.map((tool_call_id) => ({ tool_call_id, approved: false }))
  core.emit('approval_resolved', { decisions, by: 'abandoned' })
  for (const tool_call_id of ids) running.gate.resolve({ tool_call_id, approved: false, abandoned: true })
}
