import { type Settings, settingsSchema } from '@shared/settings'
import { expectedAt, translateKeys } from './layers'
import { readConfig } from './load'
import { MissingVariable, substituteEnv } from './substitute'

export interface ConfigImport {
  /** What was taken over, as it was written: `${VAR}` stays. */
  patch: Partial<Settings>
  /** What was not, and what to know of what was. */
  notes: string[]
}

export interface ConfigImportOptions {
  /** For `${VAR}`, to see whether the value fits. */
  env: NodeJS.ProcessEnv
  /** An id of the other program as one of ours; null: there is none. */
  model: (name: string) => string | null
}

/** Not taken from a file that somebody else may have written: where keys are sent, and where data lies. */
const OWN_ONLY: ReadonlySet<string> = new Set(['home', 'anthropic_base_url', 'project_rules', 'approval_rules'])
const TRACE_REPO = 'personal_trace_repo_template'

/**
 * Takes over the settings of a configuration file of the reference, and gives them to `save`. What has no meaning here,
 * or a value that does not fit, is left out and said. Throws UserError `config` for a file that cannot be read.
 */
export async function importConfig(
  file: string,
  save: (patch: Partial<Settings>) => Promise<unknown>,
  { env, model }: ConfigImportOptions,
): Promise<ConfigImport> {
  const written = (await readConfig(file, true)) ?? {}
  const template = written[TRACE_REPO]
  const { [TRACE_REPO]: _template, ...rest } = written
  const { values, warnings, notes } = translateKeys(
    typeof template === 'string' && !('trace_repo' in rest) ? { ...rest, trace_repo: template } : rest,
    file,
  )
  notes.push(...warnings)
  const patch: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(values)) {
    if (OWN_ONLY.has(key)) {
      notes.push(`${file}: "${key}" is not taken over: set it yourself if you want it.`)
      continue
    }
    const own = key === 'model' && typeof value === 'string' && !value.includes('${') ? model(value) : value
    const problem = own === null && key === 'model' ? 'is no model that is known here' : problemOf(key, own, env)
    if (problem) notes.push(`${file}: "${key}" ${problem}; it was left out.`)
    else patch[key] = own
  }
  if (patch.mode === 'full') notes.push('Mode “full” lets everything run without asking, as yolo_mode did.')
  if (Object.keys(patch).length > 0) await save(patch)
  return { patch, notes }
}

function problemOf(key: string, value: unknown, env: NodeJS.ProcessEnv): string | null {
  try {
    const result = settingsSchema.safeParse({ [key]: substituteEnv(value, env) })
    return result.success ? null : `must be ${expectedAt([key])}`
  } catch (error) {
    if (error instanceof MissingVariable) return 'needs a variable that is not set'
    throw error
  }
}
