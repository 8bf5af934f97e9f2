import { realpath } from 'node:fs/promises'
import { basename, delimiter, dirname, isAbsolute, join, relative, resolve } from 'node:path'
import { findProgram } from '../programs'
import { isCondaBase, projectConda } from './conda'
import { type Interpreter, isInside, type ProbeOptions, probe } from './interpreter'
import { type Environment, environmentKind, inspectEnvironment, isThere, sourceOf } from './layout'
import type { FindOptions, FoundPythons, PythonCandidate } from './types'

/** Folders of a project that hold its environment, in this order (uv, poetry and most guides make the first). */
const PROJECT_FOLDERS = ['.venv', 'venv', 'env', '.conda']
const WINDOWS = process.platform === 'win32'
const PATH_NAMES = WINDOWS ? ['python'] : ['python3', 'python']

/**
 * The Pythons for a project, best first: its own environment, the active one, the conda environment it names, the system's.
 * Broken ones are in `skipped`, with why. Rejects only with the signal's reason.
 */
export async function findPythons(env: NodeJS.ProcessEnv, cwd: string, options: FindOptions): Promise<FoundPythons> {
  const search = new Search(env, { env, cwd, ...options })
  await searchEnvironments(search, env, cwd, () => false)
  await search.system()
  return search.found
}

/**
 * The environment that commands of this project run in; null: there is none yet, and they get the system's Python. Asks no
 * more than it must, so that it can be called before every command: a millisecond once its interpreter is known.
 */
export async function projectPython(
  env: NodeJS.ProcessEnv,
  cwd: string,
  options: FindOptions,
): Promise<PythonCandidate | null> {
  const search = new Search(env, { env, cwd, ...options })
  const own = () => search.found.candidates.find((candidate) => !candidate.shared)
  await searchEnvironments(search, env, cwd, () => own() !== undefined)
  return own() ?? null
}

async function searchEnvironments(
  search: Search,
  env: NodeJS.ProcessEnv,
  cwd: string,
  enough: () => boolean,
): Promise<void> {
  for (const folder of await projectFolders(env, cwd)) {
    await search.environment(folder, `the project's own environment (${relative(cwd, folder) || folder})`, true)
    if (enough()) return
  }
  if (env.VIRTUAL_ENV) await search.environment(env.VIRTUAL_ENV, 'the active environment (VIRTUAL_ENV)', false)
  if (enough()) return
  if (env.CONDA_PREFIX) await search.environment(env.CONDA_PREFIX, 'the active conda environment (CONDA_PREFIX)', false)
  if (enough()) return
  const conda = await projectConda(cwd, env)
  if (conda?.folder) {
    await search.environment(conda.folder, `the conda environment that environment.yml names (${conda.name})`, false)
  } else if (conda) {
    search.found.skipped.push({
      path: conda.name,
      why: `environment.yml names this conda environment, which is not there: conda env create -f environment.yml`,
    })
  }
}

/** The first Python on PATH, python3.N included, that `accepts`; null: none. */
export async function findSystemPython(
  options: ProbeOptions,
  accepts: (python: Interpreter) => boolean,
): Promise<Interpreter | null> {
  // 3.9 is the oldest that ML libraries of the last years install on.
  const minors = ['3.14', '3.13', '3.12', '3.11', '3.10', '3.9'].map((version) => `python${version}`)
  for (const file of await onPath([...PATH_NAMES, ...minors], options.env)) {
    const answer = await probe(file, options)
    if (answer.ok && accepts(answer.python)) return answer.python
  }
  return null
}

class Search {
  readonly found: FoundPythons = { candidates: [], skipped: [] }
  readonly #seen = new Set<string>()
  readonly #env: NodeJS.ProcessEnv
  readonly #options: ProbeOptions

  constructor(env: NodeJS.ProcessEnv, options: ProbeOptions) {
    this.#env = env
    this.#options = options
  }

  async environment(folder: string, reason: string, own: boolean): Promise<void> {
    const real = await realpath(folder).catch(() => folder)
    if (this.#seen.has(real)) return
    this.#seen.add(real)
    const kind = await environmentKind(folder)
    if (kind === null) {
      // A folder that happens to be called env is no environment at all; what a variable names should be one.
      if (!own) this.found.skipped.push({ path: folder, why: `${reason} is not there, or is no environment` })
      return
    }
    const looked = await inspectEnvironment(folder, kind, this.#options)
    if (!looked.ok) {
      this.found.skipped.push({ path: folder, why: looked.why })
      return
    }
    const shared = kind === 'conda' && (await isCondaBase(folder))
    this.found.candidates.push(candidateOf(looked.environment, { reason, own, shared }))
  }

  /** The first that works of those on PATH. */
  async system(): Promise<void> {
    for (const file of await onPath(PATH_NAMES, this.#env)) {
      // That of an active environment, which was looked at above.
      const folder = await realpath(dirname(file)).catch(() => dirname(file))
      if ([...this.#seen].some((environment) => isInside(folder, environment))) continue
      const answer = await probe(file, this.#options)
      if (!answer.ok) {
        this.found.skipped.push({ path: file, why: answer.why })
        continue
      }
      const { path, version } = answer.python
      this.found.candidates.push({
        path,
        version,
        source: 'system',
        environment: null,
        reason: `${basename(file)} on PATH`,
        shared: true,
        has_pip: false,
      })
      return
    }
  }
}

export function candidateOf(
  environment: Environment,
  { reason, own, shared }: { reason: string; own: boolean; shared: boolean },
): PythonCandidate {
  const { python, version, folder, has_pip } = environment
  return { path: python, version, source: sourceOf(environment, own), environment: folder, reason, shared, has_pip }
}

async function projectFolders(env: NodeJS.ProcessEnv, cwd: string): Promise<string[]> {
  const folders = PROJECT_FOLDERS.map((name) => join(cwd, name))
  const named = env.UV_PROJECT_ENVIRONMENT
  if (!named) return folders
  // uv uses it for projects only, and takes it against the project's folder.
  const project = (await isThere(join(cwd, 'uv.lock'))) || (await isThere(join(cwd, 'pyproject.toml')))
  return project ? [resolve(cwd, named), ...folders] : folders
}

/** All executables of these names on PATH, in the order of PATH for each name; relative entries of PATH are not followed. */
async function onPath(names: readonly string[], env: NodeJS.ProcessEnv): Promise<string[]> {
  const folders = (env.PATH ?? '').split(delimiter).filter(isAbsolute)
  const files = await Promise.all(names.flatMap((name) => folders.map((folder) => findProgram(name, { PATH: folder }))))
  return [...new Set(files.filter((file) => file !== null))]
}

/** Why nothing was found, for the user. */
export function skippedText({ skipped }: FoundPythons): string {
  return skipped.map(({ path, why }) => `${path}: ${why}`).join('; ')
}
