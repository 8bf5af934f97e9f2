import type { AnyEvent, EventData } from '@shared/events'
import { isUnknownEvent } from '@shared/events'
import type { SessionState, ToolItem } from '@shared/state'
import { countLines, formatDuration } from '../chat/text'
import { argument, endOf } from '../chat/tool-text'
import { wasStarted } from './commands'
import { OutputFilter } from './filter'

/** Lines the terminal keeps; what is older is in the transcript and in the output files. */
export const SCROLLBACK_LINES = 10_000
/** Characters of a line without an end that are kept while several commands run: progress bars end in none. */
const MAX_LINE = 8_000

const RESET = '\u001b[0m'
const ACCENT = '\u001b[93m'
const DIM = '\u001b[90m'

interface Run {
  /** Number shown before its lines while several commands run: the first of them is 1. */
  label: number
  filter: OutputFilter
  /** The unfinished line, while several commands run. */
  line: string
}

/**
 * Turns a session's events into what its terminal shows: a prompt line for each command, its output as it comes, and
 * how it ended. While several commands run, whole lines are written, each with the number of its command.
 */
export class TerminalFeed {
  private readonly running = new Map<string, Run>()
  /** Commands that were approved and have not shown a sign of life: they may run one after the other. */
  private readonly approved = new Map<string, string>()
  private readonly asked = new Map<string, string>()
  private lastSeq = 0
  private labels = 0
  /** The cursor stands behind text. */
  private midLine = false

  constructor(private readonly write: (text: string) => void) {}

  get seq(): number {
    return this.lastSeq
  }

  /** Shows what a state holds; events up to its number are then known. The terminal must be empty. */
  rebuild(state: SessionState): void {
    this.running.clear()
    this.approved.clear()
    this.asked.clear()
    this.labels = 0
    this.midLine = false
    this.lastSeq = state.last_seq
    for (const item of recentCommands(state.items)) {
      const command = argument(item, 'command')
      if (item.state === 'waiting_approval') this.asked.set(item.call_id, command)
      if (!wasStarted(item)) continue
      this.start(item.call_id, command)
      // A refusal is a sentence for the model and no output of the command.
      const printed = item.has_output && (item.details !== null || item.state !== 'error')
      this.log(item.call_id, printed ? item.output : (state.live_logs[item.call_id] ?? ''))
      if (item.state !== 'running') this.end(item.call_id, howItEnded(item))
    }
  }

  /** Takes one event; one that is known already is passed over. */
  take(event: AnyEvent): void {
    if (event.seq <= this.lastSeq) return
    this.lastSeq = event.seq
    if (isUnknownEvent(event)) return
    switch (event.type) {
      case 'tool_call':
        if (event.data.tool === 'bash') this.start(event.data.tool_call_id, argument(event.data, 'command'))
        return
      case 'approval_required':
        for (const request of event.data.tools) {
          if (request.tool === 'bash') this.asked.set(request.tool_call_id, argument(request, 'command'))
        }
        return
      case 'approval_resolved':
        for (const { tool_call_id, arguments: edited } of event.data.decisions) {
          // The command as the user wrote it is the one that runs.
          if (edited && this.asked.has(tool_call_id)) {
            this.asked.set(tool_call_id, argument({ arguments: edited }, 'command'))
          }
        }
        return
      case 'tool_state_change':
        this.changed(event.data)
        return
      case 'tool_log':
        if (event.data.tool === 'bash' && event.data.tool_call_id) this.log(event.data.tool_call_id, event.data.log)
        return
      case 'tool_output': {
        const { tool, tool_call_id, details, duration_ms, success } = event.data
        if (tool === 'bash') this.end(tool_call_id, endLine(details ?? null, duration_ms, success))
        return
      }
      case 'turn_complete':
      case 'interrupted':
      case 'error':
      case 'resumed':
      case 'shutdown':
        for (const id of [...this.running.keys()]) this.end(id, 'stopped')
        this.approved.clear()
        this.asked.clear()
    }
  }

  private changed({ tool, tool_call_id, state }: EventData<'tool_state_change'>): void {
    if (tool !== 'bash') return
    const command = this.asked.get(tool_call_id)
    if (command === undefined) return
    this.asked.delete(tool_call_id)
    if (state !== 'approved' && state !== 'running') return
    this.approved.set(tool_call_id, command)
    if (this.running.size === 0) this.startNext()
  }

