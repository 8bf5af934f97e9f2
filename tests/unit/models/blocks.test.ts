import type { RawMessageStreamEvent } from '@anthropic-ai/sdk/resources/messages/messages'
import type { Block } from '@shared/content'
import { describe, expect, it } from 'vitest'
import { fromMessage, ReplyBuilder, toMessageParams } from '../../../src/main/models/anthropic-blocks'
import type { ModelMessage } from '../../../src/main/models/types'

const user = (text: string): ModelMessage => ({ role: 'user', content: [{ type: 'text', text }] })
const assistant = (...content: Block[]): ModelMessage => ({ role: 'assistant', content })
const result = (id: string, content = 'ok', is_error = false): ModelMessage => {
  return { role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content, is_error }] }
}

describe('toMessageParams', () => {
  it('gives reasoning back byte for byte, and drops what the API did not sign', () => {
    const signature = 'EqQBCg==\u0000é/+'
    const [, reply] = toMessageParams([
      user('hi'),
      assistant(
        { type: 'reasoning', text: ' let me\n think ', signature },
        { type: 'reasoning', text: '', signature: 'omitted' },
        { type: 'reasoning', text: '', redacted: 'c2VjcmV0' },
        { type: 'reasoning', text: 'from another provider' },
        { type: 'text', text: 'Hello' },
      ),
    ])
    expect(reply?.content).toEqual([
      { type: 'thinking', thinking: ' let me\n think ', signature },
      { type: 'thinking', thinking: '', signature: 'omitted' },
      { type: 'redacted_thinking', data: 'c2VjcmV0' },
      { type: 'text', text: 'Hello' },
    ])
  })

  it('sends no empty text, no empty message, and roles that alternate', () => {
    const params = toMessageParams([
      user('one'),
      assistant({ type: 'text', text: ' \n' }, { type: 'reasoning', text: 'unsigned' }),
      user(''),
      user('two'),
    ])
    expect(params).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'one' },
          { type: 'text', text: 'two' },
        ],
      },
    ])
  })

  it('puts tool results before a steering message of the same turn', () => {
    const params = toMessageParams([
      user('go'),
      assistant(
        { type: 'tool_use', id: 'a', name: 'bash', input: {} },
        { type: 'tool_use', id: 'b', name: 'bash', input: {} },
      ),
      user('wait'),
      result('a'),
      result('b', '', true),
    ])
    expect(params.at(-1)?.content).toEqual([
      { type: 'tool_result', tool_use_id: 'a', content: 'ok' },
      { type: 'tool_result', tool_use_id: 'b', is_error: true },
      { type: 'text', text: 'wait' },
    ])
  })

  it('passes unknown blocks on to the provider that made them, and to no other', () => {
    const search = { type: 'server_tool_use', id: 's', name: 'web_search', input: { query: 'x' } }
    const [, reply] = toMessageParams([
      user('hi'),
      assistant(
        { type: 'opaque', provider: 'anthropic', value: search },
        { type: 'opaque', provider: 'other', value: { type: 'secret' } },
      ),
    ])
    expect(reply?.content).toEqual([search])
  })

  it('replaces half a surrogate pair, which the API refuses', () => {
    const cut = '😀'.slice(0, 1)
    const params = toMessageParams([
      user(`cut ${cut}`),
      assistant({ type: 'text', text: '😀' }),
      result('a', `${cut}!`),
    ])
    expect(JSON.stringify(params)).not.toContain('\\ud83d')
    expect(JSON.stringify(params)).toContain('😀')
  })
})

/** Loosely typed on purpose: what a server sends is not bound by our types. */
function build(...events: object[]): ReplyBuilder {
  const reply = new ReplyBuilder()
  for (const event of events) reply.add(event as RawMessageStreamEvent)
  return reply
}
const start = { type: 'message_start', message: { model: 'claude-x', usage: { input_tokens: 5, output_tokens: 1 } } }
const tool = (index: number) => ({
  type: 'content_block_start',
  index,
  content_block: { type: 'tool_use', id: `t${index}`, name: 'bash', input: {} },
})
const json = (index: number, partial_json: string) => {
  return { type: 'content_block_delta', index, delta: { type: 'input_json_delta', partial_json } }
}
const stop = (index: number) => ({ type: 'content_block_stop', index })
const end = (stop_reason: string, usage: object = { output_tokens: 9 }) => {
  return { type: 'message_delta', delta: { stop_reason, stop_sequence: null }, usage }
}

