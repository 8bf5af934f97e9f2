import { afterEach, describe, expect, it } from 'vitest'
import { UserError } from '../../../src/main/errors'
import { discoverLocal } from '../../../src/main/models/openai/discovery'
import { type LocalKind, localEndpoint, localEndpoints, routerEndpoint } from '../../../src/main/models/openai/local'
import { createOpenAiModel } from '../../../src/main/models/openai/provider'
import { createRouterCatalogue } from '../../../src/main/models/openai/router'
import { clientOf, closeServers, serve, setup } from '../../support/openai-client'

afterEach(closeServers)
const settings = { prices: {} }
const signal = new AbortController().signal
/** Ports of loopback that nobody listens on: the machine that runs the tests may have such servers. */
const nobody = {
  OLLAMA_BASE_URL: 'http://127.0.0.1:1',
  VLLM_BASE_URL: 'http://127.0.0.1:2',
  LMSTUDIO_BASE_URL: 'http://127.0.0.1:3',
  LLAMACPP_BASE_URL: 'http://127.0.0.1:4',
}

describe('addresses', () => {
  const cases: [LocalKind, NodeJS.ProcessEnv, string][] = [
    ['ollama', {}, 'http://127.0.0.1:11434/v1'],
    ['vllm', {}, 'http://127.0.0.1:8000/v1'],
    ['lm_studio', {}, 'http://127.0.0.1:1234/v1'],
    ['llamacpp', {}, 'http://127.0.0.1:8080/v1'],
    ['vllm', { VLLM_BASE_URL: 'http://gpu:9/' }, 'http://gpu:9/v1'],
    ['vllm', { VLLM_BASE_URL: 'gpu:9/v1/' }, 'http://gpu:9/v1'],
    ['vllm', { LOCAL_LLM_BASE_URL: 'http://x/api/v1/chat/completions' }, 'http://x/api/v1'],
    ['vllm', { VLLM_BASE_URL: 'http://a', LOCAL_LLM_BASE_URL: 'http://b' }, 'http://a/v1'],
    ['openai-compat', { LOCAL_LLM_BASE_URL: 'https://b' }, 'https://b/v1'],
  ]
  it.each(cases)('%s with %j is at %s', (kind, env, expected) => {
    expect(localEndpoint(kind, env).baseURL).toBe(expected)
  })

  it.each(['ftp://x', 'http://user:pass@x', '://'])('%s is refused without being repeated', (address) => {
    const make = () => localEndpoint('vllm', { VLLM_BASE_URL: address })
    expect(make).toThrow(UserError)
    expect(make).not.toThrow(/pass@/)
  })

  it('a key goes to its own server, and to nothing that only happens to listen', () => {
    const key = (kind: LocalKind, env: NodeJS.ProcessEnv) =>
      localEndpoint(kind, { LOCAL_LLM_API_KEY: 'k', ...env }).apiKey
    expect(key('vllm', {})).toBe('k')
    expect(key('vllm', { LOCAL_LLM_BASE_URL: 'https://x' })).toBe('k')
    expect(key('vllm', { LOCAL_LLM_BASE_URL: 'https://x', VLLM_BASE_URL: 'http://y' })).toBeNull()
    expect(key('vllm', { VLLM_BASE_URL: 'http://y', VLLM_API_KEY: 'own' })).toBe('own')
    const found = localEndpoints({ LOCAL_LLM_API_KEY: 'k', LOCAL_LLM_BASE_URL: 'https://x' })
    expect(found.filter(({ apiKey }) => apiKey !== null).map(({ baseURL }) => baseURL)).toEqual(['https://x/v1'])
    expect(localEndpoints({ LOCAL_LLM_API_KEY: 'k' }).every(({ apiKey }) => apiKey === null)).toBe(true)
  })

  it('the token never goes over an open line', () => {
    expect(() => routerEndpoint({ HF_ROUTER_URL: 'http://router.example' }, 't')).toThrow(/not encrypted/)
    expect(routerEndpoint({ HF_ROUTER_URL: 'http://127.0.0.1:5' }, 't').baseURL).toBe('http://127.0.0.1:5/v1')
    expect(routerEndpoint({}, 't').baseURL).toBe('https://router.huggingface.co/v1')
  })
})

