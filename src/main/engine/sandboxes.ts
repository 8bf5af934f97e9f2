import type { AppInfo } from '@shared/bridge'
import type { Settings } from '@shared/settings'
import type { ProbeResult, Sandbox, SandboxProfile } from '../workspace/sandbox'

const OFF =
  'Commands run with your own rights: in Ask mode every one asks first. Settings: "sandbox": "workspace-write".'
/** A look at what works here; far more than it takes, in milliseconds. */
const PROBE_MS = 5_000

export interface SandboxesDeps {
  home: string
  /** Of the program: it tells where credentials lie. */
  env: NodeJS.ProcessEnv
  settings: () => Pick<Settings, 'sandbox'>
}

/** One sandbox for each session in use; nothing of it is loaded where the settings want none. */
export class Sandboxes {
  private readonly made = new Map<string, Promise<Sandbox>>()
  private probing: Promise<ProbeResult> | null = null

  constructor(private readonly deps: SandboxesDeps) {}

  /** For the tools of a session; undefined: commands are not sandboxed. */
  of(session: string, workspace: string): (() => Promise<Sandbox>) | undefined {
    if (this.deps.settings().sandbox === 'off') return undefined
    return () => {
      const known = this.made.get(session)
      if (known) return known
      const making = this.make(workspace)
      this.made.set(session, making)
      making.catch(() => this.made.delete(session))
      return making
    }
  }

  async status(): Promise<AppInfo['sandbox']> {
    if (this.deps.settings().sandbox === 'off') return { kind: 'none', reason: OFF }
    const { kind, reason, remedy } = await this.probe()
    return { kind, reason: [reason, kind === 'none' ? remedy : ''].filter(Boolean).join(' ') }
  }

  /** The session's sandbox ends; never rejects. */
  async close(session: string): Promise<void> {
    const known = this.made.get(session)
    this.made.delete(session)
    await known?.then((sandbox) => sandbox.close()).catch(() => undefined)
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.made.keys()].map((session) => this.close(session)))
  }

  private async make(workspace: string): Promise<Sandbox> {
    const { createSandbox } = await import('../workspace/sandbox')
    const { sandbox } = this.deps.settings()
    const profile: SandboxProfile = sandbox === 'off' ? 'full' : sandbox
    const options = { workspace, data_folder: this.deps.home, env: this.deps.env, profile }
    return createSandbox(options, AbortSignal.timeout(PROBE_MS), await this.probe())
  }

  private probe(): Promise<ProbeResult> {
    this.probing ??= import('../workspace/sandbox').then(({ probeSandbox }) =>
      probeSandbox(this.deps.env, AbortSignal.timeout(PROBE_MS)),
    )
    return this.probing
  }
}
