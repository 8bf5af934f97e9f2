import type { SandboxStatus } from '@shared/machine'

export type SandboxProfile = SandboxStatus['profile']

/** What a command may reach of the network. Hosts are names, `*.name` for every host below it, each with `:port` or not. */
export type NetworkPolicy =
  | 'off'
  | {
      allow: readonly string[]
      /** Refused whatever else says; wins over `allow`. */
      deny?: readonly string[]
      /** `host:port` that may lie in a private network or on this machine: a mirror, a local model server. Exact. */
      allow_private?: readonly string[]
      /** Asked for a host of neither list; meanwhile the connection waits. Left out: refused. */
      ask?: (host: string, port: number, signal: AbortSignal) => Promise<'allow' | 'deny'>
      /** Milliseconds to wait for that answer; then it is a refusal. */
      ask_timeout_ms?: number
    }

export interface SandboxedCommand {
  /** A command line for bash, or a program with its arguments. */
  run: { shell: string } | { argv: readonly [string, ...string[]] }
  /** Absolute. */
  cwd: string
  /** All that the command gets; without tokens, but for those the user granted. */
  env: NodeJS.ProcessEnv
  profile: SandboxProfile
  /** Further folders that may be written (workspace-write only); absolute. */
  writable?: readonly string[]
  /** Paths that are hidden otherwise and may be read: a folder in /tmp, results of ours, a `.env` file. Absolute. */
  readable?: readonly string[]
  network: NetworkPolicy
  /**
   * What happens to processes the command leaves behind: they end with it, or run on (still in the sandbox) until they
   * are ended from outside.
   */
  background?: 'die' | 'keep'
}

/** To be spawned as it is, over pipes or in a terminal that serves this command alone. */
export interface WrappedCommand {
  file: string
  args: string[]
  env: NodeJS.ProcessEnv
  cwd: string
  /** Hosts the command was refused so far. */
  refused(): readonly NetworkDenial[]
  /**
   * After the command has ended; never rejects. `left_running`: processes of it live on in the sandbox, so its way to
   * the network stays open until the sandbox is closed.
   */
  cleanup(left_running?: boolean): Promise<void>
}

export interface NetworkDenial {
  host: string
  port: number
  reason: string
}

/** What the sandbox forbade, for the model. */
export interface Denial {
  kind: 'write' | 'read' | 'network' | 'privilege'
  /** The path or the host, where the output tells. */
  subject: string
  /** One or two sentences: what is forbidden, and how more can be asked for. */
  message: string
  /** Hosts that a repeated call could name. */
  hosts: string[]
}

export interface Sandbox {
  readonly status: SandboxStatus
  /** Milliseconds of work, no process is started. Rejects with UserError. */
  wrap(command: SandboxedCommand): Promise<WrappedCommand>
  /** Null when nothing looks like the sandbox's doing. `output`: the end of it is enough. */
  explain(outcome: { exit_code: number | null }, output: string, wrapped?: WrappedCommand): Denial | null
  /** Ends the ways to the network and removes private files. Never rejects. */
  close(): Promise<void>
}

export interface SandboxOptions {
  /** Absolute path of an existing folder. */
  workspace: string
  /** Our own data folder: hidden. */
  data_folder: string
  /** The environment of the app: where credentials of the user lie. */
  env: NodeJS.ProcessEnv
  profile: SandboxProfile
}

export interface ProbeResult {
  kind: SandboxStatus['kind']
  version: string
  /** Why there is none, or what is missing in it; a sentence, or empty. */
  reason: string
  remedy: string
  bubblewrap: BubblewrapFacts | null
}

export interface BubblewrapFacts {
  path: string
  /** Absolute path of bash, or of another shell where there is none. */
  shell: string
  /** A root without the right to make user namespaces (a container) is confined without one. */
  user_namespace: boolean
  /** `--disable-userns` exists (0.8.0 and later). */
  disable_userns: boolean
  /** GNU env, which can give back the signals that bubblewrap itself must not die of. */
  env_signals: boolean
  /** The program that carries connections out of the sandbox; null: no network inside. */
  forwarder: 'socat' | 'python3' | null
}

export type RunProbe = (
  file: string,
  args: readonly string[],
  options: { env: NodeJS.ProcessEnv; signal: AbortSignal },
) => Promise<{ exit_code: number | null; stdout: string; stderr: string; error: string }>
