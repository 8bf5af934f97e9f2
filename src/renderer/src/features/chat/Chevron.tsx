import { clsx } from 'clsx'
import { ChevronRight } from 'lucide-react'

/** Shows whether the part under a button is open; turned by a quarter when it is. */
export function Chevron({ open, className }: { open: boolean; className?: string }) {
  return (
    <ChevronRight
      size={13}
      strokeWidth={2}
      aria-hidden
      className={clsx('shrink-0 text-ink-3 transition-transform duration-100', open && 'rotate-90', className)}
    />
  )
}
