import { noSandbox } from './none'
import { probeSandbox } from './probe'
import type { ProbeResult, Sandbox, SandboxOptions } from './types'

export { DEFAULT_HOSTS } from './network'
export { noSandbox } from './none'
export { probeSandbox } from './probe'
export type * from './types'

/**
 * The sandbox of a session: the one that works on this system, or none with the reason in its status. `probe`: the
 * result of an earlier look, which costs about 20 ms. Rejects with UserError when the workspace is gone.
 */
export async function createSandbox(
  options: SandboxOptions,
  signal: AbortSignal,
  probe?: ProbeResult,
): Promise<Sandbox> {
  if (options.profile === 'full') return noSandbox('It is switched off: commands run with your own rights.')
  const found = probe ?? (await probeSandbox(options.env, signal))
  if (found.bubblewrap) {
    const { BubblewrapSandbox } = await import('./bubblewrap')
    return BubblewrapSandbox.create(options, found, found.bubblewrap)
  }
  if (found.kind === 'seatbelt') {
    const { SeatbeltSandbox } = await import('./seatbelt')
    return SeatbeltSandbox.create(options)
  }
  return noSandbox([found.reason, found.remedy].filter((part) => part !== '').join(' '))
}
