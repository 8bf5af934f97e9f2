/** Binary noise of a sum; far below the price of one token. */
const NOISE = 1e-9

export interface Verdict {
  allowed: boolean
  /** What is left of the cap after this, US dollars; null without a cap. */
  remaining_usd: number | null
}

/**
 * Money of one session, in US dollars: what is spent, and what is held for things that run and whose cost is not known
 * yet. Every amount is held before, and settled once after.
 */
export class Ledger {
  private spent = 0
  private readonly held = new Map<string, number>()

  get spent_usd(): number {
    return this.spent
  }

  get reserved_usd(): number {
    let total = 0
    for (const usd of this.held.values()) total += usd
    return total
  }

  /** Never below zero. */
  remaining(cap: number | null): number | null {
    return cap === null ? null : Math.max(0, cap - this.spent - this.reserved_usd)
  }

  /** Whether `usd` more fits under the cap now. Unknown amounts never fit under one; what is free always does. */
  fits(usd: number | null, cap: number | null): boolean {
    if (cap === null || usd === 0) return true
    return usd !== null && this.spent + this.reserved_usd + usd <= cap + NOISE
  }

  reserve(id: string, usd: number | null, cap: number | null): Verdict {
    const allowed = this.fits(usd, cap)
    if (allowed && usd !== null) this.held.set(id, usd)
    return { allowed, remaining_usd: this.remaining(cap) }
  }

  /** The real cost takes the place of what was held. Unknown or none: what was held stays, until it is released. */
  reconcile(id: string, actual: number | null): void {
    if (!this.held.has(id) || actual === null || actual <= 0) return
    this.held.delete(id)
    this.spent += actual
  }

  /** It failed before it cost anything. */
  release(id: string): void {
    this.held.delete(id)
  }

  /** A cost that nothing was held for. */
  spend(usd: number): void {
    this.spent += Math.max(0, usd)
  }

  /** What is known from elsewhere to be spent; it only raises. */
  seed(usd: number): void {
    this.spent = Math.max(this.spent, usd)
  }
}
