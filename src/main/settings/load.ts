import { readFile } from 'node:fs/promises'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { withRules } from '@shared/approvals'
import { type Settings, settingsSchema } from '@shared/settings'
import { isNodeError, messageOf, UserError } from '../errors'
import { defaultHome, expandPath } from '../home'
import { environmentSettings, readEnvironment } from './environment'
import { parseJson } from './json'
import {
  checkProject,
  expectedAt,
  type Layer,
  shown,
  takeProjectRules,
  translateKeys,
  valueAt,
  wrongValue,
} from './layers'
import { isObject, type JsonObject, mergeConfig } from './merge'
import { MissingVariable, substituteEnv } from './substitute'

export interface LoadOptions {
  /** Where the project lies: its `.ml-intern/config.json` and its `.env` are read. Absolute. */
  cwd: string
  /** The real environment of the process. */
  env: NodeJS.ProcessEnv
  /** `--config FILE`: read and written instead of the user's file; it must exist. Absolute. */
  config_file?: string
  /** What the command line says. */
  flags?: Partial<Settings>
  platform?: NodeJS.Platform
}

export interface LoadedSettings {
  settings: Settings
  /** The data folder; absolute, not made yet. */
  home: string
  /** The real environment, and under it what was taken from `.env`. */
  env: NodeJS.ProcessEnv
  /** Where a change is written to. */
  user_file: string
  /** What was read, lowest priority first. */
  files: string[]
  /** For stderr: something was ignored, or is worth knowing before a key is used. */
  warnings: string[]
  /** For `doctor`. */
  notes: string[]
}

/**
 * Settings from all their layers: defaults, user file, project file, environment, command line; later ones win.
 * Throws UserError `config` that names the source, the key and what was expected.
 */
export async function loadSettings(options: LoadOptions): Promise<LoadedSettings> {
  const { cwd, env: real } = options
  const system = defaultHome(real, options.platform)
  const home_at_start = real.ML_INTERN_HOME ? expandPath(real.ML_INTERN_HOME, cwd) : system
  const user_file = options.config_file ?? join(home_at_start, 'config.json')
  const project_file = join(cwd, '.ml-intern', 'config.json')

  const [environment, user_raw, project_raw] = await Promise.all([
    readEnvironment(cwd, real),
    readConfig(user_file, options.config_file !== undefined),
    // The data folder may be the project's own `.ml-intern`: then it is the user's file, not a stranger's.
    resolve(project_file) === resolve(user_file) ? null : readConfig(project_file, false),
  ])
  const warnings = [...environment.warnings]
  const notes: string[] = []
  const fileLayer = (kind: 'user' | 'project', file: string, raw: JsonObject | null, env: NodeJS.ProcessEnv): Layer => {
    const translation = translateKeys(raw ?? {}, file)
    warnings.push(...translation.warnings)
    notes.push(...translation.notes)
    const { values: written, names } = translation
    return { kind, name: file, values: substituted(written, names, file, env), written, names }
  }
  // The user's file sees the real environment only: a project's `.env` must not fill in the user's own settings.
  const user = fileLayer('user', user_file, user_raw, real)
  const project = fileLayer('project', project_file, project_raw, environment.project_env)
  const flags = options.flags ?? {}
  checkProject(project, user, typeof (flags.max_cost_usd ?? flags.max_cost_per_day_usd) === 'number')
  const rules = takeProjectRules(project, warnings)

  const layers = [
    user,
    project,
    plainLayer('environment', 'The environment', environmentSettings(environment.env), {
      home: 'ML_INTERN_HOME',
      anthropic_base_url: 'ANTHROPIC_BASE_URL',
    }),
    plainLayer('flags', 'The command line', { ...options.flags }, {}),
  ]
  const settings = validated(layers)
  if (rules.length > 0) {
    const folder = resolve(cwd)
    const own = Object.hasOwn(settings.project_rules, folder) ? (settings.project_rules[folder] ?? []) : []
    // They hold in this folder only, and the user may read and change them with the others.
    settings.project_rules = { ...settings.project_rules, [folder]: withRules(own, rules) }
  }
  settings.home = settings.home === null ? null : resolveHome(settings.home, layers, cwd)
  if (settings.default_cwd !== null) settings.default_cwd = expandPath(settings.default_cwd, dirname(user_file))
  checkBaseUrl(settings.anthropic_base_url, layers, warnings)
  return {
    settings,
    home: settings.home ?? system,
    env: environment.env,
    user_file,
    files: [
      ...(user_raw ? [user_file] : []),
      ...(project_raw ? [project_file] : []),
      ...(environment.file ? [environment.file] : []),
    ],
    warnings,
    notes,
  }
}

