import { basename, dirname, extname, join, resolve } from 'node:path'
import { UserError } from '../../errors'
import { type AskOptions, ask } from '../machine/ask'
import { installed } from './requirements'
import { quote } from './run-lines'
import type { PythonCandidate } from './types'

export type NotebookCommand =
  | {
      ok: true
      argv: string[]
      /** The same for a shell. */
      command: string
      /** Where the executed notebook will be; absolute. */
      output: string
      runner: 'papermill' | 'nbconvert'
    }
  | {
      ok: false
      /** Packages that the environment lacks. */
      missing: string[]
      /** The command that installs them, in the environment of `environmentOf`. */
      install: string
    }

export interface NotebookOptions extends Pick<AskOptions, 'env' | 'signal'> {
  /** Seconds for each cell; null: no limit. */
  cell_timeout_s?: number | null
  /** Writes the results into the notebook itself instead of `<name>.executed.ipynb` beside it. */
  in_place?: boolean
}

const PACKAGES = ['papermill', 'nbconvert', 'ipykernel'] as const
type PackageName = (typeof PACKAGES)[number]
const TIMEOUT_MS = 5000

/**
 * The command that executes a notebook without a window, in its own folder: papermill where it is installed (it keeps the
 * cells that ran before a failure), else nbconvert; both need ipykernel. Throws UserError for a file that is no notebook.
 */
export async function notebookCommand(
  notebook: string,
  cwd: string,
  info: Pick<PythonCandidate, 'path' | 'environment' | 'source'>,
  options: NotebookOptions,
): Promise<NotebookCommand> {
  const file = resolve(cwd, notebook)
  if (extname(file) !== '.ipynb') {
    throw new UserError(
      'invalid_request',
      `${notebook} is no notebook.`,
      'Notebooks are files whose name ends in .ipynb.',
    )
  }
  const has = await packagesOf(info, options)
  const runner = has.has('papermill') ? 'papermill' : 'nbconvert'
  const needed: PackageName[] = [runner, 'ipykernel']
  const missing = needed.filter((name) => !has.has(name))
  if (missing.length > 0) return { ok: false, missing, install: `pip install ${missing.join(' ')}` }
  const output = options.in_place ? file : join(dirname(file), `${basename(file, '.ipynb')}.executed.ipynb`)
  const limit = options.cell_timeout_s ?? null
  const argv =
    runner === 'papermill' ? papermill(info.path, file, output, limit) : nbconvert(info.path, file, output, limit)
  return { ok: true, argv, command: argv.map(quote).join(' '), output, runner }
}

/** papermill documentation, "Command line interface"; it has no limit of its own. */
function papermill(python: string, file: string, output: string, limit: number | null): string[] {
  const timeout = limit === null ? [] : ['--execution-timeout', String(Math.ceil(limit))]
  return [
    python,
    '-m',
    'papermill',
    '--no-progress-bar',
    '--log-output',
    '--cwd',
    dirname(file),
    ...timeout,
    file,
    output,
  ]
}

/** nbconvert documentation, "Executing notebooks": it runs in the notebook's folder; -1 is no limit. */
function nbconvert(python: string, file: string, output: string, limit: number | null): string[] {
  const timeout = `--ExecutePreprocessor.timeout=${limit === null ? -1 : Math.ceil(limit)}`
  const to = ['--output-dir', dirname(output), '--output', basename(output)]
  return [python, '-m', 'nbconvert', '--to', 'notebook', '--execute', timeout, ...to, file]
}

async function packagesOf(
  info: Pick<PythonCandidate, 'path' | 'environment' | 'source'>,
  { env, signal }: NotebookOptions,
): Promise<Set<PackageName>> {
  const lines = info.environment === null ? [] : await installed(info.environment)
  const names = new Set(lines.map((line) => (/^[\w.-]+/.exec(line)?.[0] ?? '').toLowerCase()))
  const found = new Set<PackageName>(PACKAGES.filter((name) => names.has(name)))
  // A system's packages are seen by its Python only. That of a project somebody sent is not run to be asked.
  if (found.size === PACKAGES.length || info.source === 'project') return found
  const question = `from importlib.util import find_spec\nprint(*[n for n in ${JSON.stringify(PACKAGES)} if find_spec(n)])`
  const answer = await ask(info.path, ['-I', '-c', question], { env, signal, timeout_ms: TIMEOUT_MS })
  signal.throwIfAborted()
  const said = new Set(answer.stdout.trim().split(/\s+/))
  return new Set(PACKAGES.filter((name) => found.has(name) || said.has(name)))
}
