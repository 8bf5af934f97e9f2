import { useSecond } from './clocks'
import { formatSeconds } from './text'

/** Seconds since a moment (milliseconds since the epoch), counting. */
export function Elapsed({ since }: { since: number }) {
  const now = useSecond()
  return <span className="tabular">{formatSeconds((now - since) / 1_000)}</span>
}
