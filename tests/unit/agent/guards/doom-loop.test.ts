import { describe, expect, it } from 'vitest'
import { findLoop, recentCalls } from '../../../../src/main/agent/guards/doom-loop'
import fixture from '../../../fixtures/doom_loop.json'
import { assistant, type ChatMessage, called, fromMessages, guard, result, transcript, unreadable, user } from './items'

/** Where the design differs on purpose: a run of equal calls that the model has left behind is no loop any more. */
const ONLY_AT_THE_TAIL = 'identical run of 3 anywhere in window still fires even if newest calls differ'

const loopOf = (...items: Parameters<typeof transcript>) => findLoop(recentCalls(transcript(...items)))
const times = (n: number, make: (i: number) => ReturnType<typeof called>) =>
  Array.from({ length: n }, (_, i) => make(i)).flat()

describe('the doom loop', () => {
  for (const { name, messages, expected } of fixture.vectors) {
    it(`vector ${name}`, () => {
      const calls = recentCalls(fromMessages(messages as ChatMessage[]))
      expect(calls).toHaveLength(expected.signature_count)
      const loop = findLoop(calls)
      if (!expected.detected || name === ONLY_AT_THE_TAIL) return expect(loop).toBeNull()
      if (expected.kind === 'identical')
        return expect(loop).toEqual({ kind: 'identical', tool: expected.tool, count: 3 })
      expect(loop).toEqual({ kind: 'cycle', tools: expected.pattern })
    })
  }

  it('finds cycles of 2 to 5 calls, gone through twice', () => {
    for (const n of [2, 3, 4, 5]) {
      const round = () => times(n, (i) => called(`tool${i}`))
      expect(loopOf(round(), round())).toEqual({
        kind: 'cycle',
        tools: Array.from({ length: n }, (_, i) => `tool${i}`),
      })
      expect(loopOf(round(), round().slice(0, -2))).toBeNull()
    }
  })

  it('does not hold calls against the model that already led to a guard; a new streak counts', () => {
    const three = times(3, () => called('read'))
    expect(loopOf(three, guard('doom_loop'))).toBeNull()
    expect(
      loopOf(
        three,
        guard('doom_loop'),
        times(2, () => called('read')),
      ),
    ).toBeNull()
    expect(
      loopOf(
        three,
        guard('doom_loop'),
        times(3, () => called('read')),
      ),
    ).toMatchObject({ count: 3 })
    // Another guard in between is no answer to this streak.
    expect(loopOf(three.slice(2), guard('malformed_arguments'), three.slice(2), three)).not.toBeNull()
  })

  it('looks at 30 replies and results, and not at what the user says between them', () => {
    const talk = Array.from({ length: 40 }, () => user())
    expect(
      loopOf(
        times(3, () => called('read')),
        talk,
      ),
    ).not.toBeNull()
    const calls = recentCalls(transcript(times(40, (i) => called('read', { i }))))
    expect(calls).toHaveLength(15)
  })

  it('counts equal parallel calls of one reply, and none that has no result', () => {
    const ids = ['a', 'b', 'c']
    const reply = assistant(ids.map((id) => ({ type: 'tool_use', id, name: 'read', input: {} })))
    const results = ids.map((id) => result(id, 'read', {}, 'same'))
    expect(loopOf(reply, results)).toMatchObject({ kind: 'identical' })
    expect(
      loopOf(
        reply,
        results.map((item) => ({ ...item, has_output: false, output: '' })),
      ),
    ).toBeNull()
  })

  it('does not take the name of the file that large output went to for a difference', () => {
    const spilled = (file: string) =>
      called('bash').map((item) =>
        item.kind === 'tool'
          ? { ...item, output: `head ... ${file} ... tail`, spill: { file, bytes: 9, omitted_chars: 3 } }
          : item,
      )
    expect(loopOf(spilled('1.txt'), spilled('2.txt'), spilled('3.txt'))).toMatchObject({ tool: 'bash' })
  })

  it('compares unreadable arguments as they were sent', () => {
    expect(loopOf(unreadable('x', '{bad'), unreadable('x', '{ bad'), unreadable('x', '{bad'))).toBeNull()
    expect(loopOf(unreadable('x', '{bad'), unreadable('x', '{bad'), unreadable('x', '{bad'))).not.toBeNull()
  })
})
