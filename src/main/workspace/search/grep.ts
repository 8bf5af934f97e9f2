import { ownGrep } from './own-grep'
import { findRipgrep, ripgrep } from './ripgrep'
import type { GrepRequest, GrepResult } from './types'

/**
 * Searches the text of files: with ripgrep where there is one, else in a worker thread; a pattern that only JavaScript
 * understands (look-around, references back) goes there too. Throws UserError for a pattern that nobody does.
 */
export async function grep(
  request: GrepRequest,
  { cwd, env, signal }: { cwd: string; env: NodeJS.ProcessEnv; signal: AbortSignal },
): Promise<GrepResult> {
  const program = await findRipgrep(env, cwd)
  const found = program === null ? null : await ripgrep(program, request, env, signal)
  return found ?? ownGrep(request, env, signal)
}
