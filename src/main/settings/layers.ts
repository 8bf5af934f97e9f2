import { type Rule, ruleSchema } from '@shared/approvals'
import { type ApprovalMode, DEFAULT_SETTINGS, settingsSchema } from '@shared/settings'
import { UserError } from '../errors'
import { isObject, type JsonObject } from './merge'

/** One source of settings, lowest priority first: user file, project file, environment, command line. */
export interface Layer {
  kind: 'user' | 'project' | 'environment' | 'flags'
  /** As the user knows it: a path, "the environment", "the command line". */
  name: string
  /** With our own key names and variables filled in. */
  values: JsonObject
  /** As written, for messages: a filled-in variable may be a secret. */
  written: JsonObject
  /** Our key -> the name it has in this source, where the two differ. */
  names: Record<string, string>
}

export const OWN_KEYS: ReadonlySet<string> = new Set(Object.keys(settingsSchema.shape))

/** Keys of the reference whose feature does not exist here yet: accepted, so that a file can be brought along. */
const LATER_KEYS: ReadonlySet<string> = new Set([
  'mcpServers',
  'save_sessions',
  'session_dataset_repo',
  'share_traces',
  'auto_save_interval',
  'heartbeat_interval_s',
  'auto_file_upload',
  'tool_runtime',
  'messaging',
])

export interface Translation {
  values: JsonObject
  names: Record<string, string>
  warnings: string[]
  notes: string[]
}

/** A file's keys in our names. What is left out is said in `warnings` (unknown) or `notes` (not here yet). */
export function translateKeys(written: JsonObject, file: string): Translation {
  const values = new Map<string, unknown>()
  const names: Record<string, string> = {}
  const warnings: string[] = []
  const notes: string[] = []
  const rename = (own: string, theirs: string, value: unknown): void => {
    // Our own name wins where a file has both.
    if (Object.hasOwn(written, own)) return
    values.set(own, value)
    names[own] = theirs
  }
  for (const [key, value] of Object.entries(written)) {
    if (OWN_KEYS.has(key)) values.set(key, key === 'effort' ? translateEffort(value) : value)
    else if (key === 'model_name') rename('model', key, value)
    else if (key === 'reasoning_effort') rename('effort', key, translateEffort(value))
    else if (key === 'personal_trace_repo_template') rename('trace_repo', key, value)
    else if (key === 'yolo_mode') {
      if (typeof value !== 'boolean') throw wrongValue(file, key, 'true or false', value)
      if (value) rename('mode', key, 'full')
    } else if (LATER_KEYS.has(key))
      notes.push(`${file}: "${key}" belongs to a feature this version does not have; ignored.`)
    else if (key !== '$schema') warnings.push(`${file}: unknown key "${key}" is ignored.`)
  }
  return { values: Object.fromEntries(values), names, warnings, notes }
}

/** The reference knows `off` and `minimal`: no effort parameter, and the lowest there is. */
function translateEffort(value: unknown): unknown {
  if (value === 'off') return null
  return value === 'minimal' ? 'low' : value
}

const MODES: readonly string[] = ['plan', 'ask', 'auto', 'full'] satisfies ApprovalMode[]

/**
 * A project's file comes with a download. It must not be able to send the key to another host, to move the data, or to
 * let more run than the user allows. `caps`: whether something else caps what may be spent. Throws UserError.
 */
export function checkProject(project: Layer, user: Layer, caps = false): void {
  const refuse = (key: string, why: string): never => {
    throw new UserError(
      'config',
      `${project.name}: "${project.names[key] ?? key}" is not allowed in a project file: ${why}.`,
      `Take it out of that file. If you want it, put it into ${user.name}${key === 'mode' ? ' or give --mode' : ''}.`,
    )
  }
  if ('home' in project.values) refuse('home', 'a project must not move your data')
  if ('anthropic_base_url' in project.values) {
    refuse('anthropic_base_url', 'a project must not choose the server that receives your key')
  }
  if ('project_rules' in project.values) refuse('project_rules', 'a project must not make rules for other folders')
  if ('role_models' in project.values) refuse('role_models', 'a project must not choose who else reads your work')
  if ('trace_repo' in project.values) refuse('trace_repo', 'a project must not choose where your traces go')
  if (project.values.confirm_cpu_jobs === false && user.values.confirm_cpu_jobs !== false) {
    refuse('confirm_cpu_jobs', 'a project must not start jobs that you pay for')
  }
  if ('sandbox' in project.values) refuse('sandbox', 'a project must not choose how it is kept in')
  if (project.values.checkpoints === false && user.values.checkpoints !== false) {
    refuse('checkpoints', 'a project must not keep its changes from being recorded')
  }
  checkMoney(project.values, user.values, caps, refuse)
  const rank = (mode: unknown): number => MODES.indexOf(String(mode))
  const allowed = rank(user.values.mode ?? DEFAULT_SETTINGS.mode)
  const wanted = rank(project.values.mode)
  // An invalid mode of either file is reported later, with what was expected.
  if (allowed >= 0 && wanted > allowed) {
    refuse('mode', `"${MODES[wanted]}" lets more run without asking than your own setting "${MODES[allowed]}"`)
  }
}

