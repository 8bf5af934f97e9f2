import type { SessionStatus, TurnOutcome } from '@shared/state'

export type DotKind = 'running' | 'waiting' | 'ok' | 'error' | 'warning' | 'idle'

interface RunState {
  kind: DotKind
  label: string
}

/** One word for where a session stands, for the dot, its tooltip and screen readers. */
export function runStateOf(session: { status: SessionStatus; last_outcome: TurnOutcome | null }): RunState {
  if (session.status === 'running') return { kind: 'running', label: 'Running' }
  if (session.status === 'waiting_approval') return { kind: 'waiting', label: 'Waiting for your approval' }
  switch (session.last_outcome) {
    case null:
      return { kind: 'idle', label: 'Not started' }
    case 'finished':
      return { kind: 'ok', label: 'Finished' }
    case 'interrupted':
      return { kind: 'idle', label: 'Stopped' }
    case 'error':
      return { kind: 'error', label: 'Ended with an error' }
    case 'max_iterations':
      return { kind: 'warning', label: 'Reached its limit of model calls' }
    case 'budget':
      return { kind: 'warning', label: 'Reached its cost cap' }
    case 'approval_unavailable':
      return { kind: 'warning', label: 'Needed an approval' }
    case 'refusal':
      return { kind: 'warning', label: 'Declined by the model' }
    case 'guard':
      return { kind: 'warning', label: 'Ended by a guard' }
  }
}
