import { createReadStream } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import type { SessionState, ToolItem, TranscriptItem } from '@shared/state'
import type { Engine } from '../../engine-types'
import { isNodeError, messageOf, UserError } from '../../errors'
import type { ExportFormat } from './args'
import type { CliIo } from './io'
import { clean, modelLabel, oneLine, type Style } from './style'
import { noticeLines, tailLines, toolLine } from './text-lines'
import type { Writer } from './writer'

/** Of a tool's output, in `sessions show`. */
const SHOWN_OUTPUT_LINES = 6
const SHOW_COLUMNS = 160

/** Writes a session to stdout, or to a new file readable by this user alone. Throws UserError. */
export async function exportSession(
  io: CliIo,
  engine: Engine,
  id: string,
  options: { format: ExportFormat; output?: string },
  out: Writer,
): Promise<void> {
  const state = await engine.readSession(id)
  const text = await render(engine, state, options.format)
  if (options.output === undefined) {
    out.write(text)
    return
  }
  const file = resolve(io.cwd, options.output)
  const { default: writeFileAtomic } = await import('write-file-atomic')
  try {
    await writeFileAtomic(file, text, { mode: 0o600 })
  } catch (error) {
    const reason = isNodeError(error) ? error.code : messageOf(error)
    throw new UserError('usage', `${file} cannot be written: ${reason}.`, 'Give another path with --output.', {
      cause: error,
    })
  }
  io.stderr.write(`Written to ${file}\n`)
}

async function render(engine: Engine, state: SessionState, format: ExportFormat): Promise<string> {
  switch (format) {
    case 'markdown':
      return toMarkdown(state)
    case 'json':
      return `${JSON.stringify(toJson(state), null, 2)}\n`
    case 'jsonl':
      return readLog(join(engine.home, 'sessions', state.id, 'events.jsonl'))
  }
}

/** The stored events as they are, without a line that a crash has torn. */
async function readLog(file: string): Promise<string> {
  const lines: string[] = []
  const reader = createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })
  for await (const line of reader) if (isJson(line)) lines.push(`${line}\n`)
  return lines.join('')
}

function isJson(line: string): boolean {
  try {
    JSON.parse(line)
    return true
  } catch {
    // Half a line: it was never acknowledged.
    return false
  }
}

/** The state without what exists only while a turn runs. */
function toJson(state: SessionState) {
  const { draft: _draft, live_logs: _logs, activity: _activity, retry: _retry, unknown: _unknown, ...rest } = state
  return rest
}

export function toMarkdown(state: SessionState): string {
  const facts = [
    `- Session: \`${state.id}\``,
    `- Folder: \`${state.cwd}\``,
    `- Model: ${modelLabel(state.model)}`,
    `- Began: ${state.created_at}`,
    `- Turns: ${state.turns}`,
  ]
  const parts = [`# ${oneLine(state.title) || 'Untitled session'}`, facts.join('\n')]
  for (const item of state.items) {
    const text = itemMarkdown(item)
    if (text) parts.push(text)
  }
  if (state.plan.length > 0) {
    const marks = { completed: 'x', in_progress: ' ', pending: ' ' }
    parts.push(
      '## Plan',
      state.plan.map(({ status, content }) => `- [${marks[status]}] ${oneLine(content)}`).join('\n'),
    )
  }
  return `${parts.join('\n\n')}\n`
}

function itemMarkdown(item: TranscriptItem): string {
  switch (item.kind) {
    case 'user':
      return `## User\n\n${item.text.trim()}`
    case 'assistant':
      return item.text.trim() ? `## Assistant\n\n${item.text.trim()}${item.partial ? '\n\n*(cut off)*' : ''}` : ''
    case 'tool':
      return toolMarkdown(item)
    case 'guard':
      return `> Note to the model (${item.guard}): ${oneLine(item.text)}`
    case 'notice':
      return `> ${oneLine(item.text)}${item.remedy ? ` ${oneLine(item.remedy)}` : ''}`
  }
}

function toolMarkdown(item: ToolItem): string {
  const title = `### ${item.tool}${item.intent ? `: ${oneLine(item.intent)}` : ''} (${item.state})`
  const parts = [title, fenced(JSON.stringify(item.arguments, null, 2), 'json')]
  if (item.details?.kind === 'diff') parts.push(fenced(item.details.patch, 'diff'))
  if (item.has_output) parts.push(fenced(clean(item.output), ''))
  return parts.join('\n\n')
}

/** A fence longer than any inside the text, so that the text cannot end it. */
function fenced(text: string, language: string): string {
  const longest = Math.max(2, ...Array.from(text.matchAll(/`+/g), ([run]) => run.length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}${language}\n${text.replace(/\n$/, '')}\n${fence}`
}

/** For reading in a terminal: messages in full, tool calls in a line with the end of their output. */
export function transcript(state: SessionState, style: Style): string {
  const parts: string[] = []
  for (const item of state.items) {
    switch (item.kind) {
      case 'user':
        parts.push(`\n${style.bold('> ')}${clean(item.text).trim()}\n\n`)
        break
      case 'assistant':
        if (item.text.trim()) parts.push(`${clean(item.text).trim()}${item.partial ? style.dim(' (cut off)') : ''}\n`)
        break
      case 'tool': {
        parts.push(toolLine(item, style, SHOW_COLUMNS))
        const lines = item.state === 'error' ? [] : tailLines(item.output, SHOWN_OUTPUT_LINES)
        for (const line of lines) parts.push(style.dim(`    ${line}\n`))
        break
      }
      case 'guard':
        parts.push(style.dim(`Note to the model (${item.guard}): ${oneLine(item.text)}\n`))
        break
      case 'notice':
        parts.push(noticeLines(item, style))
        break
    }
  }
  return parts.join('')
}
