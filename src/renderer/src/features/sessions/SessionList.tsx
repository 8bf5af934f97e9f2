import type { SessionSummary } from '@shared/state'
import { type KeyboardEvent, useMemo, useRef, useState } from 'react'
import { ConfirmDialog } from '../../components/ConfirmDialog'
import { useNow } from '../../hooks/useNow'
import { useApp } from '../../stores/app'
import { setDrawer } from '../../stores/ui'
import { groupByFolder, UNTITLED } from './groups'
import { SessionRow } from './SessionRow'

/** Milliseconds between renewals of the relative times: their smallest unit is a minute. */
const RENEW_MS = 30_000

export function SessionList({ sessions }: { sessions: SessionSummary[] }) {
  const activeId = useApp((app) => app.activeId)
  const { open, remove } = useApp((app) => app.actions)
  const [doomed, setDoomed] = useState<SessionSummary | null>(null)
  const [confirming, setConfirming] = useState(false)
  const now = useNow(RENEW_MS)
  const groups = useMemo(() => groupByFolder(sessions), [sessions])
  const list = useRef<HTMLDivElement>(null)
  const shown = groups.flatMap((group) => group.sessions)
  const tabbable = shown.find((session) => session.id === activeId)?.id ?? shown[0]?.id

  function onKeyDown(event: KeyboardEvent): void {
    const step = { ArrowDown: 1, ArrowUp: -1, Home: Number.NEGATIVE_INFINITY, End: Number.POSITIVE_INFINITY }[event.key]
    const here = event.target instanceof HTMLElement ? event.target.closest('li') : null
    if (step === undefined || !here || !list.current) return
    const rows = [...list.current.querySelectorAll<HTMLElement>('[data-session-row]')]
    const at = rows.findIndex((row) => here.contains(row))
    rows[Math.max(0, Math.min(rows.length - 1, at + step))]?.focus()
    event.preventDefault()
  }

  function askToDelete(session: SessionSummary): void {
    setDoomed(session)
    setConfirming(true)
  }

  return (
    <div ref={list} className="flex flex-col">
      {groups.map((group) => (
        <section key={group.cwd} aria-label={group.label}>
          <h2 className="truncate px-2 pt-3 pb-1 text-xs font-medium text-ink-3" title={group.cwd}>
            {group.label}
          </h2>
          <ul onKeyDown={onKeyDown} className="flex flex-col gap-px">
            {group.sessions.map((session) => (
              <SessionRow
                key={session.id}
                session={session}
                active={session.id === activeId}
                tabbable={session.id === tabbable}
                now={now}
                onOpen={() => {
                  open(session.id)
                  setDrawer(null)
                }}
                onDelete={() => askToDelete(session)}
              />
            ))}
          </ul>
        </section>
      ))}
      <ConfirmDialog
        open={confirming}
        title="Delete this session?"
        confirm="Delete"
        onConfirm={async () => {
          if (doomed) await remove(doomed.id)
        }}
        onClose={() => setConfirming(false)}
      >
        “{doomed?.title || UNTITLED}” and its log are deleted. Files it made in its working folder stay.
      </ConfirmDialog>
    </div>
  )
}
