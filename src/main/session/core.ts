import type { ApprovalScope, Rule } from '@shared/approvals'
import type { EventData, EventType } from '@shared/events'
import type { OperationReceipt } from '@shared/operations'
import type { SessionState } from '@shared/state'
import type { ApprovalGate, GateDecision } from '../agent/approvals/gate'
import type { TurnContext } from '../agent/types'
import type { FileTracker } from '../tools/types'
import type { Checkpoints } from '../workspace/checkpoints'
import type { WriterLock } from './lock'
import type { EventLog } from './log'

/** What a session needs from the engine around it. */
export interface SessionDeps {
  dir: string
  log: EventLog
  lock: WriterLock
  /** Throws `unknown_model` or `no_credentials`. */
  checkModel: (model: string) => Promise<void>
  runTurn: (turn: TurnContext) => Promise<void>
  /** Everything of a turn that is not the session's own. */
  turnDefaults: () => Promise<TurnDefaults>
  files: FileTracker
  secrets: () => readonly string[]
  /** Writes rules into the settings. Rejects with UserError. */
  keepRules: (scope: Extract<ApprovalScope, 'project' | 'always'>, cwd: string, rules: readonly Rule[]) => Promise<void>
  /** A new session that begins with what is on disk of this one up to an event. Returns its id. */
  fork: (at_seq: number | undefined) => Promise<string>
  /** The recorded states of the session's workspace; null: the settings want none. */
  checkpoints: (core: SessionCore) => Promise<Checkpoints | null>
  /** A user watches: what was chosen may be tried out, beside the turns. */
  interactive: boolean
  /** A model may name sessions here. */
  wantsTitles: () => boolean
  /** The turn ended or the session changed in a way the list of sessions shows. */
  onSettled: (state: SessionState) => Promise<void>
  /** After every event that is not transient. */
  onChange: (state: SessionState) => void
}
export type TurnDefaults = Omit<
  TurnContext,
  'state' | 'emit' | 'durable' | 'gate' | 'resumed' | 'signal' | 'outputs_dir' | 'files' | 'beforeChange'
>

export interface RunningTurn {
  controller: AbortController
  gate: ApprovalGate
  done: Promise<void>
}

export interface TurnStart {
  run?: SessionDeps['runTurn']
  resumed?: boolean
  decided?: readonly GateDecision[]
}

/** What the parts of a session share: its state, the way to change it, and the turn that runs. */
export interface SessionCore {
  readonly state: SessionState
  readonly running: RunningTurn | null
  readonly deps: SessionDeps
  emit<T extends EventType>(type: T, data: EventData<T>): number
  /** Resolves when the event with that number is durable. */
  recorded(seq: number): Promise<OperationReceipt>
  startTurn(start?: TurnStart): void
  /** Throws UserError when the session is closed, or about to be. */
  requireOpen(): void
}
