import type { BridgePush, DoctorCheck } from '@shared/bridge'
import type { ApprovalMode, Effort, Settings, SettingsPatch } from '@shared/settings'
import type { SessionState, SessionSummary } from '@shared/state'
import type { CredentialStore } from './credentials/types'
import type { Session } from './session/types'

export interface EngineOptions {
  /** Settings after all layers were merged (see settings/load). */
  settings: Settings
  /** Folder of sessions, outputs and the user's settings file; absolute. */
  home: string
  /** Folder the program was started in; absolute. */
  cwd: string
  /** Real environment plus `.env`; the engine never reads `process.env` itself. */
  env: NodeJS.ProcessEnv
  credentials: CredentialStore
  /** Where the user's settings lie; absolute. Absent: in `home`. */
  settings_file?: string
  /** Writes a patch of settings to the user's file and returns the merged result. */
  save_settings: (patch: SettingsPatch) => Promise<Settings>
  run_doctor: () => Promise<DoctorCheck[]>
  host: 'desktop' | 'browser' | 'headless'
}

export interface NewSession {
  /** Absolute or relative to the engine's cwd; must be a readable directory. */
  cwd?: string
  model?: string
  mode?: ApprovalMode
  effort?: Effort | null
  /** US dollars, null: no cap; absent: the settings decide. */
  max_cost_usd?: number | null
  title?: string
}

/** Limits of this run of the program; they are not part of the session. */
export interface RunOptions {
  max_iterations?: number
  streaming?: boolean
  /** What happens to a call that needs an approval: wait for the user, or end the turn with `approval_unavailable`. */
  approvals?: 'wait' | 'unavailable'
}

/** The composition root. Hosts talk to it, and to nothing behind it. */
export interface Engine {
  readonly home: string
  readonly settings: Settings
  /** Newest first. */
  listSessions(): Promise<SessionSummary[]>
  createSession(options: NewSession, run?: RunOptions): Promise<Session>
  /** Opens for writing; a session already open in this process is returned as it is. Throws `session_not_found`. */
  openSession(id: string, run?: RunOptions): Promise<Session>
  /** The state of any session, open or not, without taking its lock. */
  readSession(id: string): Promise<SessionState>
  /** Throws `session_running` while a turn runs, `session_busy` while another process writes it. */
  removeSession(id: string): Promise<void>
  /** The newest session that worked in `cwd`; null when there is none. */
  latestSession(cwd: string): Promise<string | null>
  /** A copy of the bundled demo project, and a session of the demo model in it. */
  createDemo(run?: RunOptions): Promise<{ session: Session; prompt: string }>
  /** Checks that a model id can be used now: throws `unknown_model` or `no_credentials`. */
  checkModel(model: string): Promise<void>
  updateSettings(patch: SettingsPatch): Promise<Settings>
  /** Answers one call of the window; never throws. `client` receives the pushes it subscribed to. */
  connect(push: (message: BridgePush) => void): EngineClient
  runDoctor(): Promise<DoctorCheck[]>
  close(): Promise<void>
}

/** One window. */
export interface EngineClient {
  /** `method` and `input` come from outside: both are checked. Never rejects; the reply is a BridgeReply. */
  request(method: string, input: unknown): Promise<import('@shared/bridge').BridgeReply>
  close(): void
}
