import { isDeepStrictEqual } from 'node:util'
import type { ToolDetails } from '@shared/content'
import type { CallKind, SpendKind } from '@shared/events'
import type { SessionState, ToolItem, ToolItemState, TranscriptItem, UsageShare } from '@shared/state'
import { stripAnsi } from '../../workspace/output'

/** What the exports made for reading have in common: the words, not the markup. */

export const TOOL_STATES: Record<ToolItemState, string> = {
  running: 'running',
  waiting_approval: 'waits for an approval',
  ok: 'finished',
  error: 'failed',
  rejected: 'denied',
  cancelled: 'cancelled',
  abandoned: 'abandoned',
}

const COST_KINDS: Record<CallKind | SpendKind, string> = {
  main: 'Conversation',
  research: 'Research',
  compaction: 'Summaries',
  title: 'Title',
  explain: 'Explanations',
  probe: 'Model checks',
  job: 'Jobs',
  sandbox: 'Sandboxes',
}

export function titleOf(state: SessionState): string {
  return oneLine(state.title) || 'Untitled session'
}

/** What a reader should know about the session as a whole; `code` marks names and paths. */
export function factsOf(state: SessionState): { name: string; value: string; code?: boolean }[] {
  const facts = [
    { name: 'Session', value: state.id, code: true },
    { name: 'Model', value: state.model, code: true },
    { name: 'Folder', value: state.cwd, code: true },
    { name: 'Created', value: state.created_at },
    { name: 'Last change', value: state.updated_at },
    { name: 'Turns', value: String(state.turns) },
    { name: 'Outcome', value: state.status === 'idle' ? (state.last_outcome ?? '') : state.status },
  ]
  return facts.filter(({ value }) => value !== '')
}

export function exitFacts(details: ToolDetails | null): string[] {
  if (details?.kind === 'command') {
    const end = details.signal ? `ended by ${details.signal}` : `exit code ${details.exit_code ?? 'unknown'}`
    return details.timed_out ? [end, 'timed out'] : [end]
  }
  if (details?.kind === 'diff') return [`+${details.added} −${details.removed} lines`]
  return []
}

/** Tells which calls the user changed before they ran. Items go in one by one, in the order of the transcript. */
export class EditTracker {
  #asked = new Map<string, Record<string, unknown>>()

  /** The arguments that the model had asked for, when they are not the ones that ran; else null. */
  see(item: TranscriptItem): Record<string, unknown> | null {
    if (item.kind === 'assistant') {
      const calls = item.blocks.filter((block) => block.type === 'tool_use')
      this.#asked = new Map(calls.map(({ id, input }) => [id, input]))
    }
    if (item.kind !== 'tool') return null
    const asked = this.#asked.get(item.call_id)
    return asked === undefined || isDeepStrictEqual(asked, item.arguments) ? null : asked
  }
}

export function spillText({ spill }: ToolItem): { text: string; file: string } | null {
  if (!spill) return null
  return {
    text: `${count(spill.omitted_chars)} characters are left out here; the whole output (${count(spill.bytes)} bytes) is in the session's folder:`,
    file: `outputs/${spill.file}`,
  }
}

export const USAGE_HEAD = ['For', 'Model', 'Calls', 'Input', 'from cache', 'to cache', 'Output', 'Cost'] as const

/** A row for each kind and model, and the sum. */
export function usageRows({ usage }: SessionState): string[][] {
  const cells = (share: UsageShare): string[] => [
    count(share.calls),
    count(share.prompt_tokens),
    count(share.cache_read_tokens),
    count(share.cache_creation_tokens),
    count(share.completion_tokens),
    cost(share),
  ]
  const rows = usage.parts.map((part) => [COST_KINDS[part.kind], part.model, ...cells(part)])
  return [...rows, ['All', '', ...cells(usage)]]
}

/** A sum that leaves calls out is a lower bound. */
export function cost({ calls, cost_usd, unpriced_calls }: UsageShare): string {
  if (unpriced_calls > 0 && unpriced_calls >= calls && cost_usd === 0) return 'unknown'
  return `${unpriced_calls > 0 ? 'at least ' : ''}$${cost_usd.toFixed(4)}`
}

export function unpricedText({ usage }: SessionState): string | null {
  return usage.unpriced_calls > 0 ? `Calls without a known price: ${count(usage.unpriced_calls)}.` : null
}

/** Milliseconds in the unit a reader thinks in. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  const seconds = ms / 1000
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  return `${Math.floor(whole / 60)} min ${whole % 60} s`
}

export function count(value: number): string {
  return value.toLocaleString('en-US')
}

export function oneLine(text: string): string {
  return stripAnsi(text).replace(/\s+/g, ' ').trim()
}

/** Text of a program for a reader: without control sequences, and with line ends of one kind. */
export function readable(text: string): string {
  return stripAnsi(text).replace(/\r\n?/g, '\n')
}
