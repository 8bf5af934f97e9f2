import { clsx } from 'clsx'

/** A still placeholder of something that is on its way. */
export function Skeleton({ className }: { className?: string }) {
  return <div aria-hidden className={clsx('rounded-md bg-ink/6', className)} />
}
