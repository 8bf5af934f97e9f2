import type { ToolItem } from '@shared/state'
import { clsx } from 'clsx'
import { memo } from 'react'
import { Changes } from './Changes'
import { Chevron } from './Chevron'
import { startOf } from './clocks'
import { useDisclosure } from './disclosure'
import { Elapsed } from './Elapsed'
import { StateIcon } from './StateIcon'
import { useTranscriptSession } from './session-context'
import { ToolBody } from './ToolBody'
import { formatDuration } from './text'
import { describeTool, endOf, stateLabel } from './tool-text'

interface ToolRowProps {
  item: ToolItem
  /** Place in the card: consecutive calls share one border. */
  first: boolean
  last: boolean
  /** Output so far, while it runs. */
  log: string | undefined
}

export const ToolRow = memo(function ToolRow({ item, first, last, log }: ToolRowProps) {
  const { id, cwd } = useTranscriptSession()
  const [open, toggle] = useDisclosure(id, item.key, item.state === 'error')
  const { name, detail, mono, note } = describeTool(item, cwd)
  return (
    <div
      className={clsx(
        'overflow-hidden border-x border-t border-line bg-raised',
        first && 'rounded-t-lg',
        last && 'rounded-b-lg border-b',
      )}
    >
      <button
        type="button"
        aria-expanded={open}
        onClick={toggle}
        className="group/row flex h-8.5 w-full items-center gap-2.5 px-3.5 text-left -outline-offset-2 hover:bg-ink/[0.025]"
      >
        <StateIcon state={item.state} />
        <span className="shrink-0 font-medium">{name}</span>
        <span className={clsx('min-w-0 truncate text-ink-2', mono && 'mono-line')}>{detail}</span>
        {note && <span className="shrink-0 text-sm text-ink-3">{note}</span>}
        <Chevron
          open={open}
          className={clsx(
            '-ml-1',
            !open && 'opacity-0 group-hover/row:opacity-100 group-focus-visible/row:opacity-100',
          )}
        />
        <span className="ml-auto flex shrink-0 items-center gap-2.5 text-sm text-ink-3 tabular">
          <Outcome item={item} />
        </span>
      </button>
      {open && <ToolBody item={item} log={log} />}
    </div>
  )
})

/** The right end of the row: what came of it, and how long it took. */
function Outcome({ item }: { item: ToolItem }) {
  const { details, state, duration_ms } = item
  const end = details?.kind === 'command' ? endOf(details) : ''
  const decided = state === 'rejected' || state === 'cancelled' || state === 'abandoned' || state === 'waiting_approval'
  return (
    <>
      {details?.kind === 'diff' && <Changes added={details.added} removed={details.removed} />}
      {end && <span className="text-bad">{end}</span>}
      {decided && <span className={clsx(state === 'waiting_approval' && 'text-info')}>{stateLabel(state)}</span>}
      {state === 'running' ? (
        <Elapsed since={startOf(item)} />
      ) : (
        duration_ms !== null && !decided && <span>{formatDuration(duration_ms)}</span>
      )}
    </>
  )
}