/** The user's caps may be made stricter, and must not be taken away by other prices either. */
function checkMoney(
  project: JsonObject,
  user: JsonObject,
  caps: boolean,
  refuse: (key: string, why: string) => never,
): void {
  const capped = ['max_cost_usd', 'max_cost_per_day_usd'].filter((key) => typeof user[key] === 'number')
  for (const key of capped) {
    const wanted = project[key]
    if (wanted === null || (typeof wanted === 'number' && wanted > Number(user[key]))) {
      refuse(key, 'it lets more be spent than your own setting')
    }
  }
  if ((caps || capped.length > 0) && 'prices' in project) refuse('prices', 'your cap counts with your own prices')
  if (lowersPrice(project.prices, user.prices)) refuse('prices', 'it counts less for a model than your own price')
  if (project.allow_unknown_price === true && user.allow_unknown_price !== true) {
    refuse('allow_unknown_price', 'a project must not let calls go uncounted')
  }
}

function lowersPrice(project: unknown, user: unknown): boolean {
  if (!isObject(project) || !isObject(user)) return false
  return Object.entries(project).some(([model, price]) => {
    const own = Object.hasOwn(user, model) ? user[model] : undefined
    if (!isObject(price) || !isObject(own)) return false
    return Object.entries(price).some(([field, value]) => {
      const known = own[field]
      // How much fits in a request is no price; what no price can be is reported later.
      return (
        field !== 'context_window' &&
        typeof known === 'number' &&
        typeof value === 'number' &&
        value >= 0 &&
        value < known
      )
    })
  })
}

/**
 * The rules of a project's file, taken out of its values: its own rules come on top of the user's, and cannot allow
 * anything. Throws UserError.
 */
export function takeProjectRules(project: Layer, warnings: string[]): Rule[] {
  const { approval_rules: given, ...rest } = project.values
  if (given === undefined) return []
  project.values = rest
  if (!Array.isArray(given)) throw wrongValue(project.name, 'approval_rules', expectedAt(['approval_rules']), given)
  return given.flatMap((value: unknown, at): Rule[] => {
    const parsed = ruleSchema.safeParse(value)
    if (!parsed.success) {
      const path = ['approval_rules', at, ...(parsed.error.issues[0]?.path ?? [])]
      throw wrongValue(project.name, path.join('.'), expectedAt(path), valueAt(project.written, path))
    }
    if (parsed.data.effect !== 'allow') return [parsed.data]
    warnings.push(`${project.name}: "approval_rules.${at}" is ignored: a project file may deny or ask, and not allow.`)
    return []
  })
}

/** What stands there, short enough for one line. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing'
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 80 ? `${text.slice(0, 79)}…` : text
}

export function wrongValue(source: string, key: string, expected: string, value: unknown): UserError {
  return new UserError('config', `${source}: "${key}" must be ${expected}, but it is ${shown(value)}.`)
}

const EXPECTED: Record<string, string> = {
  model: 'a model id such as "anthropic/claude-opus-5-5"',
  effort: '"low", "medium", "high", "xhigh", "max" or null',
  max_iterations: 'a whole number: at least 0, or -1 for no limit',
  max_cost_usd: 'an amount of US dollars, 0 or more, or null for no cap',
  max_cost_per_day_usd: 'an amount of US dollars, 0 or more, or null for no cap',
  allow_unknown_price: 'true or false',
  mode: '"plan", "ask", "auto" or "full"',
  approval_rules: 'a list of at most 1000 rules',
  project_rules: 'an object of folders and their lists of rules',
  role_models: 'an object with "research", "title" and "compaction": model ids or null',
  auto_titles: 'true or false',
  trace_repo: 'the name of a dataset such as "{hf_user}/ml-intern-sessions"',
  confirm_cpu_jobs: 'true or false',
  theme: '"system", "light" or "dark"',
  default_cwd: 'the path of a folder, or null',
  prices: 'an object of model ids and their prices',
  home: 'the path of a folder (absolute, or beginning with "~/"), or null',
  anthropic_base_url: 'a URL that begins with https:// or http://',
}
const EXPECTED_RULE: Record<string, string> = {
  effect: '"deny", "ask" or "allow"',
  tool: 'the name of a tool, or "*"',
  operation: 'the name of an operation such as "run"; leave it out for any',
  pattern: 'a text of 1 to 4000 characters, in which * stands for anything; leave it out for anything',
}
const EXPECTED_PRICE: Record<string, string> = {
  context_window: 'a whole number of tokens above 0',
}

export function expectedAt(path: readonly PropertyKey[]): string {
  const [key = '', second = '', field, last] = path.map(String)
  if (path.length <= 1) return EXPECTED[key] ?? 'something else'
  if (key === 'approval_rules') return expectedRule(field)
  if (key === 'project_rules') return field === undefined ? 'a list of at most 1000 rules' : expectedRule(last)
  if (key === 'role_models') return `a model id or null ("${second}")`
  if (field) return EXPECTED_PRICE[field] ?? 'a number of US dollars per million tokens, 0 or more'
  return 'an object with "input" and "output", in US dollars per million tokens'
}

function expectedRule(field: string | undefined): string {
  if (field !== undefined) return EXPECTED_RULE[field] ?? 'something else'
  return 'a rule: "effect" and "tool", with "operation" and "pattern" where wanted, and nothing else'
}

export function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root
  for (const key of path) {
    if (Array.isArray(value)) value = value[Number(key)]
    else if (isObject(value) && Object.hasOwn(value, key)) value = value[String(key)]
    else return undefined
  }
  return value
}
