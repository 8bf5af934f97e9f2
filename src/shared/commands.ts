import { type ExportFormat, exportFormats } from './bridge'
import { budgetOf, effortOf, exportOf, fail, modeOf, needed, shown, titleOf, word } from './command-arguments'
import { editDistance } from './edit-distance'
import type { Operation, OperationReceipt } from './operations'
import { approvalModeSchema, effortSchema } from './settings'
import type { SessionState } from './state'

/**
 * The commands of a conversation, `/name arguments`. One list for the terminal and for the window's composer: what a
 * command means is here, what it looks like is the host's.
 */
export type CommandHostName = 'chat' | 'window'
/** What an argument is, for completion. */
export type CommandArgument = 'model' | 'effort' | 'mode' | 'session' | 'format' | 'number' | 'text'
export type CommandView = 'help' | 'model' | 'effort' | 'mode' | 'sessions' | 'status' | 'rules' | 'budget' | 'search'

export interface CommandSpec {
  /** Without the slash. */
  name: string
  aliases: readonly string[]
  /** How it is written, with the slash. */
  usage: string
  summary: string
  hosts: readonly CommandHostName[]
  argument?: CommandArgument
}

export type ParsedCommand =
  | { kind: 'command'; spec: CommandSpec; args: string }
  | { kind: 'unknown'; name: string; suggestion: string | null }

/** What a host does for the commands. */
export interface CommandHost {
  state(): SessionState
  /** Rejects with a sentence, and where there is one a `remedy`. */
  submit(op: Operation): Promise<OperationReceipt>
  say(text: string): void
  /** Shows a list, a picker or a page. `argument`: what to search for; empty elsewhere. */
  open(view: CommandView, argument: string): Promise<void> | void
  /** `clear`: what is on the screen goes too. The session that is left stays in the list. */
  newSession(options: { clear: boolean }): Promise<void>
  /** `id`: an id, or its beginning. */
  openSession(id: string): Promise<void>
  rename(title: string): Promise<void>
  /** `target`: a file; empty: the host's choice. */
  exportSession(format: ExportFormat, target: string): Promise<void>
  uploadTrace(): Promise<void>
  confirm(question: string): Promise<boolean>
  quit(): void
}

const both = ['chat', 'window'] as const

interface Entry extends CommandSpec {
  run(host: CommandHost, args: string): Promise<void> | void
}

