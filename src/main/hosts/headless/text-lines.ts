import type { PlanItem } from '@shared/content'
import type { NoticeItem, ToolItem } from '@shared/state'
import { clean, clip, duration, oneLine, type Style } from './style'

/** Newest output that is looked at for a tail, in characters: enough for its lines, quick for a frame. */
const TAIL_CHARS = 4_000
const TAIL_LINES = 5
/** Of a failed call's output, under its line. */
const FAILURE_LINES = 4
const PLAN_LINES = 10

/** The last lines as a terminal would show them: a carriage return begins the line anew (progress bars). */
export function tailLines(text: string, limit: number): string[] {
  return text
    .slice(-TAIL_CHARS)
    .replaceAll('\r\n', '\n')
    .split('\n')
    .map((line) => clean(line.replace(/\r+$/, '').split('\r').at(-1) ?? '').replaceAll('\t', '  '))
    .filter((line) => line.trim() !== '')
    .slice(-limit)
}

/** `✓ bash  python train.py  2.1 s`, and the end of the output when the call failed. */
export function toolLine(item: ToolItem, style: Style, columns: number): string {
  const { dim, green, red, yellow } = style
  const stopped = item.state === 'rejected' || item.state === 'cancelled' || item.state === 'abandoned'
  const icon = item.state === 'ok' ? green('✓') : stopped ? yellow('–') : red('✗')
  const facts = [...factsOf(item), ...(item.duration_ms === null ? [] : [duration(item.duration_ms)])].join('  ')
  const room = Math.max(10, columns - item.tool.length - facts.length - 6)
  const lines = [`${icon} ${style.bold(oneLine(item.tool))}  ${clip(summaryOf(item), room)}  ${dim(facts)}`]
  if (item.state === 'error') {
    for (const line of tailLines(item.output, FAILURE_LINES)) lines.push(dim(`    ${clip(line, columns - 4)}`))
  }
  return `${lines.join('\n')}\n`
}

function summaryOf(item: ToolItem): string {
  if (item.intent) return oneLine(item.intent)
  const { command, path } = item.arguments
  if (typeof command === 'string') return oneLine(command)
  if (typeof path === 'string') return oneLine(path)
  return Object.keys(item.arguments).length > 0 ? oneLine(JSON.stringify(item.arguments)) : ''
}

function factsOf({ state, details }: ToolItem): string[] {
  if (state === 'rejected') return ['not approved']
  if (state === 'cancelled' || state === 'abandoned') return ['stopped']
  if (details?.kind === 'command') {
    if (details.timed_out) return ['timed out']
    if (details.signal) return [details.signal]
    return details.exit_code ? [`exit ${details.exit_code}`] : []
  }
  if (details?.kind === 'diff') return [`${details.created ? 'new ' : ''}+${details.added} −${details.removed}`]
  return []
}

export function planLines(plan: readonly PlanItem[], style: Style, columns: number, limit = Infinity): string[] {
  if (plan.length === 0) return []
  const done = plan.filter((item) => item.status === 'completed').length
  // With little room: what is being done, with a little of what was before it.
  const current = plan.findIndex((item) => item.status !== 'completed')
  const from = Math.max(0, Math.min(current < 0 ? plan.length : current - 2, plan.length - limit))
  const shown = plan.slice(from, from + limit)
  const lines = [`${style.bold('Plan')} ${style.dim(`${done}/${plan.length}`)}`]
  for (const { status, content } of shown) {
    const text = clip(oneLine(content), columns - 4)
    if (status === 'completed') lines.push(`  ${style.green('✓')} ${style.dim(text)}`)
    else if (status === 'in_progress') lines.push(`  ${style.cyan('▸')} ${text}`)
    else lines.push(`  ${style.dim('·')} ${text}`)
  }
  return lines
}

export interface LiveContent {
  tools: readonly { name: string; intent: string; tail: string }[]
  plan: readonly PlanItem[]
  /** What is waited for when no tool runs. */
  waiting: string
  rows: number
  columns: number
  style: Style
}

/** What stands at the bottom of the terminal: at most `rows` lines, none wider than `columns`. */
export function liveLines({ tools, plan, waiting, rows, columns, style }: LiveContent): string[] {
  const head: string[] = []
  const perTool = tools.length > 1 ? 2 : TAIL_LINES
  for (const { name, intent, tail } of tools) {
    head.push(`${style.cyan('•')} ${clip(`${oneLine(name)}  ${oneLine(intent)}`, columns - 2)}`)
    for (const line of tailLines(tail, perTool)) head.push(style.dim(`    ${clip(line, columns - 4)}`))
  }
  if (tools.length === 0 && waiting) head.push(style.dim(clip(`${oneLine(waiting)}…`, columns)))
  const top = head.slice(0, rows)
  const room = rows - top.length - 1
  return room > 0 ? [...top, ...planLines(plan, style, columns, Math.min(PLAN_LINES, room))] : top
}

export function noticeLines(notice: NoticeItem, style: Style): string {
  const text = clean(notice.text)
  const line = notice.notice === 'error' ? style.red(`✗ ${text}`) : style.yellow(text)
  return `${line}\n${notice.remedy ? `  ${clean(notice.remedy)}\n` : ''}`
}
