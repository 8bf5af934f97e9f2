import { randomUUID } from 'node:crypto'
import type { BudgetState } from '@shared/budget'
import { nearerWarning } from '@shared/budget'
import type { Settings } from '@shared/settings'
import type { SessionState } from '@shared/state'
import type { DayBook, DayLedger } from './day'
import { Ledger } from './ledger'

export { DayLedger } from './day'

export interface BudgetOptions {
  days: DayLedger
  settings: () => Pick<Settings, 'max_cost_usd' | 'max_cost_per_day_usd' | 'allow_unknown_price'>
}

const MODEL_CALL = 'The next model call'

/** A call that may not be made, in words for the user. */
export interface Refusal {
  kind: 'refused'
  message: string
  remedy: string
  /** What the session shows from now on; absent when no cap was reached. */
  budget?: BudgetState
}

/** Caps of US dollars for what a session spends on model calls. It is stopped before a call, never in the middle. */
export class Budget {
  private readonly ledger = new Ledger()

  constructor(private readonly options: BudgetOptions) {}

  /** The session's own cap, else that of the settings. Null: none. */
  caps(state: Pick<SessionState, 'max_cost_usd'>): { session: number | null; day: number | null } {
    const settings = this.options.settings()
    const session = state.max_cost_usd === undefined ? settings.max_cost_usd : state.max_cost_usd
    return { session, day: settings.max_cost_per_day_usd }
  }

  /**
   * Before a model call, or before something else that costs money. `estimate` gives its cost in US dollars, null when the
   * price is not known; it is asked for only under a cap. `what` begins the sentence that says why not. Throws UserError when the ledger of the day cannot be kept under a cap of the day.
   */
  async reserve(
    state: SessionState,
    model: string,
    estimate: () => number | null,
    what = MODEL_CALL,
  ): Promise<Reservation | Refusal> {
    const caps = this.caps(state)
    const book = this.options.days.today()
    const id = randomUUID()
    if (caps.session === null && caps.day === null) return new Reservation(this.ledger, book, id, 0, null, null)

    const usd = estimate()
    // What is free is neither counted nor stopped.
    if (usd === 0) return new Reservation(this.ledger, book, id, 0, null, null)
    const { settings } = this.options
    if (usd === null && !settings().allow_unknown_price) return unknownPrice(model, caps.session ?? caps.day ?? 0)
    this.ledger.seed(state.usage.cost_usd)
    const held = usd ?? 0
    if (!this.ledger.reserve(id, held, caps.session).allowed) {
      const budget = stopped(this.ledger.spent_usd, caps.session, state.budget?.day ?? null)
      return { ...overSession(state, what, held, this.ledger.spent_usd, caps.session ?? 0), budget }
    }
    if (caps.day === null || usd === null) {
      const day = caps.day === null ? null : { spent_usd: await book.total(), cap_usd: caps.day }
      return new Reservation(this.ledger, book, id, held, caps.session, day)
    }
    let day: Awaited<ReturnType<DayBook['reserve']>>
    try {
      day = await book.reserve(id, held, caps.day)
    } catch (error) {
      this.ledger.release(id)
      throw error
    }
    if (!day.allowed) {
      this.ledger.release(id)
      const today = { spent_usd: day.spent_usd, cap_usd: caps.day }
      const budget = stopped(state.usage.cost_usd, caps.session, today)
      return { ...overDay(what, held, day.spent_usd, caps.day), budget }
    }
    return new Reservation(this.ledger, book, id, held, caps.session, { spent_usd: day.spent_usd, cap_usd: caps.day })
  }
}

/** Money held for one call, with all its attempts. `end` has to be called once, however the call ends. */
export class Reservation {
  readonly kind = 'reserved'
  /** Of the attempts so far; null costs (unknown price) are left out. */
  private readonly costs: { model: string; kind: string; usd: number }[] = []

