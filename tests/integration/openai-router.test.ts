import { DEFAULT_SETTINGS } from '@shared/settings'
import { afterEach, describe, expect, it } from 'vitest'
import { probeModel } from '../../src/main/models/probe'
import { listModels, type ModelDeps, modelNotes } from '../../src/main/models/registry'
import { type ChatReply, delta, type Json } from '../support/fake-openai'
import { closeServers, collect, requestOf, serve, setup, TOKEN } from '../support/openai-client'

afterEach(closeServers)
const signal = new AbortController().signal
const ok: ChatReply = { chunks: [delta({ content: 'Hi' }), delta({}, 'stop')] }

const provider = (name: string, change: Json = {}) => ({
  provider: name,
  status: 'live',
  context_length: 1000,
  pricing: { input: 1, output: 2 },
  supports_tools: true,
  ...change,
})
const MODELS = [
  {
    id: 'moonshotai/Kimi-K2.6',
    architecture: { input_modalities: ['text', 'image'] },
    providers: [provider('novita'), provider('fal-ai', { pricing: { input: 3, output: 4 } })],
  },
  { id: 'org/dead', providers: [provider('a', { status: 'error' })] },
  { id: 'org/plain', providers: [provider('a', { supports_tools: false })] },
  { id: 'org/mixed', providers: [provider('a', { supports_tools: false }), provider('b', { status: 'staging' })] },
]
const NOBODY = {
  OLLAMA_BASE_URL: 'http://127.0.0.1:1',
  VLLM_BASE_URL: 'http://127.0.0.1:2',
  LMSTUDIO_BASE_URL: 'http://127.0.0.1:3',
  LLAMACPP_BASE_URL: 'http://127.0.0.1:4',
}

async function router(models: unknown = MODELS) {
  const answers = { '/v1/models': () => ({ data: models }) }
  const server = await serve([], { answers })
  const deps: ModelDeps = {
    credentials: { get: async () => null },
    settings: DEFAULT_SETTINGS,
    env: { ...NOBODY, HF_ROUTER_URL: server.url, HF_TOKEN: TOKEN },
    demo: async () => Promise.reject(new Error('the demo is not asked for')),
  }
  return { server, deps }
}

describe('ids of the router', () => {
  it.each([
    ['hf/moonshotai/Kimi-K2', /Did you mean hf\/moonshotai\/Kimi-K2\.6\?/],
    ['hf/moonshot/kimi-k26:novita', /Did you mean hf\/moonshotai\/Kimi-K2\.6:novita\?/],
    ['hf/qq/zzzzzz', /^huggingface\.co\/models/],
  ])('%s is unknown, and what is near is told', async (id, remedy) => {
    const { deps } = await router()
    await expect(modelNotes(id, deps)).rejects.toMatchObject({
      code: 'unknown_model',
      remedy: expect.stringMatching(remedy),
    })
  })

  it.each([
    ['hf/moonshotai/Kimi-K2.6', []],
    ['hf/moonshotai/Kimi-K2.6:cheapest', []],
    ['hf/moonshotai/Kimi-K2.6:preferred', []],
    ['hf/moonshotai/Kimi-K2.6:fal-ai', []],
    [
      'hf/moonshotai/Kimi-K2.6:nobody',
      ['The router does not list nobody among the providers of moonshotai/Kimi-K2.6. Those that do: novita, fal-ai.'],
    ],
    ['hf/org/dead', ['No provider serves org/dead at the moment.']],
    ['hf/org/dead:a', ['a does not serve org/dead at the moment (status error).']],
    ['hf/org/plain', ['org/plain cannot call tools: it can talk, but not work.']],
    ['hf/org/mixed:b', ['b does not serve org/mixed at the moment (status staging). Those that do: a.']],
  ])('%s: %j', async (id, notes) => {
    const { deps } = await router()
    expect(await modelNotes(id, deps)).toEqual(notes)
  })
})

describe('the list of choices', () => {
  it('holds the models that can work, with what their providers agree on; all of it, each provider', async () => {
    const { deps } = await router()
    const of = async (all: boolean) =>
      (await listModels(deps, { all, refresh: true })).filter(({ id }) => id.startsWith('hf/'))
    expect(await of(false)).toEqual([
      {
        id: 'hf/moonshotai/Kimi-K2.6',
        name: 'Kimi-K2.6 (Hugging Face)',
        provider: 'Hugging Face',
        context_window: 1000,
        max_output: null,
        input_price: null,
        output_price: null,
        capabilities: { tools: true, images: true, reasoning: null },
        efforts: null,
        available: true,
        note: '',
      },
    ])
    expect((await of(true)).map(({ id, input_price }) => [id, input_price])).toEqual([
      ['hf/moonshotai/Kimi-K2.6', null],
      ['hf/moonshotai/Kimi-K2.6:novita', 1],
      ['hf/moonshotai/Kimi-K2.6:fal-ai', 3],
    ])
  })

  it('is asked again past the cache when the user says so', async () => {
    const models = [...MODELS]
    const { server, deps } = await router(models)
    const ids = async (refresh: boolean) => (await listModels(deps, { refresh })).map(({ id }) => id)
    await ids(true)
    models.push({ id: 'org/new', providers: [provider('a')] })
    expect(await ids(false)).not.toContain('hf/org/new')
    expect(await ids(true)).toContain('hf/org/new')
    expect(server.asked).toHaveLength(2)
  })
})

