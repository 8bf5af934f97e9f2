import Anthropic from '@anthropic-ai/sdk'
import { describe, expect, it } from 'vitest'
import { createGate, type Reply, signatureOf, startFakeAnthropic } from '../support/fake-anthropic'

const user = (text: string) => ({ role: 'user', content: [{ type: 'text', text }] })
const good = { model: 'claude-opus-5-5', max_tokens: 10, messages: [user('hi')] }
const headers = {
  authorization: 'Bearer k',
  'anthropic-version': '2026-10-21',
  'content-type': 'application/json',
}
const ok: Reply = { blocks: [{ type: 'text', text: 'ok' }] }

async function send(url: string, body: unknown, change: Record<string, string> = {}) {
  const init = { method: 'POST', headers: { ...headers, ...change }, body: JSON.stringify(body) }
  const response = await fetch(`${url}/v1/messages`, init)
  return { status: response.status, text: await response.text() }
}

/** The server must refuse the request, and fail the test that sent it. */
async function refused(body: unknown, change?: Record<string, string>): Promise<string> {
  const server = await startFakeAnthropic([ok])
  const { status } = await send(server.url, body, change)
  expect(status).toBe(400)
  const error: unknown = await server.close().catch((caught: unknown) => caught)
  expect(error).toBeInstanceOf(Error)
  return String(error)
}

const call = { type: 'tool_use', id: 't1', name: 'bash', input: {} }
const answer = { type: 'tool_result', tool_use_id: 't1', content: 'ok' }

describe('the fake server', () => {
  const wrong: [string, object, RegExp][] = [
    ['a sampling parameter', { ...good, temperature: 1 }, /temperature: extra inputs/],
    ['an unknown field', { ...good, max_token: 1 }, /max_token: extra inputs/],
    ['a provider prefix', { ...good, model: 'anthropic/claude-opus-5-5' }, /prefix/],
    ['an empty text block', { ...good, messages: [user(' \n')] }, /non-whitespace/],
    ['two user messages in a row', { ...good, messages: [user('a'), user('b')] }, /alternate/],
    [
      'a prefill',
      { ...good, messages: [user('a'), { role: 'assistant', content: [{ type: 'text', text: 'b' }] }] },
      /end with a user/,
    ],
    [
      'an unanswered call',
      { ...good, messages: [user('a'), { role: 'assistant', content: [call] }, user('b')] },
      /t1 .* has 0 tool_results/,
    ],
    ['an answer to no call', { ...good, messages: [{ role: 'user', content: [answer] }] }, /answers no tool_use/],
    [
      'a result after text',
      {
        ...good,
        messages: [
          user('a'),
          { role: 'assistant', content: [call] },
          { role: 'user', content: [...user('x').content, answer] },
        ],
      },
      /must come first/,
    ],
    [
      'thinking that was changed',
      {
        ...good,
        messages: [
          user('a'),
          { role: 'assistant', content: [{ type: 'thinking', thinking: 'hm!', signature: signatureOf('hm') }] },
          user('b'),
        ],
      },
      /did not sign/,
    ],
    ['a manual thinking budget', { ...good, thinking: { type: 'enabled', budget_tokens: 2000 } }, /not taken/],
    ['a tool without a schema', { ...good, tools: [{ name: 'x', description: 'y' }] }, /input_schema/],
  ]
  it.each(wrong)('refuses %s', async (_name, body, expected) => {
    expect(await refused(body)).toMatch(expected)
  })

  it('refuses a key in the old header, another version, another content type', async () => {
    expect(await refused(good, { 'x-api-key': 'k' })).toMatch(/x-api-key/)
    expect(await refused(good, { 'anthropic-version': '2023-06-01' })).toMatch(/anthropic-version/)
    expect(await refused(good, { 'content-type': 'text/plain' })).toMatch(/content-type/)
    expect(await refused(good, { authorization: 'k' })).toMatch(/Bearer/)
  })

  it('notices that the thinking before a tool call did not come back', async () => {
    const think: Reply = {
      blocks: [
        { type: 'thinking', thinking: 'hm' },
        { type: 'tool_use', name: 'bash', id: 't1' },
      ],
    }
    const server = await startFakeAnthropic([think, ok])
    await send(server.url, good)
    const messages = [user('hi'), { role: 'assistant', content: [call] }, { role: 'user', content: [answer] }]
    expect((await send(server.url, { ...good, messages })).status).toBe(400)
    await expect(server.close()).rejects.toThrow(/thinking that led to t1/)
  })

  it('notices a request more than the script holds', async () => {
    const server = await startFakeAnthropic([ok])
    expect((await send(server.url, good)).status).toBe(200)
    await send(server.url, good)
    await expect(server.close()).rejects.toThrow(/only 1 replies are scripted/)
  })

  it('streams what the SDK’s own helper understands, held by a gate', async () => {
    const gate = createGate()
    const blocks: Reply = {
      blocks: [
        { type: 'thinking', thinking: 'hm', chunks: 2 },
        { type: 'text', text: 'Hello', chunks: 5 },
        { type: 'tool_use', name: 'bash', input: { command: 'ls' }, chunks: 3 },
      ],
      gate,
      afterChunks: 4,
    }
    const server = await startFakeAnthropic([blocks, blocks])
    const client = new Anthropic({ apiKey: 'k', baseURL: server.url, maxRetries: 0 })
    const params = {
      model: 'claude-opus-5-5',
      max_tokens: 10,
      messages: [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'hi' }] }],
    }
    const stream = client.messages.stream(params)
    await gate.reached
    gate.open()
    const streamed = await stream.finalMessage()
    expect(streamed.content).toMatchObject([
      { type: 'thinking', thinking: 'hm', signature: signatureOf('hm') },
      { type: 'text', text: 'Hello' },
      { type: 'tool_use', name: 'bash', input: { command: 'ls' } },
    ])
    const whole = await client.messages.create(params)
    expect(whole.content.map(({ type }) => type)).toEqual(['thinking', 'text', 'tool_use'])
    expect(whole.usage.output_tokens).toBe(streamed.usage.output_tokens)
    expect(
      (await client.messages.countTokens({ model: params.model, messages: params.messages })).input_tokens,
    ).toBeGreaterThan(0)
    await server.close()
  })
})