  constructor(
    private readonly ledger: Ledger,
    private readonly book: DayBook,
    private readonly id: string,
    readonly usd: number,
    readonly cap: number | null,
    private day: BudgetState['day'],
  ) {}

  get capped(): boolean {
    return this.cap !== null || this.day !== null
  }

  spend(model: string, kind: string, usd: number | null): void {
    if (usd !== null && usd > 0) this.costs.push({ model, kind, usd })
  }

  /** Whether another attempt of the same size still fits: one that failed half-way may have been billed. */
  fitsAgain(): boolean {
    const more = this.used()
    const day = this.day === null || more === 0 || this.day.spent_usd + more + this.usd <= this.day.cap_usd
    return day && this.ledger.fits(more, this.cap)
  }

  /** The real cost takes the place of what was held, in the session's ledger and in that of the day. */
  async end(session: string): Promise<void> {
    const used = this.used()
    if (used > 0) {
      if (this.usd > 0) this.ledger.reconcile(this.id, used)
      else this.ledger.spend(used)
    }
    this.ledger.release(this.id)
    const heldToday = this.day !== null && this.usd > 0
    const costs = this.costs.map((cost) => ({ session, ...cost }))
    const settled = this.book.settle(heldToday ? this.id : null, costs)
    // Without a cap nobody asks now: the next call need not wait for a file (see DayLedger.idle).
    if (this.capped) await settled
    if (this.day) this.day = { ...this.day, spent_usd: this.day.spent_usd + used }
  }

  /** What the session shows. */
  state(spent_usd: number, reserved_usd: number): BudgetState {
    const budget = { spent_usd, reserved_usd, cap_usd: this.cap, day: this.day }
    return { ...budget, warning: nearerWarning(budget) }
  }

  private used(): number {
    return this.costs.reduce((total, { usd }) => total + usd, 0)
  }
}

/** A cap that has stopped a call counts as reached, however little of it is left. */
function stopped(spent_usd: number, cap_usd: number | null, day: BudgetState['day']): BudgetState {
  return { spent_usd, reserved_usd: 0, cap_usd, day, warning: 100 }
}

function dollars(usd: number): string {
  return `$${usd.toFixed(usd > 0 && usd < 0.1 ? 4 : 2)}`
}

function unknownPrice(model: string, cap: number): Refusal {
  return {
    kind: 'refused',
    message: `The price of ${model} is not known, so the cap of ${dollars(cap)} cannot be kept.`,
    remedy:
      'Add its price to "prices" in the settings, choose another model, or set "allow_unknown_price" to true there: ' +
      'then its calls are not counted.',
  }
}

function overSession(state: SessionState, what: string, usd: number, spent: number, cap: number): Refusal {
  const twice = Number((Math.max(cap, spent + usd) * 2).toPrecision(2))
  return {
    kind: 'refused',
    message: `${what} costs about ${dollars(usd)}, and ${dollars(spent)} of this session's cap of ${dollars(cap)} are spent.`,
    remedy: `Raise the cap and go on: ml-intern --session ${state.id} --max-cost ${twice} "go on"`,
  }
}

function overDay(what: string, usd: number, spent: number, cap: number): Refusal {
  return {
    kind: 'refused',
    message: `${what} costs about ${dollars(usd)}, and ${dollars(spent)} of today's cap of ${dollars(cap)} for all sessions are spent.`,
    remedy: 'Go on tomorrow, or raise "max_cost_per_day_usd" in the settings.',
  }
}

/** When an attempt that failed had already used up what was left. */
export function overByAttempts(cap: number | null): Refusal {
  const what = cap === null ? 'the cap' : `the cap of ${dollars(cap)}`
  return {
    kind: 'refused',
    message: `The model call failed, and trying it again would go over ${what}: what had arrived was billed too.`,
    remedy: 'Raise the cap (--max-cost, or "max_cost_per_day_usd" in the settings), then send a message to go on.',
  }
}