describe('ReplyBuilder', () => {
  it('joins arguments that were split anywhere, and keeps parallel calls apart', () => {
    const reply = build(
      start,
      tool(0),
      json(0, '{"a"'),
      tool(1),
      json(1, '{"b":[1'),
      json(0, ':"ü\\u00'),
      json(0, 'e9"}'),
      json(1, ',2]}'),
      stop(0),
      stop(1),
      end('tool_use'),
    )
    expect(reply.finish(() => 400).blocks).toEqual([
      { type: 'tool_use', id: 't0', name: 'bash', input: { a: 'üé' } },
      { type: 'tool_use', id: 't1', name: 'bash', input: { b: [1, 2] } },
    ])
  })

  it.each(['{"a":', '[1,2]', '"text"', 'null', 'rm -rf /'])('arguments that are no object are kept raw: %s', (raw) => {
    const reply = build(start, tool(0), json(0, raw), stop(0), end('tool_use'))
    expect(reply.finish(() => 400).blocks).toEqual([
      { type: 'tool_use', id: 't0', name: 'bash', input: {}, malformed: raw },
    ])
  })

  it('a call without arguments is fine; one cut off before its arguments is not', () => {
    const events = [start, tool(0), stop(0)]
    expect(build(...events, end('tool_use')).finish(() => 400).blocks[0]).toEqual({
      type: 'tool_use',
      id: 't0',
      name: 'bash',
      input: {},
    })
    expect(build(...events, end('max_tokens')).finish(() => 400).blocks[0]).toMatchObject({ malformed: '' })
  })

  it('after a cut stream keeps text and whole calls, and no half call that could be run', () => {
    const text = [
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'I will' } },
    ]
    const reply = build(start, ...text, stop(0), tool(1), json(1, '{"x":1}'), stop(1), tool(2), json(2, '{}'))
    expect(reply.partial()).toEqual([
      { type: 'text', text: 'I will' },
      { type: 'tool_use', id: 't1', name: 'bash', input: { x: 1 } },
    ])
    expect(reply.stopped).toBe(false)
  })

  it('counts cached input as input, and lets the last event correct the first', () => {
    const usage = { input_tokens: 7, cache_read_input_tokens: 100, cache_creation_input_tokens: 20, output_tokens: 1 }
    const reply = build(
      { type: 'message_start', message: { model: 'm', usage } },
      end('end_turn', { input_tokens: null, output_tokens: 42 }),
    )
    expect(reply.finish(() => 400).usage).toEqual({
      prompt_tokens: 127,
      completion_tokens: 42,
      cache_read_tokens: 100,
      cache_creation_tokens: 20,
    })
  })

  it.each([
    ['end_turn', 'end_turn'],
    ['pause_turn', 'pause_turn'],
    ['model_context_window_exceeded', 'context_overflow'],
    ['something_new', 'end_turn'],
  ])('stop reason %s', (given, expected) => {
    expect(build(start, end(given)).finish(() => 400).stop_reason).toBe(expected)
  })

  it('tells why the model refused', () => {
    const stop_details = { type: 'refusal', category: 'frontier_llm', explanation: 'May help a competitor.' }
    const reply = build(start, { type: 'message_delta', delta: { stop_reason: 'refusal', stop_details }, usage: {} })
    expect(reply.finish(() => 400)).toMatchObject({
      stop_reason: 'refusal',
      refusal: 'frontier_llm: May help a competitor.',
      refusal_category: 'frontier_llm',
    })
  })

  it('explains a refusal that the API does not explain: machine learning work can trigger it without fault', () => {
    const stop_details = { type: 'refusal', category: 'frontier_llm', explanation: null }
    const reply = build(start, { type: 'message_delta', delta: { stop_reason: 'refusal', stop_details }, usage: {} })
    expect(reply.finish(() => 400).refusal).toMatch(/^frontier_llm: .*machine learning/)
    const none = build(start, {
      type: 'message_delta',
      delta: { stop_reason: 'refusal', stop_details: null },
      usage: {},
    })
    expect(none.finish(() => 400)).not.toHaveProperty('refusal')
  })

  it('estimates what a gateway does not count, and says so', () => {
    const message = {
      type: 'message',
      role: 'assistant',
      model: 'm',
      content: [{ type: 'text', text: 'x'.repeat(40) }],
    }
    const whole = { ...message, stop_reason: 'end_turn', usage: {} }
    expect(fromMessage(whole, () => 400)).toMatchObject({
      usage: { prompt_tokens: 100, completion_tokens: 10 },
      usage_estimated: true,
    })
    expect(fromMessage({ ...whole, usage: { input_tokens: 3, output_tokens: 1 } }, () => 400)).not.toHaveProperty(
      'usage_estimated',
    )
  })

  it('passes over events, deltas and blocks it does not know', () => {
    const reply = build(
      start,
      {
        type: 'content_block_start',
        index: 0,
        content_block: { type: 'server_tool_use', id: 's', name: 'w', input: {} },
      },
      json(0, '{"q":1}'),
      { type: 'content_block_delta', index: 7, delta: { type: 'text_delta', text: 'of no block' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'future_delta' } },
      { type: 'future_event' },
      stop(0),
      end('end_turn'),
    )
    expect(reply.finish(() => 400).blocks).toEqual([
      {
        type: 'opaque',
        provider: 'anthropic',
        value: { type: 'server_tool_use', id: 's', name: 'w', input: { q: 1 } },
      },
    ])
  })
})

describe('fromMessage', () => {
  it.each([null, 'login page', {}, { type: 'message' }])('%j is no message', (body) => {
    expect(() => fromMessage(body, () => 400)).toThrow('not a message')
  })
})
