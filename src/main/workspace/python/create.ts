import { createHash, randomUUID } from 'node:crypto'
import { chmod, mkdir, readdir, readFile, rename, rm, stat, statfs, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { isNodeError } from '../../errors'
import { makeFolders } from '../../home'
import type { Interpreter } from './interpreter'
import { MADE_FILE, pythonOf } from './layout'
import { folderProblem, fullDisk, toolProblem } from './problems'
import { quote, runLines } from './run-lines'

/** In the environment of everything that makes an environment, so that it is found after our own death. */
const MAKING_VARIABLE = 'ML_INTERN_MAKING'

/** An empty environment with pip: 15 MB of Python 3.11, and what its installer needs beside it. */
const ENVIRONMENT_BYTES = 30e6

export interface CreateOptions {
  /** Absolute; missing or empty. */
  folder: string
  /** Data folder. */
  home: string
  env: NodeJS.ProcessEnv
  signal: AbortSignal
  progress: (line: string) => void
  /** Path of uv; null: it is made with Python's own venv. */
  uv: string | null
  /** Null: uv chooses. */
  python: Interpreter | null
  /** Requirements that it gets at once. */
  packages?: readonly string[]
}

/**
 * Makes an environment, whole or not at all: after an error, an abort or a kill -9 (see `recover`) nothing of it is left.
 * The caller holds the lock on the folder. Throws UserError or the signal's reason.
 */
export async function createEnvironment(options: CreateOptions): Promise<void> {
  const { folder, home } = options
  const nonce = randomUUID()
  try {
    // By hand and empty (uv and venv accept that): so it is known which folder is ours to remove.
    await mkdir(folder).catch((error: unknown) => {
      if (!isNodeError(error) || error.code !== 'EEXIST') throw error
    })
    await keepRecord(home, folder, nonce)
  } catch (error) {
    throw folderProblem(error, folder)
  }
  try {
    const tool = await fill({ ...options, env: { ...options.env, [MAKING_VARIABLE]: nonce } })
    await writeFile(join(folder, '.gitignore'), '*\n')
    // Last: with it the environment is complete.
    await writeFile(join(folder, MADE_FILE), `${JSON.stringify({ made_by: 'ML Intern', tool })}\n`)
  } catch (error) {
    const full = !options.signal.aborted && (await isFull(folder))
    await remove(folder)
    throw full ? fullDisk(folder, { cause: error }) : folderProblem(error, folder)
  } finally {
    await unlink(recordFile(home, folder)).catch(ignoreMissing)
  }
}

async function fill(options: CreateOptions): Promise<'uv' | 'venv'> {
  const { folder, progress, python, uv } = options
  if (uv !== null) {
    const answer = await withUv(options, uv)
    if (answer === 'made') return 'uv'
    if (!python?.venv) throw toolProblem(`The environment ${folder} could not be made`, folder, 'uv', answer)
    progress('uv could not make the environment; trying with venv.')
    await empty(folder)
  }
  if (!python) throw new Error('neither uv nor a Python to make an environment with')
  await withVenv(options, python)
  return 'venv'
}

async function withUv(options: CreateOptions, uv: string): Promise<'made' | string[]> {
  const { folder, python, packages = [] } = options
  const base = python?.ml ? ['--python', python.path, '--system-site-packages'] : []
  const run = (argv: string[]) => runLines(argv, { ...lines(options), env: clean(options.env) })
  const made = await run([uv, 'venv', ...base, folder])
  if (made.exit_code !== 0) return made.tail
  if (packages.length > 0) {
    const installed = await run([uv, 'pip', 'install', '--python', pythonOf(folder, 'venv'), '--', ...packages])
    if (installed.exit_code !== 0) throw installProblem(folder, 'uv pip', installed.tail)
  } else {
    await addPip(options, uv)
  }
  return 'made'
}

/** uv leaves pip out, and a `pip install` in a command would then go into another Python. */
async function addPip(options: CreateOptions, uv: string): Promise<void> {
  const { folder } = options
  const python = pythonOf(folder, 'venv')
  const own = await runLines([python, '-m', 'ensurepip', '--default-pip'], {
    ...lines(options),
    env: clean(options.env),
    progress: () => {},
  })
  if (own.exit_code === 0 || process.platform === 'win32') return
  // Debian takes pip out of its Python: then uv's own stands in for it.
  for (const name of ['pip', 'pip3']) {
    const file = join(folder, 'bin', name)
    await writeFile(file, `#!/bin/sh\nVIRTUAL_ENV=${quote(folder)} exec ${quote(uv)} pip "$@"\n`)
    await chmod(file, 0o755)
  }
}

async function withVenv(options: CreateOptions, python: Interpreter): Promise<void> {
  const { folder, packages = [] } = options
  const system = python.ml ? ['--system-site-packages'] : []
  const run = (argv: string[]) => runLines(argv, { ...lines(options), env: clean(options.env) })
  const made = await run([python.path, '-m', 'venv', ...system, folder])
  if (made.exit_code !== 0) throw toolProblem(`The environment ${folder} could not be made`, folder, 'venv', made.tail)
  if (packages.length === 0) return
  const pip = [pythonOf(folder, 'venv'), '-m', 'pip', 'install', '--disable-pip-version-check', '--no-input']
  // Two retries are a few seconds without a network; pip's own five are half a minute.
  const installed = await run([...pip, '--retries', '2', '--', ...packages])
  if (installed.exit_code !== 0) throw installProblem(folder, 'pip', installed.tail)
}

function installProblem(folder: string, tool: string, tail: readonly string[]): Error {
  return toolProblem('The packages could not be installed', folder, tool, tail)
}

function lines({ folder, signal, progress }: CreateOptions) {
  return { cwd: join(folder, '..'), signal, progress }
}

/** The active environment must not decide where the new one is or what goes into it. */
function clean(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const {
    PYTHONHOME: _home,
    PYTHONPATH: _path,
    VIRTUAL_ENV: _env,
    PIP_PYTHON: _pip,
    PIP_REQUIRE_VIRTUALENV: _r,
    ...rest
  } = env
  return rest
}

const recordSchema = z.object({
  folder: z.string(),
  dev: z.number(),
  ino: z.number(),
  birth_ms: z.number(),
  nonce: z.uuid(),
})

function recordFile(home: string, folder: string): string {
  return join(home, 'python', 'making', `${folderKey(folder)}.json`)
}

/** Name of a folder of the user in our data folder. */
export function folderKey(folder: string): string {
  return createHash('sha256').update(folder).digest('hex').slice(0, 24)
}

async function keepRecord(home: string, folder: string, nonce: string): Promise<void> {
  const { dev, ino, birthtimeMs } = await stat(folder)
  const file = recordFile(home, folder)
  await makeFolders(join(home, 'python', 'making'), 0o700)
  await writeFile(`${file}.new`, JSON.stringify({ folder, dev, ino, birth_ms: birthtimeMs, nonce }))
  await rename(`${file}.new`, file)
}

/**
 * Removes what a killed process left half made in `folder`; whoever was making it is ended first. A folder that somebody
 * else has put there since is left alone. The caller holds the lock on the folder.
 */
export async function recover(folder: string, home: string): Promise<boolean> {
  const file = recordFile(home, folder)
  const text = await readFile(file, 'utf8').catch(() => null)
  if (text === null) return false
  const record = recordSchema.parse(JSON.parse(text))
  await endMakers(record.nonce)
  const found = await stat(folder).catch(() => null)
  const ours =
    found !== null && found.ino === record.ino && found.dev === record.dev && found.birthtimeMs === record.birth_ms
  const complete = ours && (await stat(join(folder, MADE_FILE)).catch(() => null)) !== null
  if (ours && !complete) await remove(folder)
  await unlink(file).catch(ignoreMissing)
  return ours && !complete
}

/** Children of a killed process go on; they carry its number. Elsewhere than on Linux they cannot be found. */
async function endMakers(nonce: string): Promise<void> {
  if (process.platform !== 'linux') return
  const tag = Buffer.from(`${MAKING_VARIABLE}=${nonce}\0`)
  const pids = (await readdir('/proc')).map(Number).filter((pid) => Number.isInteger(pid) && pid !== process.pid)
  for (const pid of pids) {
    // Gone by now, or somebody else's: not ours to end.
    const environ = await readFile(`/proc/${pid}/environ`).catch(() => Buffer.alloc(0))
    if (!environ.includes(tag)) continue
    try {
      process.kill(pid, 'SIGKILL')
    } catch (error) {
      if (!isNodeError(error) || error.code !== 'ESRCH') throw error
    }
  }
}

/** Python's venv does not pass on why its installer failed: the disk has to be asked. */
async function isFull(folder: string): Promise<boolean> {
  // The folder may be gone as well; then that is the problem.
  const disk = await statfs(folder).catch(() => null)
  return disk !== null && disk.bavail * disk.bsize < ENVIRONMENT_BYTES
}

async function empty(folder: string): Promise<void> {
  for (const name of await readdir(folder)) await remove(join(folder, name))
}

async function remove(path: string): Promise<void> {
  // A process that was just ended may still have a file open or make a last one.
  await rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
}

function ignoreMissing(error: unknown): void {
  if (!isNodeError(error) || error.code !== 'ENOENT') throw error
}
