import { realpath } from 'node:fs/promises'
import { UserError } from '../errors'
import type { ToolContext } from './types'

/** Commands that put packages somewhere: they get an environment of the project's own. */
const INSTALLS = /(?:^|[;&|(\s])(?:pip3?|uv\s+pip|python3?\s+-m\s+pip)\s+(?:[-\w=./]+\s+)*?install\b/m

export interface PythonEnvironment {
  env: NodeJS.ProcessEnv
  /** After the command: what it installed is written down. Never rejects. */
  installed: () => Promise<void>
}

/**
 * The environment variables of a command, so that `python` and `pip` are those of the project's own environment. It is
 * made when something is to be installed and there is none yet; progress is shown like output. Where it cannot be made the
 * command runs with what there is, and says so itself. Rejects only when the call is stopped.
 */
export async function pythonEnvironment(command: string, context: ToolContext): Promise<PythonEnvironment> {
  const { cwd, env, signal, data_folder: home, log } = context
  const { ensureEnvironment, environmentOf, projectPython, recordRequirements } = await import('../workspace/python')
  const nothing = { env, installed: () => Promise.resolve() }
  if (home === undefined || !INSTALLS.test(command)) {
    const python = await projectPython(env, cwd, { signal })
    return python ? { ...nothing, env: environmentOf(python, env) } : nothing
  }
  try {
    const onProgress = (line: string): void => log(`${line}\n`, 'stderr')
    const python = await ensureEnvironment(cwd, { env, home, signal, onProgress })
    return {
      env: environmentOf(python, env),
      installed: async () => {
        const folder = await realpath(cwd).catch(() => cwd)
        await recordRequirements(python, { cwd: folder, home }).catch(() => null)
      },
    }
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof UserError)) throw error
    log(`${error.message} ${error.remedy}\n`, 'stderr')
    return nothing
  }
}
