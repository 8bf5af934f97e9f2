import { type ProbeResult, probeSandbox as probe } from '../workspace/sandbox'
import { runProgram } from './program'
import type { RunProgram } from './types'

export type SandboxInfo = ProbeResult

/** Whether the operating system's sandbox works here: the same look that every session takes. */
export function probeSandbox(
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
  platform: NodeJS.Platform = process.platform,
  run: RunProgram = runProgram,
): Promise<SandboxInfo> {
  return probe(env, signal, platform, run)
}
