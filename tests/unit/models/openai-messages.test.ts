import { describe, expect, it } from 'vitest'
import { newQuirks, toBody, toMessages } from '../../../src/main/models/openai/messages'
import type { ModelMessage } from '../../../src/main/models/types'

const history: ModelMessage[] = [
  { role: 'user', content: [{ type: 'text', text: 'go \ud83d' }] },
  {
    role: 'assistant',
    content: [
      { type: 'reasoning', text: 'signed', signature: 'sig' },
      { type: 'reasoning', text: 'own' },
      { type: 'opaque', provider: 'anthropic', value: { type: 'server_tool_use' } },
      { type: 'tool_use', id: 'a', name: 'bash', input: { command: 'ls \udc00' } },
      { type: 'tool_use', id: 'b', name: 'read', input: {} },
    ],
  },
  {
    role: 'user',
    content: [
      { type: 'tool_result', tool_use_id: 'a', content: '', is_error: false },
      { type: 'tool_result', tool_use_id: 'b', content: 'no such file', is_error: true },
      { type: 'text', text: 'and?' },
    ],
  },
  { role: 'assistant', content: [{ type: 'reasoning', text: 'only thoughts' }] },
  { role: 'user', content: [{ type: 'text', text: 'more' }] },
]

describe('toMessages', () => {
  it('leaves out what only another provider understands, and nothing becomes empty', () => {
    expect(toMessages('sys', history, { noText: null, reasoning: false })).toEqual([
      { role: 'system', content: 'sys' },
      { role: 'user', content: 'go \ufffd' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [
          { id: 'a', type: 'function', function: { name: 'bash', arguments: '{"command":"ls \ufffd"}' } },
          { id: 'b', type: 'function', function: { name: 'read', arguments: '{}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'a', content: '(no output)' },
      { role: 'tool', tool_call_id: 'b', content: 'Error: no such file' },
      { role: 'user', content: 'and?\n\nmore' },
    ])
  })

  it('gives a server its own reasoning back only where it asked, and never signed reasoning', () => {
    const params = toMessages('', history, { noText: '', reasoning: true })
    expect(params[1]).toMatchObject({ content: '', reasoning_content: 'own' })
  })
})

describe('toBody', () => {
  const request = { system: '', messages: history, tools: [], effort: 'max' as const, streaming: true }
  it('sends the level it is given, and none for none', () => {
    expect(toBody('m', request, 'hf', newQuirks(), 'high').reasoning_effort).toBe('high')
    expect(toBody('m', request, 'hf', newQuirks(), null)).not.toHaveProperty('reasoning_effort')
  })
  it('has no field without a use', () => {
    const body = toBody('m', { ...request, streaming: false }, 'vllm', newQuirks(), null)
    expect(Object.keys(body)).toEqual(['model', 'messages', 'stream'])
  })
  it('tells nobody but the router, and only until it is refused, what to cache', () => {
    const model = 'anthropic/claude-opus-4.8:fal-ai'
    expect(toBody(model, request, 'hf', newQuirks(), null)).toHaveProperty('cache_control')
    expect(toBody(model, request, 'openai-compat', newQuirks(), null)).not.toHaveProperty('cache_control')
    const refused = toBody(model, request, 'hf', { ...newQuirks(), cache: false }, null)
    expect(JSON.stringify(refused)).not.toContain('cache_control')
  })
})

describe('ids of calls', () => {
  it('that another provider gave are translated, call and result alike', () => {
    const ids = ['call_6f9619ff-8b86-d011-b42d-00cf4fc964ff', 'toolu|1.2', '', `x${'y'.repeat(200)}`]
    const messages: ModelMessage[] = ids.flatMap((id): ModelMessage[] => [
      { role: 'assistant', content: [{ type: 'tool_use', id, name: 'bash', input: {} }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content: 'x', is_error: false }] },
    ])
    const params = toMessages('', messages, { noText: null, reasoning: false })
    const calls = params.flatMap((param) => ('tool_calls' in param ? (param.tool_calls ?? []).map(({ id }) => id) : []))
    const results = params.flatMap((param) => ('tool_call_id' in param ? [param.tool_call_id] : []))
    expect(calls).toEqual(results)
    expect(new Set(calls).size).toBe(ids.length)
    for (const id of calls) expect(id).toMatch(/^[A-Za-z0-9_-]{1,40}$/)
    expect(calls[0]).toBe('call_6f9619ff8b86d011b42d00cf4fc964ff')
  })
})
