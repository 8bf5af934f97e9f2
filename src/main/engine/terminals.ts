import type { BridgePush } from '@shared/bridge'
import type { TerminalInfo } from '@shared/terminals'
import type { SessionStore } from '../session/store'
import type { TerminalHub } from '../workspace/terminal/hub'

export interface TerminalsDeps {
  store: SessionStore
  secrets: () => readonly string[]
  /** Of a shell: without tokens. */
  env: NodeJS.ProcessEnv
  broadcast: (push: BridgePush) => void
}

/** The user's own shells. Nothing of it is loaded before somebody asks for a terminal. */
export class Terminals {
  private loading: Promise<TerminalHub> | null = null

  constructor(private readonly deps: TerminalsDeps) {}

  hub(): Promise<TerminalHub> {
    this.loading ??= this.load()
    return this.loading
  }

  async open(session: string, cwd: string): Promise<TerminalInfo> {
    return (await this.hub()).openShell(session, cwd, this.deps.env)
  }

  /** A window is gone. */
  async detachWindow(window: string): Promise<void> {
    if (this.loading) (await this.loading).detachWindow(window)
  }

  /** A session is deleted: its shells end. */
  async closeSession(session: string): Promise<void> {
    if (this.loading) await (await this.loading).closeSession(session)
  }

  async close(): Promise<void> {
    if (this.loading) await (await this.loading).shutdown()
  }

  private async load(): Promise<TerminalHub> {
    const { TerminalHub } = await import('../workspace/terminal/hub')
    const { store, secrets, broadcast } = this.deps
    const hub: TerminalHub = new TerminalHub({
      folderOf: (session) => store.dir(session),
      secrets,
      changed: (session) => {
        hub.list(session).then(
          (terminals) => broadcast({ kind: 'terminals', session, terminals }),
          // The session was deleted meanwhile: nobody shows its terminals.
          () => undefined,
        )
      },
      problem: (message) => void process.emitWarning(message),
    })
    return hub
  }
}
