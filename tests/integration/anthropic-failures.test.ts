import { afterEach, describe, expect, it } from 'vitest'
import type { ModelDelta } from '../../src/main/models/types'
import { closeServers, collect, collectRetrying, endOf, MODEL, requestOf, setup } from '../support/anthropic-client'

afterEach(closeServers)

describe('a failure', () => {
  it('401: names the key’s places and never the key', async () => {
    const wrong = 'sk-ant-api03-wrong-key'
    const { client } = await setup([], { key: wrong })
    const { failed, deltas } = await collectRetrying(client)
    expect(failed?.failure).toMatchObject({ kind: 'auth', status: 401, retryable: false })
    expect(failed?.failure.remedy).toContain('ANTHROPIC_API_KEY')
    expect(JSON.stringify(deltas)).not.toContain(wrong)
    expect(deltas).toHaveLength(1)
  })

  it.each(['key with spaces', 'line\nbreak', 'schlüssel', ''])(
    'an impossible key (%j) is an auth failure that does not quote it',
    async (key) => {
      const { server, client } = await setup([], { key })
      const { failed } = await collect(client)
      expect(failed?.failure.kind).toBe('auth')
      if (key !== '') expect(JSON.stringify(failed)).not.toContain(key)
      expect(server.requests).toHaveLength(0)
    },
  )

  it('404: an unknown model has its own kind and a remedy', async () => {
    const { client } = await setup([], { model: 'claude-opus-99', knownModels: [MODEL] })
    const { failed } = await collectRetrying(client)
    expect(failed?.failure).toMatchObject({ kind: 'model_not_found', status: 404, request_id: 'req_fake_1' })
    expect(failed?.failure.message).toContain('claude-opus-99')
    expect(failed?.failure.remedy).toContain('--model')
  })

  it('429 waits as long as asked, then the reply comes', async () => {
    const error = { status: 429, type: 'rate_limit_error', message: 'slow down', headers: { 'retry-after': '3' } }
    const { server, client } = await setup([{ error }, { blocks: [{ type: 'text', text: 'ok' }] }])
    const { waits, text, deltas } = await collectRetrying(client)
    expect(waits).toEqual([3000])
    expect(text).toBe('ok')
    expect(deltas[0]).toMatchObject({ type: 'retry', attempt: 2, discard: false })
    expect(server.requests).toHaveLength(2)
  })

  it.each([
    [500, 'api_error', 'server'],
    [529, 'overloaded_error', 'overloaded'],
  ])('%i is tried five times and told', async (status, type, kind) => {
    const { server, client } = await setup(() => ({ error: { status, type, message: 'sorry' } }))
    const { failed } = await collectRetrying(client)
    expect(failed?.failure).toMatchObject({ kind, status })
    expect(server.requests).toHaveLength(5)
    // The SDK's own retries are off.
    expect(server.requests.map(({ headers }) => headers['x-stainless-retry-count'])).toEqual(['0', '0', '0', '0', '0'])
  })

  it.each([
    ['overloaded_error', 'overloaded'],
    ['api_error', 'server'],
  ])('an error event in mid-stream (%s) keeps the partial text and is tried again', async (type, kind) => {
    const blocks = [{ type: 'text' as const, text: 'abcdef', chunks: 6 }]
    const { client } = await setup([
      { blocks, eventError: { type, message: 'Overloaded', afterChunks: 3 } },
      { blocks, eventError: { type, message: 'Overloaded', afterChunks: 3 } },
      { blocks },
    ])
    const plain = await collect(client)
    expect(plain.failed).toMatchObject({ failure: { kind, status: null }, blocks: [{ type: 'text', text: 'abc' }] })
    expect(plain.failed?.usage?.prompt_tokens).toBeGreaterThan(0)
    const { deltas, text, done } = await collectRetrying(client)
    expect(deltas[1]).toMatchObject({ type: 'retry', discard: true })
    expect(text).toBe('abcabcdef')
    expect(done?.blocks).toEqual([{ type: 'text', text: 'abcdef' }])
  })

  it.each(['dropAfterChunks', 'endAfterChunks'] as const)(
    'a stream that dies (%s) is the network, with what had come',
    async (how) => {
      const blocks = [{ type: 'text' as const, text: 'abcdef', chunks: 6 }]
      const { client } = await setup([{ blocks, [how]: 4 }])
      const { failed, text } = await collect(client)
      expect(failed?.failure).toMatchObject({ kind: 'network', retryable: true })
      expect(failed?.blocks).toEqual([{ type: 'text', text: 'abcd' }])
      expect(text).toBe('abcd')
    },
  )

  it('a half tool call of a dead stream is not handed on as a call', async () => {
    const blocks = [{ type: 'tool_use' as const, name: 'bash', input: { command: 'rm -rf build' }, chunks: 5 }]
    const { client } = await setup([{ blocks, dropAfterChunks: 4 }])
    expect((await collect(client)).failed?.blocks).toEqual([])
  })

  it('a connection that is dropped before any answer, or that nobody accepts, is the network', async () => {
    const { server, client } = await setup([{ drop: true }])
    expect((await collect(client)).failed?.failure).toMatchObject({ kind: 'network', retryable: true })
    await server.close()
    const { failed } = await collect(client)
    expect(failed?.failure.message).toMatch(/^Nothing answers at 127\.0\.0\.1:\d+ \(ECONNREFUSED\)\.$/)
  })

  it.each([true, false])('a login page instead of the API is told as such, streamed: %s', async (streaming) => {
    const { client } = await setup([{ raw: { contentType: 'text/html', body: '<h1>Log in</h1>' } }])
    const { failed } = await collect(client, requestOf({ streaming }))
    expect(failed?.failure).toMatchObject({ kind: 'bad_request', retryable: false })
    expect(failed?.failure.message).toContain('text/html')
    expect(failed?.failure.remedy).toContain('ANTHROPIC_BASE_URL')
  })

  it('an unstreamed body that breaks off is the network, one that is no message the server', async () => {
    const unstreamed = requestOf({ streaming: false })
    const { client } = await setup([
      { blocks: [{ type: 'text', text: 'abcdef' }], dropAfterChunks: 0 },
      { raw: { contentType: 'application/json', body: '{"type":"message"' } },
      { raw: { contentType: 'application/json', body: '{"ok":true}' } },
    ])
    expect((await collect(client, unstreamed)).failed?.failure).toMatchObject({ kind: 'network', retryable: true })
    expect((await collect(client, unstreamed)).failed?.failure).toMatchObject({ kind: 'server' })
    expect((await collect(client, unstreamed)).failed?.failure.message).toContain('not a message')
  })

  it('a broken event is a failure of the server, not an exception', async () => {
    const body = 'event: message_start\ndata: {"type":"message_start"\n\n'
    const { client } = await setup([{ raw: { contentType: 'text/event-stream', body } }])
    expect((await collect(client)).failed?.failure).toMatchObject({ kind: 'server', retryable: true })
  })

  it('a prompt that is too long asks for compaction', async () => {
    const error = {
      status: 400,
      type: 'invalid_request_error',
      message: 'prompt is too long: 1000001 tokens > 1000000 maximum',
    }
    const { client } = await setup([{ error }])
    expect((await collectRetrying(client)).failed?.failure).toMatchObject({ kind: 'context_overflow', status: 400 })
  })
})

