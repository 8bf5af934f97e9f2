import { parseArgs } from 'node:util'
import type { ExportFormat } from '@shared/bridge'
import type { ApprovalMode, Effort } from '@shared/settings'
import { isNodeError, messageOf, UserError } from '../../errors'
import { nearest } from './nearest'

export type OutputFormat = 'text' | 'json' | 'stream-json'
export type ApprovePolicy = 'auto' | 'ask' | 'deny'

/** What every command that needs the engine understands. Paths as typed. */
export interface CommonOptions {
  cwd?: string
  config?: string
}

export interface RunArguments extends CommonOptions {
  model?: string
  /** Null: `--effort off`. */
  effort?: Effort | null
  max_iterations?: number
  /** US dollars; null: `--max-cost off`. */
  max_cost?: number | null
  streaming: boolean
  output_format: OutputFormat
  /** Absent: decided from the mode. */
  approve?: ApprovePolicy
  mode?: ApprovalMode
}

export type Command =
  | { name: 'help' }
  | { name: 'version' }
  | ({ name: 'window'; open: boolean } & CommonOptions)
  | ({ name: 'serve'; host: string; port: number } & CommonOptions)
  /** `prompt` null: read it from stdin. */
  | ({ name: 'run'; prompt: string | null; session?: string; continue: boolean } & RunArguments)
  | ({ name: 'demo' } & RunArguments)
  | ({ name: 'chat'; session?: string; continue: boolean; no_color: boolean } & Omit<
      RunArguments,
      'streaming' | 'output_format' | 'approve'
    >)
  | ({ name: 'sessions list'; json: boolean } & CommonOptions)
  | ({ name: 'sessions show'; id: string } & CommonOptions)
  | ({ name: 'sessions export'; id: string; format: ExportFormat; output?: string; force: boolean } & CommonOptions)
  | ({ name: 'sessions fork'; id: string; at_seq?: number } & CommonOptions)
  | ({ name: 'sessions upload'; id: string; yes: boolean } & CommonOptions)
  | ({ name: 'sessions rm'; ids: string[]; yes: boolean } & CommonOptions)
  | ({ name: 'sessions search'; query: string; limit: number; json: boolean } & CommonOptions)
  | ({ name: 'sessions import'; path: string } & CommonOptions)
  | ({ name: 'config import'; file: string } & CommonOptions)
  | ({ name: 'doctor'; json: boolean } & CommonOptions)

// Lists are written out here: the schemas would load the whole validation library for `--help`.
const MODES = ['plan', 'ask', 'auto', 'full'] as const satisfies readonly ApprovalMode[]
const EFFORTS = ['low', 'medium', 'high', 'xhigh', 'max'] as const satisfies readonly Effort[]
const FORMATS = ['text', 'json', 'stream-json'] as const satisfies readonly OutputFormat[]
const POLICIES = ['auto', 'ask', 'deny'] as const satisfies readonly ApprovePolicy[]
const EXPORTS = ['markdown', 'html', 'json', 'jsonl', 'trace'] as const satisfies readonly ExportFormat[]

const OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
  model: { type: 'string', short: 'm' },
  effort: { type: 'string' },
  'max-iterations': { type: 'string' },
  'max-cost': { type: 'string' },
  'no-stream': { type: 'boolean' },
  'output-format': { type: 'string' },
  cwd: { type: 'string' },
  session: { type: 'string' },
  continue: { type: 'boolean', short: 'c' },
  approve: { type: 'string' },
  mode: { type: 'string' },
  config: { type: 'string' },
  port: { type: 'string' },
  host: { type: 'string' },
  'no-open': { type: 'boolean' },
  json: { type: 'boolean' },
  format: { type: 'string' },
  output: { type: 'string', short: 'o' },
  force: { type: 'boolean' },
  at: { type: 'string' },
  yes: { type: 'boolean', short: 'y' },
  'no-color': { type: 'boolean' },
  limit: { type: 'string' },
} as const
type OptionName = keyof typeof OPTIONS
type Values = ReturnType<typeof parse>['values']

