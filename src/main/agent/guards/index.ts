import type { SessionState, TranscriptItem } from '@shared/state'
import { findLoop, isSameStreak, recentCalls } from './doom-loop'
import { MALFORMED_CALLS, malformedStreak } from './malformed'
import { abandonedSteps } from './plan'
import { loopNote, loopQuestion, malformedNote, malformedQuestion, planNote } from './texts'

/** The guard of a kind that ends the turn: the model did not listen to the two before. */
const LAST_GUARD = 3

export type GuardKind = 'doom_loop' | 'malformed_arguments' | 'unfinished_plan'

export interface GuardVerdict {
  kind: GuardKind
  /** `note`: the model reads it and the turn goes on. `ask_user`: it is for the user, and the turn ends after it. */
  action: 'note' | 'ask_user'
  /** Text of the `guard` event. */
  content: string
}

export interface GuardInput {
  /** Where the loop stands: about to call the model, or with a whole reply that has no calls and some text. */
  point: 'before_call' | 'reply_without_calls'
  state: Pick<SessionState, 'items' | 'plan' | 'mode' | 'model'>
  /** Number of the last event before the turn began: what has a higher one belongs to the turn. */
  turn_start: number
}

/**
 * Whether something must be said before the loop goes on; at most one thing at a time. A pure function of the
 * transcript: which guards were given before, it reads there too.
 */
export function checkGuards({ point, state, turn_start }: GuardInput): GuardVerdict | null {
  if (point === 'reply_without_calls') {
    const open = abandonedSteps(state, turn_start)
    return open ? { kind: 'unfinished_plan', action: 'note', content: planNote(open) } : null
  }
  // Who has just spoken is heard first; the model may well do something else now.
  if (userSpokeLast(state.items)) return null
  return loopVerdict(state.items, turn_start) ?? malformedVerdict(state.items)
}

function loopVerdict(items: readonly TranscriptItem[], turn_start: number): GuardVerdict | null {
  const loop = findLoop(recentCalls(items))
  // One guard a streak: going on with the same is not a second offence.
  if (!loop || isSameStreak(items, turn_start)) return null
  const before = items.filter((item) => item.kind === 'guard' && item.guard === 'doom_loop' && item.seq > turn_start)
  return before.length + 1 < LAST_GUARD
    ? { kind: 'doom_loop', action: 'note', content: loopNote(loop) }
    : { kind: 'doom_loop', action: 'ask_user', content: loopQuestion(loop) }
}

function malformedVerdict(items: readonly TranscriptItem[]): GuardVerdict | null {
  const streak = malformedStreak(items)
  if (!streak || streak.unguarded < MALFORMED_CALLS) return null
  return streak.guards + 1 < LAST_GUARD
    ? { kind: 'malformed_arguments', action: 'note', content: malformedNote(streak) }
    : { kind: 'malformed_arguments', action: 'ask_user', content: malformedQuestion(streak) }
}

function userSpokeLast(items: readonly TranscriptItem[]): boolean {
  const last = items.findLast((item) => item.kind === 'tool' || item.kind === 'user')
  return last?.kind === 'user'
}
