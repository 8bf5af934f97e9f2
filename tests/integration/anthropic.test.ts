import type { Block } from '@shared/content'
import { afterEach, describe, expect, it } from 'vitest'
import { listAnthropicModels } from '../../src/main/models/anthropic'
import { createCatalogue } from '../../src/main/models/catalogue'
import type { ModelMessage } from '../../src/main/models/types'
import { bash, closeServers, collect, hello, KEY, MODEL, requestOf, setup } from '../support/anthropic-client'
import { createGate, longText, signatureOf } from '../support/fake-anthropic'

afterEach(closeServers)

describe('a reply', () => {
  const thinking = 'The user greets.\nI greet back. 😀'
  const blocks = [
    { type: 'thinking' as const, thinking, chunks: 4 },
    { type: 'redacted_thinking' as const, data: 'b3BhcXVl' },
    { type: 'text' as const, text: 'Grüß dich 😀, I will look.', chunks: 7 },
    { type: 'tool_use' as const, name: 'bash', input: { command: 'ls "ä"', n: [1, { deep: null }] }, chunks: 9 },
  ]
  const usage = { input_tokens: 12, cache_read_input_tokens: 100, cache_creation_input_tokens: 8, output_tokens: 34 }

  it.each([true, false])('comes whole, streamed: %s', async (streaming) => {
    const { server, client } = await setup([{ blocks, usage }])
    const { done, text, reasoning } = await collect(client, requestOf({ streaming }))
    expect(text).toBe('Grüß dich 😀, I will look.')
    expect(reasoning).toBe(thinking)
    expect(done).toMatchObject({
      stop_reason: 'tool_use',
      model: MODEL,
      request_id: 'req_fake_1',
      usage: { prompt_tokens: 120, completion_tokens: 34, cache_read_tokens: 100, cache_creation_tokens: 8 },
    })
    expect(done?.blocks).toEqual([
      { type: 'reasoning', text: thinking, signature: signatureOf(thinking) },
      { type: 'reasoning', text: '', redacted: 'b3BhcXVl' },
      { type: 'text', text: 'Grüß dich 😀, I will look.' },
      {
        type: 'tool_use',
        id: 'toolu_msg_fake_0_3',
        name: 'bash',
        input: { command: 'ls "ä"', n: [1, { deep: null }] },
      },
    ])
    const { body, headers } = server.requests[0] ?? {}
    expect(headers).toMatchObject({ authorization: `Bearer ${KEY}`, 'anthropic-version': '2026-10-21' })
    expect(body).toMatchObject({
      model: MODEL,
      max_tokens: streaming ? 64_000 : 21_333,
      system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }],
      stream: streaming,
      thinking: { type: 'adaptive', display: 'summarized' },
      cache_control: { type: 'ephemeral' },
      tools: [{ ...bash, cache_control: { type: 'ephemeral' } }],
    })
    expect(body).not.toHaveProperty('output_config')
  })

  it('goes back unchanged with the results of its calls, over one connection', async () => {
    const { server, client } = await setup([{ blocks }, { blocks: [{ type: 'text', text: 'Done.' }] }])
    const first = await collect(client)
    const replied: Block[] = first.done?.blocks ?? []
    const messages: ModelMessage[] = [
      ...hello,
      { role: 'assistant', content: replied },
      {
        role: 'user',
        content: [{ type: 'tool_result', tool_use_id: 'toolu_msg_fake_0_3', content: '', is_error: true }],
      },
    ]
    // fetch frees a connection one turn of the event loop after the body's end; between two calls a turn always passes.
    await new Promise((resolve) => setImmediate(resolve))
    const second = await collect(client, requestOf({ messages, effort: 'high' }))
    expect(second.text).toBe('Done.')
    expect(server.requests[1]?.body.output_config).toEqual({ effort: 'high' })
    // A new connection for each call would cost a TLS handshake each turn.
    expect(server.connections()).toBe(1)
  })

  it('with 10,145 chunks arrives whole, in far fewer deltas', async () => {
    const long = longText(10_145, 203_000)
    const { client } = await setup([{ blocks: [long] }])
    const { deltas, text } = await collect(client)
    expect(text).toBe(long.text)
    expect(deltas.length).toBeLessThan(2000)
  })

  it('shows each piece when it comes, not when the reply is over', async () => {
    const gate = createGate()
    const { client } = await setup([
      { blocks: [{ type: 'text', text: 'one two', chunks: ['one', ' two'] }], gate, afterChunks: 1 },
    ])
    const stream = client.stream(requestOf(), new AbortController().signal)[Symbol.asyncIterator]()
    expect((await stream.next()).value).toEqual({ type: 'text', text: 'one' })
    gate.open()
    expect((await stream.next()).value).toEqual({ type: 'text', text: ' two' })
    expect((await stream.next()).value).toMatchObject({ type: 'done' })
    expect((await stream.next()).done).toBe(true)
  })

  it('keeps arguments that are no JSON, instead of failing the stream', async () => {
    const { client } = await setup([
      { blocks: [{ type: 'tool_use', name: 'bash', rawJson: '{"command": "ls', chunks: 3 }] },
    ])
    const { done } = await collect(client)
    expect(done?.blocks[0]).toMatchObject({ name: 'bash', input: {}, malformed: '{"command": "ls' })
  })

  it('tells a refusal with its reason', async () => {
    const stopDetails = { category: 'frontier_llm', explanation: 'Restricted.' }
    const { client } = await setup([{ blocks: [], stopReason: 'refusal', stopDetails }])
    const { done } = await collect(client)
    expect(done).toMatchObject({ stop_reason: 'refusal', refusal: 'frontier_llm: Restricted.', blocks: [] })
  })

  it('that paused is sent back as it is', async () => {
    const { client } = await setup([
      { blocks: [{ type: 'text', text: 'Half.' }], stopReason: 'pause_turn' },
      { blocks: [{ type: 'text', text: 'Rest.' }] },
    ])
    const { done } = await collect(client)
    expect(done?.stop_reason).toBe('pause_turn')
    const messages: ModelMessage[] = [...hello, { role: 'assistant', content: done?.blocks ?? [] }]
    expect((await collect(client, requestOf({ messages }))).text).toBe('Rest.')
  })

  it('of Haiku 4.5 is asked for without the parameters it refuses', async () => {
    const { server, client } = await setup([{ blocks: [{ type: 'text', text: 'ok' }] }], { model: 'claude-haiku-4-5' })
    await collect(client, requestOf({ effort: 'high', tools: [], system: '' }))
    const body = server.requests[0]?.body
    expect(Object.keys(body ?? {}).sort()).toEqual(['cache_control', 'max_tokens', 'messages', 'model', 'stream'])
  })

  it('comes from an address with /v1 too', async () => {
    const { client } = await setup([{ blocks: [{ type: 'text', text: 'ok' }] }], { path: '/v1/' })
    expect((await collect(client)).text).toBe('ok')
  })
})