const COMMON: readonly OptionName[] = ['cwd', 'config']
const RUN: readonly OptionName[] = [
  ...COMMON,
  'model',
  'effort',
  'max-iterations',
  'max-cost',
  'no-stream',
  'output-format',
  'approve',
  'mode',
]
const COMMANDS = ['serve', 'demo', 'chat', 'sessions', 'config', 'doctor'] as const
/** Commands of later versions: never taken for a prompt that costs money. */
const RESERVED = ['jobs', 'mcp-server']
const SEE_HELP = 'See ml-intern --help.'

/** What the user asked for. Throws UserError `usage`. */
export function parseCommand(argv: readonly string[]): Command {
  const { values, positionals, tokens } = parse(argv)
  if (values.help) return { name: 'help' }
  if (values.version) return { name: 'version' }
  const afterDashes = tokens.some((token) => token.kind === 'option-terminator')
  const [first, ...rest] = positionals
  // After `--` everything is a prompt, also a word that is a command.
  const command = afterDashes ? undefined : COMMANDS.find((name) => name === first)
  const used = tokens.flatMap((token) => (token.kind === 'option' ? [token.name as OptionName] : []))
  const only = (allowed: readonly OptionName[], what: string): void => {
    const other = used.find((name) => !allowed.includes(name))
    if (other) throw usage(`--${other} does not belong to ${what}.`)
  }
  const common: CommonOptions = { cwd: nonEmpty(values, 'cwd'), config: nonEmpty(values, 'config') }

  switch (command) {
    case 'serve': {
      only([...COMMON, 'port', 'host'], 'serve')
      noMore(rest, 'serve')
      return { name: 'serve', host: nonEmpty(values, 'host') ?? '127.0.0.1', port: portOf(values.port), ...common }
    }
    case 'demo': {
      only(
        RUN.filter((name) => !['cwd', 'model', 'effort'].includes(name)),
        'demo',
      )
      noMore(rest, 'demo')
      return { name: 'demo', ...common, ...runArguments(values) }
    }
    case 'chat': {
      const foreign: readonly OptionName[] = ['no-stream', 'output-format', 'approve']
      only([...RUN.filter((name) => !foreign.includes(name)), 'session', 'continue', 'no-color'], 'chat')
      noMore(rest, 'chat')
      return {
        name: 'chat',
        no_color: values['no-color'] ?? false,
        ...sessionArguments(values),
        ...common,
        ...runArguments(values),
      }
    }
    case 'doctor': {
      only([...COMMON, 'json'], 'doctor')
      noMore(rest, 'doctor')
      return { name: 'doctor', json: values.json ?? false, ...common }
    }
    case 'sessions':
      return sessionsCommand(rest, values, common, only)
    case 'config': {
      const [action, file, ...more] = rest
      if (action !== 'import' || !file) throw usage('ml-intern config import FILE takes over the settings of a file.')
      only(COMMON, 'config import')
      noMore(more, 'config import')
      return { name: 'config import', file, ...common }
    }
    case undefined:
      break
  }
  if (first === undefined) {
    if (used.every((name) => [...COMMON, 'no-open'].includes(name))) {
      return { name: 'window', open: !values['no-open'], ...common }
    }
  } else if (!afterDashes) {
    refuseNearCommand(first, rest)
  }
  if (rest.length > 0) {
    throw usage('The prompt must be one argument.', `Put it in quotes: ml-intern "${positionals.join(' ')}"`)
  }
  only([...RUN, 'session', 'continue'], 'a prompt')
  return {
    name: 'run',
    prompt: first === undefined || (first === '-' && !afterDashes) ? null : first,
    ...sessionArguments(values),
    ...common,
    ...runArguments(values),
  }
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: joinNegative(argv), options: OPTIONS, strict: true, allowPositionals: true, tokens: true })
  } catch (error) {
    throw readableFault(error)
  }
}

