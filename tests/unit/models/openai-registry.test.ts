import { DEFAULT_SETTINGS } from '@shared/settings'
import { afterEach, describe, expect, it } from 'vitest'
import { createModelClient, listModels, type ModelDeps, normalizeModelId } from '../../../src/main/models/registry'
import { closeServers, serve, TOKEN } from '../../support/openai-client'

afterEach(closeServers)

/** Ports that nobody listens on: the machine may have model servers of its own. */
const nobody = {
  OLLAMA_BASE_URL: 'http://127.0.0.1:1',
  VLLM_BASE_URL: 'http://127.0.0.1:2',
  LMSTUDIO_BASE_URL: 'http://127.0.0.1:3',
  LLAMACPP_BASE_URL: 'http://127.0.0.1:4',
}
const deps = (env: NodeJS.ProcessEnv): ModelDeps => ({
  credentials: { get: async () => null },
  settings: DEFAULT_SETTINGS,
  env,
  demo: async () => Promise.reject(new Error('the demo is not asked for')),
})

describe('the registry', () => {
  it.each(['ollama/qwen3:8b', 'vllm/org/m', 'lm_studio/m', 'llamacpp/m.gguf'])('%s needs no key', async (id) => {
    expect((await createModelClient(id, deps(nobody))).id).toBe(id)
  })

  it('hf/ needs its token, and takes the name of the reference', async () => {
    await expect(createModelClient('huggingface/a/b', deps(nobody))).rejects.toMatchObject({ code: 'no_credentials' })
    expect(normalizeModelId('huggingface/a/b:novita')).toBe('hf/a/b:novita')
  })

  it.each(['hf/model', 'ollama/', 'openai/gpt-9'])('%s is unknown, and the forms of ids are told', async (id) => {
    await expect(createModelClient(id, deps(nobody))).rejects.toMatchObject({
      code: 'unknown_model',
      remedy: expect.stringContaining('hf/<org>/<model>[:provider]'),
    })
  })

  it('lists running local models and, with a token only, those of the router that can call tools', async () => {
    const route = { provider: 'p', status: 'live', context_length: 100, pricing: { input: 1, output: 2 } }
    const models = [
      { id: 'a/tools', providers: [{ ...route, supports_tools: true }] },
      { id: 'a/plain', providers: [{ ...route, supports_tools: false }] },
      { id: 'a/dead', providers: [{ ...route, status: 'error', supports_tools: true }] },
    ]
    const router = await serve([], { answers: { '/v1/models': { data: models } } })
    const local = await serve([], { answers: { '/v1/models': { data: [{ id: 'm' }] } } })
    const env = { ...nobody, HF_ROUTER_URL: router.url, VLLM_BASE_URL: local.url }
    const others = async (given?: NodeJS.ProcessEnv) => {
      const listed = await listModels({ ...deps({}), ...(given ? { env: given } : { env: undefined }) })
      return listed.map(({ id }) => id).filter((id) => !/^(anthropic|demo)\//.test(id))
    }
    expect(await others({ ...env, HF_TOKEN: TOKEN })).toEqual(['vllm/m', 'hf/a/tools'])
    expect(await others(env)).toEqual(['vllm/m'])
    expect(await others()).toEqual([])
  })
})