const entries: readonly Entry[] = [
  {
    name: 'help',
    aliases: [],
    usage: '/help',
    summary: 'Show the commands and keys',
    hosts: both,
    run: (host) => host.open('help', ''),
  },
  {
    name: 'new',
    aliases: [],
    usage: '/new',
    summary: 'Start a new session; this one is kept',
    hosts: both,
    run: (host) => host.newSession({ clear: false }),
  },
  {
    name: 'clear',
    aliases: [],
    usage: '/clear',
    summary: 'Start a new session on an empty screen; this one is kept',
    hosts: both,
    run: (host) => host.newSession({ clear: true }),
  },
  {
    name: 'resume',
    aliases: ['sessions'],
    usage: '/resume [id]',
    summary: 'Open an earlier session',
    hosts: both,
    argument: 'session',
    run: (host, args) => (args ? host.openSession(word(args, 'session')) : host.open('sessions', '')),
  },
  {
    name: 'search',
    aliases: [],
    usage: '/search query',
    summary: 'Search the text of all sessions',
    hosts: both,
    argument: 'text',
    run: (host, args) => host.open('search', needed(args, 'What should be searched for? Write /search query.')),
  },
  {
    name: 'undo',
    aliases: [],
    usage: '/undo',
    summary: 'Take the last message back, with everything after it',
    hosts: both,
    run: (host) => send(host, { op: 'undo' }),
  },
  {
    name: 'regenerate',
    aliases: [],
    usage: '/regenerate',
    summary: 'Ask again: the last answer is replaced',
    hosts: both,
    run: (host) => send(host, { op: 'regenerate' }),
  },
  {
    name: 'fork',
    aliases: [],
    usage: '/fork',
    summary: 'Go on in a copy of this session',
    hosts: both,
    run: async (host) => {
      const { session } = await host.submit({ op: 'fork' })
      if (session) await host.openSession(session)
    },
  },
  {
    name: 'compact',
    aliases: [],
    usage: '/compact',
    summary: 'Summarise the conversation so far to free context',
    hosts: both,
    run: (host) => send(host, { op: 'compact' }),
  },
  {
    name: 'queue',
    aliases: [],
    usage: '/queue [text]',
    summary: 'Send a message when the running turn has ended; without text: show what waits',
    hosts: both,
    argument: 'text',
    run: (host, args) => (args ? send(host, { op: 'enqueue', text: args }) : host.say(queueText(host.state()))),
  },
  {
    name: 'model',
    aliases: [],
    usage: '/model [id]',
    summary: 'Show the models, or switch to one',
    hosts: both,
    argument: 'model',
    run: (host, args) => (args ? send(host, { op: 'set_model', model: word(args, 'model') }) : host.open('model', '')),
  },
  {
    name: 'effort',
    aliases: [],
    usage: `/effort [${effortSchema.options.join('|')}|off]`,
    summary: 'Show or set how hard the model thinks',
    hosts: both,
    argument: 'effort',
    run: (host, args) => (args ? send(host, { op: 'set_effort', effort: effortOf(args) }) : host.open('effort', '')),
  },
  {
    name: 'mode',
    aliases: [],
    usage: `/mode [${approvalModeSchema.options.join('|')}]`,
    summary: 'Show or set what runs without asking',
    hosts: both,
    argument: 'mode',
    run: async (host, args) => {
      if (!args) return host.open('mode', '')
      const mode = modeOf(args)
      if (mode === 'full' && !(await mayGoFull(host))) return
      await send(host, { op: 'set_mode', mode })
    },
  },
  {
    name: 'yolo',
    aliases: [],
    usage: '/yolo',
    summary: 'Switch between mode full, where everything runs under the cap, and mode ask',
    hosts: both,
    run: async (host) => {
      if (host.state().mode === 'full') {
        await send(host, { op: 'set_mode', mode: 'ask' })
        host.say('Mode ask: changes and commands are asked about again.')
      } else if (await mayGoFull(host)) await send(host, { op: 'set_mode', mode: 'full' })
    },
  },
  {
    name: 'budget',
    aliases: [],
    usage: '/budget [USD|off]',
    summary: 'Show what was spent, or set the cap of this session',
    hosts: both,
    argument: 'number',
    run: (host, args) =>
      args ? send(host, { op: 'set_budget', max_cost_usd: budgetOf(args) }) : host.open('budget', ''),
  },
  {
    name: 'rules',
    aliases: [],
    usage: '/rules',
    summary: 'Show the approval rules that hold in this session',
    hosts: both,
    run: (host) => host.open('rules', ''),
  },
  {
    name: 'status',
    aliases: [],
    usage: '/status',
    summary: 'Show model, effort, mode, context and cost',
    hosts: both,
    run: (host) => host.open('status', ''),
  },
  {
    name: 'rename',
    aliases: [],
    usage: '/rename title',
    summary: 'Name this session',
    hosts: both,
    argument: 'text',
    run: (host, args) => host.rename(titleOf(args)),
  },
  {
    name: 'export',
    aliases: [],
    usage: `/export [${exportFormats.join('|')}] [file]`,
    summary: 'Save this session as a file, secrets redacted',
    hosts: both,
    argument: 'format',
    run: (host, args) => {
      const { format, target } = exportOf(args)
      return host.exportSession(format, target)
    },
  },
  {
    name: 'share-traces',
    aliases: [],
    usage: '/share-traces',
    summary: 'Upload a redacted trace of this session to your own private dataset',
    hosts: both,
    run: async (host, args) => {
      // The reference flips the whole dataset between public and private; here an upload never publishes anything.
      const wanted = args.toLowerCase()
      if (wanted === 'public') {
        fail('Traces are uploaded to a private dataset only.', 'To publish one, change the dataset on its Hub page.')
      }
      if (wanted !== '' && wanted !== 'private') fail(`/share-traces takes no "${shown(args)}".`)
      const question = 'Upload a trace of this session, secrets redacted, to your private dataset on Hugging Face?'
      if (await host.confirm(question)) await host.uploadTrace()
    },
  },
  {
    name: 'quit',
    aliases: ['exit'],
    usage: '/quit',
    summary: 'Leave; the session is kept',
    hosts: ['chat'],
    run: (host) => host.quit(),
  },
]

export const commands: readonly CommandSpec[] = entries

export function commandsOf(host: CommandHostName): CommandSpec[] {
  return entries.filter((entry) => entry.hosts.includes(host))
}

