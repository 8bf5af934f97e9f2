/**
 * US dollars per hour of Hugging Face hardware, for when the live catalogue cannot be reached. The table is the one the
 * reference budgets with; three flavors were dearer when they were last looked up (huggingface.co/api/jobs/hardware,
 * November 2026), and the RTX PRO 6000 were missing: a cap must not be passed because a table is old.
 */
export const JOB_PRICES: Readonly<Record<string, number>> = {
  'cpu-basic': 0.05,
  'cpu-upgrade': 0.25,
  'cpu-performance': 1.9,
  'cpu-xl': 1,
  't4-small': 0.6,
  't4-medium': 0.9,
  l4x1: 1,
  l4x4: 4,
  l40sx1: 2,
  l40sx4: 8.3,
  l40sx8: 23.5,
  'a10g-small': 1,
  'a10g-large': 2,
  'a10g-largex2': 4,
  'a10g-largex4': 8,
  'a100-large': 4,
  a100x4: 16,
  a100x8: 32,
  h200: 10,
  h200x2: 20,
  h200x4: 40,
  h200x8: 80,
  'rtx-pro-6000': 2.75,
  'rtx-pro-6000x2': 5.5,
  'rtx-pro-6000x4': 11,
  'rtx-pro-6000x8': 22,
  inf2x6: 6,
}

/** The same for Spaces: the small CPU is free. */
export const SPACE_PRICES: Readonly<Record<string, number>> = { ...JOB_PRICES, 'cpu-basic': 0, 'cpu-upgrade': 0.05 }

const NAMES = ['flavor', 'name', 'id', 'value']
/** Fields that hold a price per hour. */
const HOURLY = ['price', 'price_usd_per_hour', 'pricePerHour', 'usd_per_hour', 'usdPerHour', 'hourly', 'hourlyPrice']
const HOURS: Readonly<Record<string, number>> = { second: 3600, minute: 60, hour: 1 }

/** Prices per hour in an answer of the hardware catalogue, by flavor; what cannot be read is left out. */
export function parsePriceCatalogue(payload: unknown): Record<string, number> {
  const prices = new Map<string, number>()
  for (const entry of entriesOf(payload)) {
    const name = NAMES.map((key) => entry[key]).find((value) => typeof value === 'string' && value !== '')
    const price = priceOf(entry)
    if (typeof name === 'string' && price !== null) prices.set(name, price)
  }
  return Object.fromEntries(prices)
}

type Fields = Record<string, unknown>

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function entriesOf(payload: unknown): Fields[] {
  if (Array.isArray(payload)) return payload.filter(isFields)
  if (!isFields(payload)) return []
  return Object.values(payload).flatMap((value) => (Array.isArray(value) ? value.filter(isFields) : []))
}

/** US dollars per hour. The Hub counts by the minute: `unitCostUSD` and `unitLabel`. */
function priceOf(entry: Fields): number | null {
  const units = HOURS[String(entry.unitLabel)]
  if (isPrice(entry.unitCostUSD) && units !== undefined) return round(entry.unitCostUSD * units)
  for (const fields of [entry, entry.pricing]) {
    if (!isFields(fields)) continue
    const found = HOURLY.map((key) => fields[key]).find((value) => value !== undefined)
    const value = typeof found === 'string' && found.trim() !== '' ? Number(found) : found
    if (isPrice(value)) return value
  }
  return null
}

function isPrice(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}

/** Money is compared and shown to a hundredth of a cent. */
export function round(usd: number): number {
  return Math.round(usd * 10_000) / 10_000
}
