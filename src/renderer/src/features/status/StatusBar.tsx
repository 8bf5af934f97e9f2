import type { ConnectionState } from '@shared/bridge'
import { clsx } from 'clsx'
import type { ReactNode } from 'react'
import { Tip } from '../../components/Tip'
import { baseName } from '../../lib/format'
import { modeLabel } from '../../lib/modes'
import { useApp } from '../../stores/app'
import { useSessionPart } from '../../stores/sessions'
import { ContextMeter } from '../usage/ContextMeter'
import { CostMeter } from '../usage/CostMeter'
import { MachineChip } from './MachineChip'
import { SandboxChip } from './SandboxChip'

/** `id`: the open session. */
export function StatusBar({ id }: { id: string | null }) {
  // Parts, not the whole state: a streamed token must not draw this again.
  const sessionCwd = useSessionPart(id, (state) => state?.cwd)
  const mode = useSessionPart(id, (state) => state?.mode)
  const info = useApp((app) => app.info)
  const connection = useApp((app) => app.connection)
  const cwd = sessionCwd || info?.default_cwd
  return (
    <footer className="tabular flex h-6.5 shrink-0 items-center gap-4.5 overflow-hidden border-t border-line bg-sunken px-3 text-xs text-ink-2">
      {info && <SandboxChip kind={info.sandbox.kind} reason={info.sandbox.reason} />}
      {info && <MachineChip machine={info.machine} python={info.python_info} interpreter={info.python} />}
      {cwd && (
        <Item tip={cwd} className="min-w-0 truncate max-md:hidden">
          {baseName(cwd)}
        </Item>
      )}
      <Connection state={connection} />
      <span className="ml-auto flex shrink-0 items-center gap-4.5">
        {id !== null && <ContextMeter key={`context-${id}`} id={id} />}
        {id !== null && <CostMeter key={`cost-${id}`} id={id} />}
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
