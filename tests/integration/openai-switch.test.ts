import type { Block } from '@shared/content'
import { afterEach, describe, expect, it } from 'vitest'
import type { ModelMessage } from '../../src/main/models/types'
import * as anthropic from '../support/anthropic-client'
import { callPiece, delta } from '../support/fake-openai'
import * as openai from '../support/openai-client'

afterEach(async () => {
  await anthropic.closeServers()
  await openai.closeServers()
})

const results = (blocks: readonly Block[]): ModelMessage => ({
  role: 'user',
  content: blocks.flatMap((block) =>
    block.type === 'tool_use'
      ? [{ type: 'tool_result' as const, tool_use_id: block.id, content: 'out', is_error: false }]
      : [],
  ),
})

describe('a model of another provider in mid-session', () => {
  it('Anthropic, chat completions and back: each gets what it understands, and its own reasoning unchanged', async () => {
    // Both fakes judge what they get: signatures, order of results, ids, fields, roles.
    const first = await anthropic.setup([
      {
        blocks: [
          { type: 'thinking', thinking: 'secret thoughts' },
          { type: 'redacted_thinking', data: 'b3BhcXVl' },
          { type: 'raw', block: { type: 'server_tool_use', id: 'srv', name: 'web_search', input: {} } },
          { type: 'tool_use', name: 'bash', input: { command: 'ls' } },
          { type: 'tool_use', name: 'bash', input: { command: 'pwd' } },
        ],
      },
      { blocks: [{ type: 'text', text: 'Back.' }] },
    ])
    const second = await openai.setup([
      {
        chunks: [
          delta({ reasoning_content: 'my own' }),
          callPiece(0, 'call:1/odd id with spaces', 'bash', '{"command":"id"}'),
          callPiece(1, `call_${'x'.repeat(60)}`, 'bash', '{}'),
          delta({}, 'tool_calls'),
        ],
      },
      { chunks: [delta({ content: 'Done.' }), delta({}, 'stop')] },
    ])

    const history: ModelMessage[] = [...anthropic.hello]
    const add = (blocks: Block[]) => history.push({ role: 'assistant', content: blocks }, results(blocks))
    add((await anthropic.collect(first.client)).done?.blocks ?? [])
    add((await openai.collect(second.client, openai.requestOf({ messages: history }))).done?.blocks ?? [])

    const there = await openai.collect(second.client, openai.requestOf({ messages: history }))
    expect(there.text).toBe('Done.')
    const back = await anthropic.collect(first.client, anthropic.requestOf({ messages: history }))
    expect(back.text).toBe('Back.')

    const toOpenAi = JSON.stringify(second.server.requests.map(({ body }) => body))
    for (const foreign of ['secret thoughts', 'b3BhcXVl', 'server_tool_use', 'signature']) {
      expect(toOpenAi).not.toContain(foreign)
    }
    const toAnthropic = JSON.stringify(first.server.requests[1]?.body.messages)
    for (const own of ['secret thoughts', 'b3BhcXVl', 'server_tool_use']) expect(toAnthropic).toContain(own)
    expect(toAnthropic).not.toContain('my own')
    expect(history[1]?.content).toHaveLength(5)
  })

  it('a reply of thoughts alone leaves no empty message with the other', async () => {
    const messages: ModelMessage[] = [
      ...anthropic.hello,
      { role: 'assistant', content: [{ type: 'reasoning', text: 'only thoughts' }] },
      { role: 'user', content: [{ type: 'text', text: 'and?' }] },
    ]
    const one = await anthropic.setup([{ blocks: [{ type: 'text', text: 'ok' }] }])
    expect((await anthropic.collect(one.client, anthropic.requestOf({ messages }))).text).toBe('ok')
    const other = await openai.setup([{ chunks: [delta({ content: 'ok' }), delta({}, 'stop')] }])
    expect((await openai.collect(other.client, openai.requestOf({ messages }))).text).toBe('ok')
  })
})
