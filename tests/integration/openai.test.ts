import { afterEach, describe, expect, it } from 'vitest'
import type { ModelMessage } from '../../src/main/models/types'
import { callPiece, delta, usageChunk } from '../support/fake-openai'
import { clientOf, closeServers, collect, hello, requestOf, serve, setup, TOKEN, tool } from '../support/openai-client'

afterEach(closeServers)

const text = (content: string) => delta({ content })
const whole = (message: Record<string, unknown>, finish_reason = 'stop') => ({
  json: { id: 'x', model: 'served-model', choices: [{ index: 0, message, finish_reason }] },
})

describe('a reply', () => {
  it('streams text, reasoning and calls, and goes back with their results over one connection', async () => {
    const { server, client } = await setup([
      {
        chunks: [
          delta({ role: 'assistant', content: '' }),
          delta({ reasoning_content: 'hm' }),
          text('Grüß '),
          text('😀'),
          callPiece(0, 'call_a', 'bash', '{"command":'),
          callPiece(0, undefined, undefined, '"ls"}'),
          delta({}, 'stop'),
          usageChunk(120, 34, 100),
        ],
        headers: { 'x-request-id': 'req_7' },
      },
      { chunks: [text('Done.'), delta({}, 'stop')] },
    ])
    const first = await collect(client)
    expect(first).toMatchObject({ text: 'Grüß 😀', reasoning: 'hm' })
    expect(first.done).toMatchObject({
      stop_reason: 'tool_use',
      model: 'served-model',
      request_id: 'req_7',
      usage: { prompt_tokens: 120, completion_tokens: 34, cache_read_tokens: 100, cache_creation_tokens: 0 },
    })
    expect(server.requests[0]?.body).toMatchObject({
      model: 'org/model',
      stream: true,
      stream_options: { include_usage: true },
      tool_choice: 'auto',
      tools: [{ type: 'function', function: { name: tool.name, parameters: { type: 'object' } } }],
    })
    const messages: ModelMessage[] = [
      ...hello,
      { role: 'assistant', content: first.done?.blocks ?? [] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'call_a', content: '', is_error: false }] },
    ]
    await new Promise((resolve) => setImmediate(resolve))
    const before = server.connections()
    expect((await collect(client, requestOf({ messages }))).text).toBe('Done.')
    expect(server.requests[1]?.body.messages[2]).not.toHaveProperty('reasoning_content')
    // The second call may share the machine with the refresh of the window; it does not open one for itself.
    expect(server.connections() - before).toBeLessThanOrEqual(1)
  })

  it('in one piece has the same deltas', async () => {
    const calls = [{ id: 'call_a', type: 'function', function: { name: 'bash', arguments: { command: 'ls' } } }]
    const { server, client } = await setup([whole({ content: 'Hi', reasoning: 'hm', tool_calls: calls })])
    const { done, text: shown, reasoning } = await collect(client, requestOf({ streaming: false }))
    expect([shown, reasoning, done?.stop_reason]).toEqual(['Hi', 'hm', 'tool_use'])
    expect(done?.blocks[2]).toMatchObject({ type: 'tool_use', input: { command: 'ls' } })
    expect(server.requests[0]?.body).not.toHaveProperty('stream_options')
    // This server does not count: the estimate is that of the request as it was sent.
    expect(done?.usage.prompt_tokens).toBeGreaterThan(20)
  })

  it('in one piece although a stream was asked for', async () => {
    const { client } = await setup([whole({ content: 'Hi' })])
    expect((await collect(client)).done?.blocks).toEqual([{ type: 'text', text: 'Hi' }])
  })

  it.each([
    { done: false },
    { end: 'hang' as const },
    { end: 'hang' as const, chunks: [text('Hi'), delta({}, 'stop'), 'data: [DONE]\n\n'] },
  ])('ends without [DONE], or with a connection that stays open: %j', async (how) => {
    const { client } = await setup([{ chunks: [text('Hi'), delta({}, 'stop')], ...how }])
    expect((await collect(client)).done?.stop_reason).toBe('end_turn')
  })

  it('ends with [DONE] where the server never says why', async () => {
    const { client } = await setup([{ chunks: [text('Hi')] }])
    expect((await collect(client)).done).toMatchObject({ stop_reason: 'end_turn' })
  })
})