  private startNext(): void {
    const next = this.approved.entries().next()
    if (!next.done) this.start(...next.value)
  }

  private start(id: string, command: string): void {
    this.approved.delete(id)
    if (command.trim() === '' || this.running.has(id)) return
    this.newLine()
    this.labels = this.running.size === 0 ? 1 : this.labels + 1
    const run = { label: this.labels, filter: new OutputFilter(), line: '' }
    this.running.set(id, run)
    const lines = new OutputFilter().push(command.trimEnd(), false).replaceAll('\r', '').split('\n')
    const prompt = lines.map((line, i) => `${ACCENT}${i === 0 ? '$' : '>'} ${line}${RESET}\n`).join('')
    this.write(this.running.size > 1 ? this.labelled(run, prompt) : prompt)
  }

  private log(id: string, text: string): void {
    const waiting = this.approved.get(id)
    if (waiting !== undefined) this.start(id, waiting)
    const run = this.running.get(id)
    if (!run || text === '') return
    const alone = this.running.size === 1
    const clean = run.filter.push(text, alone && run.line === '')
    if (alone) {
      this.print(run.line + clean)
      run.line = ''
      return
    }
    const end = (run.line + clean).lastIndexOf('\n') + 1
    const whole = (run.line + clean).slice(0, end)
    run.line = (run.line + clean).slice(end).slice(-MAX_LINE)
    if (whole) {
      this.newLine()
      this.write(this.labelled(run, whole))
    }
  }

  private end(id: string, how: string): void {
    const waiting = this.approved.get(id)
    if (waiting !== undefined) this.start(id, waiting)
    const run = this.running.get(id)
    if (!run) return
    const alone = this.running.size === 1
    this.newLine()
    if (run.line) this.write(alone ? `${run.line}\n` : this.labelled(run, `${run.line}\n`))
    const line = `${RESET}${DIM}${how}${RESET}\n`
    // The last of several to end is told apart as they all were.
    this.write(this.labels === 1 ? line : this.labelled(run, line))
    this.running.delete(id)
    if (this.running.size === 0) this.startNext()
  }

  /** Each line behind the number of its command; of a line that was written over, what it ended as. */
  private labelled(run: Run, lines: string): string {
    return lines
      .split('\n')
      .map((line, i, all) => (i === all.length - 1 ? line : `${DIM}${run.label}│${RESET} ${settled(line)}${RESET}`))
      .join('\n')
  }

  private print(text: string): void {
    if (text === '') return
    this.write(text)
    this.midLine = !text.endsWith('\n')
  }

  private newLine(): void {
    if (this.midLine) this.write(`${RESET}\n`)
    this.midLine = false
  }
}

function settled(line: string): string {
  const body = line.replace(/\r+$/, '')
  return body.slice(body.lastIndexOf('\r') + 1)
}

function howItEnded(item: ToolItem): string {
  return item.state === 'cancelled' && !item.has_output
    ? 'stopped'
    : endLine(item.details, item.duration_ms, item.state === 'ok')
}

/** "exit 0 · 2.1 s" */
function endLine(details: ToolItem['details'], durationMs: number | null, ok: boolean): string {
  const command = details?.kind === 'command' ? details : null
  // Refused before it began, as in Plan mode: the command stands here and must not look as if it had run.
  if (!command && !ok && !durationMs) return 'not run'
  const how = command ? endOf(command) || 'exit 0' : ok ? 'done' : 'not finished'
  return durationMs === null ? how : `${how} · ${formatDuration(durationMs)}`
}

/** The commands whose output fits the scrollback, oldest first. */
function recentCommands(items: SessionState['items']): ToolItem[] {
  const commands: ToolItem[] = []
  let lines = 0
  for (let i = items.length - 1; i >= 0 && lines < SCROLLBACK_LINES; i--) {
    const item = items[i]
    if (item?.kind !== 'tool' || item.tool !== 'bash') continue
    commands.push(item)
    lines += countLines(item.output) + 2
  }
  return commands.reverse()
}
