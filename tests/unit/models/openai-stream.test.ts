import { describe, expect, it } from 'vitest'
import { ReplyBuilder } from '../../../src/main/models/openai/stream'
import { callPiece, delta, type Json } from '../../support/fake-openai'

function build(...chunks: Json[]) {
  const reply = new ReplyBuilder()
  const shown = chunks.flatMap((chunk) => reply.add(chunk))
  return { reply, shown, ...reply.finish(() => 400) }
}
const stop = delta({}, 'stop')
const call = (input: Json, name = 'bash', malformed?: string) => ({
  type: 'tool_use',
  id: expect.stringMatching(/^(a|b|call_[\da-f]{32})$/),
  name,
  input,
  ...(malformed === undefined ? {} : { malformed }),
})

describe('tool calls in pieces', () => {
  const cases: [string, Json[], unknown[]][] = [
    [
      'as the API promises',
      [
        callPiece(0, 'a', 'bash', ''),
        callPiece(0, undefined, undefined, '{"x"'),
        callPiece(0, undefined, undefined, ':1}'),
      ],
      [call({ x: 1 })],
    ],
    [
      'two, interleaved',
      [
        callPiece(0, 'a', 'bash', '{"x":'),
        callPiece(1, 'b', 'read', '{"y":'),
        callPiece(0, undefined, undefined, '1}'),
        callPiece(1, undefined, undefined, '2}'),
      ],
      [call({ x: 1 }), call({ y: 2 }, 'read')],
    ],
    ['without id and type', [callPiece(0, undefined, 'bash', '{"x":1}')], [call({ x: 1 })]],
    ['arguments as an object', [callPiece(0, 'a', 'bash', { x: { y: [1] } })], [call({ x: { y: [1] } })]],
    ['arguments encoded twice', [callPiece(0, 'a', 'bash', JSON.stringify('{"x":1}'))], [call({ x: 1 })]],
    ['no arguments at all', [callPiece(0, 'a', 'bash', undefined)], [call({})]],
    ['arguments null as text', [callPiece(0, 'a', 'bash', 'null')], [call({})]],
    [
      'without index: a new id or name is a new call',
      [
        callPiece(undefined, 'a', 'bash', '{"x":'),
        callPiece(undefined, undefined, undefined, '1}'),
        callPiece(undefined, 'b', 'bash', '{"x":2}'),
      ],
      [call({ x: 1 }), call({ x: 2 })],
    ],
    [
      'without index or id',
      [callPiece(undefined, undefined, 'bash', '{"x":1}'), callPiece(undefined, undefined, 'bash', '{"x":2}')],
      [call({ x: 1 }), call({ x: 2 })],
    ],
    [
      'every call with index 0',
      [callPiece(0, 'a', 'bash', '{"x":1}'), callPiece(0, 'b', 'read', '{"y":2}')],
      [call({ x: 1 }), call({ y: 2 }, 'read')],
    ],
    [
      'another id with each piece',
      [callPiece(0, 'a', 'bash', '{"x"'), callPiece(0, 'b', undefined, ':1}')],
      [call({ x: 1 })],
    ],
    [
      'the name repeated with each piece',
      [callPiece(0, 'a', 'bash', '{"x"'), callPiece(0, 'a', 'bash', ':1}'), callPiece(0, 'a', 'bash', '')],
      [call({ x: 1 })],
    ],
    ['the name in two pieces', [callPiece(0, 'a', 'ba', ''), callPiece(0, undefined, 'sh', '{}')], [call({})]],
    ['arguments that are no JSON', [callPiece(0, 'a', 'bash', '{"x": oops')], [call({}, 'bash', '{"x": oops')]],
    ['arguments that are no object', [callPiece(0, 'a', 'bash', '[1]')], [call({}, 'bash', '[1]')]],
  ]
  it.each(cases)('%s', (_name, chunks, expected) => {
    const { blocks, stop_reason } = build(...chunks, stop)
    expect(blocks).toEqual(expected)
    // Most local servers say `stop` here: the calls would never run.
    expect(stop_reason).toBe('tool_use')
  })

  it('a call that the output limit cut is malformed, never run with half of its arguments', () => {
    const { blocks, stop_reason } = build(callPiece(0, 'a', 'bash', '{"command":"rm -rf b'), delta({}, 'length'))
    expect(stop_reason).toBe('max_tokens')
    expect(blocks).toEqual([call({}, 'bash', '{"command":"rm -rf b')])
    expect(build(callPiece(0, 'a', 'bash', ''), delta({}, 'length')).blocks).toEqual([call({}, 'bash', '')])
  })

  it('a stream that died keeps no call', () => {
    const { reply } = build(delta({ content: 'x' }), callPiece(0, 'a', 'bash', '{}'))
    expect(reply.partial()).toEqual([{ type: 'text', text: 'x' }])
  })
})

