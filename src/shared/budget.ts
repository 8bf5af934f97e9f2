import type { EventData } from './events'

export const BUDGET_WARNINGS = [50, 80, 100] as const
export type BudgetWarning = (typeof BUDGET_WARNINGS)[number]

/** US dollars. */
export interface BudgetState {
  spent_usd: number
  /** Held for the model call that runs now. */
  reserved_usd: number
  /** Of this session; null when only the day has a cap. */
  cap_usd: number | null
  /** All sessions of this local day; null when the day has no cap. */
  day: { spent_usd: number; cap_usd: number } | null
  /** Per cent of the nearer cap that have been reached; null below 50. */
  warning: BudgetWarning | null
}

/** The highest mark that has been reached of a cap. */
export function warningOf(spent: number, cap: number | null): BudgetWarning | null {
  if (cap === null) return null
  // Sums of thousandths of cents: a mark is not missed by the noise of binary fractions.
  return BUDGET_WARNINGS.findLast((mark) => spent * 100 >= cap * mark - 1e-9) ?? null
}

/** The mark of the cap that is nearer. */
export function nearerWarning(budget: Pick<BudgetState, 'spent_usd' | 'cap_usd' | 'day'>): BudgetWarning | null {
  const session = warningOf(budget.spent_usd, budget.cap_usd)
  const day = budget.day && warningOf(budget.day.spent_usd, budget.day.cap_usd)
  return session !== null && day !== null ? (Math.max(session, day) as BudgetWarning) : (session ?? day)
}

export function foldBudget(data: EventData<'budget_update'>): BudgetState | null {
  const { spent_usd, reserved_usd, cap_usd, day, warning } = data
  if (cap_usd === null && !day) return null
  return { spent_usd, reserved_usd, cap_usd, day: day ?? null, warning: warning ?? null }
}

/** What a new cap of the session makes of it; null: the session has no cap of its own any more. */
export function withCap(before: BudgetState | null, spent_usd: number, cap_usd: number | null): BudgetState | null {
  const day = before?.day ?? null
  if (cap_usd === null && !day) return null
  const budget = { spent_usd, reserved_usd: before?.reserved_usd ?? 0, cap_usd, day }
  return { ...budget, warning: nearerWarning(budget) }
}
