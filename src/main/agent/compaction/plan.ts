import type { Compaction, SessionState, TranscriptItem } from '@shared/state'
import { limitedTokens, sum } from './tokens'
import { indexOfSeq } from './view'

/** Of the window, for the newest messages, which are kept as they are. */
const TAIL_SHARE = 0.2
/** The newest reply with its results is kept even above that, but not above this. */
const LAST_GROUP_SHARE = 0.25
/** A single result above this share of the window is cut to its beginning and end. */
const RESULT_SHARE = 0.08
/** Less of a result than this tells nothing. */
const MIN_RESULT_TOKENS = 200
const SUMMARY_SHARE = 0.05
/** About 4,500 words: more is no summary, and each later call pays for it. */
const MAX_SUMMARY_TOKENS = 6_000
const MIN_SUMMARY_TOKENS = 150
/** A summary of less than this would hardly be shorter. */
const MIN_REPLACED_TOKENS = 400

export interface CompactionPlan {
  first_kept_seq: number
  /** The items that the summary replaces, those of an earlier summary left out. */
  replaced: TranscriptItem[]
  /** Tokens of the window that everything is sized for. */
  window: number
  result_tokens: number
  summary_tokens: number
}

/**
 * What to summarise, by tokens alone: a single request that runs for thousands of calls is cut between any two replies.
 * Never between a reply and its results. `scale` is how many real tokens one estimated token is; `attempt` counts from
 * 0, and each one keeps half as much. Null when there is nothing that could be replaced.
 */
export function planCompaction(
  state: Pick<SessionState, 'items' | 'compaction'>,
  options: { window: number; tail_window?: number; scale: number; attempt: number },
): CompactionPlan | null {
  const { items, compaction } = state
  const window = Math.floor(options.window / options.scale)
  const share = 0.5 ** options.attempt
  const tail = Math.floor(
    Math.min(window, (options.tail_window ?? options.window) / options.scale) * TAIL_SHARE * share,
  )
  const start = compaction ? indexOfSeq(items, compaction.first_kept_seq) : 0
  const cuts = cutsOf(items, start)

  let result_tokens = Math.max(MIN_RESULT_TOKENS, Math.floor(window * RESULT_SHARE * share))
  const newest = cuts.at(-1)
  if (newest === undefined) return null
  const size = (from: number, to = items.length): number =>
    sum(items.slice(from, to), (item) => limitedTokens(item, result_tokens))
  const largest = Math.floor(window * LAST_GROUP_SHARE * share)
  let cut = newest
  if (size(newest) > largest) {
    const results = items.slice(newest).filter((item) => item.kind === 'tool').length
    result_tokens = Math.max(MIN_RESULT_TOKENS, Math.min(result_tokens, Math.floor(largest / Math.max(results, 1))))
    if (size(newest) > largest) cut = afterLastReply(items, newest)
  } else {
    let used = size(newest)
    for (const older of cuts.toReversed().slice(1)) {
      used += size(older, cut)
      if (used > tail) break
      cut = older
    }
  }
  const replaced = items.slice(start, cut)
  const gone = sum(replaced, (item) => limitedTokens(item, Number.MAX_SAFE_INTEGER))
  const shortened = size(cut) < sum(items.slice(cut), (item) => tokensNow(item, compaction))
  if (gone < MIN_REPLACED_TOKENS && !shortened) return null
  const bound = Math.min(MAX_SUMMARY_TOKENS, Math.floor(window * SUMMARY_SHARE), Math.floor(gone / 2))
  return {
    first_kept_seq: items[cut]?.seq ?? (items.at(-1)?.seq ?? 0) + 1,
    replaced,
    window,
    result_tokens,
    summary_tokens: Math.max(MIN_SUMMARY_TOKENS, bound),
  }
}

function tokensNow(item: TranscriptItem, compaction: Compaction | null): number {
  const limit = compaction && item.seq < compaction.seq ? compaction.result_tokens : Number.MAX_SAFE_INTEGER
  return limitedTokens(item, limit)
}

/**
 * Where a kept part may begin, oldest first: at a message that started a turn, or at a reply. A message that came while a
 * reply was written stands before it and is read after it: such a pair is not parted.
 */
function cutsOf(items: readonly TranscriptItem[], start: number): number[] {
  const cuts: number[] = []
  let open = items.length
  for (let at = start; at < items.length; at++) {
    const item = items[at]
    if (item?.kind === 'tool' && !item.has_output && (item.state === 'running' || item.state === 'waiting_approval')) {
      open = at
      break
    }
  }
  for (let at = start; at < items.length; at++) {
    const item = items[at]
    if (item?.kind === 'user' && item.source === 'user') cuts.push(at)
    else if (item?.kind === 'assistant') cuts.push(unreadBefore(items, at, start, item.seen_seq))
    // The reply of a call that has no result yet stays, and with it what came after.
    if (at >= open) break
  }
  return cuts.filter((cut, at) => cut > (cuts[at - 1] ?? -1))
}

function unreadBefore(items: readonly TranscriptItem[], at: number, start: number, seen: number | null): number {
  let cut = at
  if (seen === null) return cut
  for (let before = at - 1; before >= start; before--) {
    const item = items[before]
    if (!item || item.seq <= seen) break
    if (item.kind === 'user' || item.kind === 'guard') cut = before
  }
  return cut
}

/** The messages that wait for an answer are all that is kept; when a call is open, its reply too. */
function afterLastReply(items: readonly TranscriptItem[], newest: number): number {
  const group = items.slice(newest)
  if (group.some((item) => item.kind === 'tool' && !item.has_output)) return newest
  const last = group.findLastIndex((item) => item.kind === 'assistant' || item.kind === 'tool')
  if (last < 0) return newest
  // A message that the last reply had not read stands before it, and must stay.
  return group[0]?.kind === 'user' && group[0].source === 'steer' ? newest : newest + last + 1
}
