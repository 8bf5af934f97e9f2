import { z } from 'zod'

/** A terminal of a session: one for each command of the agent, and shells that the user opened. */
export interface TerminalInfo {
  /** Of a command its call id; of a shell an id of its own. */
  id: string
  session: string
  kind: 'command' | 'shell'
  /** The command line, or the name of the shell. */
  title: string
  cwd: string
  pid: number | null
  state: 'running' | 'ended'
  exit_code: number | null
  signal: string | null
  /** ISO 8601, UTC. */
  started_at: string
  ended_at: string | null
  cols: number
  rows: number
}

/** What a window that shows a terminal gets first: the screen and its scrollback, secrets redacted. */
export interface TerminalSnapshot {
  info: TerminalInfo
  /** Escape sequences that draw the screen again in a terminal of `cols` by `rows`. */
  screen: string
  /** Number of the last piece of output in `screen`; pieces after it follow as pushes. */
  seq: number
}

/** A process that a command left running when it ended. */
export interface BackgroundProcess {
  pid: number
  /** Clock ticks since boot (Linux), or another value that no later process with this id has. */
  start_time: string
  command: string
  cwd: string | null
  /** The call that started it; null when that is not known any more. */
  tool_call_id: string | null
  /** ISO 8601, UTC. */
  started_at: string
}

export const terminalSize = z.object({
  cols: z.number().int().min(2).max(1000),
  rows: z.number().int().min(1).max(500),
})
/** Longest piece of input in one call, in UTF-16 code units: a large paste comes in several. */
export const MAX_TERMINAL_INPUT = 65_536
/** Output that a window has not confirmed yet, in UTF-16 code units, above which the terminal is held back. */
export const TERMINAL_HIGH_WATER = 500_000
export const TERMINAL_LOW_WATER = 100_000
