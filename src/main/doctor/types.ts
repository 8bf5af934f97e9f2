import type { Settings } from '@shared/settings'
import type { KeychainOptions } from '../credentials/keychain'
import type { CredentialStore } from '../credentials/types'

export interface DoctorDeps {
  settings: Settings
  /** Data folder; absolute. */
  home: string
  /** Real environment plus `.env`. */
  env: NodeJS.ProcessEnv
  credentials: CredentialStore
  /** Configuration files that were read, and what was ignored in them. */
  files: readonly string[]
  notes: readonly string[]
  /** The following are for tests; left out, they are the real thing. */
  platform?: NodeJS.Platform
  versions?: { node: string; electron?: string }
  keychain?: KeychainOptions
  fetch?: typeof fetch
  run?: RunProgram
  /** Folder of the `electron` package; null: not installed. */
  electron_dir?: string | null
  /** For one check. */
  timeout_ms?: number
}

/** What a check finds; id and title are in the list of checks. */
export interface Finding {
  state: 'ok' | 'warning' | 'failed'
  detail: string
  remedy: string
}

export interface ProgramResult {
  /** Null: it was not started, or was ended by a signal. */
  exit_code: number | null
  stdout: string
  stderr: string
  /** `ENOENT` and the like when it could not be started. */
  error: string
}
export type RunProgram = (
  file: string,
  args: readonly string[],
  options: { env: NodeJS.ProcessEnv; signal: AbortSignal },
) => Promise<ProgramResult>
