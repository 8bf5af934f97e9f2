import { basename, delimiter, join } from 'node:path'
import type { PythonCandidate } from './types'

const WINDOWS = process.platform === 'win32'

/**
 * The environment of a command in which `python`, `python3` and `pip` are those of `info`. Without an environment
 * (a system's Python) it is `env` as it was. Pure; `env` is not changed.
 */
export function environmentOf(
  info: Pick<PythonCandidate, 'environment' | 'path' | 'source'> & Partial<PythonCandidate>,
  env: NodeJS.ProcessEnv,
): NodeJS.ProcessEnv {
  const { environment } = info
  if (environment === null) return { ...env }
  // PYTHONHOME would make it look for its library elsewhere; the others are of an environment that was active before.
  const {
    PYTHONHOME: _home,
    __PYVENV_LAUNCHER__: _launcher,
    VIRTUAL_ENV: _active,
    VIRTUAL_ENV_PROMPT: _prompt,
    CONDA_PREFIX: _conda,
    CONDA_DEFAULT_ENV: _name,
    ...rest
  } = env
  const conda = info.source === 'conda'
  const own = binFolders(environment, conda)
  const others = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '' && !own.includes(folder))
  const result: NodeJS.ProcessEnv = { ...rest, PATH: [...own, ...others].join(delimiter) }
  if (conda) return { ...result, CONDA_PREFIX: environment, CONDA_DEFAULT_ENV: basename(environment) }
  // What uv and pip go by. With PIP_PYTHON (pip 22.3) another pip on PATH works on this environment, which has none.
  const pip = info.has_pip === false ? { PIP_PYTHON: info.path } : { PIP_REQUIRE_VIRTUALENV: '1' }
  return { ...result, VIRTUAL_ENV: environment, ...pip }
}

function binFolders(environment: string, conda: boolean): string[] {
  if (!WINDOWS) return [join(environment, 'bin')]
  if (!conda) return [join(environment, 'Scripts')]
  return ['.', 'Library\\mingw-w64\\bin', 'Library\\usr\\bin', 'Library\\bin', 'Scripts'].map((name) =>
    join(environment, name),
  )
}
