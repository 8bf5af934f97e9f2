import { clsx } from 'clsx'
import type { DotKind } from '../features/sessions/sessionState'

/** Colour is never alone: problems are diamonds, rest is hollow, and the label is there for screen readers. */
const kinds: Record<DotKind, string> = {
  running: 'rounded-full bg-accent',
  waiting: 'rounded-full bg-info ring-2 ring-info/25',
  ok: 'rounded-full bg-ok',
  error: 'rotate-45 rounded-[1px] bg-bad',
  warning: 'rotate-45 rounded-[1px] bg-warn',
  idle: 'rounded-full border-[1.5px] border-ink-3/60',
}

export function Dot({ kind, label }: { kind: DotKind; label: string }) {
  return (
    <span className="grid w-3.5 shrink-0 place-items-center" title={label}>
      <span className={clsx('size-[7px]', kinds[kind])} aria-hidden />
      <span className="sr-only">{label}.</span>
    </span>
  )
}
