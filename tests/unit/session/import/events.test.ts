import { describe, expect, it } from 'vitest'
import { toModelMessages } from '../../../../src/main/agent/context'
import { parseSession } from '../../../../src/main/session/import/formats'
import { importedModel } from '../../../../src/main/session/import/models'
import trace from '../../../fixtures/import_trace.json'
import { converted, NOW, saved } from './support'

const call = (id: string, name: string, args: unknown) => ({
  id,
  type: 'function',
  function: { name, arguments: args },
})
const TOKEN = `hf_${'a1B2'.repeat(9)}`

describe('a saved session of the reference', () => {
  it('becomes a session that can go on: times, plan, results, guards and a finished turn', () => {
    const todos = [{ id: 1, content: 'Look', status: 'completed' }]
    const { state, events, messages } = converted(
      saved(
        [
          { role: 'system', content: 'You are' },
          { role: 'user', content: 'Train it\nplease', timestamp: '2026-06-01T10:00:01Z' },
          {
            role: 'assistant',
            content: 'First.',
            tool_calls: [call('c1', 'plan_tool', JSON.stringify({ todos })), call('c2', 'bash', '{"command":"ls"}')],
          },
          { role: 'tool', tool_call_id: 'c2', content: 'no such file' },
          { role: 'tool', tool_call_id: 'c1', content: 'Plan updated' },
          {
            role: 'assistant',
            content: [
              { type: 'text', text: 'Done' },
              { type: 'text', text: 'now' },
            ],
          },
        ],
        {
          model_name: 'moonshotai/Kimi-K2.6:novita',
          session_end_time: '2026-06-01T11:00:00Z',
          events: [
            { timestamp: '2026-06-01T10:00:05Z', event_type: 'tool_call', data: { tool_call_id: 'c2' } },
            {
              timestamp: '2026-06-01T10:00:07.5Z',
              event_type: 'tool_output',
              data: { tool_call_id: 'c2', success: false },
            },
          ],
        },
      ),
    )
    expect(state).toMatchObject({
      title: 'Train it',
      model: 'hf/moonshotai/Kimi-K2.6:novita',
      cwd: '/data',
      mode: 'ask',
      status: 'idle',
      last_outcome: 'finished',
      turns: 1,
      created_at: '2026-06-01T10:00:00.000Z',
      updated_at: '2026-06-01T11:00:00.000Z',
      plan: [{ id: '1', content: 'Look', status: 'completed' }],
    })
    expect(messages).toBe(3)
    const tools = state.items.flatMap((item) => (item.kind === 'tool' ? [item] : []))
    expect(tools.map(({ tool, state: s, output, duration_ms }) => [tool, s, output, duration_ms])).toEqual([
      ['plan_tool', 'ok', 'Plan updated', 0],
      ['bash', 'error', 'no such file', 2500],
    ])
    expect(tools[1]?.time).toBe('2026-06-01T10:00:05.000Z')
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1))
    expect(events.map(({ time }) => time)).toEqual(events.map(({ time }) => time).sort())
    expect(events.find(({ type }) => type === 'forked')?.data).toEqual({
      from_session: 'old-1',
      from_seq: 0,
      imported_from: 'session_x.json',
    })
    expect(JSON.stringify(toModelMessages(state.items))).toContain('Done\\nnow')
  })

  it('keeps no secret, says what had been redacted before, and keeps those marks', () => {
    const { state, notes, events } = converted(
      saved([
        { role: 'user', content: 'use [REDACTED_HF_TOKEN] and my-own-secret-1' },
        {
          role: 'assistant',
          content: `it is ${TOKEN}`,
          tool_calls: [call('c', 'bash', JSON.stringify({ command: `curl ${TOKEN}` }))],
        },
        { role: 'tool', tool_call_id: 'c', content: `${TOKEN}\n[REDACTED]${'x'.repeat(60_000)}` },
      ]),
      ['my-own-secret-1'],
    )
    const all = JSON.stringify(events)
    expect(all).not.toContain(TOKEN)
    expect(all).not.toContain('my-own-secret-1')
    expect(state.items[1]).toMatchObject({ kind: 'user', text: 'use [REDACTED_HF_TOKEN] and [REDACTED]' })
    expect(notes).toEqual(['2 places had been redacted before and cannot be restored.'])
  })

  it('keeps a long output whole beside the log, redacted too', () => {
    const { state, spilled } = converted(
      saved([
        { role: 'user', content: 'go' },
        { role: 'assistant', tool_calls: [call('c', 'bash', '{}')] },
        { role: 'tool', tool_call_id: 'c', content: `${TOKEN} ${'x'.repeat(100_000)} end` },
      ]),
    )
    const tool = state.items.find((item) => item.kind === 'tool')
    expect(tool).toMatchObject({ spill: { file: '1.txt', bytes: spilled[0]?.length } })
    expect(tool?.kind === 'tool' && tool.output.length).toBeLessThan(26_000)
    expect(spilled[0]).toMatch(/^\[REDACTED_HF_TOKEN\] x+ end$/)
  })

  it.each([['empty and repeated call ids', ['', '', 'a', 'a'], ['call-1', 'call-2', 'a', 'a-2']]])(
    '%s stay apart',
    (_name, given, expected) => {
      const { state } = converted(
        saved([
          { role: 'user', content: 'go' },
          { role: 'assistant', tool_calls: given.map((id) => call(id, 'bash', '{}')) },
          ...given.map((id, i) => ({ role: 'tool', tool_call_id: id, content: `result ${i}` })),
        ]),
      )
      const tools = state.items.flatMap((item) => (item.kind === 'tool' ? [item] : []))
      expect(tools.map(({ call_id, output }) => [call_id, output])).toEqual(
        expected.map((id, i) => [id, `result ${i}`]),
      )
    },
  )

  it('takes arguments as text, as objects, empty and broken; odd messages are counted, not fatal', () => {
    const { state, notes } = converted(
      saved([
        null,
        'text',
        { role: 'wizard', content: 'x' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'a' },
            { type: 'image_url', image_url: 'u' },
          ],
        },
        { role: 'assistant', content: null, tool_calls: 'none' },
        {
          role: 'assistant',
          tool_calls: [
            call('1', 'a', { x: 1 }),
            call('2', 'b', ''),
            call('3', 'c', '{oops'),
            call('4', 'd', '[1]'),
            { id: '5' },
            null,
          ],
        },
      ]),
    )
    const reply = state.items.find((item) => item.kind === 'assistant')
    expect(reply?.kind === 'assistant' && reply.blocks).toEqual([
      { type: 'tool_use', id: '1', name: 'a', input: { x: 1 } },
      { type: 'tool_use', id: '2', name: 'b', input: {} },
      { type: 'tool_use', id: '3', name: 'c', input: {}, malformed: '{oops' },
      { type: 'tool_use', id: '4', name: 'd', input: {}, malformed: '[1]' },
    ])
    expect(notes).toEqual(['4 tool calls had no result.', '3 messages could not be read and left out.'])
  })

  it('gives a file without any time the time of the import, and never goes back in time', () => {
    const { state } = converted(JSON.stringify({ messages: [{ role: 'user', content: 'a' }] }))
    expect(state.created_at).toBe(new Date(NOW).toISOString())
    const { events } = converted(
      saved([
        { role: 'user', content: 'a', timestamp: '2026-06-03T00:00:00Z' },
        { role: 'user', content: 'b', timestamp: '2026-06-02T00:00:00Z' },
        { role: 'user', content: 'c', timestamp: 'yesterday' },
      ]),
    )
    expect(events.map(({ time }) => time)).toEqual(events.map(({ time }) => time).sort())
  })

  it.each([
    ['anthropic/claude-opus-4.8:fal-ai', 'hf/anthropic/claude-opus-4.8:fal-ai'],
    ['anthropic/claude-opus-4-5', 'anthropic/claude-opus-4-5'],
    ['claude-haiku-5-5', 'anthropic/claude-haiku-5-5'],
    ['huggingface/org/m:cheapest', 'hf/org/m:cheapest'],
    ['ollama/qwen3:8b', 'ollama/qwen3:8b'],
    ['moonshotai/Kimi-K2.6', 'hf/moonshotai/Kimi-K2.6'],
    ['not a real id', null],
    ['gpt', null],
    ['', null],
  ])('the model %s is %s here', (theirs, ours) => {
    expect(importedModel(theirs)).toBe(ours)
  })

  it('uses the default where the model means nothing here, and says so', () => {
    const { state, notes } = converted(saved([{ role: 'user', content: 'a' }], { model_name: 'not a real id' }))
    expect(state.model).toBe('anthropic/default')
    expect(notes.join()).toContain('“not a real id” is not known here')
  })

  it('reads rows of the data set, where messages and events are text', () => {
    const row = { session_id: 'r', messages: JSON.stringify([{ role: 'user', content: 'hi' }]), events: '[]' }
    expect(converted(JSON.stringify(row)).messages).toBe(1)
  })
})