/**
 * Null: not a command. Only `/word` of letters and dashes as the first token is one, so that `/home/me/data.csv` and
 * `//` reach the model. `host`: commands of other hosts are unknown.
 */
export function parseCommand(text: string, host?: CommandHostName): ParsedCommand | null {
  const match = /^\s*\/([a-z][a-z-]*)(?:\s+([\s\S]*))?$/i.exec(text)
  if (!match?.[1]) return null
  const name = match[1].toLowerCase()
  const known = host ? commandsOf(host) : entries
  const spec = known.find((entry) => entry.name === name || entry.aliases.includes(name))
  if (spec) return { kind: 'command', spec, args: (match[2] ?? '').trim() }
  return { kind: 'unknown', name, suggestion: nearest(name, known) }
}

/** The commands that `prefix` may become, with or without the slash, in the order of the list. */
export function completeCommand(prefix: string, host: CommandHostName): CommandSpec[] {
  const start = prefix.replace(/^\//, '').toLowerCase()
  if (/[^a-z-]/.test(start)) return []
  return commandsOf(host).filter((spec) => [spec.name, ...spec.aliases].some((name) => name.startsWith(start)))
}

/** The values that an argument can have, where they are a fixed list. */
export function argumentChoices(argument: CommandArgument | undefined): readonly string[] {
  if (argument === 'effort') return [...effortSchema.options, 'off']
  if (argument === 'mode') return approvalModeSchema.options
  if (argument === 'format') return exportFormats
  if (argument === 'number') return ['off']
  return []
}

/** Never rejects: what went wrong is said. False: nothing was done, and what was typed can be mended. */
export async function runCommand(parsed: ParsedCommand, host: CommandHost): Promise<boolean> {
  if (parsed.kind === 'unknown') {
    const hint = parsed.suggestion ? `Did you mean /${parsed.suggestion}?` : '/help lists the commands.'
    host.say(`There is no command /${parsed.name}. ${hint}`)
    return false
  }
  try {
    const entry = entries.find(({ name }) => name === parsed.spec.name)
    if (entry && parsed.args !== '' && !takesArgument(entry)) fail(`/${entry.name} takes no argument.`)
    await entry?.run(host, parsed.args)
    return true
  } catch (error) {
    host.say(sentence(error))
    return false
  }
}

/** What went wrong and what to do, from an error or from a value of the bridge. */
export function sentence(error: unknown): string {
  const from = (key: 'message' | 'remedy'): string => {
    const value: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, key) : undefined
    return typeof value === 'string' ? value.trim() : ''
  }
  return [from('message') || String(error), from('remedy')].filter((part) => part !== '').join(' ')
}

function takesArgument({ argument, name }: CommandSpec): boolean {
  return argument !== undefined || name === 'share-traces'
}

async function send(host: CommandHost, op: Operation): Promise<void> {
  await host.submit(op)
}

async function mayGoFull(host: CommandHost): Promise<boolean> {
  const state = host.state()
  if (state.mode === 'full') return true
  const cap = state.max_cost_usd === undefined ? (state.budget?.cap_usd ?? null) : state.max_cost_usd
  const day = state.budget?.day
  const caps = [
    ...(cap === null ? [] : [`${usd(cap)} for this session`]),
    ...(day ? [`${usd(day.cap_usd)} a day`] : []),
  ].join(' and ')
  const limit = caps ? `The cap is ${caps}.` : 'There is no cap: /budget sets one.'
  return host.confirm(`Mode full runs everything without asking, commands and paid jobs too. ${limit} Go on?`)
}

function usd(amount: number): string {
  return `$${Number.isInteger(amount) ? amount : amount.toFixed(2)}`
}

function queueText({ queue }: SessionState): string {
  if (queue.length === 0) return 'No message waits. /queue text adds one while a turn runs.'
  return queue.map(({ content }, at) => `${at + 1}. ${shown(content)}`).join('\n')
}

/** The command that was probably meant: one that begins so, or at most two slips away. */
function nearest(name: string, known: readonly CommandSpec[]): string | null {
  const names = known.flatMap((spec) => [spec.name, ...spec.aliases])
  const begins = name.length >= 2 ? names.find((other) => other.startsWith(name) || name.startsWith(other)) : undefined
  if (begins) return begins
  const ranked = names.map((other) => ({ other, slips: editDistance(name, other) })).sort((a, b) => a.slips - b.slips)
  const best = ranked[0]
  return best && best.slips <= (name.length <= 3 ? 1 : 2) ? best.other : null
}
