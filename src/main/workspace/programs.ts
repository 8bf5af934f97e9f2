import { constants } from 'node:fs'
import { access, realpath } from 'node:fs/promises'
import { delimiter, join } from 'node:path'

/** The first executable of that name on PATH, or null. Looks, does not run. */
export async function findProgram(name: string, env: NodeJS.ProcessEnv): Promise<string | null> {
  const names = process.platform === 'win32' ? [`${name}.exe`, `${name}.cmd`] : [name]
  for (const folder of (env.PATH ?? '').split(delimiter)) {
    if (folder === '') continue
    for (const candidate of names) {
      const path = join(folder, candidate)
      try {
        await access(path, constants.X_OK)
        return path
      } catch {
        // Not in this folder: the next one.
      }
    }
  }
  return null
}

/** The Python that `python3` (or `python`) means here, for the prompt and the status bar. */
export async function findPython(env: NodeJS.ProcessEnv): Promise<string | null> {
  const path = (await findProgram('python3', env)) ?? (await findProgram('python', env))
  if (!path) return null
  // /usr/bin/python3 is a link to python3.11: the name tells the version without starting it.
  const real = await realpath(path)
  return /python\d+\.\d+$/.test(real) ? real : path
}
