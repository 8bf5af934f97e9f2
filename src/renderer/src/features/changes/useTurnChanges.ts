import { isUnknownEvent } from '@shared/events'
import type { SessionState } from '@shared/state'
import { useEffect } from 'react'
import { useApp } from '../../stores/app'
import { onSessionEvent, useSessionPart } from '../../stores/sessions'
import { keyOf, type Loaded, loadChanges, setRewind, useChanges } from './store'
import type { Turn } from './turns'

/** What the changes of the newest turn depend on: every step may have changed something. */
function progress(state: SessionState | undefined): string {
  if (!state) return ''
  const { items, status } = state
  let steps = 0
  for (let at = items.length - 1; at >= 0; at -= 1) {
    const item = items[at]
    if (!item || (item.kind === 'user' && item.source === 'user')) break
    // A rewind is a notice.
    if (item.kind === 'notice' || (item.kind === 'tool' && item.has_output)) steps += 1
  }
  return `${items[0]?.seq ?? 0} ${state.turns} ${steps} ${status}`
}

/** The changes of a turn, kept up to date while `active`. */
export function useTurnChanges(
  session: string,
  turn: Pick<Turn, 'id' | 'newest'>,
  active: boolean,
): Loaded | undefined {
  const { id, newest } = turn
  const connected = useApp((app) => app.connection === 'connected')
  const version = useSessionPart(session, (state) => (newest ? progress(state) : 'sealed'))
  useEffect(() => {
    if (active && connected) loadChanges(session, id, version)
  }, [session, id, version, active, connected])
  return useChanges((store) => store.loaded[keyOf(session, id)])
}

/** Remembers the newest rewind of a session, for its Undo. */
export function useRewinds(session: string): void {
  useEffect(
    () =>
      onSessionEvent(session, (event) => {
        if (isUnknownEvent(event) || event.type !== 'rewound') return
        const { undo_id, files, problems } = event.data
        setRewind(session, undo_id === undefined ? null : { undo_id, files, problems })
      }),
    [session],
  )
}
