import { applyEvent } from '@shared/reducer'
import type { SessionState } from '@shared/state'
import { describe, expect, it } from 'vitest'
import { ORPHAN_RESULT, toModelMessages } from '../../../../src/main/agent/context'
import dangling from '../../../fixtures/dangling_tool_calls.json'
import history from '../../../fixtures/history_edit.json'
import { converted, ID, NOW, saved } from './support'

/** Role and answered calls of each message that a model would get. */
function shape(state: SessionState): string[] {
  return toModelMessages(state.items).flatMap(({ role, content }) => {
    if (role === 'assistant') return [role]
    return content.map((part) => (part.type === 'tool_result' ? `tool ${part.tool_use_id}` : 'user'))
  })
}

describe('dangling_tool_calls vectors: every call is answered right after its reply', () => {
  for (const { name, messages, expected_messages, inserted } of dangling.vectors) {
    it(name, () => {
      const { state, notes } = converted(saved(messages))
      // The system prompt is ours to write.
      const theirs = expected_messages
        .filter(({ role }) => role !== 'system')
        .map(({ role, ...rest }) => (role === 'tool' && 'tool_call_id' in rest ? `tool ${rest.tool_call_id}` : role))
      const results = toModelMessages(state.items)
        .flatMap(({ role, content }) => (role === 'user' ? content : []))
        .flatMap((part) => (part.type === 'tool_result' ? [part.content] : []))
      switch (name) {
        case 'result present but after a user message gets a stub anyway':
          // Differs: the reference answers with a stub and sends the real result late, where a provider refuses it. Here
          // the real result is put where it belongs.
          expect(shape(state)).toEqual(['user', 'assistant', 'tool 1', 'user'])
          expect(results).toEqual(['ok'])
          return
        case 'orphan tool result without call is left alone':
          // Differs: providers refuse a result without its call, so it is left out, and said.
          expect(shape(state)).toEqual(['user'])
          expect(notes.join()).toContain('1 result of unknown tool calls left out')
          return
        default:
          expect(shape(state)).toEqual(theirs)
          expect(results.filter((result) => result === ORPHAN_RESULT)).toHaveLength(inserted)
      }
    })
  }
})

/** Takes back the n-th message of the user, and everything after it. */
function cutBefore(state: SessionState, n: number): SessionState {
  const message = state.items.filter((item) => item.kind === 'user').at(n)
  if (!message) return state
  const time = new Date(NOW).toISOString()
  const data = { user_message_id: message.key }
  return applyEvent(state, { seq: state.last_seq + 1, time, session: ID, type: 'undo_complete', data })
}

function roles(state: SessionState): string[] {
  return state.items.flatMap(({ kind }) => (kind === 'notice' ? [] : [kind]))
}

describe('history_edit vectors', () => {
  for (const { name, op, messages, user_message_index, expected } of history.vectors) {
    it(name, () => {
      if (messages.every(({ role }) => role === 'system')) {
        // There is nothing to import, and so nothing to undo.
        expect(() => converted(saved(messages))).toThrow('no messages')
        return
      }
      const { state } = converted(saved(messages))
      const after = cutBefore(state, op === 'undo' ? -1 : (user_message_index ?? 0))
      if (name.includes('first item is always skipped')) {
        // Differs: the reference takes any first message for the system prompt. Here the first user message is the first.
        expect(roles(after)).toEqual([])
        return
      }
      expect(roles(after)).toEqual(expected.roles.filter((role) => role !== 'system'))
      expect(after !== state).toBe(expected.result)
      expect(after.status).toBe('idle')
    })
  }

  it('differs on purpose: a note of a guard is no message of the user, so undo takes back what the user wrote', () => {
    const { state } = converted(
      saved([
        { role: 'user', content: 'one' },
        { role: 'assistant', content: 'a' },
        { role: 'user', content: 'two' },
        { role: 'assistant', content: 'b' },
        { role: 'user', content: '[SYSTEM: CONTINUATION GUARD] go on' },
        { role: 'assistant', content: 'c' },
      ]),
    )
    expect(roles(state)).toEqual(['user', 'assistant', 'user', 'assistant', 'guard', 'assistant'])
    expect(roles(cutBefore(state, -1))).toEqual(['user', 'assistant'])
  })
})
