import { clsx } from 'clsx'
import type { Level } from './money'

const fills: Record<Level, string> = {
  calm: 'bg-ink-2',
  half: 'bg-ink-2',
  near: 'bg-warn',
  reached: 'bg-bad',
}

interface BarProps {
  /** 0 to 1; more is full. */
  share: number
  level: Level
  className?: string
}

/** How much of something is used. The numbers beside it say the same in words. */
export function Bar({ share, level, className }: BarProps) {
  return (
    <span className={clsx('block overflow-hidden rounded-full bg-line-strong', className)} aria-hidden>
      <span
        className={clsx('block h-full rounded-full', fills[level])}
        style={{ width: `${Math.min(100, Math.max(share * 100, share > 0 ? 2 : 0))}%` }}
      />
    </span>
  )
}
