import type { EventData, EventType, SessionEvent } from '@shared/events'

export const SESSION = '6f9619ff-8b86-4d01-b42d-00cf4fc964ff'

/** A seeded generator (mulberry32): the same seed gives the same run on every machine. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** 0 <= value < 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }

  /** 0 <= value < limit, whole. */
  below(limit: number): number {
    return Math.floor(this.next() * limit)
  }

  pick<T>(values: readonly [T, ...T[]]): T {
    return values[this.below(values.length)] ?? values[0]
  }
}

/** One event; the time follows the number, so that a wrong time shows. */
export function makeEvent<T extends EventType>(
  seq: number,
  type: T,
  data: EventData<T>,
  session = SESSION,
): Extract<SessionEvent, { type: T }> {
  const time = new Date(Date.UTC(2026, 10, 20) + seq * 1000).toISOString()
  return { seq, time, session, type, data } as Extract<SessionEvent, { type: T }>
}

export function userMessage(seq: number, content = `message ${seq}`): SessionEvent {
  return makeEvent(seq, 'user_message', { id: `u${seq}`, content, source: 'user' })
}

const IDS = ['a', 'b', 'c'] as const
const CALLS = ['call-1', 'call-2'] as const
const STREAMS = ['stdout', 'stderr'] as const

/** Any event that could come next, sensible or not: the log must keep its promises for all of them. */
export function randomEvent(random: Random, seq: number): SessionEvent {
  const id = random.pick(IDS)
  const tool_call_id = random.pick(CALLS)
  const text = `<${seq}>`
  // Half of all events are chunks, as in a real run.
  if (random.next() < 0.6) {
    switch (random.below(4)) {
      case 0:
        return makeEvent(seq, 'reasoning_chunk', { id, content: text })
      case 1: {
        const long = random.below(12) === 0 ? 'x'.repeat(40_000 + random.below(60_000)) : ''
        return makeEvent(seq, 'tool_log', {
          tool: 'bash',
          tool_call_id,
          stream: random.pick(STREAMS),
          log: text + long,
        })
      }
      case 2:
        return makeEvent(seq, 'tool_log', { tool: 'research', agent_id: id, log: text })
      default:
        return makeEvent(seq, 'assistant_chunk', { id, content: text })
    }
  }
  switch (random.below(12)) {
    case 0:
      return userMessage(seq)
    case 1:
      return makeEvent(seq, 'processing', {
        message: 'Waiting',
        retry: { attempt: seq, delay_ms: 10, reason: 'overloaded' },
      })
    case 2:
    case 3:
      return makeEvent(seq, 'assistant_message', {
        id,
        content: text,
        blocks: [{ type: 'text', text }],
        model: 'anthropic/m',
        stop_reason: 'end_turn',
      })
    case 4:
    case 5:
      return makeEvent(seq, 'assistant_stream_end', { id, discarded: random.below(2) === 0 })
    case 6:
      return makeEvent(seq, 'tool_call', { tool: 'bash', arguments: { command: text }, tool_call_id })
    case 7:
    case 8:
      return makeEvent(seq, 'tool_output', { tool: 'bash', tool_call_id, output: text, success: true, duration_ms: 1 })
    case 9:
      return makeEvent(seq, 'plan_update', { plan: [{ id: '1', content: text, status: 'pending' }] })
    case 10:
      return makeEvent(seq, 'turn_complete', {
        history_size: 1,
        final_response: text,
        reason: 'finished',
        iterations: 1,
      })
    default:
      return makeEvent(seq, 'interrupted', {})
  }
}
