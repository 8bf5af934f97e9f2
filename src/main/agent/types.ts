import type { EventData, EventType } from '@shared/events'
import type { SessionState } from '@shared/state'
import type { Budget } from '../budget'
import type { ModelClient } from '../models/types'
import type { FileTracker, Tool } from '../tools/types'
import type { ApprovalGate } from './approvals'

/** Emits one event: numbered, folded, streamed, and handed to the log. Returns its number. */
export type Emit = <T extends EventType>(type: T, data: EventData<T>) => number

/** What a turn needs from its session. The loop holds no state of its own between turns: the session's fold is it. */
export interface TurnContext {
  state: () => SessionState
  emit: Emit
  /** Resolves when everything emitted so far is on disk. */
  durable: () => Promise<void>
  /** The client of the session's current model; it may change during a turn. */
  client: () => Promise<ModelClient>
  system: () => string
  tools: readonly Tool[]
  files: FileTracker
  gate: ApprovalGate
  approvals: 'wait' | 'unavailable'
  /** Absent: nothing is counted or capped. */
  budget?: Budget
  /** -1: no limit. */
  max_iterations: number
  streaming: boolean
  outputs_dir: string
  /** For child processes. */
  env: NodeJS.ProcessEnv
  /** Secret values that must not reach an event. */
  secrets: () => readonly string[]
  signal: AbortSignal
}