describe('a Claude-Code trace', () => {
  for (const { name, rows, expected } of trace) {
    it(name, () => {
      const { state } = converted(rows.map((row) => JSON.stringify(row)).join('\n'))
      expect(toModelMessages(state.items)).toEqual(expected)
    })
  }
})

describe('what is no session', () => {
  it.each([
    ['', 'The file is empty.'],
    ['{nope', 'It is not JSON.'],
    ['[1,2]', 'It holds no session: an object with “messages” is expected.'],
    ['{"a":1}', 'It holds no session: an object with “messages” is expected.'],
    ['{"messages":[]}', 'It holds no messages.'],
    ['{"messages":[{"role":"system","content":"x"}]}', 'It holds no messages.'],
    [
      '{"model_name":"m","mcpServers":{}}',
      'It is a configuration, not a session: import it with “ml-intern config import FILE”.',
    ],
    [
      '{"seq":1,"type":"a","data":{}}\n{"seq":2,"type":"a","data":{}}',
      'It is the log of an ML Intern session: only files of other programs are imported.',
    ],
    ['{"type":"summary"}\n{"type":"summary"}', 'It holds no messages.'],
    ['\u0000\u0001\u0002', 'It is not JSON.'],
  ])('%j: %s', (text, reason) => {
    expect(parseSession(text)).toEqual({ ok: false, reason })
  })
})
