import { createHash } from 'node:crypto'
import { mkdir, realpath, rename, stat, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { isNodeError, UserError } from '../../errors'
import { makeFolders } from '../../home'
import { findGit, type GitPlace } from './git'
import { ignoresCase, isInside, literalPattern, unsuitable } from './rules'
import { indexFile } from './snapshot'

/** Which workspace a shadow folder belongs to, for gc. */
export const WORKSPACE_FILE = 'workspace'

/** Outranks every .gitattributes of the workspace: bytes are kept as they are. */
const ATTRIBUTES = '* -text -ident !eol !filter !working-tree-encoding !diff !merge !whitespace\n'

export interface Shadow {
  /** `<dir>/<hash of the workspace>`: the repository, the index and the lock. */
  dir: string
  place: GitPlace
  /** Patterns for our own data, where it lies in the workspace. */
  exclude: string[]
}

/** Null: git is not on PATH. Throws UserError `invalid_request` with the reason for a folder that is not recorded. */
export async function findShadow(root: string, workspace: string, env: NodeJS.ProcessEnv): Promise<Shadow | null> {
  const work_tree = await realpath(workspace)
  const reason = await unsuitable(work_tree)
  if (reason !== null) throw new UserError('invalid_request', reason, 'Work in a project folder of its own.')
  const program = await findGit(env)
  if (program === null) return null
  await makeFolders(root, 0o700)
  const home = await realpath(root)
  const dir = join(home, createHash('sha256').update(work_tree).digest('hex').slice(0, 20))
  const exclude = isInside(work_tree, home) ? [literalPattern(relative(work_tree, ownFolder(work_tree, home)))] : []
  const place: GitPlace = {
    program,
    git_dir: join(dir, 'git'),
    work_tree,
    index: indexFile(dir),
    path: env.PATH,
    ignore_case: await ignoresCase(work_tree),
  }
  return { dir, place, exclude }
}

/** The folder that holds all our data, of which `root` is a part: recording the sessions would rewind them, too. */
function ownFolder(workspace: string, root: string): string {
  const parent = dirname(root)
  return parent === workspace ? root : parent
}

/** Makes the folder of a workspace, so that its lock can be taken. */
export async function makeShadowFolder({ dir, place }: Shadow): Promise<void> {
  try {
    await mkdir(dir, { mode: 0o700 })
  } catch (error) {
    if (!isNodeError(error) || error.code !== 'EEXIST') throw error
    return
  }
  await writeFile(join(dir, WORKSPACE_FILE), place.work_tree, { mode: 0o600 })
}

/** The last file of a repository that is made: without it, nothing was ever recorded. */
function attributesFile(place: GitPlace): string {
  return join(place.git_dir, 'info', 'attributes')
}

export function hasRepository({ place }: Shadow): Promise<boolean> {
  return isThere(attributesFile(place))
}

/**
 * Makes the repository where it is missing or was made half: what `git init` makes, which would note our work tree as
 * its own and copy the user's templates. The caller holds the lock.
 */
export async function makeRepository(shadow: Shadow): Promise<void> {
  if (await hasRepository(shadow)) return
  const { git_dir } = shadow.place
  for (const folder of ['objects', 'refs', 'info']) await makeFolders(join(git_dir, folder), 0o700)
  await writeFile(join(git_dir, 'config'), '[core]\n\trepositoryformatversion = 0\n\tbare = true\n')
  await writeFile(join(git_dir, 'HEAD'), 'ref: refs/heads/none\n')
  const attributes = attributesFile(shadow.place)
  await writeFile(`${attributes}.new`, ATTRIBUTES)
  await rename(`${attributes}.new`, attributes)
}

export async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if (isNodeError(error) && error.code === 'ENOENT') return false
    throw error
  }
}
