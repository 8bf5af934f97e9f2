import { JOB_PRICES, round, SPACE_PRICES } from './prices'

/** The Hub's own timeout of a job that names none, in hours. */
export const DEFAULT_JOB_HOURS = 0.5
/** A sandbox runs until it is stopped: it is counted hour by hour. */
export const SANDBOX_HOURS = 1
export const DEFAULT_FLAVOR = 'cpu-basic'

export interface Estimate {
  /** US dollars at most; null: not known, and then a cap does not let it pass. */
  usd: number | null
  /** Whether it can cost anything. */
  billable: boolean
  /** The hardware; null: none. */
  flavor: string | null
  /** Why the cost is not known. */
  problem: string | null
}
const FREE: Estimate = { usd: 0, billable: false, flavor: null, problem: null }

export interface Prices {
  jobs: Readonly<Record<string, number>>
  spaces: Readonly<Record<string, number>>
}
export const STATIC_PRICES: Prices = { jobs: JOB_PRICES, spaces: SPACE_PRICES }

const UNIT_HOURS: Readonly<Record<string, number>> = { s: 1 / 3600, m: 1 / 60, h: 1, d: 24 }

/** Hours in a timeout: `30m`, `2 h`, `90` (seconds), 1800 (seconds); absent: the default. Null: not a timeout. */
export function timeoutHours(timeout: unknown): number | null {
  if (timeout === null || timeout === undefined) return DEFAULT_JOB_HOURS
  const found = typeof timeout === 'string' ? /^\s*(\d+(?:\.\d+)?)\s*([smhd]?)\s*$/i.exec(timeout) : null
  const amount = found ? Number(found[1]) : timeout
  if (typeof amount !== 'number' || !Number.isFinite(amount) || amount <= 0) return null
  const unit = UNIT_HOURS[found?.[2]?.toLowerCase() || 's']
  return unit === undefined ? null : amount * unit
}

/** The hardware that a job's arguments name, under any of the names models use for it. */
export function jobFlavor(args: Readonly<Record<string, unknown>>): string {
  return [args.hardware_flavor, args.flavor, args.hardware].map(nameOf).find((name) => name !== '') ?? DEFAULT_FLAVOR
}

export function sandboxHardware(args: Readonly<Record<string, unknown>>): string {
  return nameOf(args.hardware) || DEFAULT_FLAVOR
}

function nameOf(value: unknown): string {
  return typeof value === 'string' ? value.trim() : ''
}

/** What a call may cost beside the model: a job by its timeout, a sandbox by its first hour. */
export function estimateCost(
  tool: string,
  args: Readonly<Record<string, unknown>>,
  { has_sandbox = false, prices = STATIC_PRICES }: { has_sandbox?: boolean; prices?: Prices } = {},
): Estimate {
  if (tool === 'hf_jobs') return jobCost(args, prices)
  if (tool !== 'sandbox_create') return FREE
  const flavor = sandboxHardware(args)
  // The one that runs is given back.
  if (has_sandbox) return { ...FREE, flavor }
  const price = priceIn(prices.spaces, flavor)
  const problem = price === null ? `No price is available for sandbox hardware '${flavor}'.` : null
  return { usd: price === null ? null : round(price * SANDBOX_HOURS), billable: price !== 0, flavor, problem }
}

function jobCost(args: Readonly<Record<string, unknown>>, prices: Prices): Estimate {
  const flavor = jobFlavor(args)
  const unknown = (problem: string): Estimate => ({ usd: null, billable: true, flavor, problem })
  const hours = timeoutHours(args.timeout)
  if (hours === null) return unknown(`Could not parse HF job timeout: ${shown(args.timeout)}.`)
  const price = priceIn(prices.jobs, flavor)
  if (price === null) return unknown(`No price is available for HF job hardware '${flavor}'.`)
  return { usd: round(price * hours), billable: price !== 0, flavor, problem: null }
}

/** Not from the prototype: a model may call its hardware `constructor`. */
function priceIn(prices: Readonly<Record<string, number>>, flavor: string): number | null {
  return Object.hasOwn(prices, flavor) ? (prices[flavor] ?? null) : null
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? `'${value}'` : (JSON.stringify(value) ?? String(value))
  return text.length > 80 ? `${text.slice(0, 79)}…` : text
}
