import type { SessionState, TranscriptItem } from '@shared/state'
import { redactValue } from '../../redact'

/** Takes secrets out of what leaves the program: logs of older versions may hold what newer patterns know. */
export interface Redact {
  item(item: TranscriptItem): TranscriptItem
  /** The state without its transcript. */
  head(state: SessionState): SessionState
  value<T>(value: T): T
}

/**
 * With all patterns, whatever kind of text it is: a session in the log has to stay exact for the model that goes on
 * with it, and an export has not. Sealed reasoning is spared: one changed letter breaks its seal, and nobody can read it.
 */
export function redactor(secrets: readonly string[]): Redact {
  const value = <T>(given: T): T => redactValue(given, secrets, 'full')
  return { item: value, head: (state) => ({ ...value({ ...state, items: [] }), items: [] }), value }
}
