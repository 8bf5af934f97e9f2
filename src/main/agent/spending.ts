import type { BudgetState } from '@shared/budget'
import { type Budget, overByAttempts, type Refusal, type Reservation } from '../budget'
import { crossedThreshold } from '../budget/thresholds'
import { UserError } from '../errors'
import { costOf } from '../models/catalogue'
import type { ModelClient } from '../models/types'
import type { Tool, ToolSpend } from '../tools/types'
import type { TurnContext } from './types'

/** A reply with a call or two; what it really costs is settled after the call. */
const EXPECTED_OUTPUT_TOKENS = 2_000
/** Of the cap: a smaller reservation is not worth an event. */
const NOTICEABLE_SHARE = 0.01

/** Ends the turn with reason `budget`. */
export class BudgetStop extends Error {
  readonly remedy: string
  constructor(
    refusal: Refusal,
    /** False: stopped before the call was made. */
    readonly called: boolean,
  ) {
    super(refusal.message)
    this.remedy = refusal.remedy
  }
}

export interface CallSize {
  /** Tokens of the request, estimated; asked for only when something has to be held. */
  prompt_tokens: () => number
  max_tokens?: number
}

/** The money of one model call, from before it to after it. */
export interface CallMoney {
  /** After the `llm_call` event of each attempt. US dollars, null: unknown. */
  spend: (kind: string, usd: number | null) => void
  /** Before another attempt. Throws BudgetStop. */
  again: () => void
  end: () => Promise<void>
}

/** Holds what the call is expected to cost. Throws BudgetStop when a cap forbids it. */
export async function holdMoney(turn: TurnContext, client: ModelClient, size: CallSize): Promise<CallMoney> {
  const { budget } = turn
  if (!budget) return { spend: () => undefined, again: () => undefined, end: () => Promise.resolve() }
  const held = await budget.reserve(turn.state(), client.id, () => estimateCost(client, size))
  if (held.kind === 'refused') {
    if (held.budget) report(turn, held.budget)
    throw new BudgetStop(held, false)
  }
  if (held.usd > 0) show(turn, held, held.usd)
  const before = turn.state().usage.cost_usd
  return {
    spend: (kind, usd) => held.spend(client.id, kind, usd),
    again: () => {
      if (!held.fitsAgain()) throw new BudgetStop(overByAttempts(held.cap), true)
    },
    end: async () => {
      await held.end(turn.state().id)
      show(turn, held, 0)
      if (!held.capped) remind(turn, before)
    },
  }
}

/**
 * Holds what a tool call will cost beside the model. Null: it costs nothing. `stop`: why a cap forbids it, for the model
 * and the user.
 */
export async function holdToolMoney(turn: TurnContext, tool: Tool, input: unknown): Promise<ToolMoney | null> {
  const told = tool.cost?.(input)
  if (told === undefined || told === 0) return null
  const usd = isAmount(told) ? told : null
  const { budget } = turn
  const nothing = () => Promise.resolve()
  if (!budget) return { settle: nothing, release: nothing }
  let held: Awaited<ReturnType<Budget['reserve']>>
  try {
    held = await budget.reserve(turn.state(), tool.name, () => usd, 'This call')
  } catch (error) {
    // The ledger cannot be kept: this call is not made, and those beside it have results of their own.
    if (!(error instanceof UserError)) throw error
    return { stop: `${error.message} ${error.remedy}`.trim(), settle: nothing, release: nothing }
  }
  if (held.kind === 'refused') {
    if (held.budget) report(turn, held.budget)
    return { stop: `${held.message} ${held.remedy}`, settle: nothing, release: nothing }
  }
  const money = held
  if (money.usd > 0) show(turn, money, money.usd)
  const release = async (): Promise<void> => {
    await money.end(turn.state().id)
    show(turn, money, 0)
  }
  return {
    settle: async (call_id, spent) => {
      // What nobody could tell afterwards is what was held: a cap must not be kept by not knowing.
      const real = spent && isAmount(spent.usd) ? spent.usd : usd
      const cost = { kind: 'job' as const, label: tool.name, ...spent, usd: real }
      money.spend(cost.label, cost.kind, cost.usd)
      turn.emit('spend', { ...cost, tool_call_id: call_id })
      await release()
    },
    release,
  }
}

function isAmount(usd: number | null): usd is number {
  return usd !== null && Number.isFinite(usd) && usd >= 0
}
export interface ToolMoney {
  stop?: string
  /** After the call. `spent`: what it really cost; absent: what was held for it. */
  settle: (call_id: string, spent?: ToolSpend) => Promise<void>
  /** Instead: the call was not made. */
  release: () => Promise<void>
}

/** Without a cap nothing stops a session: its user is told when it has cost $5, $10, $20 ... */
function remind(turn: TurnContext, before: number): void {
  const { cost_usd } = turn.state().usage
  const crossed = crossedThreshold(before, cost_usd)
  if (crossed === null) return
  turn.emit('notice', {
    code: 'spending',
    text: `This session has cost $${cost_usd.toFixed(2)} so far and has no cap.`,
    remedy: 'Set one in the status bar or with /budget; the session then stops before it would be exceeded.',
  })
}

/** US dollars; null when the price is not known. Cached input is not guessed: a cache may have expired. */
export function estimateCost(client: ModelClient, size: CallSize): number | null {
  const { price, max_output } = client.info()
  if (!price) return null
  // Local servers and the demo: nothing to estimate, and nothing that a cap could stop.
  if (price.input === 0 && price.output === 0) return 0
  const most = Math.min(size.max_tokens ?? Number.POSITIVE_INFINITY, max_output ?? Number.POSITIVE_INFINITY)
  const usage = { cache_read_tokens: 0, cache_creation_tokens: 0 }
  const completion_tokens = Math.min(EXPECTED_OUTPUT_TOKENS, most)
  return costOf({ ...usage, prompt_tokens: size.prompt_tokens(), completion_tokens }, price)
}

function show(turn: TurnContext, held: Reservation, reserved: number): void {
  if (held.capped) report(turn, held.state(turn.state().usage.cost_usd, reserved))
}

/** One event when something has changed that is worth seeing. */
function report(turn: TurnContext, now: BudgetState): void {
  const before = turn.state().budget
  if (before && !noticeable(before, now)) return
  const { spent_usd, reserved_usd, cap_usd, day, warning } = now
  turn.emit('budget_update', {
    spent_usd,
    reserved_usd,
    cap_usd,
    ...(day ? { day } : {}),
    ...(warning === null ? {} : { warning }),
  })
}

function noticeable(before: BudgetState, now: BudgetState): boolean {
  if (before.cap_usd !== now.cap_usd || before.day?.cap_usd !== now.day?.cap_usd) return true
  if (before.warning !== now.warning || before.spent_usd !== now.spent_usd) return true
  if (before.day?.spent_usd !== now.day?.spent_usd) return true
  const cap = Math.min(now.cap_usd ?? Number.POSITIVE_INFINITY, now.day?.cap_usd ?? Number.POSITIVE_INFINITY)
  return Math.abs(before.reserved_usd - now.reserved_usd) > cap * NOTICEABLE_SHARE
}