describe('what a server refuses by name is left out, once and for all', () => {
  const refuse = (message: string, param: string | null = null, status = 400) => ({
    status,
    json: { error: { message, param, type: 'invalid_request_error' } },
  })
  const ok = { chunks: [text('Hi'), delta({}, 'stop')] }

  it('stream_options', async () => {
    const { server, client } = await setup([refuse('Unknown field: stream_options', null, 422), ok, ok])
    expect((await collect(client)).text).toBe('Hi')
    expect((await collect(client)).text).toBe('Hi')
    expect(server.requests.map(({ body }) => 'stream_options' in body)).toEqual([true, false, false])
  })

  it('reasoning_effort', async () => {
    const refusal = refuse('Unsupported parameter', 'reasoning_effort')
    const { server, client } = await setup([refusal, ok, ok], 'hf/org/model')
    await collect(client, requestOf({ effort: 'high' }))
    await collect(client, requestOf({ effort: 'high' }))
    expect(server.requests.map(({ body }) => body.reasoning_effort)).toEqual(['high', undefined, undefined])
  })

  it('max_tokens, where the limit has a new name', async () => {
    const { server, client } = await setup([refuse("Use 'max_completion_tokens' instead.", 'max_tokens'), ok])
    expect((await collect(client, requestOf({ max_tokens: 64 }))).text).toBe('Hi')
    expect(server.requests[1]?.body).toMatchObject({ max_completion_tokens: 64 })
    expect(server.requests[1]?.body).not.toHaveProperty('max_tokens')
  })

  it('and its own reasoning goes back where it is demanded', async () => {
    const { server, client } = await setup([refuse('Missing `reasoning_content` in message 2'), ok, ok])
    const messages: ModelMessage[] = [
      ...hello,
      {
        role: 'assistant',
        content: [
          { type: 'reasoning', text: 'hm' },
          { type: 'tool_use', id: 'a', name: 'bash', input: {} },
        ],
      },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a', content: 'x', is_error: false }] },
    ]
    for (let call = 0; call < 2; call++) expect((await collect(client, requestOf({ messages }))).text).toBe('Hi')
    expect(server.requests.map(({ body }) => body.messages[2]?.reasoning_content)).toEqual([undefined, 'hm', 'hm'])
  })

  it('any other 400 is a failure at once', async () => {
    const { server, client } = await setup([refuse('temperature is wrong')])
    expect((await collect(client)).failed?.failure).toMatchObject({ kind: 'bad_request', retryable: false })
    expect(server.requests).toHaveLength(1)
  })
})

describe('a stream that fails', () => {
  const half = [text('abc'), callPiece(0, 'a', 'bash', '{"command":"rm')]

  it.each([{ end: 'drop' as const }, { done: false }])('%j is the network, with the text and no call', async (how) => {
    const { client } = await setup([{ chunks: half, ...how }])
    const { failed } = await collect(client)
    expect(failed).toMatchObject({
      failure: { kind: 'network', retryable: true },
      blocks: [{ type: 'text', text: 'abc' }],
      usage: null,
    })
  })

  it.each([
    [{ error: { message: 'Loading', type: 'unavailable_error' } }, 'overloaded'],
    [{ error: { message: 'slow down', code: 429 } }, 'rate_limit'],
    [{ error: 'something broke' }, 'server'],
    [{ error: { message: 'too long', code: 'context_length_exceeded' } }, 'context_overflow'],
  ])('an error in the middle, %j', async (error, kind) => {
    const { client } = await setup([{ chunks: [text('abc'), error] }])
    const { failed } = await collect(client)
    expect(failed).toMatchObject({ failure: { kind }, blocks: [{ type: 'text', text: 'abc' }] })
  })

  it.each(['data: {"choices": [\n\n', 'data: [1]\n\n'])('broken events are told as such', async (event) => {
    const { client } = await setup([{ chunks: [text('abc'), event] }])
    expect((await collect(client)).failed?.failure).toMatchObject({ kind: 'server', retryable: true })
  })

  it('vLLM’s abort is no end of a reply', async () => {
    const { client } = await setup([{ chunks: [text('abc'), delta({}, 'abort')] }])
    expect((await collect(client)).failed?.failure).toMatchObject({ kind: 'server', retryable: true })
  })

  it('a page or a redirect is another program on that address', async () => {
    const { client } = await setup([
      { text: '<h1>Log in</h1>', type: 'text/html' },
      { status: 307, text: '', headers: { location: 'http://127.0.0.1:9/v1' } },
    ])
    const page = await collect(client)
    expect(page.failed?.failure).toMatchObject({ kind: 'bad_request', retryable: false })
    expect(page.failed?.failure.remedy).toContain('VLLM_BASE_URL')
    expect((await collect(client)).failed?.failure.message).toContain('redirect')
  })

  it.each(['hang', 'mid'])('the user’s stop ends it at once (%s)', async (when) => {
    const { server, client } = await setup([when === 'hang' ? { hang: true } : { chunks: [text('abc')], end: 'hang' }])
    const controller = new AbortController()
    const running = collect(client, requestOf(), controller.signal)
    const { closed } = await server.request(0)
    controller.abort()
    expect((await running).failed?.failure.kind).toBe('interrupted')
    expect(await closed).toBe(true)
  })

  it('a server that has gone says which address, and how to start it', async () => {
    const { server, client } = await setup([], 'ollama/qwen3:8b')
    await server.close()
    const { failed } = await collect(client)
    expect(failed?.failure.message).toContain(`nothing answers at ${server.url} (ECONNREFUSED)`)
    expect(failed?.failure.remedy).toContain('ollama serve')
  })
})

