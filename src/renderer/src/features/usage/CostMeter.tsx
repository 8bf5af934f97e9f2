import { clsx } from 'clsx'
import { lazy } from 'react'
import { formatCost } from '../../lib/format'
import { useSessionPart } from '../../stores/sessions'
import { Bar } from './Bar'
import { Meter } from './Meter'
import { formatCap, levelOf, nearerCap, shareOf } from './money'

const CostPanel = lazy(async () => ({ default: (await import('./CostPanel')).CostPanel }))

export function CostMeter({ id }: { id: string }) {
  const usage = useSessionPart(id, (state) => state?.usage)
  const budget = useSessionPart(id, (state) => state?.budget) ?? null
  if (!usage) return null
  const { cost_usd, unpriced_calls, calls } = usage
  const near = nearerCap(budget)
  const share = near ? shareOf(near.spent, near.cap) : 0
  const level = levelOf(share)
  const cap = budget?.cap_usd ?? null
  return (
    <Meter
      name="cost"
      label="Cost"
      className="w-130"
      tip={
        near && level !== 'calm'
          ? `${Math.floor(share * 100)} % of the cap of ${near.name === 'day' ? 'the day' : 'this session'} is spent`
          : unpriced_calls > 0
            ? `Price unknown for ${unpriced_calls} of ${calls} model calls: the cost is at least this.`
            : `${calls} model ${calls === 1 ? 'call' : 'calls'}`
      }
      shown={
        <>
          {(level === 'near' || level === 'reached') && (
            <span
              className={clsx('mr-1.5 inline-block size-1.5 rotate-45', level === 'near' ? 'bg-warn' : 'bg-bad')}
              aria-hidden
            />
          )}
          {cap === null ? 'Cost' : 'Spent'}{' '}
          <span className="font-medium text-ink">{formatCost(cost_usd, unpriced_calls > 0)}</span>
          {cap !== null && ` of ${formatCap(cap)}`}
          {near && <Bar share={share} level={level} className="ml-1.5 inline-block! h-1 w-8 align-middle" />}
          {near && level !== 'calm' && <span className="sr-only">, {Math.floor(share * 100)} per cent of the cap</span>}
        </>
      }
    >
      {(close) => <CostPanel id={id} onClose={close} />}
    </Meter>
  )
}
