import type { ConnectionState } from '@shared/bridge'
import type { BudgetState } from '@shared/budget'
import type { Usage } from '@shared/state'
import { clsx } from 'clsx'
import type { ReactNode } from 'react'
import { Tip } from '../../components/Tip'
import { baseName, formatCost, formatTokens } from '../../lib/format'
import { modeLabel } from '../../lib/modes'
import { useApp } from '../../stores/app'
import { useSessionPart } from '../../stores/sessions'

/** `id`: the open session. */
export function StatusBar({ id }: { id: string | null }) {
  // Parts, not the whole state: a streamed token must not draw this again.
  const sessionCwd = useSessionPart(id, (state) => state?.cwd)
  const context = useSessionPart(id, (state) => state?.context)
  const usage = useSessionPart(id, (state) => state?.usage)
  const budget = useSessionPart(id, (state) => state?.budget)
  const mode = useSessionPart(id, (state) => state?.mode)
  const info = useApp((app) => app.info)
  const connection = useApp((app) => app.connection)
  const cwd = sessionCwd || info?.default_cwd
  return (
    <footer className="tabular flex h-6.5 shrink-0 items-center gap-4.5 overflow-hidden border-t border-line bg-sunken px-3 text-xs text-ink-2">
      {info && <Sandbox kind={info.sandbox.kind} reason={info.sandbox.reason} />}
      {info && (
        <Item tip={info.python ? `Commands use ${info.python}` : 'Install Python 3 to run training code'}>
          {pythonLabel(info.python)}
        </Item>
      )}
      {cwd && (
        <Item tip={cwd} className="min-w-0 truncate max-md:hidden">
          {baseName(cwd)}
        </Item>
      )}
      <Connection state={connection} />
      <span className="ml-auto flex shrink-0 items-center gap-4.5">
        {context && <Context used={context.used_tokens} window={context.window} />}
        {usage && <Cost usage={usage} budget={budget ?? null} />}
        {mode && <Item tip="What may run without asking: change it at the top">{modeLabel(mode)}</Item>}
      </span>
    </footer>
  )
}

interface ItemProps {
  tip: ReactNode
  className?: string
  children: ReactNode
}

/** Focusable, so that the keyboard reaches the explanation too. */
function Item({ tip, className, children }: ItemProps) {
  return (
    <Tip label={tip} side="top">
      <button type="button" className={clsx('rounded-sm whitespace-nowrap hover:text-ink', className)}>
        {children}
      </button>
    </Tip>
  )
}

function Sandbox({ kind, reason }: { kind: 'none' | 'bubblewrap' | 'seatbelt'; reason: string }) {
  const safe = kind !== 'none'
  return (
    <Item tip={reason || (safe ? 'Commands cannot write outside the working folder.' : 'Commands have your rights.')}>
      <span className={clsx('mr-1.5 inline-block size-1.5', safe ? 'rounded-full bg-ok' : 'rotate-45 bg-warn')} />
      <span className="font-medium text-ink">{safe ? 'Sandboxed' : 'Not sandboxed'}</span>
      {safe && ` · ${kind}`}
    </Item>
  )
}

/** The host gives a version or the path of the interpreter. */
function pythonLabel(python: string | null): string {
  if (!python) return 'No Python'
  if (/[/\\]/.test(python)) return baseName(python)
  return /^python/i.test(python) ? python : `Python ${python}`
}

const connectionLabels: Record<ConnectionState, string> = {
  connecting: 'Connecting…',
  connected: 'Connected',
  lost: 'Reconnecting…',
  refused: 'Refused',
}

/** Colour marks the trouble; the words stay in ink, which has the contrast at this size. */
function Connection({ state }: { state: ConnectionState }) {
  const troubled = state === 'lost' || state === 'refused'
  return (
    <span className={clsx('whitespace-nowrap', troubled && 'font-medium text-ink')}>
      {troubled && (
        <span className={clsx('mr-1.5 inline-block size-1.5 rotate-45', state === 'lost' ? 'bg-warn' : 'bg-bad')} />
      )}
      {connectionLabels[state]}
    </span>
  )
}

function Context({ used, window }: { used: number; window: number | null }) {
  if (used === 0) return null
  if (window === null || window === 0) {
    return <Item tip="The size of this model’s context window is not known.">Context {formatTokens(used)} tokens</Item>
  }
  const share = Math.min(1, used / window)
  const percent = share > 0 && share < 0.01 ? '< 1' : String(Math.round(share * 100))
  return (
    <Item tip={`${used.toLocaleString('en')} of ${window.toLocaleString('en')} tokens`}>
      Context
      <span className="mx-1.5 inline-block h-1 w-13.5 overflow-hidden rounded-full bg-line-strong align-middle">
        <span
          className={clsx('block h-full rounded-full', share > 0.85 ? 'bg-warn' : 'bg-ink-2')}
          style={{ width: `${Math.max(share * 100, 2)}%` }}
        />
      </span>
      {percent} % · {formatTokens(used)}
    </Item>
  )
}

function Cost({ usage, budget }: { usage: Usage; budget: BudgetState | null }) {
  const { cost_usd, unpriced_calls, calls } = usage
  const cap = budget?.cap_usd ?? null
  if (calls === 0) return null
  const tip =
    unpriced_calls > 0
      ? `Price unknown for ${unpriced_calls} of ${calls} model calls: the cost is at least this.`
      : `${calls} model ${calls === 1 ? 'call' : 'calls'}`
  return (
    <Item tip={tip}>
      {cap === null ? 'Cost' : 'Spent'}{' '}
      <span className="font-medium text-ink">{formatCost(cost_usd, unpriced_calls > 0)}</span>
      {cap !== null && ` of $${cap}`}
    </Item>
  )
}
