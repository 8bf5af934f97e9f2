import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { UserError } from '../../errors'
import { type Bounds, reach } from '../bounds'
import { fileProblem } from '../files'
import { displayPath } from '../paths'

export interface SearchRoot {
  /** The folder to look at, absolute and real: of a file the one it lies in. */
  root: string
  /** The real path of the file that is meant alone. */
  file: string | null
}

/** What a path that is searched means. Throws UserError when it is missing, out of bounds, or neither file nor folder. */
export async function searchRoot(path: string, bounds: Bounds): Promise<SearchRoot> {
  const { real } = await reach(path, bounds)
  try {
    const stats = await stat(real)
    if (stats.isDirectory()) return { root: real, file: null }
    if (stats.isFile()) return { root: dirname(real), file: real }
  } catch (error) {
    throw await fileProblem(error, path)
  }
  const name = displayPath(path, bounds.cwd)
  throw new UserError('invalid_request', `${name} is not an ordinary file (a device, a pipe or a socket).`)
}
