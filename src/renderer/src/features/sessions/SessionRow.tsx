import { Menu } from '@base-ui/react/menu'
import type { SessionSummary } from '@shared/state'
import { clsx } from 'clsx'
import { Ellipsis, Lock } from 'lucide-react'
import { type KeyboardEvent, useState } from 'react'
import { Dot } from '../../components/Dot'
import { formatAgo } from '../../lib/format'
import { useSessionPart } from '../../stores/sessions'
import { askAbout } from '../../stores/ui'
import { UNTITLED } from './groups'
import { SessionMenu } from './SessionMenu'
import { type DotKind, runStateOf } from './sessionState'
import { TitleField } from './TitleField'

interface SessionRowProps {
  session: SessionSummary
  active: boolean
  /** One row of the list is in the tab order; the arrows move between rows. */
  tabbable: boolean
  now: number
  onOpen: () => void
}

export function SessionRow({ session, active, tabbable, now, onOpen }: SessionRowProps) {
  const [renaming, setRenaming] = useState(false)
  // The open session is followed live; the list's summary of it may lag behind.
  const followed = active ? session.id : null
  const status = useSessionPart(followed, (state) => state?.status) ?? session.status
  const outcome = useSessionPart(followed, (state) => (state ? state.last_outcome : undefined))
  const { kind, label } = runStateOf({ status, last_outcome: outcome === undefined ? session.last_outcome : outcome })
  const title = session.title || UNTITLED

  function onKeyDown(event: KeyboardEvent): void {
    if (event.key === 'F2' && !session.locked) setRenaming(true)
    else if (event.key === 'Delete' && !session.locked)
      askAbout({ kind: 'delete', id: session.id, title: session.title })
    else return
    event.preventDefault()
  }

  if (renaming) return <RenameField session={session} kind={kind} label={label} onDone={() => setRenaming(false)} />
  return (
    <li
      className={clsx(
        'group/row relative flex h-7.5 items-center rounded-md [contain-intrinsic-size:auto_30px] [content-visibility:auto]',
        active ? 'bg-raised text-ink ring-1 ring-line' : 'row-hover text-ink-2',
      )}
    >
      <button
        type="button"
        data-session-row={session.id}
        tabIndex={tabbable ? 0 : -1}
        aria-current={active ? 'page' : undefined}
        onClick={onOpen}
        onKeyDown={onKeyDown}
        className="flex h-full min-w-0 flex-1 items-center gap-1.5 rounded-md pr-1 pl-2 text-left"
      >
        <Dot kind={kind} label={label} />
        <span className="min-w-0 flex-1 truncate" title={title}>
          {title}
        </span>
        {session.locked && (
          <span title="Open in another ML Intern: here it can only be read">
            <Lock size={12} className="text-ink-3" aria-hidden />
            <span className="sr-only">Read-only. </span>
          </span>
        )}
      </button>
      <time
        dateTime={session.updated_at}
        className="tabular pr-2 text-xs text-ink-3 group-focus-within/row:hidden group-hover/row:hidden group-has-data-popup-open/row:hidden"
      >
        {formatAgo(session.updated_at, now)}
      </time>
      <Menu.Root>
        <Menu.Trigger
          tabIndex={tabbable ? 0 : -1}
          aria-label={`Actions of ${title}`}
          className="mr-1 hidden size-6 shrink-0 place-items-center rounded-sm text-ink-3 group-focus-within/row:grid group-hover/row:grid hover:bg-ink/8 hover:text-ink data-popup-open:grid data-popup-open:bg-ink/8"
        >
          <Ellipsis size={14} aria-hidden />
        </Menu.Trigger>
        <SessionMenu
          id={session.id}
          title={session.title}
          locked={session.locked}
          align="start"
          withKeys
          onRename={() => setRenaming(true)}
        />
      </Menu.Root>
    </li>
  )
}

interface RenameFieldProps {
  session: SessionSummary
  kind: DotKind
  label: string
  onDone: () => void
}

function RenameField({ session, kind, label, onDone }: RenameFieldProps) {
  return (
    <li className="flex h-7.5 items-center gap-1.5 rounded-md bg-raised pl-2 ring-1 ring-accent">
      <Dot kind={kind} label={label} />
      <TitleField id={session.id} title={session.title} onDone={onDone} className="pr-2" />
    </li>
  )
}