describe('the environment', () => {
  const names = [
    'ANTHROPIC_API_KEY',
    'ANTHROPIC_AUTH_TOKEN',
    'ANTHROPIC_BASE_URL',
    'ANTHROPIC_PROFILE',
    'ANTHROPIC_CUSTOM_HEADERS',
    'ANTHROPIC_LOG',
  ]
  const before = names.map((name) => [name, process.env[name]] as const)
  afterEach(() => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  })

  it('changes neither key, address, headers nor output: only what the session chose counts', async () => {
    for (const name of names) process.env[name] = 'http://127.0.0.1:1/elsewhere'
    process.env.ANTHROPIC_LOG = 'debug'
    process.env.ANTHROPIC_CUSTOM_HEADERS = 'authorization: Bearer other\nx-leak: yes\nanthropic-version: 2023-06-01'
    const { server, client } = await setup([{ blocks: [{ type: 'text', text: 'ok' }] }])
    expect((await collect(client)).text).toBe('ok')
    expect(server.requests[0]?.headers.authorization).toBe(`Bearer ${KEY}`)
    expect(server.requests[0]?.headers).not.toHaveProperty('x-leak')
  })
})

describe('the live list', () => {
  it('gives windows and abilities', async () => {
    const support = { supported: true }
    const capabilities = { thinking: { types: { adaptive: support } }, effort: { supported: false } }
    const model = { id: 'claude-new', display_name: 'New', max_input_tokens: 5, max_tokens: 6, capabilities }
    const { server } = await setup([], { models: [model, { ...model, id: 'claude-bare', capabilities: null }] })
    const list = (signal: AbortSignal) => listAnthropicModels({ apiKey: KEY, baseURL: server.url }, signal)
    const catalogue = createCatalogue()
    await catalogue.refresh(list, new AbortController().signal)
    expect(catalogue.info('claude-new')).toMatchObject({ name: 'New', context_window: 5, max_output: 6, price: null })
    expect(catalogue.limits('claude-new')).toMatchObject({ adaptive_thinking: true, effort: false, max_tokens: 6 })
    expect(catalogue.limits('claude-bare')).toMatchObject({ adaptive_thinking: true, effort: true })
  })
})

describe('counting tokens', () => {
  it('asks the API for the same request that would be sent, and is null where it cannot be asked', async () => {
    const { client } = await setup([])
    const request = requestOf({ effort: 'high' })
    const signal = new AbortController().signal
    const short = await client.countTokens?.(request, signal)
    const long = [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'word '.repeat(4000) }] }]
    const more = await client.countTokens?.({ ...request, messages: long }, signal)
    expect(short).toBeGreaterThan(0)
    expect(more).toBeGreaterThan((short ?? 0) + 3000)
    const { client: elsewhere } = await setup([], { key: 'sk-ant-api03-the-key-of-another' })
    expect(await elsewhere.countTokens?.(request, signal)).toBeNull()
  })
})
