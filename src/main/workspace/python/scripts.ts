import { createHash } from 'node:crypto'
import { readFile, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { UserError } from '../../errors'
import { makeFolders } from '../../home'
import { fileProblem } from '../files'
import { Shared } from '../machine/share'
import { findProgram } from '../programs'
import { createEnvironment, recover } from './create'
import type { EnsureOptions } from './ensure'
import { findSystemPython } from './find'
import type { Interpreter, ProbeOptions } from './interpreter'
import { inspectEnvironment, isThere, MADE_FILE, pythonOf } from './layout'
import { withMachineLock } from './lock'
import { folderProblem, noPython, noVenv } from './problems'
import { quote } from './run-lines'
import { parseScriptMetadata, type ScriptMetadata } from './script-metadata'
import { satisfies } from './versions'

export interface ScriptCommand {
  argv: string[]
  /** The same for a shell. */
  command: string
  metadata: ScriptMetadata
  /** uv makes the environment when it runs; else it is ready. */
  runner: 'uv' | 'python'
}

const preparing = new Shared<string>()

/**
 * How a script with inline metadata (PEP 723) is run: by uv where it is installed, else by an environment of its own in
 * the data folder, which scripts with the same dependencies share and which is made now. Null: it has no metadata and runs
 * like any other. Throws UserError: no such file, unusable metadata, no fitting Python, packages that cannot be had.
 */
export async function commandForScript(
  path: string,
  cwd: string,
  options: EnsureOptions,
): Promise<ScriptCommand | null> {
  const file = resolve(cwd, path)
  let text: string
  try {
    text = await readFile(file, { encoding: 'utf8', signal: options.signal })
  } catch (error) {
    options.signal.throwIfAborted()
    throw await fileProblem(error, file)
  }
  const metadata = parseScriptMetadata(text)
  if (metadata === null) return null
  const uv = await findProgram('uv', options.env)
  if (uv) return commandOf([uv, 'run', '--script', file], metadata, 'uv')
  const python = await pythonFor(metadata, { env: options.env, cwd, signal: options.signal })
  if (metadata.dependencies.length === 0) return commandOf([python.path, file], metadata, 'python')
  if (!python.venv) throw await noVenv(python.path, python.version)
  const folder = join(options.home, 'python', 'scripts', environmentKey(metadata, python))
  const own = await preparing.run(folder, options, (signal, progress) =>
    withMachineLock(
      `python ${folder}`,
      signal,
      () => progress('Another process is making the environment of this script; waiting for it.'),
      () => prepare(folder, metadata, python, { ...options, cwd, signal }, progress),
    ),
  )
  return commandOf([own, file], metadata, 'python')
}

/** Same packages and same Python, same environment. */
export function environmentKey(
  { dependencies }: ScriptMetadata,
  { path, version }: Pick<Interpreter, 'path' | 'version'>,
): string {
  const wanted = [...new Set(dependencies)].sort()
  return createHash('sha256')
    .update(JSON.stringify([wanted, path, version]))
    .digest('hex')
    .slice(0, 24)
}

async function pythonFor(metadata: ScriptMetadata, options: ProbeOptions): Promise<Interpreter> {
  const wanted = metadata.requires_python
  if (wanted !== null && satisfies('3.0', wanted) === null) {
    throw new UserError(
      'invalid_request',
      `requires-python "${wanted}" is not a version specifier.`,
      'For example: >=3.11',
    )
  }
  const fits = ({ version }: Interpreter) => wanted === null || satisfies(version, wanted) === true
  const whole = await findSystemPython(options, (python) => fits(python) && python.venv)
  const found = whole ?? (await findSystemPython(options, fits))
  if (found) return found
  const other = await findSystemPython(options, () => true)
  if (!other) throw await noPython('')
  throw new UserError(
    'resource_missing',
    `The script needs Python ${wanted}; there is ${other.version}.`,
    'Install a Python of that version, or uv, which gets it by itself.',
  )
}

async function prepare(
  folder: string,
  metadata: ScriptMetadata,
  python: Interpreter,
  options: EnsureOptions & ProbeOptions,
  progress: (line: string) => void,
): Promise<string> {
  await recover(folder, options.home)
  const complete = await isThere(join(folder, MADE_FILE))
  if (complete && (await inspectEnvironment(folder, 'venv', options)).ok) return pythonOf(folder, 'venv')
  try {
    // Everything in our own data folder is ours: what is not whole, or whose Python is gone, is made anew.
    await rm(folder, { recursive: true, force: true })
    await makeFolders(dirname(folder), 0o700)
  } catch (error) {
    throw folderProblem(error, folder)
  }
  const count = metadata.dependencies.length
  progress(`Making an environment with ${count} ${count === 1 ? 'package' : 'packages'} for the script.`)
  const { home, env, signal } = options
  await createEnvironment({ folder, home, env, signal, progress, uv: null, python, packages: metadata.dependencies })
  return pythonOf(folder, 'venv')
}

function commandOf(argv: string[], metadata: ScriptMetadata, runner: ScriptCommand['runner']): ScriptCommand {
  return { argv, command: argv.map(quote).join(' '), metadata, runner }
}
