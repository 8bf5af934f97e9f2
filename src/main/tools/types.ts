import type { PlanItem, Spill, ToolDetails } from '@shared/content'
import type { ApprovalMode } from '@shared/settings'
import type { z } from 'zod'

/** A tool the model can call: one file a tool, registered in registry.ts. */
export interface Tool<S extends z.ZodType = z.ZodType> {
  readonly name: string
  readonly description: string
  readonly schema: S
  /**
   * `parallel` calls of one reply run together; a `serial` call waits for all before it and holds all after it.
   * (A write followed by a command that needs the file must not race.)
   */
  readonly concurrency: 'parallel' | 'serial'
  /** Whether a call with these arguments changes anything: read-only calls run in every mode. */
  readonly effect: (input: z.output<S>) => 'read' | 'write' | 'execute'
  /** One line for the tool row and the approval card: "python train.py", "Write train.py (42 lines)". */
  readonly intent: (input: z.output<S>) => string
  /** May throw: the loop turns that into an error result. Must end soon after `context.signal` aborts. */
  readonly run: (input: z.output<S>, context: ToolContext) => Promise<ToolResult>
}

export interface ToolContext {
  call_id: string
  /** Absolute; relative paths of arguments are resolved against it. */
  cwd: string
  signal: AbortSignal
  mode: ApprovalMode
  /** `<session>/outputs`, made on first use: where output too large for the log goes. */
  outputs_dir: string
  /** What this session has read, to refuse stale edits. */
  files: FileTracker
  /** Live output, shown in the terminal as it comes. */
  log: (text: string, stream: 'stdout' | 'stderr') => void
  set_plan: (plan: PlanItem[]) => void
  /** The current plan. */
  plan: () => PlanItem[]
  /** Environment for child processes: no tokens. */
  env: NodeJS.ProcessEnv
  /** Values that must not be written anywhere; results and live output are redacted by the loop. */
  secrets: () => readonly string[]
}

export interface ToolResult {
  /** What the model reads. */
  output: string
  ok: boolean
  details?: ToolDetails
  spill?: Spill
}

/** Remembers, for one session, the version of every file the model has seen. */
export interface FileTracker {
  /** Records what was read or written. `hash`: SHA-256 of the bytes, hex. */
  note: (path: string, version: FileVersion) => void
  get: (path: string) => FileVersion | null
}
export interface FileVersion {
  mtime_ms: number
  size: number
  hash: string
}
