import type { ToolUseBlock } from '@shared/content'
import type { ApprovalRequest } from '@shared/events'
import type { Tool, ToolResult } from '../tools/types'
import { resolveTarget } from '../workspace/files'
import { decide } from './approvals'
import type { GateDecision } from './approvals/gate'
import type { TurnContext } from './types'

export interface ReadyCall {
  block: ToolUseBlock
  tool: Tool
  input: unknown
  intent: string
  /** What the user changed about it, for the model; empty: nothing. */
  note: string
  /** The user has said that it may run. */
  decided?: boolean
}
export type Prepared = { kind: 'ready'; call: ReadyCall } | { kind: 'refused'; block: ToolUseBlock; result: ToolResult }

export interface Judged {
  call: Prepared
  /** Set when the user has to be asked. */
  request: ApprovalRequest | null
}

export function blockOf(p: Prepared): ToolUseBlock {
  return p.kind === 'ready' ? p.call.block : p.block
}

export function failed(output: string): ToolResult {
  return { ok: false, output }
}

/** Finds the tool of a call and checks its arguments. */
export function prepare(turn: TurnContext, block: ToolUseBlock): Prepared {
  const refuse = (message: string): Prepared => ({ kind: 'refused', block, result: failed(message) })
  const tool = turn.tools.find((t) => t.name === block.name)
  if (!tool) {
    const names = turn.tools.map((t) => t.name).join(', ')
    return refuse(`There is no tool named "${block.name}". Available: ${names}.`)
  }
  if (block.malformed !== undefined) {
    return refuse(
      `The arguments of this call were not a JSON object, so it was not run. Send valid JSON; for long text use ` +
        `smaller pieces. Received: ${block.malformed.slice(0, 400)}`,
    )
  }
  const parsed = tool.schema.safeParse(block.input)
  if (!parsed.success)
    return refuse(`The arguments do not fit the tool's schema, so it was not run:\n${problems(parsed)}`)
  return { kind: 'ready', call: { block, tool, input: parsed.data, intent: tool.intent(parsed.data), note: '' } }
}

function problems({ error }: { error: { issues: { path: PropertyKey[]; message: string }[] } }): string {
  return error.issues.map((issue) => `- ${issue.path.join('.') || '(arguments)'}: ${issue.message}`).join('\n')
}

/** Whether each of the calls may run, must be asked for, or is refused by a rule or the mode. */
export async function judgeAll(turn: TurnContext, prepared: readonly Prepared[]): Promise<Judged[]> {
  const real = await realPaths(turn, prepared)
  return prepared.map((p) => judge(turn, p, real))
}

function judge(turn: TurnContext, p: Prepared, real: ReadonlyMap<string, string>): Judged {
  if (p.kind === 'refused') return { call: p, request: null }
  if (p.call.decided) return { call: permitted(turn, p.call, real), request: null }
  const { block, tool, input, intent } = p.call
  const facts = factsOf(turn, p.call, real)
  const verdict = verdictOf(turn, facts)
  // It waited for the user when the program ended: whatever holds now, the question stands.
  const waits = waiting(turn, block.id)
  if (waits) return { call: p, request: waits }
  if (verdict.kind === 'deny') {
    return { call: { kind: 'refused', block, result: failed(verdict.reason) }, request: null }
  }
  if (verdict.kind === 'allow') return { call: p, request: null }
  const shown = facts.subjects.filter(({ text }) => text !== '').map(({ operation, text }) => ({ operation, text }))
  const request: ApprovalRequest = {
    tool: tool.name,
    arguments: block.input,
    tool_call_id: block.id,
    intent,
    max_scope: verdict.max_scope,
    suggested_rules: verdict.suggested_rules,
    ...(verdict.reason === '' ? {} : { block_reason: verdict.reason }),
    ...(shown.length > 1 ? { subjects: shown } : {}),
    ...(facts.risk ? { risk: facts.risk } : {}),
    ...costs(turn, tool, input),
  }
  return { call: p, request }
}

/** Where the files that calls open really lie: a link in a folder that came from elsewhere can lead anywhere. */
async function realPaths(turn: TurnContext, prepared: readonly Prepared[]): Promise<Map<string, string>> {
  const { cwd } = turn.state()
  const real = new Map<string, string>()
  const paths = prepared.flatMap((p) => (p.kind === 'ready' ? (p.call.tool.paths?.(p.call.input, { cwd }) ?? []) : []))
  if (paths.length === 0) return real
  await Promise.all(
    [...new Set([cwd, ...paths])].map(async (path) => {
      // What cannot be looked up cannot be opened either: the tool says why.
      const target = await resolveTarget(path).catch(() => path)
      real.set(path, target)
    }),
  )
  return real
}

