import type { SessionState } from '@shared/state'
import type { UserError } from '../errors'
import type { Session } from '../session/types'

/** A session that another process writes: its state as it was when it was opened. */
export function readOnlySession(state: SessionState, busy: UserError): Session {
  return {
    id: state.id,
    state,
    read_only: true,
    submit: () => Promise.reject(busy),
    onEvent: () => () => undefined,
    since: () => ({ kind: 'snapshot', state }),
    durable: () => Promise.resolve(),
    idle: () => Promise.resolve(),
    close: () => Promise.resolve(),
  }
}
