import type { TranscriptItem } from '@shared/state'
import { leftOut, oneLine, shorten } from './text'
import { estimateTokens } from './tokens'

/** Tokens of one result, one text and one call's arguments in what the summariser reads; the first that fits is taken. */
const DETAIL = [
  { result: 800, text: 2_000, call: 600 },
  { result: 250, text: 800, call: 200 },
  { result: 80, text: 300, call: 80 },
  { result: 30, text: 120, call: 30 },
] as const
type Detail = (typeof DETAIL)[number]

/** The items as text of at most about `max` tokens. When no shortening is enough, what is oldest is left out first. */
export function renderItems(items: readonly TranscriptItem[], max: number): string {
  let lines: string[] = []
  for (const detail of DETAIL) {
    lines = items.flatMap((item) => renderItem(item, detail))
    const text = lines.join('\n\n')
    if (estimateTokens(text) <= max) return text
  }
  return newestLines(lines, max)
}

function renderItem(item: TranscriptItem, detail: Detail): string[] {
  switch (item.kind) {
    case 'user':
      return [`USER: ${shorten(item.text, detail.text * 2, leftOut)}`]
    case 'guard':
    case 'notice':
      return []
    case 'assistant':
      return item.text.trim() === '' ? [] : [`ENGINEER: ${shorten(item.text, detail.text, leftOut)}`]
    case 'tool': {
      const call = shorten(JSON.stringify(item.arguments), detail.call, leftOut)
      const state = item.state === 'ok' ? 'ok' : item.state
      return [`CALL ${item.tool} ${call}\nRESULT (${state}): ${shorten(item.output, detail.result, leftOut)}`]
    }
  }
}

/** What was done, without a model: one line a call, the newest when there is not room for all. */
export function mechanicalSummary(items: readonly TranscriptItem[], earlier: string, max: number): string {
  const lines = items.flatMap((item) => {
    switch (item.kind) {
      case 'user':
        return [`- The user said: ${oneLine(item.text, 300)}`]
      case 'assistant':
        return item.text.trim() === '' ? [] : [`- You said: ${oneLine(item.text, 200)}`]
      case 'tool':
        return [`- ${item.tool} ${oneLine(item.intent || JSON.stringify(item.arguments), 160)} -> ${outcome(item)}`]
      default:
        return []
    }
  })
  const intro = 'No model could be asked for a summary. This is a list of what was done, oldest first.'
  const before = earlier === '' ? '' : `${shorten(earlier, Math.floor(max * 0.5), leftOut)}\n\n`
  const room = Math.max(0, max - estimateTokens(`${before}${intro}`))
  return `${before}${intro}\n${newestLines(lines, room)}`
}

/** A result's last line tells how it ended: the metric, the error. */
function outcome({ state, output }: Extract<TranscriptItem, { kind: 'tool' }>): string {
  const last = output.slice(-400).trimEnd().split('\n').at(-1) ?? ''
  return `${state}: ${oneLine(last, 160)}`
}

function newestLines(lines: readonly string[], max: number): string {
  const kept: string[] = []
  let room = max
  for (const line of lines.toReversed()) {
    room -= estimateTokens(line) + 1
    if (room < 0) break
    kept.unshift(line)
  }
  const skipped = lines.length - kept.length
  if (skipped > 0) kept.unshift(`[${skipped.toLocaleString('en-US')} older entries are left out]`)
  return kept.join('\n')
}
