import type { DoctorCheck } from '@shared/bridge'
import { CircleAlert, CircleCheck, type LucideIcon, RotateCw, TriangleAlert } from 'lucide-react'
import { useCallback, useEffect, useRef, useState } from 'react'
import { type BridgeFailure, call, failureOf } from '../../bridge/bridge'
import { FailureBanner } from '../../components/Banner'
import { Button } from '../../components/Button'
import { Skeleton } from '../../components/Skeleton'

const marks: Record<DoctorCheck['state'], { icon: LucideIcon; ink: string; label: string }> = {
  ok: { icon: CircleCheck, ink: 'text-ok', label: 'In order' },
  warning: { icon: TriangleAlert, ink: 'text-warn', label: 'Warning' },
  failed: { icon: CircleAlert, ink: 'text-bad', label: 'Failed' },
}

/** What `ml-intern doctor` says, with what to do. */
export function Diagnostics() {
  const [checks, setChecks] = useState<DoctorCheck[] | null>(null)
  const [failure, setFailure] = useState<BridgeFailure | null>(null)
  const [busy, setBusy] = useState(false)
  const latest = useRef(0)

  const run = useCallback(async (): Promise<void> => {
    latest.current += 1
    const mine = latest.current
    setBusy(true)
    setFailure(null)
    try {
      const next = await call('doctor.run', {})
      if (mine === latest.current) setChecks(next)
    } catch (thrown) {
      if (mine === latest.current) setFailure(failureOf(thrown))
    } finally {
      if (mine === latest.current) setBusy(false)
    }
  }, [])

  useEffect(() => {
    void run()
    return () => {
      latest.current += 1
    }
  }, [run])

  return (
    <>
      <div className="flex shrink-0 items-center gap-3 border-b border-line px-5 py-2">
        <p role="status" className="min-w-0 flex-1 text-ink-2">
          {busy ? 'Looking at this machine…' : checks ? summary(checks) : ''}
        </p>
        <Button size="sm" disabled={busy} onClick={() => void run()}>
          <RotateCw size={12} strokeWidth={2} aria-hidden /> Run again
        </Button>
      </div>
      <div className="min-h-0 flex-1 overflow-y-auto px-5 py-1" aria-busy={busy}>
        {failure && <FailureBanner failure={failure} className="my-2" />}
        {!checks && !failure && <Loading />}
        {checks && (
          <ul>
            {checks.map((check) => (
              <Check key={check.id} check={check} />
            ))}
          </ul>
        )}
      </div>
    </>
  )
}

function Check({ check }: { check: DoctorCheck }) {
  const { icon: Icon, ink, label } = marks[check.state]
  return (
    <li className="flex gap-2.5 border-line py-2.5 not-first:border-t">
      <Icon size={15} strokeWidth={2} className={`mt-0.5 shrink-0 ${ink}`} aria-hidden />
      <div className="min-w-0 break-words">
        <p className="font-medium">
          {check.title}
          <span className="sr-only">: {label}</span>
        </p>
        <p className="text-sm text-ink-2">{check.detail}</p>
        {check.remedy && <p className="mt-0.5 text-sm">{check.remedy}</p>}
      </div>
    </li>
  )
}

function summary(checks: DoctorCheck[]): string {
  const failed = checks.filter((check) => check.state === 'failed').length
  const warnings = checks.filter((check) => check.state === 'warning').length
  if (failed === 0 && warnings === 0) return 'Everything is in order.'
  const parts = [
    failed > 0 && `${failed} failed`,
    warnings > 0 && `${warnings} ${warnings === 1 ? 'warning' : 'warnings'}`,
  ]
  return `${parts.filter(Boolean).join(', ')}. ${checks.length - failed - warnings} in order.`
}

function Loading() {
  return (
    <div className="flex flex-col gap-5 py-4">
      {['w-64', 'w-52', 'w-72', 'w-60'].map((width) => (
        <div key={width} className="flex flex-col gap-2">
          <Skeleton className="h-3 w-28" />
          <Skeleton className={`h-3 max-w-full ${width}`} />
        </div>
      ))}
    </div>
  )
}
