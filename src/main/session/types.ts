import type { Subscription } from '@shared/bridge'
import type { AnyEvent } from '@shared/events'
import type { Operation, OperationReceipt } from '@shared/operations'
import type { SessionState } from '@shared/state'

/** A session as hosts see it. */
export interface Session {
  readonly id: string
  /** The fold of everything so far; a new object after every event. */
  readonly state: SessionState
  /** Another process holds the writer lock: operations are refused with `session_busy`. */
  readonly read_only: boolean
  /** Resolves when the operation's event is durable. Rejects with UserError. */
  submit(operation: Operation): Promise<OperationReceipt>
  /** Called for every event, transient ones included, in order, synchronously after the fold. */
  onEvent(listener: (event: AnyEvent) => void): () => void
  /** The events after a number, or a snapshot when the exact stream is no longer in memory. */
  since(after: number): Subscription
  /** Resolves when every event so far is on disk (of transient ones, what they were merged into). Rejects with `log_write`. */
  durable(): Promise<void>
  /** Resolves when no turn runs and none is queued. */
  idle(): Promise<void>
  /** Stops the turn, writes what is pending, releases the lock. */
  close(): Promise<void>
}
