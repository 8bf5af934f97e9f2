import type { ToolDetails } from '@shared/content'
import type { ToolItem, ToolItemState } from '@shared/state'
import { countLines, shortPath } from './text'

/** What a tool row says, in the words of the product instead of those of the protocol. */
export interface ToolText {
  name: string
  detail: string
  /** The detail is a command or a path: drawn in the fixed-width face. */
  mono: boolean
  /** Added behind the detail in a quieter colour: "lines 1–200". */
  note: string
}

type ToolFacts = Pick<ToolItem, 'tool' | 'arguments' | 'intent'> & { details?: ToolDetails | null }

const NAMES: Record<string, string> = { bash: 'Run', read: 'Read', write: 'Write', edit: 'Edit', plan_tool: 'Plan' }

export function toolName(tool: string): string {
  if (Object.hasOwn(NAMES, tool)) return NAMES[tool] ?? tool
  const words = tool
    .replace(/_tool$/, '')
    .replaceAll('_', ' ')
    .trim()
  return words ? words.charAt(0).toUpperCase() + words.slice(1) : tool
}

export function describeTool(item: ToolFacts, cwd: string): ToolText {
  const name = toolName(item.tool)
  const path = argument(item, 'path')
  const { details } = item
  switch (item.tool) {
    case 'bash': {
      const command = argument(item, 'command')
      return command ? { name, detail: oneLine(command), mono: true, note: '' } : intended(name, item)
    }
    case 'read': {
      if (!path) return intended(name, item)
      const lines = details?.kind === 'file' && details.last_line > 0 ? rangeOf(details) : ''
      return { name, detail: shortPath(path, cwd), mono: true, note: lines }
    }
    case 'write': {
      if (!path) return intended(name, item)
      const lines = details ? 0 : countLines(argument(item, 'content'))
      return { name, detail: shortPath(path, cwd), mono: true, note: lines > 0 ? plural(lines, 'line') : '' }
    }
    case 'edit':
      return path ? { name, detail: shortPath(path, cwd), mono: true, note: '' } : intended(name, item)
    case 'plan_tool': {
      const steps = planSteps(item.arguments)
      if (!steps) return intended(name, item)
      const done = steps.filter((status) => status === 'completed').length
      return { name, detail: `${done} of ${steps.length} done`, mono: false, note: '' }
    }
    default:
      return intended(name, item)
  }
}

/** The tool's own sentence, without its first word when that repeats the name of the row. */
function intended(name: string, item: ToolFacts): ToolText {
  const intent = item.intent.trim()
  const repeated = intent.toLowerCase().startsWith(`${name.toLowerCase()} `)
  const detail = repeated ? intent.slice(name.length + 1) : intent
  return { name, detail: detail || firstText(item.arguments), mono: false, note: '' }
}

export function argument(item: { arguments: Record<string, unknown> }, name: string): string {
  const value = item.arguments[name]
  return typeof value === 'string' ? value : ''
}

function firstText(args: Record<string, unknown>): string {
  const value = Object.values(args).find((v) => typeof v === 'string' && v.trim() !== '')
  return typeof value === 'string' ? oneLine(value) : ''
}

function oneLine(text: string): string {
  const [first = '', ...rest] = text.trim().split('\n')
  return rest.length > 0 ? `${first} …` : first
}

function planSteps(args: Record<string, unknown>): unknown[] | null {
  const steps = [args.todos, args.plan, args.items].find(Array.isArray)
  return steps
    ? steps.map((step: unknown) => (typeof step === 'object' && step && 'status' in step ? step.status : ''))
    : null
}

export function rangeOf(details: { first_line: number; last_line: number }): string {
  return details.first_line === details.last_line
    ? `line ${details.first_line}`
    : `lines ${details.first_line}–${details.last_line}`
}

export function plural(count: number, word: string): string {
  return `${count.toLocaleString('en')} ${word}${count === 1 ? '' : 's'}`
}

const STATES: Record<ToolItemState, string> = {
  running: 'Running',
  waiting_approval: 'Waiting for approval',
  ok: 'Done',
  error: 'Failed',
  rejected: 'Denied',
  cancelled: 'Stopped',
  abandoned: 'Abandoned',
}

export function stateLabel(state: ToolItemState): string {
  return STATES[state]
}

/** How a command ended, when that is worth a word: "exit 1", "SIGKILL", "timed out". Empty for success. */
export function endOf(details: Extract<ToolDetails, { kind: 'command' }>): string {
  if (details.timed_out) return 'timed out'
  if (details.signal) return details.signal
  return details.exit_code === 0 || details.exit_code === null ? '' : `exit ${details.exit_code}`
}
