import type { EventData, SessionEvent } from './events'
import type { Compaction, SessionState } from './state'

/** Share of the window from which the conversation is summarised before the next call: it leaves room for a reply. */
export const COMPACTION_SHARE = 0.85

/** The fold of `compacted`, and what an undo makes of it. The transcript itself never loses an item to a summary. */
export function addCompaction(
  s: SessionState,
  { seq, data }: Extract<SessionEvent, { type: 'compacted' }>,
): SessionState {
  const { old_tokens, new_tokens, summary, first_kept_seq, window, result_tokens } = data
  const next: SessionState = { ...s, context: { ...s.context, used_tokens: new_tokens }, measured: null }
  // Logs of the first versions say no more than the numbers.
  if (summary === undefined || first_kept_seq === undefined) return next
  const made = {
    seq,
    summary,
    first_kept_seq,
    window: window ?? Math.max(old_tokens, 1),
    result_tokens: result_tokens ?? Math.max(old_tokens, 1),
    plan: s.plan,
    count: (s.compaction?.count ?? 0) + 1,
  }
  // An undo goes back to a message of the user: of the compactions between two messages only the last is needed.
  const lastMessage = s.items.findLast((item) => item.kind === 'user')?.seq ?? 0
  return withCompactions(next, [...all(s).filter((compaction) => compaction.seq < lastMessage), made])
}

/** The state as it was before the event `seq`, as far as compactions go. */
export function dropCompactions(s: SessionState, seq: number): SessionState {
  return withCompactions(
    s,
    all(s).filter((compaction) => compaction.seq < seq),
  )
}

export function compactedText({ old_tokens, new_tokens }: EventData<'compacted'>): string {
  const count = (value: number): string => value.toLocaleString('en-US')
  return `The conversation was summarised: ${count(old_tokens)} tokens became ${count(new_tokens)}.`
}

function all({ earlier_compactions, compaction }: SessionState): Compaction[] {
  return compaction ? [...earlier_compactions, compaction] : []
}

function withCompactions(s: SessionState, compactions: Compaction[]): SessionState {
  return { ...s, compaction: compactions.at(-1) ?? null, earlier_compactions: compactions.slice(0, -1) }
}
