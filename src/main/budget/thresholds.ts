/** US dollars of a session without a cap at which its user is told for the first time; it doubles each time. */
export const FIRST_THRESHOLD_USD = 5

/**
 * The next amount at which a session without a cap says what it has spent: the one acknowledged last, doubled until it is
 * more than what is spent. Anything that is no positive number counts as the first threshold.
 */
export function nextThreshold(spent: unknown, acknowledged: unknown): number {
  let threshold = positive(acknowledged) ?? FIRST_THRESHOLD_USD
  const usd = positive(spent) ?? 0
  while (threshold <= usd) threshold *= 2
  return threshold
}

function positive(value: unknown): number | null {
  if (typeof value !== 'number' && typeof value !== 'string') return null
  const number = typeof value === 'number' ? value : Number.parseFloat(value)
  return Number.isFinite(number) && number > 0 ? number : null
}

/** The threshold that going from `before` to `after` US dollars has reached; null: none. */
export function crossedThreshold(before: number, after: number): number | null {
  if (nextThreshold(before, null) > after) return null
  return nextThreshold(after, null) / 2
}
