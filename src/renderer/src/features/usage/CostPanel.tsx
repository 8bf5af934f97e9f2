import type { BudgetState } from '@shared/budget'
import type { Usage } from '@shared/state'
import { useState } from 'react'
import { type BridgeFailure, failureOf } from '../../bridge/bridge'
import { Banner, FailureBanner } from '../../components/Banner'
import { Button } from '../../components/Button'
import { formatCost, formatTokens } from '../../lib/format'
import { findModel, modelName } from '../../lib/models'
import { useApp } from '../../stores/app'
import { submit, useSessionPart } from '../../stores/sessions'
import { Bar } from './Bar'
import { CapForm } from './CapForm'
import {
  formatCap,
  freshInput,
  KIND_LABELS,
  levelOf,
  nearerCap,
  orderedParts,
  type Part,
  raisedCap,
  shareOf,
} from './money'

/** What was spent on what, how much may be, and the way on when a cap has ended the turn. */
export function CostPanel({ id, onClose }: { id: string; onClose: () => void }) {
  const usage = useSessionPart(id, (state) => state?.usage)
  const budget = useSessionPart(id, (state) => state?.budget) ?? null
  const outcome = useSessionPart(id, (state) => state?.last_outcome)
  const dayCap = useApp((app) => app.info?.settings.max_cost_per_day_usd ?? null)
  const updateSettings = useApp((app) => app.actions.updateSettings)
  const connected = useApp((app) => app.connection === 'connected')
  const locked = useApp((app) => app.sessions.some((session) => session.id === id && session.locked))
  const fixed = !connected || locked
  if (!usage) return null

  return (
    <div className="flex flex-col gap-3 overflow-y-auto p-4">
      <Spent usage={usage} budget={budget} />
      {outcome === 'budget' && !fixed && <Resume id={id} budget={budget} onDone={onClose} />}
      <Parts usage={usage} />
      {usage.unpriced_calls > 0 && (
        <p className="text-sm text-ink-2">
          The price of {usage.unpriced_calls} of {usage.calls} calls is not known. What was spent is at least this sum.
        </p>
      )}
      <div className="border-t border-line pt-2">
        <CapForm
          label="Cap of this session, in all"
          cap={budget?.cap_usd ?? null}
          disabled={fixed}
          onSet={(cap) => submit(id, { op: 'set_budget', max_cost_usd: cap }).then(() => undefined)}
        />
        <CapForm
          label="Cap of a day, all sessions"
          cap={dayCap}
          disabled={!connected}
          onSet={(cap) => updateSettings({ max_cost_per_day_usd: cap })}
        />
      </div>
    </div>
  )
}

function Spent({ usage, budget }: { usage: Usage; budget: BudgetState | null }) {
  const spent = formatCost(usage.cost_usd, usage.unpriced_calls > 0)
  const cap = budget?.cap_usd ?? null
  const day = budget?.day ?? null
  return (
    <div className="flex flex-col gap-2">
      <Line title="This session" spent={spent} cap={cap} share={cap === null ? null : shareOf(usage.cost_usd, cap)} />
      {day && (
        <Line
          title="Today, all sessions"
          spent={formatCost(day.spent_usd)}
          cap={day.cap_usd}
          share={shareOf(day.spent_usd, day.cap_usd)}
        />
      )}
      {budget && budget.reserved_usd > 0 && (
        <p className="text-sm text-ink-2">
          {formatCost(budget.reserved_usd)} more are held for what runs now. What it does not use is given back.
        </p>
      )}
      {!cap && !day && <p className="text-sm text-ink-2">There is no cap: a turn spends what it needs.</p>}
    </div>
  )
}

function Line({
  title,
  spent,
  cap,
  share,
}: {
  title: string
  spent: string
  cap: number | null
  share: number | null
}) {
  const level = levelOf(share ?? 0)
  return (
    <div>
      <div className="tabular flex items-baseline gap-2">
        <h2 className="font-semibold">{title}</h2>
        {level === 'near' && <span className="text-sm text-warn">over 80 %</span>}
        {level === 'reached' && <span className="text-sm text-bad">cap reached</span>}
        {level === 'half' && <span className="text-sm text-ink-3">over half</span>}
        <p className="ml-auto text-ink-2">
          <span className="font-medium text-ink">{spent}</span>
          {cap !== null && ` of ${formatCap(cap)}`}
        </p>
      </div>
      {share !== null && <Bar share={share} level={level} className="mt-1.5 h-1.5" />}
    </div>
  )
}

