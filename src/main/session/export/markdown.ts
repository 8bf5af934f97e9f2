import type { AssistantItem, SessionState, ToolItem, TranscriptItem } from '@shared/state'
import type { Redact } from './redact'
import {
  duration,
  EditTracker,
  exitFacts,
  factsOf,
  oneLine,
  readable,
  spillText,
  TOOL_STATES,
  titleOf,
  USAGE_HEAD,
  unpricedText,
  usageRows,
} from './words'

const PLAN_MARKS = { pending: '[ ]', in_progress: '[~]', completed: '[x]' } as const
const NOTE_NAMES: Partial<Record<string, string>> = { error: 'Error', limit: 'Stopped', info: 'Note' }

/** The session for reading, piece by piece. */
export function* markdown(state: SessionState, redact: Redact): Generator<string> {
  const head = redact.head(state)
  const { plan, draft } = head
  yield `# ${escapeLine(titleOf(head))}\n\n`
  yield `${factsOf(head)
    .map((fact) => `- ${fact.name}: ${fact.code ? code(fact.value) : fact.value}`)
    .join('\n')}\n\n`
  if (plan.length > 0) {
    const lines = plan.map((item) => `- ${PLAN_MARKS[item.status]} ${oneLine(item.content)}`)
    yield `## Plan\n\n${lines.join('\n')}\n\n`
  }
  yield '## Conversation\n\n'
  const edits = new EditTracker()
  for (const item of state.items) {
    const shown = redact.item(item)
    const parts = transcriptItem(shown, edits.see(shown))
    if (parts.length > 0) yield `${parts.join('\n\n')}\n\n`
  }
  if (draft) {
    const { text, reasoning } = draft
    const parts = ['### Assistant (unfinished)', ...reasoningBlock(reasoning), ...(text.trim() ? [text.trim()] : [])]
    yield `${parts.join('\n\n')}\n\n`
  }
  const unpriced = unpricedText(head)
  yield `## Usage\n\n${usageTable(head)}\n${unpriced ? `\n${unpriced}\n` : ''}`
}

function transcriptItem(item: TranscriptItem, asked: Record<string, unknown> | null): string[] {
  switch (item.kind) {
    case 'user':
      return [
        `### User${item.source === 'steer' ? ' (while the turn was running)' : ''} · ${item.time}`,
        quote(item.text),
      ]
    case 'assistant':
      return assistant(item)
    case 'tool':
      return tool(item, asked)
    case 'guard':
      return [`> **Guard (${oneLine(item.guard)}), a note of ML Intern to the model**\n${quote(item.text)}`]
    case 'notice': {
      const name = NOTE_NAMES[item.notice]
      return [`${name ? `> **${name}**\n` : ''}${quote([item.text, item.remedy].filter(Boolean).join('\n'))}`]
    }
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

function tool(item: ToolItem, asked: Record<string, unknown> | null): string[] {
  const { details } = item
  // It says what the model had asked for: of an edited call, that is not what ran.
  const intent = asked ? '' : oneLine(item.intent)
  const facts = [TOOL_STATES[item.state], ...exitFacts(details)]
  if (item.duration_ms !== null) facts.push(duration(item.duration_ms))
  const parts = [`### Tool ${code(item.tool)}${intent ? `: ${code(intent)}` : ''}`, facts.join(' · ')]
  if (asked) {
    parts.push(
      'The user edited the arguments. The model had asked for:',
      fenced(JSON.stringify(asked, null, 2), 'json'),
    )
    parts.push('What ran:')
  }
  if (details?.kind === 'command') parts.push(fenced(readable(details.command), 'sh'))
  else if (details?.kind === 'diff') parts.push(`File: ${code(details.path)}`)
  else if (Object.keys(item.arguments).length > 0) parts.push(fenced(JSON.stringify(item.arguments, null, 2), 'json'))
  if (details?.kind === 'diff' && details.patch) {
    parts.push(fenced(readable(details.patch), 'diff'))
    if (details.truncated) parts.push('The diff is longer than what was kept.')
  }
  if (item.has_output) parts.push(item.output ? fenced(readable(item.output), 'text') : 'No output.')
  const spill = spillText(item)
  if (spill) parts.push(`${spill.text} ${code(spill.file)}`)
  return parts
}

function usageTable(state: SessionState): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  const rows = usageRows(state).map(([kind = '', model = '', ...rest]) => line([kind, model && code(model), ...rest]))
  return [line(USAGE_HEAD), '|---|---|--:|--:|--:|--:|--:|--:|', ...rows].join('\n')
}

/** A fenced block whose fence is longer than any run of backticks in it, so that nothing in it can end the block. */
export function fenced(text: string, language = ''): string {
  const fence = '`'.repeat(Math.max(3, longestRun(text) + 1))
  return `${fence}${language}\n${text}${text.endsWith('\n') ? '' : '\n'}${fence}`
}

/** Inline code that may itself contain backticks. */
function code(text: string): string {
  const line = oneLine(text)
  if (!line) return ''
  const ticks = '`'.repeat(longestRun(line) + 1)
  const pad = line.startsWith('`') || line.endsWith('`') ? ' ' : ''
  return `${ticks}${pad}${line}${pad}${ticks}`
}

function longestRun(text: string): number {
  return (text.match(/`+/g) ?? []).reduce((max, run) => Math.max(max, run.length), 0)
}

/** A title is text, whatever signs it holds. */
function escapeLine(text: string): string {
  return text.replace(/[\\`*_[\]<>]/g, '\\$&')
}

function quote(text: string): string {
  return readable(text)
    .trim()
    .split('\n')
    .map((line) => (line ? `> ${line}` : '>'))
    .join('\n')
}
