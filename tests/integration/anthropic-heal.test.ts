import type { Effort } from '@shared/settings'
import { afterEach, describe, expect, it } from 'vitest'
import { createAnthropicClient } from '../../src/main/models/anthropic'
import { createCatalogue, type LiveModel, LiveModels } from '../../src/main/models/catalogue'
import { probeModel } from '../../src/main/models/probe'
import type { ModelMessage } from '../../src/main/models/types'
import { closeServers, collect, hello, KEY, MODEL, requestOf, setup } from '../support/anthropic-client'
import type { FakeAnthropic } from '../support/fake-anthropic'

afterEach(closeServers)
const ok = { blocks: [{ type: 'text' as const, text: 'ok' }] }
const signal = new AbortController().signal
const effortsOf = ({ requests }: FakeAnthropic) => requests.map(({ body }) => body.output_config?.effort)

describe('an effort that the model refuses', () => {
  it('is lowered within the call, told in its end, and remembered', async () => {
    // A fake that refuses levels does not count those calls as requests of its script.
    const { server, client } = await setup(() => ok, { efforts: ['low', 'high'] })
    const { done, deltas } = await collect(client, requestOf({ effort: 'max' }))
    expect(done).toMatchObject({ effort: 'high', stop_reason: 'end_turn' })
    expect(deltas.map(({ type }) => type)).toEqual(['text', 'done'])
    expect((await collect(client, requestOf({ effort: 'medium' }))).done?.effort).toBe('low')
    expect(effortsOf(server)).toEqual(['high', 'low'])
    const other = createAnthropicClient({
      id: client.id,
      model: MODEL,
      apiKey: KEY,
      baseURL: server.url,
      catalogue: createCatalogue(),
    })
    await collect(other, requestOf({ effort: 'xhigh' }))
    expect(server.connections()).toBeLessThanOrEqual(3)
    expect(effortsOf(server)).toEqual(['high', 'low', 'high'])
  })

  it('that no model takes is left out, and the reply comes', async () => {
    const { server, client } = await setup(() => ok, { efforts: [] })
    expect((await collect(client, requestOf({ effort: 'max' }))).done?.effort).toBeNull()
    expect(client.info().efforts).toEqual([])
    expect(server.requests[0]?.body).not.toHaveProperty('output_config')
  })

  it('is never sent where the live list says so before', async () => {
    const { server } = await setup(() => ok, { efforts: ['low', 'medium'] })
    const listed: LiveModel = {
      id: MODEL,
      name: MODEL,
      context_window: null,
      max_output: null,
      adaptive_thinking: false,
      effort: true,
      efforts: ['low', 'medium'],
      images: null,
      reasoning: null,
    }
    const live = new LiveModels()
    await live.refresh(async () => [listed], signal)
    const catalogue = createCatalogue({}, live)
    const client = createAnthropicClient({ id: 'x', model: MODEL, apiKey: KEY, baseURL: server.url, catalogue })
    expect(client.info().efforts).toEqual(['low', 'medium'])
    expect((await collect(client, requestOf({ effort: 'max' }))).done?.effort).toBe('medium')
    expect(server.requests[0]?.body).not.toHaveProperty('thinking')
  })

  it('no effort asked, none told', async () => {
    const { client } = await setup(() => ok)
    expect((await collect(client)).done).not.toHaveProperty('effort')
  })

  it('thinking that the model refuses is left out too', async () => {
    const message = 'adaptive thinking is not supported on this model'
    const error = { status: 400, type: 'invalid_request_error', message }
    const { server, client } = await setup([{ error }, ok, ok])
    expect((await collect(client)).text).toBe('ok')
    expect((await collect(client)).text).toBe('ok')
    expect(server.requests.map(({ body }) => 'thinking' in body)).toEqual([true, false, false])
  })

  it('any other 400 is a failure at once', async () => {
    const message = 'messages.1.content.0: Expected `thinking`, but found `tool_use`'
    const { server, client } = await setup([{ error: { status: 400, type: 'invalid_request_error', message } }])
    expect((await collect(client, requestOf({ effort: 'max' }))).failed?.failure.kind).toBe('bad_request')
    expect(server.requests).toHaveLength(1)
  })
})

