import type { ApprovalRisk, ApprovalSubject } from '@shared/approvals'
import type { PlanItem, Spill, ToolDetails } from '@shared/content'
import type { EventData } from '@shared/events'
import type { ApprovalMode } from '@shared/settings'
import type { z } from 'zod'
import type { Sandbox } from '../workspace/sandbox'

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
  /** What rules see of a call; absent: `effect` as the operation, without a text. Pure and quick. */
  readonly approval?: (input: z.output<S>, context: ApprovalContext) => ApprovalFacts
  /** Files that the call opens, absolute, so that `approval` can be told where they really lie. */
  readonly paths?: (input: z.output<S>, context: { cwd: string }) => string[]
  /** US dollars that the call itself will cost, as far as can be told; null: unknown. Absent: nothing. */
  readonly cost?: (input: z.output<S>) => number | null
  /** One line for the tool row and the approval card: "python train.py", "Write train.py (42 lines)". */
  readonly intent: (input: z.output<S>) => string
  /** May throw: the loop turns that into an error result. Must end soon after `context.signal` aborts. */
  readonly run: (input: z.output<S>, context: ToolContext) => Promise<ToolResult>
}

export interface ApprovalContext {
  cwd: string
  /** Where paths lead when links are followed; what is missing leads to itself. */
  real?: ReadonlyMap<string, string>
  /** Files and folders of the program itself; absolute. */
  own?: readonly string[]
  /** Folders outside of `cwd` that may be read without a question; absent: none. Absolute. */
  granted?: readonly string[]
}

/** What a call would do, for rules and for the card that asks. */
export interface ApprovalFacts {
  subjects: Subject[]
  /** Never allowed for longer than a session. */
  risk?: ApprovalRisk
  /** It runs in a sandbox: in Ask mode it needs no question. */
  sandboxed?: boolean
  /** Why it should be looked at, in a sentence; empty or absent: the mode's own words. */
  reason?: string
}
export interface Subject extends ApprovalSubject {
  /** No allow rule with a pattern covers it: what it does is known only when it runs. */
  opaque?: boolean
  /** It changes nothing and shows no secret: it needs no rule of its own. */
  harmless?: boolean
  /** Other names for it, for rules that deny or ask: `git push` of `git -C x push`, `rm x` of `sudo rm x`. */
  also?: readonly string[]
  /** From this index on the text holds expansions: rules that deny or ask may mean what will stand there. */
  unsure_from?: number
}

export interface ToolContext {
  call_id: string
  /** Absolute; relative paths of arguments are resolved against it. */
  cwd: string
  /** Folders outside of `cwd` that may be read without a question; absent: none. Absolute. */
  granted?: readonly string[]
  signal: AbortSignal
  mode: ApprovalMode
  /** `<session>/outputs`, made on first use: where output too large for the log goes. */
  outputs_dir: string
  /** Of the program; absent: nothing is written down beside the workspace. Absolute. */
  data_folder?: string
  /** What this session has read, to refuse stale edits. */
  files: FileTracker
  /** Live output, shown in the terminal as it comes. */
  log: (text: string, stream: 'stdout' | 'stderr') => void
  set_plan: (plan: PlanItem[]) => void
  /** The current plan. */
  plan: () => PlanItem[]
  /** Of the session; absent: commands are not sandboxed. Rejects with UserError when there is none here. */
  sandbox?: () => Promise<Sandbox>
  /** Environment for child processes: no tokens. */
  env: NodeJS.ProcessEnv
  /** Values that must not be written anywhere; results and live output are redacted by the loop. */
  secrets: () => readonly string[]
}

export interface ToolResult {
  /** What the model reads. */
  output: string
  ok: boolean
  /** Pictures that belong to it, for a model that sees. */
  images?: ToolImage[]
  details?: ToolDetails
  spill?: Spill
  /** What the call cost beside the model, where that is known at its end; absent: what `cost` said. */
  spent?: ToolSpend
}
export interface ToolImage {
  media_type: 'image/png' | 'image/jpeg' | 'image/gif' | 'image/webp'
  /** The file's bytes as they are. */
  data_base64: string
  /** Pixels, as the file's header says; null where it does not. */
  width: number | null
  height: number | null
}
export type ToolSpend = Pick<EventData<'spend'>, 'kind' | 'label' | 'usd'>

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
