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
  it('sends an effort to the router only, in the words it knows', () => {
    expect(toBody('m', request, 'hf', newQuirks('hf')).reasoning_effort).toBe('high')
    expect(toBody('m', { ...request, effort: 'low' }, 'hf', newQuirks('hf')).reasoning_effort).toBe('low')
    expect(toBody('m', { ...request, effort: null }, 'hf', newQuirks('hf'))).not.toHaveProperty('reasoning_effort')
    expect(toBody('m', request, 'ollama', newQuirks('ollama'))).not.toHaveProperty('reasoning_effort')
  })
  it('has no field without a use', () => {
    const body = toBody('m', { ...request, streaming: false, effort: null }, 'vllm', newQuirks('vllm'))
    expect(Object.keys(body)).toEqual(['model', 'messages', 'stream'])
  })
})
