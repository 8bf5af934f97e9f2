import { UserError } from '../errors'
import type { WrappedCommand } from '../workspace/sandbox'
import type { ToolContext } from './types'

/** A command that is started in the background may live on: `a &`, not `a && b` or `2>&1`. */
const BACKGROUND = /(?<![&>])&(?![&>\d])/

export interface Bounds {
  wrapped: WrappedCommand
  /** After the command. Never rejects. */
  ended: () => Promise<void>
  /** What the sandbox forbade and how to ask for it, for the model; empty when it was not the sandbox. */
  explain: (outcome: { exit_code: number | null }, output: string) => string[]
}

/**
 * A command inside the session's sandbox. Throws UserError when there is none: a command that was let through because it is
 * bounded must not run without bounds.
 */
export async function wrapCommand(
  command: string,
  { cwd, env, network }: { cwd: string; env: NodeJS.ProcessEnv; network: readonly string[] },
  context: ToolContext,
): Promise<Bounds> {
  const sandbox = await context.sandbox?.()
  if (!sandbox || sandbox.status.kind === 'none') {
    const why = sandbox?.status.reason ?? 'It could not be set up.'
    throw new UserError(
      'resource_missing',
      `There is no sandbox to run this in. ${why}`,
      'Call it again with unsandboxed: true; the user is asked then.',
    )
  }
  const { DEFAULT_HOSTS } = await import('../workspace/sandbox')
  const wrapped = await sandbox.wrap({
    run: { shell: command },
    cwd,
    env,
    profile: sandbox.status.profile,
    readable: [context.outputs_dir],
    network: { allow: [...DEFAULT_HOSTS, ...network] },
    background: 'keep',
  })
  return {
    wrapped,
    ended: () => wrapped.cleanup(BACKGROUND.test(command)),
    explain: (outcome, output) => {
      const denial = sandbox.explain(outcome, output, wrapped)
      return denial ? [denial.message] : []
    },
  }
}
