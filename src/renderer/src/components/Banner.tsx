import { clsx } from 'clsx'
import { CircleAlert, Info, type LucideIcon, TriangleAlert } from 'lucide-react'
import type { ReactNode } from 'react'
import type { BridgeFailure } from '../bridge/bridge'

type Tone = 'info' | 'warn' | 'bad'

interface BannerProps {
  tone: Tone
  title: string
  children?: ReactNode
  /** Buttons, at the end of the line. */
  action?: ReactNode
  className?: string
}

const tones: Record<Tone, { box: string; icon: LucideIcon; ink: string }> = {
  info: { box: 'bg-info-soft border-info/25', icon: Info, ink: 'text-info' },
  warn: { box: 'bg-warn-soft border-warn/30', icon: TriangleAlert, ink: 'text-warn' },
  bad: { box: 'bg-bad-soft border-bad/30', icon: CircleAlert, ink: 'text-bad' },
}

/** One thing the user has to know, where it matters. */
export function Banner({ tone, title, children, action, className }: BannerProps) {
  const { box, icon: Icon, ink } = tones[tone]
  return (
    <div
      role={tone === 'bad' ? 'alert' : 'status'}
      className={clsx('animate-appear flex items-start gap-2.5 rounded-lg border px-3 py-2', box, className)}
    >
      <Icon size={15} strokeWidth={2} className={clsx('mt-0.5 shrink-0', ink)} aria-hidden />
      <div className="min-w-0 flex-1 break-words">
        <p className="font-medium">{title}</p>
        {children && <div className="text-ink-2">{children}</div>}
      </div>
      {action && <div className="flex shrink-0 items-center gap-1.5">{action}</div>}
    </div>
  )
}

/** A refused call: what happened, and what to do. */
export function FailureBanner({ failure, action, className }: FailureProps) {
  return (
    <Banner tone="bad" title={failure.message} action={action} className={className}>
      {failure.remedy}
    </Banner>
  )
}

interface FailureProps {
  failure: BridgeFailure
  action?: ReactNode
  className?: string
}