/** `--max-iterations -1`: a value that the parser would take for an option of its own. */
function joinNegative(argv: readonly string[]): string[] {
  const joined: string[] = []
  for (const arg of argv) {
    if (joined.at(-1) === '--max-iterations' && /^-\d/.test(arg)) joined[joined.length - 1] += `=${arg}`
    else joined.push(arg)
  }
  return joined
}

function readableFault(error: unknown): Error {
  const code = isNodeError(error) ? error.code : ''
  const text = messageOf(error)
  const name = /'(?:-\w, )?(-[^'\s=]*)/.exec(text)?.[1] ?? ''
  if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
    const near = nearest(name.replace(/^-+/, ''), Object.keys(OPTIONS))
    const hint = near ? `Did you mean --${near}?` : SEE_HELP
    return usage(`Unknown option ${name}.`, `${hint} A prompt that begins with "-" goes after "--".`)
  }
  if (code === 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE') {
    return usage(text.includes('does not take') ? `${name} takes no value.` : `${name} needs a value.`)
  }
  return error instanceof Error ? error : new Error(text)
}

function sessionsCommand(
  [action, ...rest]: readonly string[],
  values: Values,
  common: CommonOptions,
  only: (allowed: readonly OptionName[], what: string) => void,
): Command {
  const oneId = (): string => {
    const [id] = rest
    if (!id) throw usage(`Which session? ml-intern sessions ${action} ID`, 'ml-intern sessions list shows their ids.')
    noMore(rest.slice(1), `sessions ${action}`)
    return id
  }
  switch (action) {
    case 'list':
      only([...COMMON, 'json'], 'sessions list')
      noMore(rest, 'sessions list')
      return { name: 'sessions list', json: values.json ?? false, ...common }
    case 'show':
      only(COMMON, 'sessions show')
      return { name: 'sessions show', id: oneId(), ...common }
    case 'export': {
      only([...COMMON, 'format', 'output', 'force'], 'sessions export')
      const format = oneOf('--format', values.format, EXPORTS) ?? 'markdown'
      const output = nonEmpty(values, 'output')
      return { name: 'sessions export', id: oneId(), format, output, force: values.force ?? false, ...common }
    }
    case 'fork':
      only([...COMMON, 'at'], 'sessions fork')
      return { name: 'sessions fork', id: oneId(), at_seq: eventOf(values.at), ...common }
    case 'upload':
      only([...COMMON, 'yes'], 'sessions upload')
      return { name: 'sessions upload', id: oneId(), yes: values.yes ?? false, ...common }
    case 'rm':
      only([...COMMON, 'yes'], 'sessions rm')
      if (rest.length === 0) throw usage('Which sessions? ml-intern sessions rm ID...', SEE_HELP)
      return { name: 'sessions rm', ids: rest, yes: values.yes ?? false, ...common }
    case 'search': {
      only([...COMMON, 'json', 'limit'], 'sessions search')
      const query = rest.join(' ')
      if (!query.trim()) throw usage('Search for what? ml-intern sessions search QUERY', SEE_HELP)
      return { name: 'sessions search', query, limit: limitOf(values.limit), json: values.json ?? false, ...common }
    }
    case 'import': {
      only(COMMON, 'sessions import')
      const [path] = rest
      if (!path) throw usage('Import what? ml-intern sessions import PATH', SEE_HELP)
      noMore(rest.slice(1), 'sessions import')
      return { name: 'sessions import', path, ...common }
    }
    default:
      throw usage(
        action ? `Unknown command: sessions ${action}.` : 'What about the sessions?',
        'ml-intern sessions list | show ID | search QUERY | export ID | fork ID | upload ID | import PATH | rm ID...',
      )
  }
}

