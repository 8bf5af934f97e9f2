import { access, lstat, readdir, readFile, readlink, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import type { PythonInfo } from '@shared/machine'
import { isNodeError } from '../../errors'
import { isInside, type ProbeOptions, probe } from './interpreter'

const WINDOWS = process.platform === 'win32'

/** Written into an environment when it is complete, and only by us. */
export const MADE_FILE = 'ml-intern.json'

export type EnvironmentKind = 'venv' | 'conda'

/** An environment as its files describe it. */
export interface Environment {
  folder: string
  kind: EnvironmentKind
  python: string
  version: string
  /** Made by us, and with what; null: by somebody else. */
  made_by: 'uv' | 'venv' | null
  /** uv made it, whoever ran uv. */
  uv: boolean
  system_packages: boolean
  has_pip: boolean
}

export type Inspection = { ok: true; environment: Environment } | { ok: false; why: string }

/** Where the programs of an environment are. */
export function binFolder(folder: string, kind: EnvironmentKind): string {
  if (!WINDOWS) return join(folder, 'bin')
  return kind === 'conda' ? folder : join(folder, 'Scripts')
}

export function pythonOf(folder: string, kind: EnvironmentKind): string {
  return join(binFolder(folder, kind), WINDOWS ? 'python.exe' : 'python')
}

/** Whether a folder is an environment, and of what kind; null: it is not. */
export async function environmentKind(folder: string): Promise<EnvironmentKind | null> {
  if (await isThere(join(folder, 'pyvenv.cfg'))) return 'venv'
  return (await isThere(join(folder, 'conda-meta'))) ? 'conda' : null
}

/** `pyvenv.cfg` (documentation of the module venv): lines `key = value`, keys in any case. */
export function parsePyvenv(text: string): Map<string, string> {
  const pairs = text.split('\n').flatMap((line): [string, string][] => {
    const at = line.indexOf('=')
    return at < 0 ? [] : [[line.slice(0, at).trim().toLowerCase(), line.slice(at + 1).trim()]]
  })
  return new Map(pairs)
}

/**
 * Looks at an environment. Nothing that lies in the project itself is run: opening a folder that somebody sent must not
 * run his program. Where the interpreter is a link to one outside, that one is asked; else the files tell.
 */
export async function inspectEnvironment(
  folder: string,
  kind: EnvironmentKind,
  options: ProbeOptions,
): Promise<Inspection> {
  const python = pythonOf(folder, kind)
  const real = await realpath(python).catch(() => null)
  if (real === null) return { ok: false, why: await missing(python) }
  const config = parsePyvenv(kind === 'venv' ? await text(join(folder, 'pyvenv.cfg')) : '')
  const written = config.get('version_info') ?? config.get('version') ?? (await condaVersion(folder, kind))
  const version = /^3\.\d+(\.\d+)?/.exec(written ?? '')?.[0] ?? null
  const outside = !isInside(real, await realpath(options.cwd).catch(() => options.cwd))
  let current = version
  if (outside) {
    const answer = await probe(real, options)
    if (!answer.ok) return answer
    current = answer.python.version
    if (version !== null && minor(version) !== minor(current)) {
      return { ok: false, why: `it was made for Python ${minor(version)}, and ${real} is now ${current}` }
    }
  } else if (!(await isExecutable(real))) {
    return { ok: false, why: `${python} is not executable` }
  }
  if (current === null) return { ok: false, why: 'nothing in it tells which Python 3 it has' }
  const made = await madeBy(folder)
  const environment: Environment = {
    folder,
    kind,
    python,
    version: current,
    made_by: made,
    uv: config.has('uv'),
    system_packages: config.get('include-system-site-packages') === 'true',
    has_pip: await hasPip(folder, kind),
  }
  return { ok: true, environment }
}

/** Folders of an environment that hold installed packages. */
export async function sitePackages(folder: string): Promise<string[]> {
  if (WINDOWS) return [join(folder, 'Lib', 'site-packages')]
  const lib = join(folder, 'lib')
  // No such folder: an environment that lost its packages has none to name.
  const names = await readdir(lib).catch(() => [])
  return names.filter((name) => /^(python|pypy)3(\.\d+)?t?$/.test(name)).map((name) => join(lib, name, 'site-packages'))
}

export function sourceOf({ kind, made_by, uv }: Environment, own: boolean): PythonInfo['source'] {
  if (kind === 'conda') return 'conda'
  if (made_by !== null) return made_by
  return own ? 'project' : uv ? 'uv' : 'venv'
}

async function hasPip(folder: string, kind: EnvironmentKind): Promise<boolean> {
  const bin = WINDOWS ? join(folder, 'Scripts') : binFolder(folder, kind)
  return isThere(join(bin, WINDOWS ? 'pip.exe' : 'pip'))
}

async function missing(python: string): Promise<string> {
  const link = await readlink(python).catch(() => null)
  if (link !== null) return `its Python (${link}) is gone`
  return `${python} is missing`
}

/** conda keeps a file a package: `conda-meta/python-3.11.5-h955ad1f_0.json`. */
async function condaVersion(folder: string, kind: EnvironmentKind): Promise<string | undefined> {
  if (kind !== 'conda') return undefined
  const names = await readdir(join(folder, 'conda-meta')).catch(() => [])
  return names.map((name) => /^python-(3\.[\d.]+)-/.exec(name)?.[1]).find((version) => version !== undefined)
}

async function madeBy(folder: string): Promise<'uv' | 'venv' | null> {
  try {
    const { tool } = JSON.parse(await readFile(join(folder, MADE_FILE), 'utf8')) as { tool?: unknown }
    return tool === 'uv' || tool === 'venv' ? tool : null
  } catch {
    // Not there, or not ours: somebody else made it.
    return null
  }
}

function minor(version: string): string {
  return version.split('.').slice(0, 2).join('.')
}

function text(file: string): Promise<string> {
  // Gone since it was found: then it tells nothing.
  return readFile(file, 'utf8').catch(() => '')
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, 1).then(
    () => true,
    () => false,
  )
}

/** Whether there is something of that name, be it a broken link. */
export async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (error) {
    if (isNodeError(error)) return false
    throw error
  }
}
