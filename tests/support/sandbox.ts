import { spawn } from 'node:child_process'
import { createSandbox, probeSandbox, type Sandbox, type SandboxedCommand } from '../../src/main/workspace/sandbox'

export interface Ran {
  exit_code: number
  output: string
  /** stdout alone. */
  stdout: string
}

/** Runs a file and gives what it wrote; ends it after `limit` milliseconds. */
export function run(
  file: string,
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; cwd?: string; uid?: number; gid?: number },
  limit = 15_000,
): Promise<Ran> {
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      ...options,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: limit,
      killSignal: 'SIGKILL',
    })
    const ran: Ran = { exit_code: -1, output: '', stdout: '' }
    child.stdout.on('data', (chunk) => {
      ran.output += chunk
      ran.stdout += chunk
    })
    child.stderr.on('data', (chunk) => {
      ran.output += chunk
    })
    child.once('error', (error) => resolve({ ...ran, output: String(error) }))
    child.once('close', (code) => resolve({ ...ran, exit_code: code ?? -1 }))
  })
}

export const PLAIN_ENV: NodeJS.ProcessEnv = { PATH: process.env.PATH, LANG: 'C.UTF-8' }

/** Wraps, runs and cleans up. `prefix`: a program that starts it all, bubblewrap too, as another user. */
export async function inside(
  sandbox: Sandbox,
  shell: string,
  more: Partial<SandboxedCommand> & { cwd: string },
  prefix: readonly string[] = [],
): Promise<Ran & { denial: string }> {
  const command: SandboxedCommand = {
    run: { shell },
    env: PLAIN_ENV,
    profile: 'workspace-write',
    network: 'off',
    ...more,
  }
  const wrapped = await sandbox.wrap(command)
  try {
    const [file = '', ...args] = [...prefix, wrapped.file, ...wrapped.args]
    const ran = await run(file, args, { env: wrapped.env, cwd: wrapped.cwd })
    return { ...ran, denial: sandbox.explain(ran, ran.output, wrapped)?.message ?? '' }
  } finally {
    await wrapped.cleanup()
  }
}

/** The sandbox of this machine; fails the test where there is none. */
export async function realSandbox(workspace: string, data_folder: string, env: NodeJS.ProcessEnv): Promise<Sandbox> {
  const signal = new AbortController().signal
  const probe = await probeSandbox(env, signal)
  if (probe.kind !== 'bubblewrap') throw new Error(`no bubblewrap here: ${probe.reason} ${probe.remedy}`)
  return createSandbox({ workspace, data_folder, env, profile: 'workspace-write' }, signal, probe)
}
