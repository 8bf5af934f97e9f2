/**
 * An error meant for the user: a stable code, a sentence, and what to do about it. Everything a host shows is one of
 * these; any other exception is a defect and is shown as `internal`.
 */
export class UserError extends Error {
  override readonly name = 'UserError'
  constructor(
    readonly code: UserErrorCode,
    message: string,
    readonly remedy = '',
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

export type UserErrorCode =
  | 'usage'
  | 'config'
  | 'no_credentials'
  | 'unknown_model'
  | 'not_found'
  | 'not_a_directory'
  | 'permission'
  | 'session_busy'
  | 'session_not_found'
  | 'session_running'
  | 'invalid_operation'
  | 'unsupported_operation'
  | 'log_write'
  | 'budget'
  | 'budget_ledger'
  | 'model'
  | 'network'
  /** The Hugging Face Hub refused, or is not well. */
  | 'hub'
  | 'too_large'
  | 'invalid_request'
  | 'resource_missing'
  | 'internal'

/** Exit codes of the command line (README, "Exit codes"). */
export const EXIT = {
  finished: 0,
  failed: 1,
  usage: 2,
  iteration_limit: 3,
  budget: 4,
  approval: 5,
  interrupted: 130,
} as const

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** An error of the system (ENOENT, EACCES, …), not one of ours. */
export function isNodeError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && !(error instanceof UserError) && 'code' in error
}
