/** "$0.0123" below a dollar, "$1.84" above; a trailing + when some calls have no known price. */
export function formatCost(usd: number, incomplete = false): string {
  const amount = usd === 0 || usd >= 1 ? usd.toFixed(2) : usd.toFixed(4)
  return `$${amount}${incomplete ? '+' : ''}`
}

/** 950, 12.3k, 1.2M. */
export function formatTokens(tokens: number): string {
  if (tokens < 1_000) return String(tokens)
  if (tokens < 999_500) return `${trim(tokens / 1_000)}k`
  return `${trim(tokens / 1_000_000)}M`
}

function trim(value: number): string {
  return value >= 100 ? String(Math.round(value)) : value.toFixed(1).replace(/\.0$/, '')
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const weekday = new Intl.DateTimeFormat('en', { weekday: 'short' })
const dayOfYear = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short' })
const dayAndYear = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short', year: 'numeric' })

/** now, 4 m, 3 h, Tue, Mar 4, Mar 4, 2025. `now` in milliseconds since the epoch. */
export function formatAgo(iso: string, now: number): string {
  const then = new Date(iso)
  const age = now - then.getTime()
  if (Number.isNaN(age)) return ''
  if (age < MINUTE) return 'now'
  if (age < HOUR) return `${Math.floor(age / MINUTE)} m`
  if (age < DAY) return `${Math.floor(age / HOUR)} h`
  if (age < 6 * DAY) return weekday.format(then)
  return new Date(now).getFullYear() === then.getFullYear() ? dayOfYear.format(then) : dayAndYear.format(then)
}

/** The last part of a path, of either kind of system. */
export function baseName(path: string): string {
  return path.split(/[/\\]/).filter(Boolean).at(-1) ?? path
}

/** The last two parts, to tell folders of the same name apart. */
export function lastParts(path: string): string {
  return path.split(/[/\\]/).filter(Boolean).slice(-2).join('/') || path
}