describe('thinking of another account', () => {
  const foreign: ModelMessage[] = [
    ...hello,
    {
      role: 'assistant',
      content: [
        { type: 'reasoning', text: 'elsewhere', signature: 'c2lnbmVkIGVsc2V3aGVyZQ==' },
        { type: 'tool_use', id: 'a', name: 'bash', input: {} },
      ],
    },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a', content: 'x', is_error: false }] },
  ]

  it('is dropped within the call, and not sent a second time; own thinking still goes back', async () => {
    const own = {
      blocks: [
        { type: 'thinking' as const, thinking: 'mine' },
        { type: 'tool_use' as const, name: 'bash', id: 'b' },
      ],
    }
    const { server, client } = await setup([own, ok], { foreignThinking: true })
    const first = await collect(client, requestOf({ messages: foreign }))
    expect(first.done?.stop_reason).toBe('tool_use')
    const messages: ModelMessage[] = [
      ...foreign,
      { role: 'assistant', content: first.done?.blocks ?? [] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'b', content: 'y', is_error: false }] },
    ]
    expect((await collect(client, requestOf({ messages }))).text).toBe('ok')
    const sent = server.requests.map(({ body }) => JSON.stringify(body.messages))
    expect(sent[0]).not.toContain('elsewhere')
    expect(sent[1]).not.toContain('elsewhere')
    expect(sent[1]).toContain('mine')
  })

  it('that is refused again is a failure, not a loop', async () => {
    const message = 'messages.1.content.0: Invalid `signature` in `thinking` block'
    const error = { status: 400, type: 'invalid_request_error', message }
    const { server, client } = await setup([{ error }])
    expect((await collect(client)).failed?.failure).toMatchObject({ kind: 'bad_request', retryable: false })
    expect(server.requests).toHaveLength(1)
  })
})

describe('cache markers', () => {
  it('stand on tools, system and the end; with many calls in a reply also on the end of the last request', async () => {
    const { server, client } = await setup(() => ok)
    const calls = Array.from({ length: 12 }, (_, i) => `c${i}`)
    const messages: ModelMessage[] = [
      ...hello,
      { role: 'assistant', content: calls.map((id) => ({ type: 'tool_use', id, name: 'bash', input: {} })) },
      {
        role: 'user',
        content: calls.map((id) => ({ type: 'tool_result', tool_use_id: id, content: 'x', is_error: false })),
      },
    ]
    await collect(client)
    await collect(client, requestOf({ messages }))
    const marker = { type: 'ephemeral' }
    for (const { body } of server.requests) {
      expect([body.cache_control, body.system?.[0]?.cache_control, body.tools?.at(-1)?.cache_control]).toEqual([
        marker,
        marker,
        marker,
      ])
    }
    const marked = server.requests.map(({ body }) => body.messages.map(({ content }) => content.at(-1)?.cache_control))
    expect(marked).toEqual([[undefined], [marker, undefined, undefined]])
    expect(messages[0]).toEqual(hello[0])
  })
})

describe('probeModel', () => {
  it('finds the level with one tiny call', async () => {
    const { server, client } = await setup(() => ok, { efforts: ['low', 'high'] })
    expect(await probeModel(client, 'max', signal)).toMatchObject({
      effort: 'high',
      notes: [`anthropic/${MODEL} does not take effort max: high is used.`],
    })
    expect(server.requests[0]?.body).toMatchObject({ max_tokens: 64, stream: false })
    expect(server.requests[0]?.body).not.toHaveProperty('tools')
  })

  it('asks again what was refused before: the server may have been updated', async () => {
    const taken: Effort[] = ['low']
    const { client } = await setup(() => ok, { efforts: taken })
    expect((await probeModel(client, 'high', signal)).effort).toBe('low')
    taken.push('high')
    expect((await probeModel(client, 'high', signal)).effort).toBe('high')
  })

  it('a server that cannot answer now is a note; one that never will is an error', async () => {
    const overloaded = { error: { status: 529, type: 'overloaded_error', message: 'Overloaded' } }
    const { client } = await setup([overloaded, { hang: true }], { knownModels: [MODEL] })
    expect(await probeModel(client, 'high', signal)).toMatchObject({
      effort: 'high',
      notes: [expect.stringContaining('overloaded')],
    })
    expect(await probeModel(client, 'high', signal, 20)).toMatchObject({
      effort: 'high',
      notes: [expect.stringContaining('did not answer')],
    })
    const unknown = await setup([], { model: 'claude-none', knownModels: [MODEL] })
    await expect(probeModel(unknown.client, null, signal)).rejects.toMatchObject({ code: 'model' })
    const wrong = await setup([], { key: 'sk-wrong' })
    await expect(probeModel(wrong.client, null, signal)).rejects.toMatchObject({
      remedy: expect.stringContaining('key'),
    })
  })

  it('a stop by the user ends it', async () => {
    const { server, client } = await setup([{ hang: true }])
    const controller = new AbortController()
    const probing = probeModel(client, null, controller.signal)
    await server.request(0)
    controller.abort()
    await expect(probing).rejects.toThrow()
  })
})
