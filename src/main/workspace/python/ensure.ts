import { readdir, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../../errors'
import { Shared } from '../machine/share'
import { findProgram } from '../programs'
import { createEnvironment, recover } from './create'
import { candidateOf, findPythons, findSystemPython, skippedText } from './find'
import type { Interpreter, ProbeOptions } from './interpreter'
import { inspectEnvironment } from './layout'
import { withMachineLock } from './lock'
import { folderProblem, noPython, noVenv } from './problems'
import { noteBaseline } from './requirements'
import type { PythonCandidate } from './types'

export interface EnsureOptions {
  /** Environment of commands: no tokens. */
  env: NodeJS.ProcessEnv
  /** Data folder, for locks and records. */
  home: string
  signal: AbortSignal
  /** A line of what is being done, for the terminal. */
  onProgress?: (line: string) => void
}

const making = new Shared<PythonCandidate>()

/**
 * The Python environment of a project: the one it has or names, the active one, or else a new one in `<cwd>/.venv`, made
 * with uv where it is installed and with venv elsewhere. Nothing is made over what is there. Callers at the same time
 * share one making, in other processes too. Throws UserError, or the signal's reason; then nothing half made is left.
 */
export async function ensureEnvironment(cwd: string, options: EnsureOptions): Promise<PythonCandidate> {
  const { signal, onProgress } = options
  signal.throwIfAborted()
  const project = await realpath(cwd).catch((error: unknown) => {
    throw folderProblem(error, join(cwd, '.venv'))
  })
  return making.run(`${options.home}\n${project}`, { signal, onProgress }, async (shared, progress) => {
    const inner = { ...options, signal: shared }
    const folder = join(project, '.venv')
    return withMachineLock(
      `python ${folder}`,
      shared,
      () => progress('Another process is making the environment; waiting for it.'),
      () => findOrMake(project, folder, inner, progress),
    )
  })
}

async function findOrMake(
  cwd: string,
  folder: string,
  options: EnsureOptions,
  progress: (line: string) => void,
): Promise<PythonCandidate> {
  const { env, home, signal } = options
  if (await recover(folder, home)) progress(`Removed ${folder}, which an interrupted run left half made.`)
  const found = await findPythons(env, cwd, { signal })
  const own = found.candidates.find((candidate) => !candidate.shared)
  if (own) {
    await noteBaseline(own, { cwd, home })
    return own
  }
  await requireRoom(folder, found.skipped.find(({ path }) => path === folder)?.why)
  requireSafeName(folder)
  const probing: ProbeOptions = { env, cwd, signal }
  const uv = await findProgram('uv', env)
  const python = await basePython(probing)
  if (!uv && !python) throw await noPython(skippedText(found))
  if (!uv && python && !python.venv) throw await noVenv(python.path, python.version)
  progress(announce(folder, uv, python))
  await createEnvironment({ folder, home, env, signal, progress, uv, python })
  const made = await inspectEnvironment(folder, 'venv', probing)
  if (!made.ok)
    throw new UserError(
      'internal',
      `The new environment ${folder} does not work: ${made.why}.`,
      'Delete it and try again.',
    )
  const candidate = candidateOf(made.environment, {
    reason: 'made for this project by ML Intern',
    own: true,
    shared: false,
  })
  await noteBaseline(candidate, { cwd, home })
  progress(`Ready: Python ${candidate.version} in ${folder}.`)
  return candidate
}

/** One with which environments can be made, or else any. */
export async function basePython(options: ProbeOptions): Promise<Interpreter | null> {
  return (await findSystemPython(options, ({ venv }) => venv)) ?? findSystemPython(options, () => true)
}

/**
 * The start scripts that pip and venv write put the folder unescaped into a line of shell when it holds a blank: `$(x)` in
 * a name would be run. A colon cannot stand in PATH.
 */
function requireSafeName(folder: string): void {
  const found = (process.platform === 'win32' ? /[%"]/ : /[$`"\\:\n]/).exec(folder)?.[0]
  if (found === undefined) return
  const what = found === '\n' ? 'a line break' : found
  throw new UserError(
    'invalid_request',
    `No Python environment can be made in ${folder}: its path holds ${what}, which breaks the programs in it.`,
    'Rename the folder, or activate an environment elsewhere (VIRTUAL_ENV).',
  )
}

/** The folder must be missing or empty. */
async function requireRoom(folder: string, why: string | undefined): Promise<void> {
  let names: string[]
  try {
    names = await readdir(folder)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return
    throw folderProblem(error, folder)
  }
  if (names.length === 0) return
  const reason = why === undefined ? 'it is there and is no environment' : why
  throw new UserError(
    'resource_missing',
    `The environment ${folder} cannot be used: ${reason}.`,
    'Move or delete it; a new one is then made.',
  )
}

function announce(folder: string, uv: string | null, python: Interpreter | null): string {
  const how = uv ? 'uv' : 'venv'
  const system = python?.ml
    ? ` It sees the system's packages, because ${python.path} has torch or scikit-learn; what is installed goes into the environment.`
    : ''
  return `Making a Python environment with ${how} in ${folder}.${system}`
}