describe('ids', () => {
  it.each(['hf/model', 'hf/', 'hf/a/b/c', 'hf/a/b:', 'ollama/', 'vllm/a b', 'gpt/x'])('%s is refused', async (id) => {
    expect(await createOpenAiModel(id, { settings, env: { HF_TOKEN: 't', ...nobody } })).toBeNull()
  })
  it('says where the token goes', async () => {
    const error: unknown = await createOpenAiModel('hf/a/b', { settings, env: {} }).catch((e: unknown) => e)
    expect(error).toMatchObject({ code: 'no_credentials', remedy: expect.stringMatching(/HF_TOKEN.*\.env/) })
  })
  it('openai-compat needs an address', async () => {
    await expect(createOpenAiModel('openai-compat/m', { settings, env: {} })).rejects.toMatchObject({ code: 'config' })
  })
})

describe('windows of local models', () => {
  const shown = (parameters: string) => ({ parameters, model_info: { 'qwen3.context_length': 131_072 } })
  const cases: [string, Record<string, unknown>, number | null][] = [
    ['vllm/m', { '/v1/models': { data: [{ id: 'm', max_model_len: 8192 }] } }, 8192],
    ['llamacpp/m', { '/props': { default_generation_settings: { n_ctx: 4096 } } }, 4096],
    ['ollama/m', { '/api/show': shown('num_ctx    16384\nstop "x"') }, 16_384],
    ['ollama/m', { '/api/show': shown('') }, 131_072],
    ['ollama/m', { '/api/show': shown(''), '/api/ps': { models: [{ name: 'm:latest', context_length: 4096 }] } }, 4096],
    ['lm_studio/org/m', { '/api/v0/models/org/m': { loaded_context_length: 2048, max_context_length: 9 } }, 2048],
    ['vllm/m', {}, null],
  ]
  it.each(cases)('%s %j', async (id, answers, expected) => {
    const { client } = await setup([], id, { answers })
    expect(client.info()).toMatchObject({ context_window: expected, price: { input: 0, output: 0 } })
  })

  it('a gateway has no price but the one in the user’s table', async () => {
    const { url } = await serve()
    const env = { LOCAL_LLM_BASE_URL: url }
    expect((await clientOf('openai-compat/m', env)).info().price).toBeNull()
    const prices = { m: { input: 1, output: 2, context_window: 77 } }
    expect((await clientOf('openai-compat/m', env, prices)).info()).toMatchObject({
      context_window: 77,
      price: { cache_read: 1 },
    })
  })
})

describe('discoverLocal', () => {
  it('lists what runs, and does not wait for what does not answer', async () => {
    const answers = { '/v1/models': { data: [{ id: 'a/b', max_model_len: 100 }, { id: 'nomic-embed-text' }] } }
    const [vllm, silent] = [await serve([], { answers }), await serve([], { silent: ['/v1/models'] })]
    const started = performance.now()
    const env = { ...nobody, VLLM_BASE_URL: vllm.url, OLLAMA_BASE_URL: silent.url, LOCAL_LLM_BASE_URL: vllm.url }
    expect(await discoverLocal(env, signal)).toEqual([
      {
        id: 'vllm/a/b',
        name: 'a/b (vLLM)',
        provider: 'vLLM',
        context_window: 100,
        max_output: null,
        input_price: 0,
        output_price: 0,
        capabilities: { tools: null, images: null, reasoning: null },
        efforts: null,
        available: true,
        note: 'Its window of 100 tokens is small; start the server with a larger context.',
      },
    ])
    // 300 ms for the silent one; the rest is for a slow machine.
    expect(performance.now() - started).toBeLessThan(1500)
    expect(await discoverLocal(nobody, signal)).toEqual([])
  })
})

describe('the catalogue of the router', () => {
  it('is asked every five minutes, 15 s after a failure, and keeps what it knew', async () => {
    const server = await serve([], { answers: { '/v1/models': () => data } })
    let data: unknown = { data: [{ id: 'a/b', providers: [] }] }
    let now = 1_000_000
    const catalogue = createRouterCatalogue(server.url, () => now)
    const asked = async (later: number) => {
      now += later
      await catalogue.refresh(signal)
      return server.asked.length
    }
    expect(await asked(0)).toBe(1)
    expect(await asked(299_000)).toBe(1)
    data = 'broken'
    expect(await asked(1000)).toBe(2)
    expect(await asked(14_000)).toBe(2)
    expect(await asked(1000)).toBe(3)
    expect(catalogue.models()).toEqual([{ id: 'a/b', images: null, routes: [] }])
  })
})