describe('the Hugging Face router', () => {
  const provider = (name: string, context_length: number, input: number, output: number) => ({
    provider: name,
    status: 'live',
    context_length,
    pricing: { input, output },
    supports_tools: true,
  })
  const catalogue = {
    '/v1/models': {
      data: [
        { id: 'org/one', providers: [provider('novita', 1000, 1, 2), provider('fal-ai', 2000, 1, 2)] },
        {
          id: 'org/same',
          providers: [provider('a', 500, 3, 4), { provider: 'b', status: 'error', context_length: 9 }],
        },
      ],
    },
  }

  it('gets the token and the session, and nobody else does', async () => {
    const chunks = [text('Hi'), delta({}, 'stop')]
    const router = await setup([{ chunks }], 'hf/org/one:novita', { apiKey: TOKEN, answers: catalogue })
    const session_id = `s${'x'.repeat(400)}\n`
    await collect(router.client, requestOf({ session_id }))
    expect(router.server.requests[0]?.headers['x-hf-session-id']).toBe(session_id.slice(0, 256))
    expect(router.server.requests[0]?.body.model).toBe('org/one:novita')
    expect(router.server.asked.every(({ headers }) => headers.authorization === undefined)).toBe(true)

    const local = await serve([{ chunks }], { apiKey: null })
    const client = await clientOf('vllm/m', { VLLM_BASE_URL: local.url, HF_TOKEN: TOKEN })
    expect((await collect(client, requestOf({ session_id, effort: 'high' }))).text).toBe('Hi')
    expect(local.requests[0]?.headers).not.toHaveProperty('x-hf-session-id')
    expect(local.requests[0]?.body).not.toHaveProperty('reasoning_effort')
  })

  it.each([
    ['hf/org/one:novita', 1000, 1],
    ['hf/org/one', null, 1],
    ['hf/org/one:cheapest', null, 1],
    ['hf/org/same', 500, 3],
    ['hf/org/one:elsewhere', null, null],
  ])('%s: window %s, price %s: what providers do not agree on is unknown', async (id, window, price) => {
    const { client } = await setup([], id, { answers: catalogue })
    expect([client.info().context_window, client.info().price?.input ?? null]).toEqual([window, price])
  })

  it('a catalogue that cannot be had leaves everything unknown, and the model usable', async () => {
    const { client } = await setup([{ chunks: [text('Hi'), delta({}, 'stop')] }], 'hf/org/one')
    expect(client.info()).toEqual({
      name: 'org/one',
      context_window: null,
      max_output: null,
      price: null,
      efforts: null,
      capabilities: { tools: null, images: null, reasoning: null },
      notes: [],
    })
    expect((await collect(client)).text).toBe('Hi')
  })
})
