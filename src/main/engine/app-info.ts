import { arch, platform } from 'node:os'
import type { AppInfo } from '@shared/bridge'
import type { Settings } from '@shared/settings'
import { version } from '../../../package.json'
import type { EngineOptions } from '../engine-types'
import { redactValue } from '../redact'
import { findPython } from '../workspace/programs'
import type { ModelClients } from './clients'
import type { Sandboxes } from './sandboxes'

/** The tools that tell about a GPU are waited for no longer than this, in milliseconds. */
const MACHINE_MS = 4_000

export interface InfoDeps {
  options: EngineOptions
  settings: Settings
  clients: ModelClients
  secrets: () => readonly string[]
  /** Without tokens. */
  env: NodeJS.ProcessEnv
  host: HostFacts
  sandboxes: Sandboxes
}

/** What a window knows of the program and the machine. */
export async function appInfo({ options, settings, clients, secrets, env, ...found }: InfoDeps): Promise<AppInfo> {
  const { detectMachine } = await import('../workspace/machine')
  const cwd = settings.default_cwd ?? options.cwd
  const [status, models, machine, python, sandbox] = await Promise.all([
    options.credentials.status('anthropic'),
    clients.list(),
    detectMachine(cwd, { signal: AbortSignal.timeout(MACHINE_MS), env }).catch(() => undefined),
    found.host.python(),
    found.sandboxes.status(),
  ])
  return {
    version,
    host: options.host === 'desktop' ? 'desktop' : 'browser',
    platform: `${platform()} ${arch()}`,
    home: options.home,
    default_cwd: cwd,
    settings,
    models,
    // What a keychain says when it fails may quote what it was given.
    credentials: redactValue([status], secrets()),
    sandbox,
    python,
    ...(machine ? { machine } : {}),
  }
}

/** A turn waits so long for the line about the machine, in milliseconds. */
const LINE_MS = 1_000

/** What the model is told about the machine. Found out once: a line that changes would spoil the prompt cache. */
export class HostFacts {
  private interpreter: Promise<string | null> | null = null
  private line: Promise<string> | null = null

  constructor(private readonly env: NodeJS.ProcessEnv) {}

  python(): Promise<string | null> {
    this.interpreter ??= findPython(this.env)
    return this.interpreter
  }

  /** Never rejects: what cannot be found out in time is said so. */
  machine(cwd: string): Promise<string> {
    this.line ??= describeMachine(cwd, this.env)
    return this.line
  }
}

async function describeMachine(cwd: string, env: NodeJS.ProcessEnv): Promise<string> {
  const { detectMachine, machineLine } = await import('../workspace/machine')
  try {
    return machineLine(await detectMachine(cwd, { signal: AbortSignal.timeout(LINE_MS), env }))
  } catch {
    return 'not known: it did not answer in time'
  }
}
