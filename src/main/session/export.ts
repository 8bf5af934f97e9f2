import type { ToolDetails } from '@shared/content'
import type {
  AssistantItem,
  NoticeItem,
  SessionState,
  ToolItem,
  ToolItemState,
  TranscriptItem,
  Usage,
} from '@shared/state'
import { readLines } from './log'

const PLAN_MARKS = { pending: '[ ]', in_progress: '[~]', completed: '[x]' } as const
const TOOL_STATES: Record<ToolItemState, string> = {
  running: 'running',
  waiting_approval: 'waits for an approval',
  ok: 'finished',
  error: 'failed',
  rejected: 'denied',
  cancelled: 'cancelled',
  abandoned: 'abandoned',
}

/**
 * A whole session as one text. `json` is the folded state; `markdown` is made for reading. The text is about as long as
 * the conversation, and making it is one synchronous step: some 10 ms a megabyte.
 */
export function exportSession(state: SessionState, format: 'markdown' | 'json'): string {
  return format === 'json' ? `${JSON.stringify(state, null, 2)}\n` : markdown(state)
}

/** The whole lines of a log as they are stored, unreadable ones included, each with its newline. */
export async function* exportLog(file: string): AsyncGenerator<string, void, undefined> {
  for await (const lines of readLines(file)) yield `${lines.join('\n')}\n`
}

/** A fenced block whose fence is longer than any run of backticks in it, so that nothing in it can end the block. */
export function fenced(text: string, language = ''): string {
  const longest = (text.match(/`+/g) ?? []).reduce((max, run) => Math.max(max, run.length), 0)
  const fence = '`'.repeat(Math.max(3, longest + 1))
  return `${fence}${language}\n${text}${text.endsWith('\n') ? '' : '\n'}${fence}`
}

function markdown(state: SessionState): string {
  const parts = [`# ${oneLine(state.title) || 'Untitled session'}`, header(state)]
  if (state.plan.length > 0) {
    parts.push('## Plan', state.plan.map((item) => `- ${PLAN_MARKS[item.status]} ${oneLine(item.content)}`).join('\n'))
  }
  parts.push('## Conversation', ...state.items.flatMap(transcriptItem))
  if (state.draft) {
    const { text, reasoning } = state.draft
    parts.push('### Assistant (unfinished)', ...reasoningBlock(reasoning), ...(text.trim() ? [text.trim()] : []))
  }
  parts.push('## Usage', usageTable(state.usage))
  return `${parts.join('\n\n')}\n`
}

function header(state: SessionState): string {
  const rows: [string, string][] = [
    ['Session', code(state.id)],
    ['Model', code(state.model)],
    ['Folder', code(state.cwd)],
    ['Created', state.created_at],
    ['Last change', state.updated_at],
    ['Turns', String(state.turns)],
    ['Outcome', state.status === 'idle' ? (state.last_outcome ?? '') : state.status],
  ]
  return rows
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `- ${name}: ${value}`)
    .join('\n')
}

function transcriptItem(item: TranscriptItem): string[] {
  switch (item.kind) {
    case 'user':
      return [
        `### User${item.source === 'steer' ? ' (while the turn was running)' : ''} · ${item.time}`,
        quote(item.text),
      ]
    case 'assistant':
      return assistant(item)
    case 'tool':
      return tool(item)
    case 'guard':
      return [`> **Guard (${oneLine(item.guard)})**\n${quote(item.text)}`]
    case 'notice':
      return [notice(item)]
  }
}

function assistant({ text, reasoning, partial, time }: AssistantItem): string[] {
  const body = text.trim()
  // A reply of tool calls alone: the calls follow.
  if (!body && !reasoning.trim()) return []
  const title = `### Assistant${partial ? ' (cut off)' : ''} · ${time}`
  return [title, ...reasoningBlock(reasoning), ...(body ? [body] : [])]
}

function reasoningBlock(reasoning: string): string[] {
  if (!reasoning.trim()) return []
  return ['<details><summary>Reasoning</summary>', fenced(reasoning.trim(), 'text'), '</details>']
}

function tool(item: ToolItem): string[] {
  const { details, spill } = item
  const intent = oneLine(item.intent)
  const facts = [TOOL_STATES[item.state], ...exitFacts(details)]
  if (item.duration_ms !== null) facts.push(duration(item.duration_ms))
  const parts = [`### Tool ${code(item.tool)}${intent ? `: ${code(intent)}` : ''}`, facts.join(' · ')]
  if (details?.kind === 'command') parts.push(fenced(details.command, 'sh'))
  else if (details?.kind === 'diff') parts.push(`File: ${code(details.path)}`)
  else if (Object.keys(item.arguments).length > 0) parts.push(fenced(JSON.stringify(item.arguments, null, 2), 'json'))
  if (details?.kind === 'diff' && details.patch) {
    parts.push(fenced(details.patch, 'diff'))
    if (details.truncated) parts.push('The diff is longer than what was kept.')
  }
  if (item.has_output) parts.push(item.output ? fenced(item.output, 'text') : 'No output.')
  if (spill) {
    parts.push(
      `${count(spill.omitted_chars)} characters are left out here; the whole output (${count(spill.bytes)} bytes) is in ` +
        `${code(`outputs/${spill.file}`)} of the session.`,
    )
  }
  return parts
}

function exitFacts(details: ToolDetails | null): string[] {
  if (details?.kind === 'command') {
    const end = details.signal ? `ended by ${details.signal}` : `exit code ${details.exit_code ?? 'unknown'}`
    return details.timed_out ? [end, 'timed out'] : [end]
  }
  if (details?.kind === 'diff') return [`+${details.added} −${details.removed} lines`]
  return []
}

function notice({ text, remedy }: NoticeItem): string {
  return quote([text, remedy].filter(Boolean).join('\n'))
}

function usageTable(usage: Usage): string {
  const lowerBound = usage.unpriced_calls > 0
  const cost = `${lowerBound ? 'at least ' : ''}$${usage.cost_usd.toFixed(4)}`
  const why = lowerBound ? ` (calls without a known price: ${count(usage.unpriced_calls)})` : ''
  const rows: [string, string][] = [
    ['Model calls', count(usage.calls)],
    ['Input tokens', count(usage.prompt_tokens)],
    ['of these read from the cache', count(usage.cache_read_tokens)],
    ['of these written to the cache', count(usage.cache_creation_tokens)],
    ['Output tokens', count(usage.completion_tokens)],
    ['Cost', `${cost}${why}`],
  ]
  return ['| | |', '|---|---|', ...rows.map(([name, value]) => `| ${name} | ${value} |`)].join('\n')
}

/** Milliseconds in the unit a reader thinks in. */
function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  const seconds = ms / 1000
  if (seconds < 60) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  return `${Math.floor(whole / 60)} min ${whole % 60} s`
}

function count(value: number): string {
  return value.toLocaleString('en-US')
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}

function quote(text: string): string {
  return text
    .trim()
    .split('\n')
    .map((line) => (line ? `> ${line}` : '>'))
    .join('\n')
}

/** Inline code that may itself contain backticks. */
function code(text: string): string {
  if (!text) return ''
  const longest = (text.match(/`+/g) ?? []).reduce((max, run) => Math.max(max, run.length), 0)
  const ticks = '`'.repeat(longest + 1)
  const pad = text.startsWith('`') || text.endsWith('`') ? ' ' : ''
  return `${ticks}${pad}${oneLine(text)}${pad}${ticks}`
}
