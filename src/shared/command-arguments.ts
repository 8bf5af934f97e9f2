import { type ExportFormat, exportFormats } from './bridge'
import { type ApprovalMode, approvalModeSchema, type Effort, effortSchema } from './settings'

/** What is written after a command's name. Every function throws CommandFault: what is wrong, and what to write instead. */
export class CommandFault extends Error {
  constructor(
    message: string,
    readonly remedy = '',
  ) {
    super(message)
  }
}

export function fail(message: string, remedy = ''): never {
  throw new CommandFault(message, remedy)
}

export function needed(args: string, message: string): string {
  return args || fail(message)
}

export function word(args: string, what: string): string {
  if (/\s/.test(args)) fail(`"${shown(args)}" is no ${what}: it contains spaces.`)
  return args
}

export function effortOf(args: string): Effort | null {
  const wanted = args.toLowerCase()
  if (wanted === 'off') return null
  const level = effortSchema.options.find((option) => option === wanted)
  return level ?? fail(`"${shown(args)}" is no effort.`, `Choose ${listed([...effortSchema.options, 'off'])}.`)
}

export function modeOf(args: string): ApprovalMode {
  const mode = approvalModeSchema.options.find((option) => option === args.toLowerCase())
  return mode ?? fail(`"${shown(args)}" is no mode.`, `Choose ${listed(approvalModeSchema.options)}.`)
}

export function budgetOf(args: string): number | null {
  if (args.toLowerCase() === 'off') return null
  const amount = /^\$?\s*(\d+(?:\.\d*)?|\.\d+)$/.exec(args)?.[1]
  if (amount === undefined || !Number.isFinite(Number(amount))) {
    fail(`"${shown(args)}" is no amount.`, 'Write US dollars, for example /budget 2.50, or /budget off.')
  }
  return Number(amount)
}

/** Longest title, in characters: as the bridge has it. */
const MAX_TITLE = 200

export function titleOf(args: string): string {
  const title = needed(args, 'What should it be called? Write /rename title.').replace(/\s+/g, ' ')
  if (title.length > MAX_TITLE) fail(`A title has at most ${MAX_TITLE} characters; this one has ${title.length}.`)
  return title
}

const extensions: Readonly<Record<string, ExportFormat>> = {
  md: 'markdown',
  markdown: 'markdown',
  html: 'html',
  htm: 'html',
  json: 'json',
  jsonl: 'jsonl',
}

/** `[format] [file]`: a file alone says the format by its ending. */
export function exportOf(args: string): { format: ExportFormat; target: string } {
  const [, first = '', rest = ''] = /^(\S*)\s*([\s\S]*)$/.exec(args) ?? []
  const format = exportFormats.find((name) => name === first.toLowerCase())
  if (format) return { format, target: rest.trim() }
  if (args === '') return { format: 'markdown', target: '' }
  if (first.toLowerCase() === 'md' && rest === '') return { format: 'markdown', target: '' }
  const byName = extensions[/\.([a-z]+)$/i.exec(args)?.[1]?.toLowerCase() ?? '']
  return byName
    ? { format: byName, target: args }
    : fail(`"${shown(args)}" is no format.`, `Choose ${listed(exportFormats)}, then the file.`)
}

/** One line of what was typed. */
export function shown(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length > 80 ? `${line.slice(0, 79)}…` : line
}

function listed(names: readonly string[]): string {
  return `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`
}
