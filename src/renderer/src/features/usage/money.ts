import type { BudgetState } from '@shared/budget'
import type { CallKind, SpendKind } from '@shared/events'
import type { Usage } from '@shared/state'

export const KIND_LABELS: Record<CallKind | SpendKind, string> = {
  main: 'Conversation',
  research: 'Research',
  compaction: 'Summaries',
  title: 'Titles',
  explain: 'Explanations',
  probe: 'Model checks',
  job: 'Jobs',
  sandbox: 'Sandboxes',
}

export type Part = Usage['parts'][number]

/** What the calls were for, in a fixed order; within it the dearest model first. */
export function orderedParts(usage: Usage): Part[] {
  const order = Object.keys(KIND_LABELS)
  return [...usage.parts].sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind) || b.cost_usd - a.cost_usd)
}

/** Input that was not read from the provider's cache. */
export function freshInput(part: Pick<Part, 'prompt_tokens' | 'cache_read_tokens'>): number {
  return Math.max(0, part.prompt_tokens - part.cache_read_tokens)
}

/** Share of a cap, 0 to 1 and above; a cap of nothing is reached. */
export function shareOf(spent: number, cap: number): number {
  return cap > 0 ? spent / cap : 1
}

export type CapName = 'session' | 'day'

/** The cap that is nearer to its end; null without one. */
export function nearerCap(budget: BudgetState | null): { name: CapName; spent: number; cap: number } | null {
  if (!budget) return null
  const { spent_usd, cap_usd, day } = budget
  const session = cap_usd === null ? null : { name: 'session' as const, spent: spent_usd, cap: cap_usd }
  const whole = day && { name: 'day' as const, spent: day.spent_usd, cap: day.cap_usd }
  if (!session || !whole) return session ?? whole
  return shareOf(whole.spent, whole.cap) > shareOf(session.spent, session.cap) ? whole : session
}

/** The next round sum (1, 2 or 5 times a power of ten, from a dollar up) that leaves at least as much again as was spent. */
export function raisedCap(spent: number, cap: number): number {
  const wanted = Math.max(1, 2 * Math.max(spent, cap))
  const power = 10 ** Math.floor(Math.log10(wanted) + 1e-9)
  return [1, 2, 5, 10].map((factor) => factor * power).find((sum) => sum >= wanted - 1e-9) ?? wanted
}

export type Level = 'calm' | 'half' | 'near' | 'reached'

/** The marks are those of the budget's own warnings: 50, 80 and 100 per cent. */
export function levelOf(share: number): Level {
  if (share >= 1) return 'reached'
  return share >= 0.8 ? 'near' : share >= 0.5 ? 'half' : 'calm'
}

/** A sum as it was typed, in US dollars; null when it is none. */
export function parseDollars(text: string): number | null {
  const match = /^\s*\$?\s*(\d{1,7}(?:[.,]\d{1,4})?|[.,]\d{1,4})\s*\$?\s*$/.exec(text)
  return match?.[1] ? Number(match[1].replace(',', '.')) : null
}

/** "$10", "$2.50": a sum that somebody chose. */
export function formatCap(usd: number): string {
  return `$${Number.isInteger(usd) ? usd : usd.toFixed(2)}`
}