/** The object in a configuration file; null when there is no such file and none is required. Throws UserError. */
export async function readConfig(file: string, required: boolean): Promise<JsonObject | null> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    const code = isNodeError(error) ? error.code : undefined
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      if (!required) return null
      throw new UserError('config', `The configuration file ${file} does not exist.`, 'Check the path after --config.')
    }
    if (code === 'EISDIR') throw new UserError('config', `${file} is a folder; a JSON file is expected.`)
    if (code === 'EACCES' || code === 'EPERM') {
      throw new UserError('permission', `The configuration file ${file} cannot be read: ${code}.`, 'Check its owner.')
    }
    throw new UserError('config', `The configuration file ${file} cannot be read: ${messageOf(error)}`)
  }
  // An empty file is what `touch` makes.
  if (text.trim() === '') return {}
  const parsed = parseJson(text)
  if (!parsed.ok) {
    const place = `line ${parsed.line}, column ${parsed.column}`
    throw new UserError('config', `${file} is not valid JSON: ${place}: ${parsed.problem}.`)
  }
  if (!isObject(parsed.value)) {
    throw new UserError('config', `${file} must hold a JSON object ("{ … }"), but it is ${shown(parsed.value)}.`)
  }
  return parsed.value
}

function substituted(
  written: JsonObject,
  names: Record<string, string>,
  file: string,
  env: NodeJS.ProcessEnv,
): JsonObject {
  try {
    return substituteEnv(written, env) as JsonObject
  } catch (error) {
    if (!(error instanceof MissingVariable)) throw error
    const [first = '', ...rest] = error.path
    const key = [names[first] ?? first, ...rest].join('.')
    throw new UserError(
      'config',
      `${file}: "${key}" uses the environment variable ${error.variable}, which is not set.`,
      `Set it, or give a default: \${${error.variable}:-default}.`,
    )
  }
}

function plainLayer(kind: Layer['kind'], name: string, values: JsonObject, names: Record<string, string>): Layer {
  const given = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
  return { kind, name, values: given, written: given, names }
}

function validated(layers: readonly Layer[]): Settings {
  const merged = layers.reduce<JsonObject>((all, layer) => mergeConfig(all, layer.values), {})
  const result = settingsSchema.safeParse(merged)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  throw fault(layers, issue?.path ?? [])
}

/** The error for the value at `path`, blamed on the last layer that says anything there. */
function fault(layers: readonly Layer[], path: readonly PropertyKey[]): UserError {
  for (let length = path.length; length > 0; length--) {
    const layer = layers.findLast(({ values }) => valueAt(values, path.slice(0, length)) !== undefined)
    if (!layer) continue
    const [first = '', ...rest] = path.map(String)
    const key = [layer.names[first] ?? first, ...rest].join('.')
    return wrongValue(layer.name, key, expectedAt(path), valueAt(layer.written, path))
  }
  return new UserError('config', `The setting "${path.join('.')}" must be ${expectedAt(path)}.`)
}

function resolveHome(home: string, layers: readonly Layer[], cwd: string): string {
  const layer = layers.findLast(({ values }) => values.home !== undefined)
  // A path from the environment is relative to where the program was started; one from a file has no such place.
  if (layer?.kind === 'environment') return expandPath(home, cwd)
  if (!isAbsolute(home) && !/^~($|[/\\])/.test(home)) throw fault(layers, ['home'])
  return expandPath(home, '/')
}

function checkBaseUrl(value: string, layers: readonly Layer[], warnings: string[]): void {
  const url = new URL(value)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw fault(layers, ['anthropic_base_url'])
  const loopback = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname)
  if (url.protocol === 'http:' && !loopback) {
    warnings.push(`The server ${url.origin} is reached without encryption: your key can be read on the way.`)
  }
}
