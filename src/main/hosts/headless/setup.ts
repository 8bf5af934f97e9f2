import { access, constants, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Settings } from '@shared/settings'
import { engineOptions, type Prepared, prepare as readSettings } from '../../bootstrap'
import type { Engine, EngineOptions } from '../../engine-types'
import { isNodeError, messageOf, UserError } from '../../errors'
import type { CliIo } from './io'

export interface SetupOptions {
  /** As typed; absent: where the program was started. */
  cwd?: string
  config?: string
  flags?: Partial<Settings>
}

/** Reads the settings and finds the keys' places; loads no engine. Warnings go to stderr. Throws UserError. */
export async function prepare(io: CliIo, options: SetupOptions): Promise<Prepared> {
  const cwd = await workingDirectory(resolve(io.cwd, options.cwd ?? '.'))
  const configFile = options.config === undefined ? undefined : resolve(io.cwd, options.config)
  const prepared = await readSettings({ cwd, env: io.env, flags: options.flags, configFile })
  for (const warning of prepared.loaded.warnings) io.stderr.write(`ml-intern: ${warning}\n`)
  return prepared
}

/** The engine on these settings. The data folder is made if it is not there. */
export async function startEngine(io: CliIo, prepared: Prepared, host: EngineOptions['host']): Promise<Engine> {
  return io.createEngine(await engineOptions(prepared, host))
}

/** Throws UserError when it is no folder that can be read. */
async function workingDirectory(path: string): Promise<string> {
  try {
    if (!(await stat(path)).isDirectory()) {
      throw new UserError('not_a_directory', `${path} is not a folder.`, 'Give a folder with --cwd.')
    }
    await access(path, constants.R_OK | constants.X_OK)
    return path
  } catch (error) {
    const code = isNodeError(error) ? error.code : ''
    if (error instanceof UserError) throw error
    if (code === 'ENOENT') throw new UserError('not_found', `The folder ${path} does not exist.`, 'Check --cwd.')
    if (code === 'ENOTDIR') throw new UserError('not_a_directory', `${path} is not a folder.`, 'Check --cwd.')
    if (code === 'EACCES' || code === 'EPERM') {
      throw new UserError('permission', `The folder ${path} cannot be read: ${code}.`, 'Check its owner and mode.')
    }
    throw new UserError('not_found', `The folder ${path} cannot be used: ${messageOf(error)}`, 'Check --cwd.')
  }
}
