import { realpath } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { SandboxManager, SandboxRuntimeConfig } from '@anthropic-ai/sandbox-runtime'
import type { SandboxStatus } from '@shared/machine'
import { explainDenial } from './explain'
import { envFiles } from './inspect'
import { plainCommand } from './none'
import { isInside } from './paths'
import { GIT_PROTECTED, PLANTABLE_FILES, PLANTABLE_FOLDERS, PLANTABLE_IN_HOME, secretPaths } from './secret-paths'
import type { Denial, NetworkPolicy, Sandbox, SandboxedCommand, SandboxOptions, WrappedCommand } from './types'

type Manager = typeof SandboxManager

/** One command's profile in the terms of the sandbox runtime. Pure. */
export function seatbeltConfig(
  command: Pick<SandboxedCommand, 'profile' | 'writable' | 'readable' | 'network'>,
  workspace: string,
  secrets: readonly string[],
  home: string,
): SandboxRuntimeConfig {
  const writable = command.profile === 'read-only' ? [] : [workspace, ...(command.writable ?? [])]
  const plantable = writable.flatMap((root) => [
    ...[...PLANTABLE_FOLDERS, ...PLANTABLE_FILES].map((name) => join(root, name)),
    ...GIT_PROTECTED.map((name) => join(root, '.git', name)),
    ...(isInside(root, home) ? PLANTABLE_IN_HOME.map((name) => join(home, name)) : []),
  ])
  const { network } = command
  const online = network === 'off' ? { allow: [], deny: [] } : network
  return {
    network: { allowedDomains: [...online.allow], deniedDomains: [...(online.deny ?? [])] },
    filesystem: {
      denyRead: [...secrets],
      allowRead: [...(command.readable ?? [])],
      allowWrite: writable,
      denyWrite: [...plantable, ...secrets],
    },
  }
}

/** macOS: Seatbelt, by the sandbox runtime. It knows one configuration of a process, so network rules are for all. */
export class SeatbeltSandbox implements Sandbox {
  #network: NetworkPolicy = 'off'

  private constructor(
    readonly status: SandboxStatus,
    private readonly options: SandboxOptions,
    private readonly manager: Manager,
  ) {}

  static async create(options: SandboxOptions): Promise<SeatbeltSandbox> {
    const { SandboxManager: manager } = await import('@anthropic-ai/sandbox-runtime')
    const workspace = await realpath(options.workspace)
    const status: SandboxStatus = {
      kind: 'seatbelt',
      reason: `Commands run in Seatbelt and can ${options.profile === 'read-only' ? 'read' : 'write to the workspace only'}.`,
      profile: options.profile,
    }
    const sandbox = new SeatbeltSandbox(status, { ...options, workspace }, manager)
    const start: SandboxedCommand = { run: { shell: '' }, cwd: '/', env: {}, profile: options.profile, network: 'off' }
    await manager.initialize(await sandbox.#config(start), ({ host, port }) => sandbox.#ask(host, port ?? 443))
    return sandbox
  }

  async wrap(command: SandboxedCommand): Promise<WrappedCommand> {
    if (command.profile === 'full') return plainCommand(command)
    const config = await this.#config(command)
    this.#network = command.network
    this.manager.updateConfig(config)
    const line = 'shell' in command.run ? command.run.shell : command.run.argv.map(quote).join(' ')
    const { argv, env } = await this.manager.wrapWithSandboxArgv(line, 'bash', config, undefined, command.cwd)
    const [file = '/bin/sh', ...args] = argv
    // The runtime starts from our whole environment: only what it adds or changes is taken.
    const added = Object.entries(env).filter(([name, value]) => process.env[name] !== value)
    return {
      file,
      args,
      env: { ...command.env, ...Object.fromEntries(added) },
      cwd: command.cwd,
      refused: () => [],
      cleanup: async () => this.manager.cleanupAfterCommand(),
    }
  }

  explain(outcome: { exit_code: number | null }, output: string, wrapped?: WrappedCommand): Denial | null {
    const hidden = this.#secrets()
    // Seatbelt says "Operation not permitted" to everything; of a path that tells which.
    const isHidden = (path: string): boolean => hidden.some((secret) => isInside(secret, path))
    return explainDenial(outcome, output, wrapped?.refused() ?? [], this.status.profile, isHidden)
  }

  async close(): Promise<void> {
    // A proxy that cannot be ended ends with the app.
    await this.manager.reset().catch(() => undefined)
  }

  #secrets(): string[] {
    return secretPaths([homedir()], this.options.data_folder, this.options.env)
  }

  async #config(command: SandboxedCommand): Promise<SandboxRuntimeConfig> {
    const env = await envFiles(this.options.workspace)
    const granted = command.readable ?? []
    const secrets = [...this.#secrets(), ...env].filter((path) => !granted.includes(path))
    return seatbeltConfig(command, this.options.workspace, secrets, homedir())
  }

  async #ask(host: string, port: number): Promise<boolean> {
    const network = this.#network
    if (network === 'off' || !network.ask) return false
    const timeout = AbortSignal.timeout(network.ask_timeout_ms ?? 120_000)
    return (await network.ask(host, port, timeout)) === 'allow'
  }
}

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`
}
