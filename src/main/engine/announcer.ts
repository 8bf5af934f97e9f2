import type { BridgePush } from '@shared/bridge'
import { type SessionState, summarize } from '@shared/state'

/** Tells every window when what the list of sessions shows has changed. */
export function announcer(id: string, broadcast: (push: BridgePush) => void): (state: SessionState) => void {
  let shown = ''
  return (state) => {
    const { title, model, status, last_outcome, turns, cwd } = state
    const now = JSON.stringify([title, model, status, last_outcome, turns, cwd])
    if (now === shown || cwd === '') return
    shown = now
    broadcast({ kind: 'session', id, summary: summarize(state) })
  }
}
