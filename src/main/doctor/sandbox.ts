import { runProgram } from './program'
import type { RunProgram } from './types'

export interface SandboxInfo {
  /** What the system offers; this version does not use it yet. */
  kind: 'none' | 'bubblewrap' | 'seatbelt'
  version: string
  /** Why there is none, in a sentence; empty when there is one. */
  reason: string
  remedy: string
}

const NONE: SandboxInfo = { kind: 'none', version: '', reason: '', remedy: '' }

/** Whether the operating system's sandbox works here: it is really started, because being installed says little. */
export async function probeSandbox(
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
  platform: NodeJS.Platform = process.platform,
  run: RunProgram = runProgram,
): Promise<SandboxInfo> {
  if (platform === 'linux') return probeBubblewrap(env, signal, run)
  if (platform === 'darwin') {
    const result = await run('sandbox-exec', ['-p', '(version 1)(allow default)', '/usr/bin/true'], { env, signal })
    if (result.exit_code === 0) return { ...NONE, kind: 'seatbelt' }
    return { ...NONE, reason: `sandbox-exec does not work: ${reasonOf(result)}.` }
  }
  return { ...NONE, reason: 'There is no supported sandbox on this system.' }
}

async function probeBubblewrap(env: NodeJS.ProcessEnv, signal: AbortSignal, run: RunProgram): Promise<SandboxInfo> {
  const result = await run('bwrap', ['--ro-bind', '/', '/', '--unshare-net', 'true'], { env, signal })
  if (result.error === 'ENOENT') {
    return {
      ...NONE,
      reason: 'bubblewrap is not installed.',
      remedy: 'Install it: sudo apt-get install bubblewrap (Debian, Ubuntu) or sudo dnf install bubblewrap (Fedora).',
    }
  }
  if (result.exit_code !== 0) {
    return {
      ...NONE,
      reason: `bubblewrap is installed but cannot start: ${reasonOf(result)}.`,
      remedy:
        'Unprivileged user namespaces are probably forbidden here (a container, or AppArmor on Ubuntu 24 and later: ' +
        'see kernel.apparmor_restrict_unprivileged_userns).',
    }
  }
  const version = await run('bwrap', ['--version'], { env, signal })
  return { ...NONE, kind: 'bubblewrap', version: version.stdout.trim().replace(/^bubblewrap\s*/, '') }
}

function reasonOf(result: { exit_code: number | null; stderr: string; error: string }): string {
  const said = result.stderr.trim().split('\n').at(-1)
  return said || result.error || `exit code ${result.exit_code}`
}
