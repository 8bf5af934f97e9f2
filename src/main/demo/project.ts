import { access, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isNodeError, UserError } from '../errors'

/** What the user's message says when the demo starts. */
export const DEMO_PROMPT =
  'Train a classifier that tells the species of a penguin from its body measurements. The data are in penguins.csv. ' +
  'Look at them first, compare the model with a simple baseline, and write a model card with the results.'

/** Present in every complete `resources` folder: how a candidate is recognised. */
const MARKER = join('demo', 'penguins', 'penguins.csv')
/** Deepest place of a module below the checkout: src/main/demo when not bundled, out/main/chunks when bundled. */
const LEVELS_UP = 3

/**
 * The folder `resources` of this installation, absolute: beside `out` or `src` in a checkout, inside the application
 * when it is packaged. Throws UserError `resource_missing`.
 */
export async function resourcesDir(): Promise<string> {
  const candidates: string[] = []
  let folder = import.meta.dirname
  for (let level = 0; level < LEVELS_UP; level++) {
    folder = dirname(folder)
    candidates.push(join(folder, 'resources'))
  }
  // Set by Electron only, and not in the types of Node.
  const packaged: unknown = Reflect.get(process, 'resourcesPath')
  if (typeof packaged === 'string') candidates.push(join(packaged, 'resources'), packaged)
  for (const candidate of candidates) {
    if (await exists(join(candidate, MARKER))) return candidate
  }
  throw new UserError(
    'resource_missing',
    'The files of the demo project are not part of this installation.',
    `Install ML Intern again, or restore the folder resources/demo of the checkout (looked in ${candidates[0] ?? ''} and above).`,
  )
}

/**
 * Copies the bundled project into a new folder `<parentDir>/penguins-<YYYYMMDD-HHMMSS>[-n]` (local time) and returns
 * its path. Makes `parentDir` when needed; never writes into a folder that exists. Throws UserError `resource_missing`,
 * `not_a_directory` or `permission`.
 */
export async function createDemoProject(parentDir: string): Promise<string> {
  const source = join(await resourcesDir(), 'demo', 'penguins')
  let names: string[]
  try {
    names = await readdir(source)
  } catch (error) {
    throw missing(source, error)
  }
  try {
    await mkdir(parentDir, { recursive: true })
    const target = await freshFolder(join(parentDir, `penguins-${stamp(new Date())}`))
    // Read and written, not copied: a packaged application's files may be read-only, the user's must not be.
    for (const name of names) await writeFile(join(target, name), await readFile(join(source, name)), { flag: 'wx' })
    return target
  } catch (error) {
    throw unusable(parentDir, error)
  }
}

async function freshFolder(base: string): Promise<string> {
  for (let n = 1; ; n++) {
    const path = n === 1 ? base : `${base}-${n}`
    try {
      await mkdir(path)
      return path
    } catch (error) {
      if (!isNodeError(error) || error.code !== 'EEXIST') throw error
    }
  }
}

function stamp(now: Date): string {
  const two = (value: number) => String(value).padStart(2, '0')
  const date = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`
  return `${date}-${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path)
    return true
  } catch {
    // Not there or not readable: the same for us, the next candidate is tried.
    return false
  }
}

function missing(path: string, cause: unknown): UserError {
  return new UserError(
    'resource_missing',
    `A file of the demo project cannot be read: ${path}.`,
    'Install ML Intern again, or restore the folder resources/demo of the checkout.',
    { cause },
  )
}

function unusable(folder: string, error: unknown): unknown {
  if (!isNodeError(error)) return error
  if (error.code === 'EACCES' || error.code === 'EPERM' || error.code === 'EROFS') {
    const remedy = 'Choose another folder, or give yourself the right to write there.'
    return new UserError('permission', `The demo project cannot be written to ${folder}.`, remedy, { cause: error })
  }
  if (error.code === 'ENOTDIR' || error.code === 'EEXIST') {
    const remedy = 'Choose a folder, or move the file away.'
    return new UserError('not_a_directory', `${folder} is not a folder.`, remedy, { cause: error })
  }
  return error
}
