import type { ToolItem, TranscriptItem } from '@shared/state'
import { canonicalJson, fingerprint } from './canonical'

/** Replies of the model and results of tools that are looked at, counted from the newest. */
const WINDOW_MESSAGES = 30
/** Equal calls in a row that make a loop. */
const IDENTICAL_CALLS = 3
/** A cycle of this many different calls, gone through twice, is a loop too. */
const SHORTEST_CYCLE = 2
const LONGEST_CYCLE = 5
/** Calls of one streak after which it is held against the model once more. */
const TELL_AGAIN_AFTER = 50

export interface CallSignature {
  tool: string
  /** Equal for calls with the same tool, arguments and result; null without a result, which is equal to nothing. */
  id: string | null
}

export type Loop = { kind: 'identical'; tool: string; count: number } | { kind: 'cycle'; tools: string[] }

/**
 * The calls that may form a loop, oldest first: those of the last 30 messages, and none that already led to a guard.
 * What the user says in between is no message here: it does not break a loop.
 */
export function recentCalls(items: readonly TranscriptItem[]): CallSignature[] {
  const window: TranscriptItem[] = []
  const unreadable = new Map<string, string>()
  for (let at = items.length - 1; at >= 0 && window.length < WINDOW_MESSAGES; at--) {
    const item = items[at]
    if (!item || (item.kind === 'guard' && item.guard === 'doom_loop')) break
    if (item.kind === 'tool' || item.kind === 'assistant') window.push(item)
    if (item.kind !== 'assistant') continue
    for (const block of item.blocks) {
      if (block.type === 'tool_use' && block.malformed !== undefined) unreadable.set(block.id, block.malformed)
    }
  }
  return window
    .filter((item) => item.kind === 'tool')
    .reverse()
    .map((item) => ({ tool: item.tool, id: signature(item, unreadable.get(item.call_id)) }))
}

/** A loop that reaches to the newest call; null when there is none. Equal calls in a row go before a cycle. */
export function findLoop(calls: readonly CallSignature[]): Loop | null {
  const newest = calls.at(-1)
  if (!newest || newest.id === null) return null
  const other = calls.findLastIndex(({ id }) => id !== newest.id)
  const count = calls.length - 1 - other
  if (count >= IDENTICAL_CALLS) return { kind: 'identical', tool: newest.tool, count }
  for (let length = SHORTEST_CYCLE; length <= LONGEST_CYCLE; length++) {
    const once = calls.slice(-length)
    const before = calls.slice(-2 * length, -length)
    if (before.length < length) break
    if (once.every(({ id }, i) => id !== null && id === before[i]?.id)) {
      return { kind: 'cycle', tools: once.map(({ tool }) => tool) }
    }
  }
  return null
}

/**
 * Whether the newest loop is the one that the last guard was about, still going on, and not yet so long that the model
 * has to be told again. Work of many equal steps (a device that is polled for its readiness and answers the same) must
 * not be ended by a guard; a model that is stuck must not go on to the limit of calls.
 */
export function isSameStreak(items: readonly TranscriptItem[], turn_start: number): boolean {
  const guard = items.findLastIndex((item) => item.kind === 'guard' && item.guard === 'doom_loop')
  if ((items[guard]?.seq ?? 0) <= turn_start) return false
  const since = items.slice(guard).filter((item) => item.kind === 'tool').length
  if (since >= TELL_AGAIN_AFTER) return false
  const before = loopIds(recentCalls(items.slice(0, guard)))
  return loopIds(recentCalls(items)).every((id) => before.includes(id))
}

/** The signatures that the newest loop is made of; none when there is no loop. */
function loopIds(calls: readonly CallSignature[]): (string | null)[] {
  const loop = findLoop(calls)
  if (!loop) return []
  return calls.slice(loop.kind === 'identical' ? -1 : -loop.tools.length).map(({ id }) => id)
}

/** Items are never changed in place, so each output is hashed once however often the loop looks at it. */
const known = new WeakMap<ToolItem, string>()

function signature(item: ToolItem, unreadable: string | undefined): string | null {
  if (!item.has_output) return null
  const before = known.get(item)
  if (before !== undefined) return before
  const args = unreadable === undefined ? canonicalJson(JSON.stringify(item.arguments)) : `unreadable ${unreadable}`
  // Large output goes to a file of its own for every call: its name is no difference.
  const output = item.spill ? item.output.replaceAll(item.spill.file, '') : item.output
  const made = fingerprint(JSON.stringify([item.tool, args, canonicalJson(output)]))
  known.set(item, made)
  return made
}
