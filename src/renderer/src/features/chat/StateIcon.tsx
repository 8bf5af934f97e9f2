import type { ToolItemState } from '@shared/state'
import { stateLabel } from './tool-text'

/** 14 px: an arc that turns while something really runs; check, cross, dot and dash for the rest. */
export function StateIcon({ state }: { state: ToolItemState }) {
  const { ink, mark } = LOOKS[state]
  return (
    <span className={`grid size-3.5 shrink-0 place-items-center ${ink}`} title={stateLabel(state)}>
      <svg
        viewBox="0 0 14 14"
        width={14}
        height={14}
        fill="none"
        stroke="currentColor"
        strokeWidth={1.5}
        strokeLinecap="round"
        strokeLinejoin="round"
        aria-hidden
        className={state === 'running' ? 'animate-turn' : undefined}
      >
        {state === 'running' ? <path d="M7 .75A6.25 6.25 0 1 1 .75 7" /> : <circle cx={7} cy={7} r={6.25} />}
        {mark}
      </svg>
      <span className="sr-only">{stateLabel(state)}:</span>
    </span>
  )
}

const dash = <path d="M4.5 7h5" />
const LOOKS: Record<ToolItemState, { ink: string; mark: React.ReactNode }> = {
  running: { ink: 'text-accent', mark: null },
  waiting_approval: { ink: 'text-info', mark: <circle cx={7} cy={7} r={2.25} fill="currentColor" stroke="none" /> },
  ok: { ink: 'text-ok', mark: <path d="m4.4 7.2 1.8 1.8 3.4-3.8" /> },
  error: { ink: 'text-bad', mark: <path d="m5 5 4 4m0-4L5 9" /> },
  rejected: { ink: 'text-ink-3', mark: dash },
  cancelled: { ink: 'text-ink-3', mark: dash },
  abandoned: { ink: 'text-ink-3', mark: dash },
}