function sessionArguments(values: Values): { session?: string; continue: boolean } {
  if (values.session !== undefined && values.continue) throw usage('Give either --session or --continue, not both.')
  return { session: nonEmpty(values, 'session'), continue: values.continue ?? false }
}

function runArguments(values: Values): RunArguments {
  const effort = oneOf('--effort', values.effort, [...EFFORTS, 'off'] as const)
  const mode = oneOf('--mode', values.mode, MODES)
  const approve = oneOf('--approve', values.approve, POLICIES)
  if (mode === 'ask' && approve === 'auto') {
    throw usage('--mode ask and --approve auto contradict each other.', 'Give --mode auto to let everything run.')
  }
  return {
    model: nonEmpty(values, 'model'),
    effort: effort === 'off' ? null : effort,
    max_iterations: iterationsOf(values['max-iterations']),
    max_cost: costOf(values['max-cost']),
    streaming: !values['no-stream'],
    output_format: oneOf('--output-format', values['output-format'], FORMATS) ?? 'text',
    approve,
    mode,
  }
}

/** A word that is nearly a command must not become a prompt: the difference is a bill. */
function refuseNearCommand(first: string, rest: readonly string[]): void {
  const asPrompt = `To send it as a prompt: ml-intern -- ${JSON.stringify(first)}`
  if (RESERVED.includes(first)) throw usage(`Unknown command: ${first}.`, `${SEE_HELP} ${asPrompt}`)
  if (!/^[a-z-]+$/.test(first) || first === '-') return
  const near = nearest(first, COMMANDS)
  if (near)
    throw usage(`Unknown command: ${first}.`, `Did you mean ml-intern ${[near, ...rest].join(' ')}? ${asPrompt}`)
}

function iterationsOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const n = /^-?\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (n === -1 || n >= 1) return n
  throw usage(`--max-iterations must be a whole number of at least 1, or -1 for no limit, but it is "${text}".`)
}

function costOf(text: string | undefined): number | null | undefined {
  if (text === undefined) return undefined
  if (text === 'off') return null
  const amount = /^\$?(\d{1,9}(?:\.\d{1,9})?|\.\d{1,9})$/.exec(text)?.[1]
  if (amount !== undefined) return Number(amount)
  throw usage(`--max-cost must be an amount of US dollars such as 2.50, or off, but it is "${text}".`)
}

function limitOf(text: string | undefined): number {
  if (text === undefined) return 20
  const limit = /^\d{1,3}$/.test(text) ? Number(text) : 0
  if (limit >= 1 && limit <= 100) return limit
  throw usage(`--limit must be a number from 1 to 100, but it is "${text}".`)
}

function eventOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw usage(`--at must be the number of an event, but it is "${text}".`, 'sessions export --format jsonl shows them.')
}

function portOf(text: string | undefined): number {
  if (text === undefined) return 0
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (port <= 65_535) return port
  throw usage(`--port must be a number from 0 (any free port) to 65535, but it is "${text}".`)
}

function nonEmpty(
  values: Values,
  name: 'cwd' | 'config' | 'model' | 'host' | 'session' | 'output',
): string | undefined {
  const value = values[name]
  if (value === '') throw usage(`--${name} needs a value.`)
  return value
}

function oneOf<const T extends string>(
  option: string,
  value: string | undefined,
  allowed: readonly T[],
): T | undefined {
  if (value === undefined) return undefined
  const found = allowed.find((entry) => entry === value)
  if (found !== undefined) return found
  const near = nearest(value, allowed)
  throw usage(
    `${option} must be one of ${allowed.join(', ')}, but it is "${value}".`,
    near ? `Did you mean ${near}?` : '',
  )
}

function noMore(rest: readonly string[], command: string): void {
  if (rest.length > 0) throw usage(`ml-intern ${command} takes no "${rest.join(' ')}".`)
}

function usage(message: string, remedy = SEE_HELP): UserError {
  return new UserError('usage', message, remedy)
}
