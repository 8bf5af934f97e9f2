import { constants } from 'node:fs'
import { lstat, open } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join, relative, sep } from 'node:path'
import type { Ignore } from 'ignore'
import { isNodeError } from '../../errors'

/** Folders that are never entered unless they are named: large, made by tools, and not what anybody looks for. */
export const SKIPPED_FOLDERS: ReadonlySet<string> = new Set([
  '.git',
  '.hg',
  '.svn',
  'node_modules',
  '.venv',
  'venv',
  '__pycache__',
  '.ipynb_checkpoints',
  '.mypy_cache',
  '.pytest_cache',
  '.ruff_cache',
  '.tox',
])
/** Longer files of patterns are no files of patterns. Bytes. */
const MAX_BYTES = 500_000
const MAX_PARENTS = 64

/** Patterns of one folder. */
interface Level {
  folder: string
  /** .ignore */
  own: Ignore | null
  /** .gitignore */
  git: Ignore | null
  parent: Level | null
}

/** What .ignore, .gitignore, .git/info/exclude and git's global excludes say about the entries of one folder. */
export class IgnoreRules {
  readonly #level: Level | null
  /** Weakest last: of the repository, of the user. */
  readonly #rest: readonly Level[]

  private constructor(level: Level | null, rest: readonly Level[]) {
    this.#level = level
    this.#rest = rest
  }

  /**
   * For a folder that is searched: with the patterns of its parents up to the root of the repository, unless they ignore
   * the folder itself. (Who names an ignored folder wants to see into it.) `folder`: absolute, real.
   */
  static async for(folder: string, env: NodeJS.ProcessEnv): Promise<IgnoreRules> {
    const root = await repositoryOf(folder)
    if (root === null) return new IgnoreRules(null, []).enter(folder)
    const rest = [
      { folder: root, own: null, git: await patternsOf(join(root, '.git/info/exclude')), parent: null },
      { folder: root, own: null, git: await globalExcludes(env), parent: null },
    ].filter(({ git }) => git !== null)
    let rules = new IgnoreRules(null, rest)
    const way = relative(root, folder)
    let at = root
    for (const name of way === '' ? [] : way.split(sep)) {
      rules = await rules.enter(at)
      at = join(at, name)
      if (rules.ignores(at, true)) return new IgnoreRules(null, []).enter(folder)
    }
    return rules.enter(folder)
  }

  /** The rules for the entries of a folder below. */
  async enter(folder: string, names?: ReadonlySet<string>): Promise<IgnoreRules> {
    const read = (name: string): Promise<Ignore | null> | null =>
      names && !names.has(name) ? null : patternsOf(join(folder, name))
    const [own, git] = await Promise.all([read('.ignore'), read('.gitignore')])
    if (own === null && git === null) return this
    return new IgnoreRules({ folder, own, git, parent: this.#level }, this.#rest)
  }

  /** `path`: an entry of the folder these rules are for, absolute. */
  ignores(path: string, folder: boolean): boolean {
    // .ignore of any folder is stronger than .gitignore of any, as ripgrep has it.
    for (const kind of ['own', 'git'] as const) {
      for (let level = this.#level; level !== null; level = level.parent) {
        const verdict = judge(level[kind], level.folder, path, folder)
        if (verdict !== null) return verdict
      }
    }
    for (const { git, folder: root } of this.#rest) {
      const verdict = judge(git, root, path, folder)
      if (verdict !== null) return verdict
    }
    return false
  }
}

function judge(patterns: Ignore | null, root: string, path: string, folder: boolean): boolean | null {
  if (patterns === null) return null
  const way = path.slice(root.endsWith(sep) ? root.length : root.length + 1)
  const name = sep === '/' ? way : way.split(sep).join('/')
  const { ignored, unignored } = patterns.test(folder ? `${name}/` : name)
  return ignored ? true : unignored ? false : null
}

/** The nearest folder upwards that holds `.git` (a folder, or a file in a worktree). */
async function repositoryOf(folder: string): Promise<string | null> {
  let at = folder
  for (let i = 0; i < MAX_PARENTS; i += 1) {
    const found = await lstat(join(at, '.git')).then(
      () => true,
      () => false,
    )
    if (found) return at
    const parent = dirname(at)
    if (parent === at) return null
    at = parent
  }
  return null
}

async function globalExcludes(env: NodeJS.ProcessEnv): Promise<Ignore | null> {
  const home = env.HOME ?? homedir()
  const config = (await textOf(join(home, '.gitconfig'))) ?? ''
  const named = /^\s*excludesfile\s*=\s*"?([^"\n]+?)"?\s*$/im.exec(config)?.[1]
  const file = named?.replace(/^~(?=\/)/, home) ?? join(env.XDG_CONFIG_HOME ?? join(home, '.config'), 'git/ignore')
  return patternsOf(file, 0)
}

/** Of a file inside a workspace no link is followed, as git does not. */
async function patternsOf(path: string, flags = constants.O_NOFOLLOW ?? 0): Promise<Ignore | null> {
  const text = await textOf(path, flags)
  if (text === null || text.trim() === '') return null
  const { default: ignore } = await import('ignore')
  return ignore({ ignorecase: process.platform !== 'linux', allowRelativePaths: true }).add(text)
}

async function textOf(path: string, flags = 0): Promise<string | null> {
  try {
    const handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | flags)
    try {
      const stats = await handle.stat()
      return stats.isFile() && stats.size <= MAX_BYTES ? await handle.readFile('utf8') : null
    } finally {
      await handle.close()
    }
  } catch (error) {
    // Missing, a folder, a link, or closed to us: then it ignores nothing.
    if (isNodeError(error)) return null
    throw error
  }
}
