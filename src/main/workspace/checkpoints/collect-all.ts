import { opendir } from 'node:fs/promises'
import { join } from 'node:path'
import { isNodeError } from '../../errors'
import { type CheckpointLimits, DEFAULT_LIMITS, isForgotten, removeFolder, workspaceOf } from './collect'
import { Checkpoints } from './index'
import { withLock } from './lock'
import { isThere } from './repository'

export interface CollectAllOptions {
  /** `<home>/checkpoints`. */
  dir: string
  env: NodeJS.ProcessEnv
  limits?: Partial<CheckpointLimits>
  signal: AbortSignal
}

/**
 * Applies the limits to every workspace, and removes what belongs to workspaces that are long gone. For now and then,
 * when nothing else is to do: seconds a workspace. Throws UserError.
 */
export async function collectAll({ dir, env, limits = {}, signal }: CollectAllOptions): Promise<void> {
  for (const folder of await foldersOf(dir)) {
    signal.throwIfAborted()
    const workspace = await workspaceOf(folder)
    if (workspace === null) continue
    const age = limits.max_age_ms ?? DEFAULT_LIMITS.max_age_ms
    if (await isForgotten(folder, workspace, age)) await withLock(folder, signal, () => removeFolder(folder))
    else if (await isThere(workspace))
      await new Checkpoints({ dir, session: '', workspace, env, notify: () => undefined }).gc(limits, signal)
  }
}

async function foldersOf(dir: string): Promise<string[]> {
  const found: string[] = []
  try {
    for await (const entry of await opendir(dir)) if (entry.isDirectory()) found.push(join(dir, entry.name))
  } catch (error) {
    // Nothing was ever recorded.
    if (!isNodeError(error) || error.code !== 'ENOENT') throw error
  }
  return found
}
