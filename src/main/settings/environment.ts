import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isNodeError, messageOf } from '../errors'
import type { JsonObject } from './merge'

/**
 * The only names taken from `.env`: the services this program itself talks to. Everything else a project keeps there is
 * none of our business, and a variable such as PATH or LD_PRELOAD would change what the program itself starts.
 *
 * An address decides who receives a key. It is taken only when the key in use comes from the same file: then nobody gets
 * a key that was not theirs already. ML_INTERN_HOME is never taken, because the settings in that folder decide what runs
 * without asking.
 */
const FROM_DOT_ENV: ReadonlySet<string> = new Set([
  'ANTHROPIC_API_KEY',
  'HF_TOKEN',
  'LOCAL_LLM_API_KEY',
  'ML_INTERN_LOG',
])
/** Address and the key that goes there. */
const ADDRESSES: readonly (readonly [address: string, key: string])[] = [
  ['ANTHROPIC_BASE_URL', 'ANTHROPIC_API_KEY'],
  ['HF_ROUTER_URL', 'HF_TOKEN'],
  ['LOCAL_LLM_BASE_URL', 'LOCAL_LLM_API_KEY'],
]
/** A `.env` is a handful of lines; a larger file is something else. */
const MAX_DOT_ENV_BYTES = 256 * 1024

export interface Environment {
  /** The real environment, and under it what was taken from `.env`. */
  env: NodeJS.ProcessEnv
  /** As `env`, with every name of `.env`: only for `${VAR}` in the project's own file. */
  project_env: NodeJS.ProcessEnv
  /** Path of the `.env` that was read; null when there is none. */
  file: string | null
  warnings: string[]
}

export async function readEnvironment(cwd: string, real: NodeJS.ProcessEnv): Promise<Environment> {
  const file = join(cwd, '.env')
  const text = await readDotEnv(file)
  if (text === null) return { env: real, project_env: real, file: null, warnings: [] }
  if (text instanceof Error) {
    const warnings = [`${file} cannot be read and is ignored: ${messageOf(text)}`]
    return { env: real, project_env: real, file: null, warnings }
  }
  const { parseDotEnv } = await import('./dotenv')
  const { values, bad_lines } = parseDotEnv(text)
  const warnings: string[] = []
  if (bad_lines.length > 0) {
    warnings.push(`${file}: line ${bad_lines.slice(0, 5).join(', ')} is no NAME=value and is ignored.`)
  }
  const taken: NodeJS.ProcessEnv = {}
  for (const [name, value] of Object.entries(values)) {
    if (FROM_DOT_ENV.has(name) && real[name] === undefined) taken[name] = value
  }
  for (const [address, key] of ADDRESSES) {
    const server = values[address]
    if (server === undefined || real[address] !== undefined) continue
    if (taken[key]) {
      taken[address] = server
      warnings.push(`Using the key and the server ${server} of ${file}.`)
    } else {
      warnings.push(
        `${file}: ${address} is ignored, because ${key} does not come from the same file. ` +
          'Set it in the environment if you want that server to receive your key.',
      )
    }
  }
  if (values.ML_INTERN_HOME !== undefined && real.ML_INTERN_HOME === undefined) {
    warnings.push(`${file}: ML_INTERN_HOME is ignored; set it in the environment.`)
  }
  return { env: { ...taken, ...real }, project_env: { ...values, ...real }, file, warnings }
}

/** Null: there is no such file (a folder named `.env` is a Python environment). */
async function readDotEnv(file: string): Promise<string | null | Error> {
  try {
    const bytes = await readFile(file)
    if (bytes.length > MAX_DOT_ENV_BYTES) return new Error(`it is larger than ${MAX_DOT_ENV_BYTES} bytes`)
    return bytes.toString('utf8')
  } catch (error) {
    if (isNodeError(error) && ['ENOENT', 'ENOTDIR', 'EISDIR'].includes(error.code ?? '')) return null
    return error instanceof Error ? error : new Error(String(error))
  }
}

/** Settings that the environment gives. An empty variable is as good as none. */
export function environmentSettings(env: NodeJS.ProcessEnv): JsonObject {
  const values: JsonObject = {}
  if (env.ML_INTERN_HOME) values.home = env.ML_INTERN_HOME
  if (env.ANTHROPIC_BASE_URL) values.anthropic_base_url = env.ANTHROPIC_BASE_URL
  return values
}