function factsOf(turn: TurnContext, { tool, input }: ReadyCall, real: ReadonlyMap<string, string>) {
  const { cwd } = turn.state()
  const effect = tool.effect(input)
  const context = { cwd, real, own: turn.own_files ?? [], granted: [turn.outputs_dir] }
  const { subjects, ...rest } = tool.approval?.(input, context) ?? { subjects: [{ operation: effect, text: '' }] }
  const facts = { tool: tool.name, effect, subjects, ...rest }
  // Under a cap it is not run at all (spending.ts); without one the user should say whether it may cost anything.
  const unknown = tool.cost?.(input) === null && turn.state().budget === null
  return unknown ? { ...facts, cost_problem: 'What it costs is not known' } : facts
}

function verdictOf(turn: TurnContext, facts: ReturnType<typeof factsOf>) {
  const { mode, rules, turn_rules } = turn.state()
  const { lasting, given } = turn.rules()
  return decide(facts, { mode, rules: [...turn_rules, ...rules, ...given], lasting })
}

/** What a call costs beside the model, and what of the cap is left. */
function costs(turn: TurnContext, tool: Tool, input: unknown): Partial<ApprovalRequest> {
  const usd = tool.cost?.(input)
  if (usd === undefined) return {}
  const { budget } = turn.state()
  const left = budget && budget.cap_usd !== null ? Math.max(0, budget.cap_usd - budget.spent_usd) : null
  return { estimated_cost_usd: usd, remaining_cap_usd: left }
}

function waiting(turn: TurnContext, id: string): ApprovalRequest | null {
  const { items, pending_approvals } = turn.state()
  const pending = pending_approvals.find((request) => request.tool_call_id === id)
  if (pending) return pending
  const item = items.findLast((one) => one.kind === 'tool' && one.call_id === id)
  if (item?.kind !== 'tool' || item.state !== 'waiting_approval' || item.has_output) return null
  return { tool: item.tool, arguments: item.arguments, tool_call_id: id, intent: item.intent }
}

/**
 * A call after the user's decision: as it was, changed, or with the result that says why it was not run. Rules are looked at
 * when it is about to run.
 */
export function settled(turn: TurnContext, call: ReadyCall, decision: GateDecision): Prepared {
  const { block } = call
  if (!decision.approved) return { kind: 'refused', block, result: failed(denial(decision)) }
  const input = editedInput(block.input, decision)
  const decided = { kind: 'ready' as const, call: { ...call, decided: true } }
  if (input === null) return decided
  const edited = prepare(turn, { ...block, input, malformed: undefined })
  if (edited.kind === 'refused') return edited
  const changed = Object.keys({ ...block.input, ...input }).filter(
    (key) => JSON.stringify(block.input[key]) !== JSON.stringify(input[key]),
  )
  if (changed.length === 0) return decided
  const note =
    `[The user changed ${changed.join(', ')} before approving. What ran: ` +
    `${clip(JSON.stringify(Object.fromEntries(changed.map((key) => [key, input[key] ?? null]))))}]\n`
  return { kind: 'ready', call: { ...edited.call, note, decided: true } }
}

/** A rule may have been added while the call waited, and what the user wrote has to respect the user's own rules too. */
function permitted(turn: TurnContext, call: ReadyCall, real: ReadonlyMap<string, string>): Prepared {
  const verdict = verdictOf(turn, factsOf(turn, call, real))
  // The mode was plan when it was asked, or became it: the user has just said that this call may run.
  if (verdict.kind !== 'deny' || !verdict.by_rule) return { kind: 'ready', call }
  return { kind: 'refused', block: call.block, result: failed(verdict.reason) }
}

const MAX_NOTE_CHARS = 4_000

function clip(text: string): string {
  return text.length > MAX_NOTE_CHARS ? `${text.slice(0, MAX_NOTE_CHARS)}… (${text.length} characters)` : text
}

/** Null: as the model wrote them. */
export function editedInput(input: Record<string, unknown>, decision: GateDecision): Record<string, unknown> | null {
  const { arguments: given, edited_script: script, namespace } = decision
  if (!given && script === undefined && namespace === undefined) return null
  return {
    ...(given ?? input),
    ...(script === undefined ? {} : { script }),
    ...(namespace === undefined ? {} : { namespace }),
  }
}

function denial({ feedback, abandoned }: GateDecision): string {
  if (abandoned) return 'Not run: the user went on without deciding; read their message.'
  const words = feedback?.trim()
  return words
    ? `The user denied this call and says: ${words}`
    : 'The user denied this call. Do not repeat it; ask or take another way.'
}