describe('a stop by the user', () => {
  it('in mid-stream closes the connection and keeps what had come', async () => {
    const blocks = [{ type: 'text' as const, text: 'abcdef', chunks: 6 }]
    const { server, client } = await setup([{ blocks, hangAfterChunks: 3 }])
    const controller = new AbortController()
    const deltas: ModelDelta[] = []
    for await (const delta of client.stream(requestOf(), controller.signal)) {
      deltas.push(delta)
      if (delta.type === 'text') controller.abort()
    }
    const { failed } = endOf(deltas)
    expect(failed).toMatchObject({ failure: { kind: 'interrupted', retryable: false }, blocks: [{ text: 'abc' }] })
    expect(await server.requests[0]?.closed).toBe(true)
  })

  it('before the first byte ends the call, and nothing is tried again', async () => {
    const { server, client } = await setup([{ hang: true }])
    const controller = new AbortController()
    const run = collect(client, requestOf(), controller.signal)
    const request = await server.request(0)
    controller.abort()
    expect((await run).failed?.failure.kind).toBe('interrupted')
    expect(await request.closed).toBe(true)
    expect(server.requests).toHaveLength(1)
  })

  it('before the call sends nothing', async () => {
    const { server, client } = await setup([])
    expect((await collect(client, requestOf(), AbortSignal.abort())).failed?.failure.kind).toBe('interrupted')
    expect(server.connections()).toBe(0)
  })

  it('a reader that just leaves closes the connection too', async () => {
    const { server, client } = await setup([
      { blocks: [{ type: 'text', text: 'abcdef', chunks: 6 }], hangAfterChunks: 3 },
    ])
    for await (const _delta of client.stream(requestOf(), new AbortController().signal)) break
    expect(await server.requests[0]?.closed).toBe(true)
  })

  it('leaves no listener on a signal that outlives many calls', async () => {
    const { client } = await setup(() => ({ blocks: [{ type: 'text', text: 'ok' }] }))
    const { signal } = new AbortController()
    let listeners = 0
    const add = signal.addEventListener.bind(signal)
    const remove = signal.removeEventListener.bind(signal)
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners++
      add(...args)
    }
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners--
      remove(...args)
    }
    for (let i = 0; i < 5; i++) await collect(client, requestOf(), signal)
    expect(listeners).toBe(0)
  })
})
