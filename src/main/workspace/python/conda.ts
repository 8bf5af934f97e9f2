import { readFile, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, dirname, join } from 'node:path'

/** Files that name a conda environment (conda documentation, "Managing environments"). */
const SPECS = ['environment.yml', 'environment.yaml']
/** Where the installers put conda below the home folder, and where images do. */
const HOME_ROOTS = ['miniconda3', 'anaconda3', 'miniforge3', 'mambaforge', 'micromamba', '.conda']
const SYSTEM_ROOTS = ['/opt/conda', '/opt/miniconda3', '/opt/miniforge3']

/** `name:` of an environment file: a plain or quoted word in the first column; null: it has none. */
export function parseCondaName(yaml: string): string | null {
  const [, value = ''] = /^name\s*:\s*(.*?)\s*$/m.exec(yaml.replaceAll('\r', '')) ?? []
  const name = /^(["'])(.*?)\1/.exec(value)?.[2] ?? value.replace(/\s+#.*$/, '')
  // A name is one folder: nothing of a foreign file may lead elsewhere.
  return /^[^/\\\s:#]+$/.test(name) && name !== '.' && name !== '..' ? name : null
}

/** The conda environment that the project's environment.yml names; null: it names none, or it was not made yet. */
export async function projectConda(
  cwd: string,
  env: NodeJS.ProcessEnv,
): Promise<{ name: string; folder: string | null } | null> {
  for (const spec of SPECS) {
    const yaml = await readFile(join(cwd, spec), 'utf8').catch(() => null)
    const name = yaml === null ? null : parseCondaName(yaml)
    if (name === null) continue
    for (const folder of await possibleFolders(name, env)) {
      if (await isFolder(join(folder, 'conda-meta'))) return { name, folder }
    }
    return { name, folder: null }
  }
  return null
}

async function possibleFolders(name: string, env: NodeJS.ProcessEnv): Promise<string[]> {
  const home = env.HOME || homedir()
  // conda lists the environments it made, wherever they are.
  const listed = (await readFile(join(home, '.conda', 'environments.txt'), 'utf8').catch(() => ''))
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => basename(line) === name)
  const roots = [
    ...(env.MAMBA_ROOT_PREFIX ? [env.MAMBA_ROOT_PREFIX] : []),
    // <root>/bin/conda and <root>/condabin/conda.
    ...(env.CONDA_EXE ? [dirname(dirname(env.CONDA_EXE))] : []),
    ...(env.CONDA_PREFIX ? [condaRoot(env.CONDA_PREFIX)] : []),
    ...HOME_ROOTS.map((root) => join(home, root)),
    ...SYSTEM_ROOTS,
  ]
  const own = roots.map((root) => (name === 'base' ? root : join(root, 'envs', name)))
  return [...new Set([...own, ...listed])]
}

/** `<root>` of `<root>/envs/<name>`. */
function condaRoot(prefix: string): string {
  return basename(dirname(prefix)) === 'envs' ? dirname(dirname(prefix)) : prefix
}

/** conda itself lives in the base environment: nothing of a project belongs there. */
export async function isCondaBase(folder: string): Promise<boolean> {
  return (await isFolder(join(folder, 'condabin'))) || isFolder(join(folder, 'envs'))
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
}
