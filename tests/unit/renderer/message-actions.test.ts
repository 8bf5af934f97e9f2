import { describeAfter, forkAfter, forkBefore, whatFollows, whyNotNow } from '@renderer/features/chat/message-actions'
import { summaryOf } from '@renderer/features/chat/summary'
import { describe, expect, it } from 'vitest'
import { assistant, session, tool, user } from './items'

const items = [
  user('u1'),
  assistant('a1', 'First.'),
  tool('t1'),
  assistant('a2', ''),
  tool('t2'),
  user('s1', 'Faster', 'steer'),
  assistant('a3', 'Done.'),
  user('u2'),
  assistant('a4', 'Also done.'),
]
const seqOf = (key: string) => items.find((item) => item.key === key)?.seq ?? 0

describe('what a message is followed by', () => {
  it('counts what goes, not the empty replies between calls', () => {
    expect(whatFollows(items, 'u1')).toEqual({ messages: 2, replies: 3, steps: 2 })
    expect(describeAfter(whatFollows(items, 'u1'))).toBe('2 messages, 3 replies and 2 steps')
    expect(describeAfter(whatFollows(items, 'u2'))).toBe('1 reply')
    expect(describeAfter(whatFollows([...items, user('u3')], 'u3'))).toBe('')
  })
})

describe('where a fork ends', () => {
  it('is before a message of the user, and at the end of the turn of a reply', () => {
    expect(forkBefore(user('x'))).toBeGreaterThan(0)
    const u2 = seqOf('u2')
    expect(forkBefore({ seq: u2 })).toBe(u2 - 1)
    // The results of the reply's own calls and the end of its turn come after it; a steer is part of the turn.
    expect(forkAfter({ items, last_seq: 500 }, 'a3')).toBe(u2 - 1)
    expect(forkAfter({ items, last_seq: 500 }, 'a1')).toBe(u2 - 1)
    expect(forkAfter({ items, last_seq: 500 }, 'a4')).toBe(500)
    expect(forkBefore({ seq: 1 })).toBe(1)
  })
})

describe('whyNotNow', () => {
  it('lets nothing be changed under a running turn', () => {
    expect(whyNotNow('idle', true)).toBeNull()
    expect(whyNotNow('running', true)).toContain('running')
    expect(whyNotNow('waiting_approval', true)).toContain('approval')
    expect(whyNotNow('idle', false)).toContain('connected')
  })
})

describe('summaryOf', () => {
  it('finds the summary of each compaction, also of one before the newest', () => {
    const made = { first_kept_seq: 1, window: 1, result_tokens: 1, plan: [], count: 1 }
    const state = session({
      compaction: { ...made, seq: 9, summary: 'newest' },
      earlier_compactions: [{ ...made, seq: 5, summary: 'older' }],
    })
    expect([9, 5, 7].map((seq) => summaryOf(state, seq))).toEqual(['newest', 'older', ''])
    expect(summaryOf(undefined, 9)).toBe('')
  })
})