function Parts({ usage }: { usage: Usage }) {
  if (usage.parts.length === 0) return <p className="text-ink-2">No model was called yet.</p>
  return (
    <table className="tabular w-full text-left text-sm">
      <thead className="text-ink-3">
        <tr className="border-b border-line [&>th]:py-1 [&>th]:font-normal">
          <th>For</th>
          <th>Model</th>
          <th className="text-right">Input</th>
          <th className="pl-3 text-right">Cached</th>
          <th className="pl-3 text-right">Output</th>
          <th className="pl-3 text-right">Cost</th>
        </tr>
      </thead>
      <tbody>
        {orderedParts(usage).map((part) => (
          <PartRow key={`${part.kind} ${part.model}`} part={part} />
        ))}
      </tbody>
    </table>
  )
}

function PartRow({ part }: { part: Part }) {
  const info = useApp((app) => app.info)
  // A job has no tokens, and "0" would say that it had none to count.
  const tokens = (count: number): string => (part.calls > 0 ? formatTokens(count) : '')
  return (
    <tr className="[&>td]:py-1">
      <td className="pr-3 whitespace-nowrap" title={`${part.calls} ${part.calls === 1 ? 'call' : 'calls'}`}>
        {KIND_LABELS[part.kind]} {part.calls > 0 && <span className="text-ink-3">×{part.calls}</span>}
      </td>
      <td className="w-full max-w-0 truncate text-ink-2" title={part.model}>
        {modelName(part.model, info)}
      </td>
      <td className="text-right text-ink-2">{tokens(freshInput(part))}</td>
      <td className="pl-3 text-right text-ink-2">{tokens(part.cache_read_tokens)}</td>
      <td className="pl-3 text-right text-ink-2">{tokens(part.completion_tokens)}</td>
      <td className="pl-3 text-right whitespace-nowrap">
        {part.calls > 0 && part.unpriced_calls === part.calls ? (
          <span className="text-ink-3">not known</span>
        ) : (
          formatCost(part.cost_usd, part.unpriced_calls > 0)
        )}
      </td>
    </tr>
  )
}

/** A cap has ended the turn: raise it, or let go of an unknown price, and the model goes on where it stopped. */
function Resume({ id, budget, onDone }: { id: string; budget: BudgetState | null; onDone: () => void }) {
  const info = useApp((app) => app.info)
  const updateSettings = useApp((app) => app.actions.updateSettings)
  const model = useSessionPart(id, (state) => state?.model ?? '')
  const status = useSessionPart(id, (state) => state?.status)
  const [failure, setFailure] = useState<BridgeFailure | null>(null)
  const [busy, setBusy] = useState(false)
  const near = nearerCap(budget)
  const known = findModel(model, info)
  const unpriced = known !== undefined && known.input_price === null && info?.settings.allow_unknown_price === false
  const to = near ? raisedCap(near.spent, near.cap) : null

  async function goOn(makeRoom: () => Promise<unknown>): Promise<void> {
    setBusy(true)
    setFailure(null)
    try {
      await makeRoom()
      await submit(id, { op: 'user_input', text: 'go on' })
      onDone()
    } catch (thrown) {
      setFailure(failureOf(thrown))
    } finally {
      setBusy(false)
    }
  }

  async function raise(): Promise<void> {
    if (!near || to === null) return
    if (near.name === 'day') await updateSettings({ max_cost_per_day_usd: to })
    else await submit(id, { op: 'set_budget', max_cost_usd: to })
  }

  const disabled = busy || status !== 'idle'
  return (
    <>
      <Banner
        tone="warn"
        title={
          unpriced ? 'The price of this model is not known, so the cap stops it.' : 'The last turn ended at the cap.'
        }
        action={
          unpriced ? (
            <Button
              size="sm"
              disabled={disabled}
              onClick={() => void goOn(() => updateSettings({ allow_unknown_price: true }))}
            >
              Allow and go on
            </Button>
          ) : (
            to !== null && (
              <Button size="sm" disabled={disabled} onClick={() => void goOn(raise)}>
                Raise to {formatCap(to)} and go on
              </Button>
            )
          )
        }
      >
        {unpriced
          ? 'Models without a known price can be allowed; what they cost is then not counted.'
          : near?.name === 'day'
            ? 'It is the cap of the day, for all sessions.'
            : 'Nothing is lost: the model goes on where it stopped.'}
      </Banner>
      {failure && <FailureBanner failure={failure} />}
    </>
  )
}
