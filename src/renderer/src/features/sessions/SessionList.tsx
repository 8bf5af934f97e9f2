import type { SessionSummary } from '@shared/state'
import { useMemo } from 'react'
import { useNow } from '../../hooks/useNow'
import { useApp } from '../../stores/app'
import { setDrawer } from '../../stores/ui'
import { groupByFolder } from './groups'
import { SessionRow } from './SessionRow'

/** Milliseconds between renewals of the relative times: their smallest unit is a minute. */
const RENEW_MS = 30_000

export function SessionList({ sessions }: { sessions: SessionSummary[] }) {
  const activeId = useApp((app) => app.activeId)
  const open = useApp((app) => app.actions.open)
  const now = useNow(RENEW_MS)
  const groups = useMemo(() => groupByFolder(sessions), [sessions])
  const shown = groups.flatMap((group) => group.sessions)
  const tabbable = shown.find((session) => session.id === activeId)?.id ?? shown[0]?.id

  return (
    <div className="flex flex-col">
      {groups.map((group) => (
        <section key={group.cwd} aria-label={group.label}>
          <h2 className="truncate px-2 pt-3 pb-1 text-xs font-medium text-ink-3" title={group.cwd}>
            {group.label}
          </h2>
          <ul className="flex flex-col gap-px">
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
              />
            ))}
          </ul>
        </section>
      ))}
    </div>
  )
}
