import type { SandboxStatus } from '@shared/machine'
import { UserError } from '../../errors'
import type { Sandbox, SandboxedCommand, WrappedCommand } from './types'

/** No sandbox: commands run with the rights of the user. `reason`: why, in a sentence. */
export function noSandbox(reason: string): Sandbox {
  const status: SandboxStatus = { kind: 'none', reason, profile: 'full' }
  return {
    status,
    async wrap(command) {
      if (command.profile !== 'full') {
        throw new UserError(
          'permission',
          `There is no sandbox: ${reason}`,
          'Ask the user before running it without one.',
        )
      }
      return plainCommand(command)
    },
    explain: () => null,
    close: async () => undefined,
  }
}

/** The command as it is. */
export function plainCommand({ run, cwd, env }: SandboxedCommand): WrappedCommand {
  const [file, ...args] = 'shell' in run ? (['bash', '-c', run.shell] as const) : run.argv
  return { file, args, env, cwd, refused: () => [], cleanup: async () => undefined }
}
