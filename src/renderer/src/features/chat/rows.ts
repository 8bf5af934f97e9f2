import type { ApprovalRequest } from '@shared/approvals'
import type {
  AssistantDraft,
  AssistantItem,
  GuardItem,
  NoticeItem,
  NoticeKind,
  SessionState,
  ToolItem,
  TranscriptItem,
  UserItem,
} from '@shared/state'
import { extendSegments, type Segment, type Segmented, segmentText } from './segments'

/**
 * What the virtual list draws: one row is one thing that is measured. A tool is a row of its own even inside its card,
 * and a long reply is many rows, so that only what is on screen exists as elements.
 */
export type Row = { key: string; gap: number } & (
  | { kind: 'user'; item: UserItem }
  | { kind: 'reasoning'; id: string; text: string; live: boolean }
  | {
      kind: 'markdown' | 'code'
      text: string
      lang: string
      growing: boolean
      /** Set on the last piece of a finished reply: what its footer shows and copies. */
      reply: AssistantItem | null
      /** A notice right below says how the reply ended: its footer need not. */
      explained: boolean
      /** The last reply of its turn. */
      ends: boolean
      /** And no message of the user comes after it. */
      newest: boolean
    }
  | { kind: 'tool'; item: ToolItem; first: boolean; last: boolean }
  | { kind: 'guard'; item: GuardItem }
  | { kind: 'notice'; item: NoticeItem; newest: boolean }
  | { kind: 'approval'; requests: ApprovalRequest[] }
  | { kind: 'activity' }
)

/** Pixels between rows (the mock's spacing). Messages bring their own: the line under them that appears on hover. */
const GAP = { first: 24, item: 16, afterMessage: 0, piece: 12, none: 0 }

interface Cached {
  variant: string
  rows: Row[]
}
const cache = new WeakMap<TranscriptItem, Cached>()

/** Rows of finished items. An unchanged item in an unchanged place keeps its row objects. */
export function itemRows(items: TranscriptItem[]): Row[] {
  const rows: Row[] = []
  let before: TranscriptItem | null = null
  const shown = items.filter(isShown)
  const ends = turnEnds(shown)
  const lastMessage = shown.findLast(isMessage)
  let asked = lastMessage === undefined
  for (const [i, item] of shown.entries()) {
    const next = shown[i + 1]
    const gap = before ? gapBetween(before, item) : GAP.first
    const first = item.kind === 'tool' && before?.kind !== 'tool'
    const last = item.kind === 'tool' && next?.kind !== 'tool'
    if (item === lastMessage) asked = true
    const place: Place = {
      gap,
      first,
      last,
      newest: item.kind === 'assistant' ? asked : next === undefined,
      explained: item.kind === 'assistant' && next?.kind === 'notice' && EXPLAINS.has(next.notice),
      ends: ends.has(item),
    }
    const variant = variantOf(item, place)
    let known = cache.get(item)
    if (known?.variant !== variant) {
      known = { variant, rows: rowsOf(item, place) }
      cache.set(item, known)
    }
    for (const row of known.rows) rows.push(row)
    before = item
  }
  return rows
}

/** What the rows of an item depend on beside the item itself. */
function variantOf(item: TranscriptItem, { gap, first, last, newest, explained, ends }: Place): string {
  const here = item.kind === 'notice' || (item.kind === 'assistant' && ends) ? newest : false
  return `${gap} ${first} ${last} ${here} ${explained} ${ends}`
}

function isMessage(item: TranscriptItem): boolean {
  return item.kind === 'user' && item.source === 'user'
}

/** The replies that nothing of their turn follows. */
function turnEnds(shown: readonly TranscriptItem[]): ReadonlySet<TranscriptItem> {
  const ends = new Set<TranscriptItem>()
  let open = true
  for (let at = shown.length - 1; at >= 0; at--) {
    const item = shown[at]
    if (!item) continue
    if (isMessage(item)) open = true
    else if (item.kind === 'assistant' || item.kind === 'tool') {
      if (open && item.kind === 'assistant') ends.add(item)
      open = false
    }
  }
  return ends
}

