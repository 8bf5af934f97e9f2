import { runProgram } from './program'
import type { RunProgram } from './types'

export interface PythonInfo {
  /** The interpreter itself, behind shims and links. */
  path: string
  version: string
  sklearn: boolean
}

// The first entry of sys.path is the working directory: a file there must not be taken for a standard module.
const QUESTION = [
  'import sys',
  'sys.path = [p for p in sys.path if p]',
  'import json, importlib.util',
  'v = ".".join(map(str, sys.version_info[:3]))',
  'print(json.dumps({"path": sys.executable, "version": v, "sklearn": importlib.util.find_spec("sklearn") is not None}))',
].join('\n')

/** The Python that a command `python3` or `python` would run; null when there is none (version 3). */
export async function inspectPython(
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
  run: RunProgram = runProgram,
): Promise<PythonInfo | null> {
  for (const name of ['python3', 'python']) {
    const result = await run(name, ['-c', QUESTION], { env, signal })
    const info = result.exit_code === 0 ? readAnswer(result.stdout) : null
    if (info) return info
  }
  return null
}

function readAnswer(stdout: string): PythonInfo | null {
  // A start-up file of the user may print lines of its own; the answer is the last.
  const line = stdout.trim().split('\n').at(-1) ?? ''
  try {
    const { path, version, sklearn } = JSON.parse(line) as Partial<PythonInfo>
    if (typeof path !== 'string' || typeof version !== 'string' || !version.startsWith('3.')) return null
    return { path, version, sklearn: sklearn === true }
  } catch {
    // Not our answer: Python 2, or a program that is not Python at all.
    return null
  }
}
