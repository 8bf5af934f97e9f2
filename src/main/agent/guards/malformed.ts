import type { TranscriptItem } from '@shared/state'

/** Unreadable calls of one tool in a row that make a guard. */
export const MALFORMED_CALLS = 2

export interface MalformedStreak {
  tool: string
  /** Calls in a row, up to the newest, whose arguments were no JSON object. */
  count: number
  /** Of those, the ones that came after the last guard about them. */
  unguarded: number
  /** Guards that this streak has already led to. */
  guards: number
}

/**
 * The unreadable calls of one tool at the end of a transcript. Only results of tools count: a readable call, or one of
 * another tool, ends the streak; what is said in between does not. A call that was cut with its reply at the output
 * limit is none of these: it has a guard of its own.
 */
export function malformedStreak(items: readonly TranscriptItem[]): MalformedStreak | null {
  const streak: MalformedStreak = { tool: '', count: 0, unguarded: 0, guards: 0 }
  const finish = (): MalformedStreak | null => (streak.count > 0 ? streak : null)
  // Results follow their reply: they are looked at when the reply that made the calls is reached.
  let results: string[] = []
  let guards = 0
  for (let at = items.length - 1; at >= 0; at--) {
    const item = items[at]
    if (item?.kind === 'guard' && item.guard === 'malformed_arguments') guards += 1
    if (item?.kind === 'tool' && item.has_output) results.push(item.call_id)
    if (item?.kind !== 'assistant' || results.length === 0) continue
    const calls = item.blocks.filter((block) => block.type === 'tool_use')
    for (const id of results) {
      const call = calls.find((block) => block.id === id)
      if (!call || call.malformed === undefined || item.stop_reason === 'max_tokens') return finish()
      if (streak.count > 0 && call.name !== streak.tool) return finish()
      streak.tool = call.name
      streak.count += 1
      streak.guards = guards
      if (guards === 0) streak.unguarded += 1
    }
    results = []
  }
  return finish()
}
