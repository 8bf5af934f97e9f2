import type { Compaction, SessionState, ToolItem, TranscriptItem, UserItem } from '@shared/state'
import type { ModelMessage } from '../../models/types'
import { toModelMessages } from '../context'
import { leftOut, planText, shorten } from './text'

/** Shares of the window that the parts before the recent messages may take. */
const FIRST_REQUEST_SHARE = 0.12
const NEWEST_REQUEST_SHARE = 0.06
const OTHER_REQUESTS_SHARE = 0.04
const PLAN_SHARE = 0.02
/** Paths named, newest first; a path is some 15 tokens. */
const MAX_PATHS = 40
/** In a small window fewer. */
const TOKENS_PER_PATH = 500
const CHARS_PER_TOKEN = 4

/** What of a conversation goes into a request: texts of the first user message, then these items as they are. */
export interface View {
  head: string[]
  items: TranscriptItem[]
}

const heads = new WeakMap<Compaction, string[]>()
const shortened = new WeakMap<ToolItem, { limit: number; item: ToolItem }>()

/** Between two compactions a view only grows at its end, so that the provider's prompt cache keeps working. */
export function viewOf(state: Pick<SessionState, 'compaction' | 'items'>): View {
  const { compaction, items } = state
  if (!compaction) return { head: [], items }
  let head = heads.get(compaction)
  if (!head) {
    head = headOf(compaction, items)
    heads.set(compaction, head)
  }
  return { head, items: items.slice(indexOfSeq(items, compaction.first_kept_seq)) }
}

/**
 * The messages of the next call. Roles alternate, and every call of a reply is answered in the message after it.
 * `outputs_dir`: where whole outputs lie, for the model to read.
 */
export function modelMessages(state: SessionState, outputs_dir: string): ModelMessage[] {
  const { compaction } = state
  const { head, items } = viewOf(state)
  if (!compaction) return toModelMessages(items)
  const messages = toModelMessages(items.map((item) => shortResult(item, compaction, outputs_dir)))
  if (head.length === 0) return messages
  const content = head.map((text) => ({ type: 'text' as const, text }))
  const first = messages[0]
  if (first?.role === 'user') return [{ role: 'user', content: [...content, ...first.content] }, ...messages.slice(1)]
  return [{ role: 'user', content }, ...messages]
}

/** Where the items with this number and the later ones begin. */
export function indexOfSeq(items: readonly TranscriptItem[], seq: number): number {
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((items[middle]?.seq ?? 0) < seq) low = middle + 1
    else high = middle
  }
  return low
}

/** True for a result that was there when the conversation was summarised: it is cut; one that came later is not. */
export function isLimited(item: TranscriptItem, { seq }: Pick<Compaction, 'seq'>): item is ToolItem {
  return item.kind === 'tool' && item.seq < seq
}

function shortResult(item: TranscriptItem, compaction: Compaction, outputs_dir: string): TranscriptItem {
  if (!isLimited(item, compaction)) return item
  const { result_tokens: limit } = compaction
  if (item.output.length * 3 <= limit * CHARS_PER_TOKEN) return item
  const known = shortened.get(item)
  if (known?.limit === limit) return known.item
  const note = (omitted: number): string => `${leftOut(omitted)}\n[${whereItIs(item, outputs_dir)}]`
  const output = shorten(item.output, limit, note)
  const made = output === item.output ? item : { ...item, output }
  shortened.set(item, { limit, item: made })
  return made
}

function whereItIs({ spill }: ToolItem, outputs_dir: string): string {
  if (spill)
    return `The whole output (${spill.bytes.toLocaleString('en-US')} bytes) is in ${outputs_dir}/${spill.file}.`
  return 'The whole result is in the log of the session. Look again, at a smaller part, if you need more of it.'
}

function headOf(compaction: Compaction, items: readonly TranscriptItem[]): string[] {
  const { window, first_kept_seq, summary, plan } = compaction
  const old = items.slice(0, indexOfSeq(items, first_kept_seq))
  // Only long results were cut.
  if (old.length === 0) return []
  const [first, ...later] = old.filter((item) => item.kind === 'user')
  const parts = [
    '[Automatic summary from ML Intern, not from the user]\n' +
      'The conversation was too long for the context window. Its older part is replaced by this record; what came ' +
      'after it follows unchanged. It tells what happened and gives no new instructions. Go on with the task from here.',
    `## Summary\n\n${summary}`,
  ]
  const messages = laterMessages(later, window)
  if (messages) parts.push(`## Later messages of the user, oldest first\n\n${messages}`)
  if (plan.length > 0) {
    const text = shorten(planText(plan), Math.floor(window * PLAN_SHARE), leftOut)
    parts.push(`## The plan when this was written (newer changes follow below)\n\n${text}`)
  }
  const files = filesTouched(old, Math.max(5, Math.min(MAX_PATHS, Math.floor(window / TOKENS_PER_PATH))))
  if (files) parts.push(`## Files touched\n\n${files}`)
  const record = parts.join('\n\n')
  return first ? [shorten(first.text, Math.floor(window * FIRST_REQUEST_SHARE), leftOut), record] : [record]
}

/** The newest message is what the running turn is about, so it has room of its own. */
function laterMessages(messages: readonly UserItem[], window: number): string {
  let room = Math.floor(window * OTHER_REQUESTS_SHARE) * CHARS_PER_TOKEN
  const kept: string[] = []
  let skipped = 0
  for (const [at, { text }] of messages.toReversed().entries()) {
    const newest = at === 0
    const limit = Math.floor(window * (newest ? NEWEST_REQUEST_SHARE : OTHER_REQUESTS_SHARE / 4))
    const shown = shorten(text, limit, leftOut)
    if (!newest && (skipped > 0 || shown.length > room)) {
      skipped += 1
      continue
    }
    if (!newest) room -= shown.length
    kept.unshift(`- ${shown.replaceAll('\n', '\n  ')}`)
  }
  if (skipped > 0) kept.unshift(`- [${skipped} older ones are part of the summary]`)
  return kept.join('\n')
}

function filesTouched(items: readonly TranscriptItem[], max: number): string {
  const changed = new Set<string>()
  const read = new Set<string>()
  for (const item of items.toReversed()) {
    if (item.kind !== 'tool' || item.state !== 'ok' || !item.details) continue
    if (item.details.kind === 'diff') changed.add(item.details.path)
    else if (item.details.kind === 'file') read.add(item.details.path)
  }
  for (const path of changed) read.delete(path)
  const list = (paths: Set<string>): string => {
    const more = paths.size > max ? ` and ${paths.size - max} more` : ''
    return `${[...paths].slice(0, max).join(', ')}${more}`
  }
  const lines: string[] = []
  if (changed.size > 0) lines.push(`- written or edited: ${list(changed)}`)
  if (read.size > 0) lines.push(`- read: ${list(read)}`)
  return lines.join('\n')
}
