import type { Rule } from '@shared/approvals'
import type { EventData, EventType } from '@shared/events'
import type { ModelRole } from '@shared/settings'
import type { SessionState } from '@shared/state'
import type { Budget } from '../budget'
import type { ModelClient } from '../models/types'
import type { FileTracker, Tool } from '../tools/types'
import type { Sandbox } from '../workspace/sandbox'
import type { ApprovalGate } from './approvals'

/** Emits one event: numbered, folded, streamed, and handed to the log. Returns its number. */
export type Emit = <T extends EventType>(type: T, data: EventData<T>) => number

/** What a turn needs from its session. The loop holds no state of its own between turns: the session's fold is it. */
export interface TurnContext {
  state: () => SessionState
  emit: Emit
  /** Resolves when everything emitted so far is on disk. */
  durable: () => Promise<void>
  /**
   * The client of the session's current model, which may change during a turn; with a role, the one for that side work.
   * Rejects with UserError when there is none.
   */
  client: (role?: ModelRole) => Promise<ModelClient>
  system: () => string
  tools: readonly Tool[]
  files: FileTracker
  gate: ApprovalGate
  /** The turn goes on where calls of the last reply wait for the user: nothing is asked of the model before them. */
  resumed?: boolean
  approvals: 'wait' | 'unavailable'
  /** Awaited before anything changes the workspace. Absent: nothing is recorded. Rejects only when the turn is stopped. */
  beforeChange?: () => Promise<void>
  /**
   * Rules of the settings: those that hold in this session's folder, and those that other settings come to. What the
   * session and the turn allow is in their state.
   */
  rules: () => { lasting: readonly Rule[]; given: readonly Rule[] }
  /** Absent: nothing is counted or capped. */
  budget?: Budget
  /** -1: no limit. */
  max_iterations: number
  streaming: boolean
  outputs_dir: string
  /** Of the program; absolute. Absent: tools write nothing down there. */
  data_folder?: string
  /** Files and folders of the program itself, absolute: a call that changes them could give itself more rights. */
  own_files?: readonly string[]
  /** Of the session; absent: commands are not sandboxed. */
  sandbox?: () => Promise<Sandbox>
  /** For child processes. */
  env: NodeJS.ProcessEnv
  /** Secret values that must not reach an event. */
  secrets: () => readonly string[]
  signal: AbortSignal
}

/** Reason of an abort that only puts a turn aside: what waits for the user's decision goes on waiting in the log. */
export class TurnSuspended extends Error {
  constructor() {
    super('The program is ending.')
  }
}
