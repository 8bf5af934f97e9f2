import { clsx } from 'clsx'

export function BrandMark({ size = 18, className }: { size?: number; className?: string }) {
  return (
    <svg width={size} height={size} viewBox="0 0 18 18" className={clsx('shrink-0', className)} aria-hidden="true">
      <rect width="18" height="18" rx="5" className="fill-ink dark:fill-line-strong" />
      <circle cx="9" cy="9" r="4" fill="none" strokeWidth="2" className="stroke-accent" />
    </svg>
  )
}