describe('effort', () => {
  const refuse = (message: string, param: string | null = null): ChatReply => ({
    status: 400,
    json: { error: { message, param, type: 'invalid_request_error' } },
  })

  it('goes to the router in the levels it knows, lower where the model refuses, and none at last', async () => {
    const bad = refuse('bad value', 'reasoning_effort')
    const { server, client } = await setup([bad, ok, bad, bad, ok], 'hf/org/model')
    expect((await collect(client, requestOf({ effort: 'max' }))).done?.effort).toBe('medium')
    expect((await collect(client, requestOf({ effort: 'high' }))).done?.effort).toBeNull()
    expect(server.requests.map(({ body }) => body.reasoning_effort)).toEqual([
      'high',
      'medium',
      'medium',
      'low',
      undefined,
    ])
  })

  it('a refusal that names thinking is one of effort', async () => {
    const { client } = await setup([refuse('Thinking mode is not supported by this model'), ok], 'hf/org/model')
    expect(await probeModel(client, 'high', signal)).toMatchObject({
      effort: null,
      notes: ['hf/org/model takes no effort level.'],
    })
  })

  it('a local server gets one only where it says that it takes it', async () => {
    const levels = { capabilities: ['completion', 'tools', 'thinking'], thinking: { values: ['low', 'high'] } }
    const says = await setup([ok], 'ollama/gpt-oss', { answers: { '/api/show': levels } })
    expect((await collect(says.client, requestOf({ effort: 'medium' }))).done?.effort).toBe('low')
    expect(says.client.info()).toMatchObject({
      efforts: ['low', 'high'],
      capabilities: { tools: true, images: false, reasoning: true },
    })
    const onOff = { capabilities: ['completion', 'thinking'], thinking: { values: [false, true] } }
    const silent = await setup([ok], 'ollama/qwen3', { answers: { '/api/show': onOff } })
    expect((await collect(silent.client, requestOf({ effort: 'high' }))).done?.effort).toBeNull()
    expect(silent.server.requests[0]?.body).not.toHaveProperty('reasoning_effort')
    expect(silent.client.info().notes).toEqual(['qwen3 cannot call tools: it can talk, but not work.'])
  })
})

describe('what local servers tell', () => {
  it.each([
    ['llamacpp/m', { '/props': { modalities: { vision: true }, chat_template_caps: { supports_tools: false } } }],
    ['lm_studio/m', { '/api/v0/models/m': { type: 'vlm', capabilities: [] } }],
    ['ollama/m', { '/api/show': { capabilities: ['completion', 'vision'] } }],
    [
      'openai-compat/m',
      {
        '/v1/models': {
          data: [{ id: 'm', supported_parameters: ['max_tokens'], architecture: { input_modalities: ['image'] } }],
        },
      },
    ],
  ])('%s about tools and images', async (id, answers) => {
    const { client } = await setup([], id, { answers })
    expect(client.info().capabilities).toMatchObject({ tools: false, images: true })
  })

  it('nothing is nothing: no capability is guessed', async () => {
    const { client } = await setup([], 'vllm/m')
    expect(client.info()).toMatchObject({ efforts: null, notes: [] })
    expect(client.info().capabilities).toBeUndefined()
  })
})

describe('cache hints', () => {
  const messages = [
    { role: 'user' as const, content: [{ type: 'text' as const, text: 'one' }] },
    { role: 'assistant' as const, content: [{ type: 'text' as const, text: 'two' }] },
    { role: 'user' as const, content: [{ type: 'text' as const, text: 'three' }] },
  ]
  it('go out for a model of Anthropic at fal, and stop where they are refused', async () => {
    const refused: ChatReply = { status: 400, json: { error: { message: 'cache_control: unknown field' } } }
    const { server, client } = await setup([ok, refused, ok, ok], 'hf/anthropic/claude-opus-4.8:fal-ai', {
      caching: true,
    })
    for (let call = 0; call < 3; call++) await collect(client, requestOf({ messages, session_id: 's1' }))
    const [first] = server.requests
    const marker = { type: 'ephemeral' }
    expect(first?.headers['x-hf-session-id']).toBe('s1')
    expect(first?.body).toMatchObject({ cache_control: marker, tools: [{ cache_control: marker }] })
    expect(first?.body.messages[1]?.content).toEqual([{ type: 'text', text: 'one', cache_control: marker }])
    const hinted = server.requests.map(({ body }) => JSON.stringify(body).includes('cache_control'))
    expect(hinted).toEqual([true, true, false, false])
  })

  it('name the session for gpt-5.5, and nothing for anybody else', async () => {
    const gpt = await setup([ok], 'hf/openai/gpt-5.5:fal-ai', { caching: true })
    await collect(gpt.client, requestOf({ session_id: 's1' }))
    expect(gpt.server.requests[0]?.body).toMatchObject({ prompt_cache_key: 's1', prompt_cache_retention: '24h' })
    const other = await setup([ok], 'hf/openai/gpt-5.5:novita')
    expect((await collect(other.client, requestOf({ session_id: 's1' }))).text).toBe('Hi')
  })
})
