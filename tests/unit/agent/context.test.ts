import type { Block } from '@shared/content'
import { foldEvents } from '@shared/reducer'
import { initialState } from '@shared/state'
import { describe, expect, it } from 'vitest'
import { ORPHAN_RESULT, toModelMessages } from '../../../src/main/agent/context'
import { recorder, SAMPLE_SESSION } from '../../support/sample-log'

function session() {
  const { events, add } = recorder()
  const user = (content: string, source: 'user' | 'steer' = 'user') =>
    add('user_message', { id: `u${events.length}`, content, source })
  const assistant = (blocks: Block[], extra: { partial?: boolean; seen_seq?: number } = {}) =>
    add('assistant_message', { id: `a${events.length}`, content: '', blocks, model: 'm', stop_reason: 's', ...extra })
  const output = (id: string, text: string, success = true) =>
    add('tool_output', { tool: 'bash', tool_call_id: id, output: text, success, duration_ms: 1 })
  const call = (id: string) => add('tool_call', { tool: 'bash', arguments: {}, tool_call_id: id })
  const messages = () => toModelMessages(foldEvents(initialState(SAMPLE_SESSION), events).items)
  return { events, add, user, assistant, output, call, messages }
}
const use = (id: string): Block => ({ type: 'tool_use', id, name: 'bash', input: {} })
const text = (value: string): Block => ({ type: 'text', text: value })

describe('toModelMessages', () => {
  it('answers the calls of a reply in call order, whatever order they finished in', () => {
    const s = session()
    s.user('go')
    s.assistant([text('both'), use('t1'), use('t2')])
    s.call('t1')
    s.call('t2')
    s.output('t2', 'second')
    s.output('t1', 'first', false)
    expect(s.messages()).toEqual([
      { role: 'user', content: [{ type: 'text', text: 'go' }] },
      { role: 'assistant', content: [text('both'), use('t1'), use('t2')] },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 't1', content: 'first', is_error: true },
          { type: 'tool_result', tool_use_id: 't2', content: 'second', is_error: false },
        ],
      },
    ])
  })

  it('repairs a call that never got a result, which a provider would refuse with a 400 for ever after', () => {
    const s = session()
    s.user('go')
    s.assistant([use('t1'), use('t2')])
    s.call('t1')
    s.output('t1', 'ok')
    s.add('interrupted', {})
    s.user('go on')
    expect(s.messages().at(-1)).toEqual({
      role: 'user',
      content: [
        { type: 'tool_result', tool_use_id: 't1', content: 'ok', is_error: false },
        { type: 'tool_result', tool_use_id: 't2', content: ORPHAN_RESULT, is_error: true },
        { type: 'text', text: 'go on' },
      ],
    })
  })

  it('puts a message that came during the tools after their results', () => {
    const s = session()
    s.user('go')
    s.assistant([use('t1')])
    s.call('t1')
    s.user('hurry', 'steer')
    s.output('t1', 'ok')
    expect(s.messages().at(-1)?.content).toEqual([
      { type: 'tool_result', tool_use_id: 't1', content: 'ok', is_error: false },
      { type: 'text', text: 'hurry' },
    ])
  })

  it('puts a message that came while a reply was written after that reply, so that it is answered', () => {
    const s = session()
    s.user('go')
    const seen_seq = s.events.length
    s.user('hurry', 'steer')
    s.assistant([text('done')], { seen_seq })
    expect(s.messages().map((m) => m.role)).toEqual(['user', 'assistant', 'user'])
  })

  it('sends only the text of a cut reply, and nothing of an empty one', () => {
    const s = session()
    s.user('go')
    s.assistant([{ type: 'reasoning', text: 'hm', signature: 'cut' }, text('Half'), use('t1')], { partial: true })
    s.add('interrupted', {})
    s.user('again')
    s.assistant([text('  ')])
    s.user('and again')
    expect(s.messages()).toEqual([
      { role: 'user', content: [{ type: 'text', text: 'go' }] },
      { role: 'assistant', content: [text('Half')] },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'again' },
          { type: 'text', text: 'and again' },
        ],
      },
    ])
  })

  it('sends reasoning back byte for byte', () => {
    const s = session()
    const reasoning: Block = { type: 'reasoning', text: 'é\u2028', signature: 'AbC+/=' }
    s.user('go')
    s.assistant([reasoning, text('ok')])
    expect(s.messages()[1]).toEqual({ role: 'assistant', content: [reasoning, text('ok')] })
  })

  it('marks what a guard wrote as not from the user', () => {
    const s = session()
    s.user('go')
    s.assistant([text('cut')])
    s.add('guard', { kind: 'truncated_output', content: 'Go on.' })
    const last = s.messages().at(-1)?.content[0]
    expect(last).toMatchObject({ type: 'text', text: expect.stringContaining('not from the user') })
  })
})