describe('text and reasoning', () => {
  it.each(['reasoning_content', 'reasoning'])('%s is reasoning, before the text', (field) => {
    const { blocks, shown } = build(
      delta({ [field]: 'hm ' }),
      delta({ [field]: 'yes', content: '' }),
      delta({ content: 'Hi' }),
      stop,
    )
    expect(shown).toEqual([
      { type: 'reasoning', text: 'hm ' },
      { type: 'reasoning', text: 'yes' },
      { type: 'text', text: 'Hi' },
    ])
    expect(blocks).toEqual([
      { type: 'reasoning', text: 'hm yes' },
      { type: 'text', text: 'Hi' },
    ])
  })

  it('the same reasoning in both fields is counted once, and nulls are nothing', () => {
    const both = delta({ reasoning_content: 'a', reasoning: 'a', content: null, tool_calls: null })
    expect(build(both, stop).blocks).toEqual([{ type: 'reasoning', text: 'a' }])
  })

  it('content in parts', () => {
    const parts = [
      { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] },
      { type: 'text', text: 'Hi' },
    ]
    expect(build(delta({ content: parts }), stop).blocks).toEqual([
      { type: 'reasoning', text: 'hm' },
      { type: 'text', text: 'Hi' },
    ])
  })

  it.each([
    ['stop', 'end_turn'],
    ['length', 'max_tokens'],
    ['content_filter', 'refusal'],
    ['eos', 'end_turn'],
  ])('finish reason %s', (reason, expected) => {
    expect(build(delta({ content: 'x' }, reason)).stop_reason).toBe(expected)
  })

  it('a refusal carries its words', () => {
    expect(build(delta({ refusal: 'I cannot ' }), delta({ refusal: 'do it.' }, 'stop'))).toMatchObject({
      stop_reason: 'refusal',
      refusal: 'I cannot do it.',
    })
  })
})

describe('usage', () => {
  const reply = (usage: unknown) => build(delta({ content: 'x'.repeat(41) }), { choices: [], usage }, stop)
  const count = (usage: unknown) => reply(usage).usage

  it('is what the server counts, with its cache', () => {
    const details = { cached_tokens: 70 }
    const expected = { prompt_tokens: 90, completion_tokens: 5, cache_read_tokens: 70, cache_creation_tokens: 0 }
    expect(count({ prompt_tokens: 90, completion_tokens: 5, prompt_tokens_details: details })).toEqual(expected)
    expect(count({ prompt_tokens: 90, completion_tokens: 5, prompt_cache_hit_tokens: 70 })).toEqual(expected)
    expect(reply({ prompt_tokens: 90, completion_tokens: 5 })).not.toHaveProperty('usage_estimated')
  })

  it.each([undefined, null, {}, { prompt_tokens: 0, completion_tokens: 0 }])(
    '%j is estimated: a server that does not count must not look free',
    (usage) => {
      expect(count(usage)).toEqual({
        prompt_tokens: 100,
        completion_tokens: 11,
        cache_read_tokens: 0,
        cache_creation_tokens: 0,
      })
      expect(reply(usage).usage_estimated).toBe(true)
    },
  )
})
