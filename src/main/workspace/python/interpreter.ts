import { type FileHandle, open, realpath } from 'node:fs/promises'
import { isAbsolute, relative, sep } from 'node:path'
import { isNodeError } from '../../errors'
import { ask } from '../machine/ask'

/** What an interpreter says of itself. */
export interface Interpreter {
  /** The interpreter itself, behind shims. */
  path: string
  /** "3.11.2". */
  version: string
  /** Of its own site-packages: libraries that are large, or that a system's package manager installed. */
  ml: boolean
  /** Whether `python -m venv` can make a whole environment: Debian packs that apart. */
  venv: boolean
}

export type Probe = { ok: true; python: Interpreter } | { ok: false; why: string }

export interface ProbeOptions {
  env: NodeJS.ProcessEnv
  cwd: string
  signal: AbortSignal
  timeout_ms?: number
}

/** A cold start from a network drive takes seconds; a hung one never answers. */
const TIMEOUT_MS = 5000

// find_spec looks, it does not import. `-I` keeps the working directory and PYTHON* variables out.
const QUESTION = `
import json, sys
try:
    from importlib.util import find_spec
    has = lambda name: find_spec(name) is not None
except ImportError:
    has = lambda name: False
print(json.dumps({
    'path': sys.executable,
    'version': list(sys.version_info[:3]),
    'ml': has('torch') or has('sklearn'),
    'venv': has('venv') and has('ensurepip'),
}))
`

const cache = new Map<string, { probe: Probe; until: number }>()
/** What a script (a shim of pyenv or conda) answers depends on more than the script. */
const SCRIPT_TTL_MS = 10_000

/**
 * Asks an interpreter by running it; never rejects but for the signal. Remembered by the file's time and size; what a
 * script says (a shim of pyenv or conda) for this folder only, and for ten seconds.
 */
export async function probe(file: string, options: ProbeOptions): Promise<Probe> {
  options.signal.throwIfAborted()
  const memory = await cacheKey(file, options)
  const known = memory && cache.get(memory.key)
  if (known && known.until > performance.now()) return known.probe
  const answer = await run(file, options)
  options.signal.throwIfAborted()
  // A failure may pass (a full process table); only answers are kept.
  if (memory && answer.ok) cache.set(memory.key, { probe: answer, until: performance.now() + memory.ttl_ms })
  return answer
}

async function run(file: string, { env, cwd, signal, timeout_ms = TIMEOUT_MS }: ProbeOptions): Promise<Probe> {
  const answer = await ask(file, ['-I', '-c', QUESTION], { env, cwd, signal, timeout_ms })
  if (answer.error === 'timeout') return { ok: false, why: `it did not answer within ${timeout_ms / 1000} s` }
  if (answer.error === 'ENOENT') return { ok: false, why: 'the program that runs it is missing (an old #! line?)' }
  if (answer.error === 'EACCES') return { ok: false, why: 'it is not executable' }
  if (answer.error !== '') return { ok: false, why: `it could not be run (${answer.error})` }
  const python = answer.exit_code === 0 ? readAnswer(answer.stdout) : null
  if (python?.version.startsWith('3.')) return { ok: true, python }
  if (python || /Unknown option: -I/.test(answer.stderr)) return { ok: false, why: 'it is not Python 3' }
  const said =
    (answer.stderr || answer.stdout)
      .trim()
      .split('\n')
      .at(-1)
      ?.replace(/\p{Cc}/gu, ' ')
      .slice(0, 160) ?? ''
  if (answer.exit_code === 0) return { ok: false, why: 'what it prints is not the answer of a Python' }
  return { ok: false, why: `it fails with exit code ${answer.exit_code}${said === '' ? '' : `: ${said}`}` }
}

function readAnswer(stdout: string): Interpreter | null {
  // A start-up file may print lines of its own; the answer is the last.
  const line = stdout.trim().split('\n').at(-1) ?? ''
  try {
    const { path, version, ml, venv } = JSON.parse(line) as Record<string, unknown>
    if (typeof path !== 'string' || !isAbsolute(path) || !Array.isArray(version)) return null
    return { path, version: version.join('.'), ml: ml === true, venv: venv === true }
  } catch {
    // Not our answer: the caller says what it was.
    return null
  }
}

async function cacheKey(file: string, { cwd, env }: ProbeOptions): Promise<{ key: string; ttl_ms: number } | null> {
  let handle: FileHandle | null = null
  try {
    const real = await realpath(file)
    handle = await open(real, 'r')
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0)
    const script = bytesRead === 2 && buffer.toString('latin1') === '#!'
    const { mtimeMs, size, ino } = await handle.stat()
    const version = [file, real, mtimeMs, size, ino]
    if (!script) return { key: JSON.stringify(version), ttl_ms: Number.POSITIVE_INFINITY }
    return { key: JSON.stringify([...version, cwd, env.PYENV_VERSION]), ttl_ms: SCRIPT_TTL_MS }
  } catch (error) {
    // Not readable, or gone: running it tells what is wrong.
    if (isNodeError(error)) return null
    throw error
  } finally {
    await handle?.close()
  }
}

/** Whether a path lies in a folder (or is it). Both absolute and real. */
export function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path)
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way))
}
