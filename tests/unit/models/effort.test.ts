import type { Effort } from '@shared/settings'
import { describe, expect, it } from 'vitest'
import { EFFORTS, EffortMemory, effortMemory, isThinkingSignature, namesEffort } from '../../../src/main/models/effort'
import vectors from '../../fixtures/error_classification.json'

/** Levels sent for `asked` until the server, which says `words(level)` to those it refuses, takes one. */
function walk(asked: Effort, taken: readonly Effort[], words: (level: Effort) => string, told: Effort[] | null = null) {
  const memory = new EffortMemory()
  const sent: (Effort | null)[] = []
  for (let tries = 0; tries < 10; tries++) {
    const level = memory.level(asked, told)
    sent.push(level)
    if (level === null || taken.includes(level)) break
    memory.refuse(level, words(level))
  }
  return { sent, memory }
}

describe('the acceptance vectors', () => {
  it.each(vectors.vectors.map(({ error, expected }) => [error, expected] as const))('"%s"', (error, expected) => {
    expect(namesEffort(error)).toBe(expected.effort_config)
    expect(isThinkingSignature(error)).toBe(expected.thinking_signature)
  })
})

describe('a refused level', () => {
  it('goes down one by one to none where the server says nothing', () => {
    expect(walk('max', [], () => 'bad effort').sent).toEqual(['max', 'xhigh', 'high', 'medium', 'low', null])
    expect(walk('max', ['medium'], () => 'bad effort').sent).toEqual(['max', 'xhigh', 'high', 'medium'])
  })

  it('goes at once to the highest of those that the server lists', () => {
    const { sent, memory } = walk('max', ['low', 'medium'], () => 'reasoning_effort must be one of low, medium')
    expect(sent).toEqual(['max', 'medium'])
    expect(memory.level('xhigh', null)).toBe('medium')
    expect(memory.level('low', null)).toBe('low')
  })

  it.each(['Unknown parameter: reasoning_effort', 'This model does not support the effort parameter.'])(
    'is the last one where the parameter itself is refused: %s',
    (words) => {
      const { sent, memory } = walk('max', [], () => words)
      expect(sent).toEqual(['max', null])
      expect(memory.known(null)).toEqual([])
    },
  )

  it('"not supported" about one level is about that level', () => {
    expect(walk('xhigh', ['high'], (level) => `effort "${level}" is not supported`).sent).toEqual(['xhigh', 'high'])
  })

  it('is never sent where the server lists its levels before', () => {
    expect(walk('max', ['high'], () => 'no', ['low', 'high']).sent).toEqual(['high'])
    expect(new EffortMemory().level('high', [])).toBeNull()
    expect(new EffortMemory().level(null, null)).toBeNull()
  })

  it('is remembered for its own server and model, until it is forgotten', () => {
    effortMemory('http://a', 'm').refuse('max', null)
    expect(effortMemory('http://a', 'm').level('max', null)).toBe('xhigh')
    expect(effortMemory('http://b', 'm').level('max', null)).toBe('max')
    effortMemory('http://a', 'm').forget()
    expect(effortMemory('http://a', 'm').level('max', null)).toBe('max')
  })

  it('what is not known is not claimed', () => {
    const memory = new EffortMemory()
    expect(memory.known(null)).toBeNull()
    memory.refuse('max', null)
    expect(memory.known(null)).toBeNull()
    expect(memory.known([...EFFORTS])).toEqual(['low', 'medium', 'high', 'xhigh'])
  })
})

describe('which 400 is about effort', () => {
  it.each([
    ["output_config.effort: Input should be 'low', 'medium' or 'high'", true],
    ['adaptive thinking is not supported on this model', true],
    ['Thinking mode is not supported', true],
    ['messages.3.content.0: Expected `thinking` or `redacted_thinking`, but found `tool_use`', false],
    ['Missing `reasoning_content` in message 2', false],
    ['prompt is too long', false],
  ])('%s: %s', (message, expected) => {
    expect(namesEffort(message)).toBe(expected)
  })

  it('thinking that was changed is healed like thinking of another account', () => {
    const words = '`thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified'
    expect(isThinkingSignature(`messages.1.content.0: ${words}`)).toBe(true)
  })
})
