import { Menu } from '@base-ui/react/menu'
import type { SessionSummary } from '@shared/state'
import { clsx } from 'clsx'
import { Ellipsis, Lock } from 'lucide-react'
import { type KeyboardEvent, useEffect, useRef, useState } from 'react'
import { MenuItem, MenuPopup } from '../../components/ChoiceMenu'
import { Dot } from '../../components/Dot'
import { formatAgo } from '../../lib/format'
import { useApp } from '../../stores/app'
import { useSessionPart } from '../../stores/sessions'
import { reportFailure } from '../../stores/ui'
import { UNTITLED } from './groups'
import { runStateOf } from './sessionState'

interface SessionRowProps {
  session: SessionSummary
  active: boolean
  /** One row of the list is in the tab order; the arrows move between rows. */
  tabbable: boolean
  now: number
  onOpen: () => void
  onDelete: () => void
}

export function SessionRow({ session, active, tabbable, now, onOpen, onDelete }: SessionRowProps) {
  const [renaming, setRenaming] = useState(false)
  // The open session is followed live; the list's summary of it may lag behind.
  const followed = active ? session.id : null
  const status = useSessionPart(followed, (state) => state?.status) ?? session.status
  const outcome = useSessionPart(followed, (state) => (state ? state.last_outcome : undefined))
  const { kind, label } = runStateOf({ status, last_outcome: outcome === undefined ? session.last_outcome : outcome })
  const title = session.title || UNTITLED

  function onKeyDown(event: KeyboardEvent): void {
    if (event.key === 'F2' && !session.locked) setRenaming(true)
    else if (event.key === 'Delete') onDelete()
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
        <MenuPopup align="start" className="w-44">
          <MenuItem onSelect={() => setRenaming(true)} disabled={session.locked} keys="F2">
            Rename
          </MenuItem>
          <MenuItem onSelect={onDelete} tone="bad" disabled={session.locked} keys="Del">
            Delete…
          </MenuItem>
        </MenuPopup>
      </Menu.Root>
    </li>
  )
}

interface RenameFieldProps {
  session: SessionSummary
  kind: ReturnType<typeof runStateOf>['kind']
  label: string
  onDone: () => void
}

/** Enter or leaving the field saves; Escape keeps the old title. */
function RenameField({ session, kind, label, onDone }: RenameFieldProps) {
  const [title, setTitle] = useState(session.title)
  const input = useRef<HTMLInputElement>(null)
  const finished = useRef(false)
  const rename = useApp((app) => app.actions.rename)

  // The menu that started this gives its focus back after it closed; the field asks for it after that.
  useEffect(() => {
    const frame = requestAnimationFrame(() => input.current?.select())
    return () => cancelAnimationFrame(frame)
  }, [])

  function finish(save: boolean): void {
    if (finished.current) return
    finished.current = true
    const next = title.trim()
    onDone()
    if (!save || !next || next === session.title) return
    rename(session.id, next).catch((thrown: unknown) => reportFailure('The session was not renamed.', thrown))
  }

  function onKeyDown(event: KeyboardEvent): void {
    event.stopPropagation()
    if (event.nativeEvent.isComposing) return
    if (event.key === 'Enter') finish(true)
    if (event.key === 'Escape') finish(false)
  }

  return (
    <li className="flex h-7.5 items-center gap-1.5 rounded-md bg-raised pl-2 ring-1 ring-accent">
      <Dot kind={kind} label={label} />
      <input
        ref={input}
        value={title}
        maxLength={200}
        aria-label="New title"
        onChange={(event) => setTitle(event.target.value)}
        onKeyDown={onKeyDown}
        onBlur={() => finish(true)}
        className="h-full min-w-0 flex-1 bg-transparent pr-2 outline-none"
      />
    </li>
  )
}