/** A reply that is only tool calls has nothing to show, and must not split the card of the calls around it. */
function isShown(item: TranscriptItem): boolean {
  return item.kind !== 'assistant' || item.text.trim() !== '' || item.reasoning.trim() !== '' || item.partial
}

function gapBetween(before: TranscriptItem, item: TranscriptItem): number {
  if (before.kind === 'tool' && item.kind === 'tool') return GAP.none
  if (before.kind === 'user' || (before.kind === 'assistant' && before.text.trim() !== '')) return GAP.afterMessage
  return GAP.item
}

const EXPLAINS: ReadonlySet<NoticeKind> = new Set(['error', 'interrupted', 'limit'])

interface Place {
  gap: number
  first: boolean
  last: boolean
  newest: boolean
  explained: boolean
  ends: boolean
}

function rowsOf(item: TranscriptItem, place: Place): Row[] {
  const { gap, first, last, newest } = place
  const base = { key: item.key, gap }
  switch (item.kind) {
    case 'user':
      return [{ ...base, kind: 'user', item }]
    case 'tool':
      return [{ ...base, kind: 'tool', item, first, last }]
    case 'guard':
      return [{ ...base, kind: 'guard', item }]
    case 'notice':
      return [{ ...base, kind: 'notice', item, newest }]
    case 'assistant':
      return replyRows(item.key, item.reasoning, segmentText(item.text), item, place)
  }
}

function replyRows(
  id: string,
  reasoning: string,
  segments: Segment[],
  reply: AssistantItem | null,
  { gap, explained, ends, newest }: Pick<Place, 'gap' | 'explained' | 'ends' | 'newest'>,
): Row[] {
  const footer = { explained, ends, newest }
  const rows: Row[] = []
  if (reasoning.trim()) {
    const live = reply === null && segments.length === 0
    rows.push({ key: `${id}:reasoning`, gap, kind: 'reasoning', id, text: reasoning, live })
  }
  for (const [i, segment] of segments.entries()) {
    const last = i === segments.length - 1
    rows.push({
      key: `${id}:${segment.start}`,
      gap: rows.length === 0 ? gap : segment.joined ? GAP.none : GAP.piece,
      kind: segment.kind,
      text: segment.text,
      lang: segment.lang,
      growing: reply === null && last,
      reply: last ? reply : null,
      ...footer,
    })
  }
  if (rows.length === 0 && reply?.partial) {
    rows.push({ key: `${id}:0`, gap, kind: 'markdown', text: '', lang: '', growing: false, reply, ...footer })
  }
  return rows
}

/** Keeps the pieces of the streaming reply from one frame to the next. */
export class DraftRows {
  private id = ''
  private segmented: Segmented | null = null

  rows(draft: AssistantDraft, before: Row | undefined): Row[] {
    if (draft.id !== this.id) {
      this.id = draft.id
      this.segmented = null
    }
    this.segmented = extendSegments(this.segmented, draft.text)
    const place = { gap: gapAfter(before), explained: false, ends: false, newest: false }
    return replyRows(draft.id, draft.reasoning, this.segmented.segments, null, place)
  }
}

function gapAfter(before: Row | undefined): number {
  if (!before) return GAP.first
  return before.kind === 'user' || ('reply' in before && before.reply) ? GAP.afterMessage : GAP.item
}

/** What stands below everything: the question to the user, or what is going on. */
export function tailRows(state: SessionState, before: Row | undefined): Row[] {
  const gap = gapAfter(before)
  if (state.pending_approvals.length > 0) {
    const key = `approval-${state.pending_approvals[0]?.tool_call_id ?? ''}`
    return [{ key, gap, kind: 'approval', requests: state.pending_approvals }]
  }
  // Reasoning that is being written says itself what goes on.
  const said = before?.kind === 'reasoning' && before.live
  return state.status === 'idle' || said ? [] : [{ key: 'activity', gap, kind: 'activity' }]
}
