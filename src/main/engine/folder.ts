import { access, constants, stat } from 'node:fs/promises'
import { isAbsolute, resolve } from 'node:path'
import { isNodeError, UserError } from '../errors'

/** The absolute path of a folder that a session can work in; throws UserError with what is wrong with it. */
export async function workingFolder(path: string, base: string): Promise<string> {
  const folder = isAbsolute(path) ? path : resolve(base, path)
  try {
    if (!(await stat(folder)).isDirectory()) {
      throw new UserError('not_a_directory', `${folder} is a file.`, 'Name the folder that the session should work in.')
    }
    await access(folder, constants.R_OK | constants.X_OK)
  } catch (error) {
    if (!isNodeError(error)) throw error
    if (error.code === 'ENOENT') {
      throw new UserError('not_found', `There is no folder ${folder}.`, 'Create it, or name another one.')
    }
    throw new UserError('permission', `${folder} cannot be read (${error.code}).`, 'Choose a folder you may read.')
  }
  return folder
}
