import type { Compaction } from '@shared/state'
import { describe, expect, it } from 'vitest'
import { contextParts, leftOver, utf8Length } from '../../../src/renderer/src/features/usage/context-parts'
import {
  formatCap,
  freshInput,
  levelOf,
  nearerCap,
  parseDollars,
  raisedCap,
  shareOf,
} from '../../../src/renderer/src/features/usage/money'
import { assistant, notice, session, tool, user } from './items'

const budget = (
  spent_usd: number,
  cap_usd: number | null,
  day: { spent_usd: number; cap_usd: number } | null = null,
) => ({
  spent_usd,
  reserved_usd: 0,
  cap_usd,
  day,
  warning: null,
})

describe('cost meter', () => {
  it('warns at the marks of the budget, not one call later', () => {
    expect([0.49, 0.5, 0.8, 1, 1.2].map(levelOf)).toEqual(['calm', 'half', 'near', 'reached', 'reached'])
    expect(levelOf(shareOf(0, 0))).toBe('reached')
  })

  it('raises the cap that ended the turn: the nearer one', () => {
    expect(nearerCap(null)).toBeNull()
    expect(nearerCap(budget(4, 5, { spent_usd: 10, cap_usd: 100 }))?.name).toBe('session')
    expect(nearerCap(budget(4, 5, { spent_usd: 99, cap_usd: 100 }))?.name).toBe('day')
    expect(nearerCap(budget(4, null, { spent_usd: 1, cap_usd: 100 }))?.name).toBe('day')
  })

  it('offers a round sum that leaves room (a raise that the next call eats at once)', () => {
    expect([raisedCap(4.9, 5), raisedCap(5, 5), raisedCap(0.02, 0.05), raisedCap(30, 25), raisedCap(12, 5)]).toEqual([
      10, 10, 1, 100, 50,
    ])
    expect(raisedCap(0, 0)).toBe(1)
  })

  it('reads sums as people write them, and nothing else', () => {
    expect(['5', '$2.50', ' 2,5 ', '.5', '10$'].map(parseDollars)).toEqual([5, 2.5, 2.5, 0.5, 10])
    for (const wrong of ['', 'five', '-1', '1e5', '1.2.3', '12345678']) expect(parseDollars(wrong)).toBeNull()
    expect([formatCap(10), formatCap(2.5)]).toEqual(['$10', '$2.50'])
  })

  it('does not count cached input twice', () => {
    expect(freshInput({ prompt_tokens: 100, cache_read_tokens: 80 })).toBe(20)
    expect(freshInput({ prompt_tokens: 10, cache_read_tokens: 80 })).toBe(0)
  })
})

describe('context meter', () => {
  const context = { used_tokens: 0, window: 1000, overhead_tokens: 40 }

  it('puts every token in one part', () => {
    const reply = assistant('a', 'ignored: the blocks are sent', {
      blocks: [
        { type: 'reasoning', text: 'x'.repeat(40) },
        { type: 'text', text: 'y'.repeat(80) },
      ],
    })
    const state = session({
      items: [user('u', 'z'.repeat(40)), reply, tool('t', { output: 'o'.repeat(400) }), notice('n', 'info')],
      context,
    })
    expect(contextParts(state)).toEqual({ overhead: 40, summary: 0, messages: 30, tools: 100, reasoning: 10 })
  })

  it('counts what the model reads after a summary: not what was left out, and older results cut', () => {
    const [old, call, later] = [
      user('old', 'x'.repeat(4000)),
      tool('t', { output: 'o'.repeat(4000) }),
      tool('l', { output: 'o'.repeat(4000) }),
    ]
    const compaction: Compaction = {
      seq: later.seq,
      summary: 's'.repeat(400),
      first_kept_seq: call.seq,
      window: 1000,
      result_tokens: 50,
      plan: [],
      count: 1,
    }
    const parts = contextParts(session({ items: [old, call, later], compaction, context }))
    expect(parts).toMatchObject({ summary: 100, messages: 0, tools: 50 + 1000 })
  })

  it('names what the provider counted beyond the estimate, and never less than nothing', () => {
    const parts = { overhead: 10, summary: 0, messages: 20, tools: 0, reasoning: 0 }
    expect([leftOver(50, parts), leftOver(5, parts)]).toEqual([20, 0])
  })

  it('measures bytes of UTF-8 as an encoder does, lone surrogates too', () => {
    for (const text of ['', 'abc', 'äß', '漢字', '😀a', '\ud800', 'a\udc00b', '\ud83d\ud83d\ude00']) {
      expect(utf8Length(text)).toBe(new TextEncoder().encode(text).length)
    }
  })
})
