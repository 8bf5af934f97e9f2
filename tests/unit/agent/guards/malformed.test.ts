import type { TranscriptItem } from '@shared/state'
import { describe, expect, it } from 'vitest'
import { malformedStreak } from '../../../../src/main/agent/guards/malformed'
import fixture from '../../../fixtures/malformed_args.json'
import { assistant, type ChatMessage, called, guard, transcript, unreadable, user } from './items'

/**
 * The vectors know a malformed call by the words of its result; we know it by the reply that made it, so each result
 * of a vector gets its reply.
 */
function itemsOf(messages: ChatMessage[]): TranscriptItem[] {
  const { prefix, suffix_after_name } = fixture.result_format
  return transcript(
    messages.flatMap((message) => {
      if (message.role === 'user') return [user(message.content ?? '')]
      if (message.role === 'assistant') return [assistant([{ type: 'text', text: message.content ?? '' }])]
      const [, tool] = /^ERROR: Tool call to '(\w+)'/.exec(message.content ?? '') ?? []
      const malformed = tool !== undefined && (message.content ?? '').startsWith(`${prefix}${tool}${suffix_after_name}`)
      return malformed ? unreadable(tool, '{"path": ') : called('other', {}, message.content ?? '')
    }),
  )
}

describe('malformed arguments', () => {
  for (const { name, messages, threshold, expected_tool } of fixture.vectors) {
    it(`vector ${name}`, () => {
      const streak = malformedStreak(itemsOf(messages as ChatMessage[]))
      expect(streak && streak.count >= threshold ? streak.tool : null).toBe(expected_tool)
    })
  }

  it('counts one tool only, and parallel calls one by one', () => {
    expect(malformedStreak(transcript(unreadable('read', 'x'), unreadable('write', 'x')))).toMatchObject({ count: 1 })
    const [a, b] = [unreadable('write', 'x'), unreadable('write', 'y')]
    const [first, second] = [a[0], b[0]]
    if (first?.kind !== 'assistant' || second?.kind !== 'assistant') throw new Error('no replies')
    const both = { ...first, blocks: [...first.blocks, ...second.blocks] }
    expect(malformedStreak(transcript(both, a.slice(1), b.slice(1)))).toMatchObject({ tool: 'write', count: 2 })
  })

  it('knows how many came after the last guard about them, and how many guards there were', () => {
    const two = () => [...unreadable('write', 'x'), ...unreadable('write', 'y')]
    const note = guard('malformed_arguments')
    expect(malformedStreak(transcript(two(), note))).toMatchObject({ count: 2, unguarded: 0, guards: 1 })
    expect(malformedStreak(transcript(two(), note, two()))).toMatchObject({ count: 4, unguarded: 2, guards: 1 })
    expect(malformedStreak(transcript(two(), note, called('write'), two()))).toMatchObject({ unguarded: 2, guards: 0 })
  })

  it('leaves a call that was cut at the output limit to the guard of its own', () => {
    const cut = () => unreadable('write', '{"content": "abc', 'max_tokens')
    expect(malformedStreak(transcript(cut(), cut()))).toBeNull()
  })
})
