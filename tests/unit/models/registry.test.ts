import { DEFAULT_SETTINGS } from '@shared/settings'
import { describe, expect, it } from 'vitest'
import { UserError } from '../../../src/main/errors'
import { createModelClient, listModels, type ModelDeps, normalizeModelId } from '../../../src/main/models/registry'
import type { ModelClient } from '../../../src/main/models/types'

const demoClient: ModelClient = {
  id: 'demo/scripted',
  async *stream() {},
  info: () => ({ name: 'Demo', context_window: null, max_output: null, price: null }),
}
function deps(key: string | null, env: NodeJS.ProcessEnv = {}): ModelDeps {
  return { credentials: { get: async () => key }, settings: DEFAULT_SETTINGS, env, demo: async () => demoClient }
}
async function errorOf(id: string, with_: ModelDeps): Promise<UserError> {
  const error: unknown = await createModelClient(id, with_).catch((caught: unknown) => caught)
  if (!(error instanceof UserError)) throw new Error(`${id} was accepted`)
  return error
}

describe('createModelClient', () => {
  it.each(['anthropic/claude-opus-5-5', 'claude-opus-5-5', ' claude-opus-5-5 '])('takes %s', async (id) => {
    expect((await createModelClient(id, deps('sk-ant-1'))).id).toBe('anthropic/claude-opus-5-5')
  })

  it('lets the server judge a model that this version does not know', async () => {
    const client = await createModelClient('claude-opus-9', deps('sk-ant-1'))
    expect(client.info()).toMatchObject({ name: 'claude-opus-9', context_window: null, price: null })
  })

  it('the demo needs no key', async () => {
    expect(await createModelClient('demo/scripted', deps(null))).toBe(demoClient)
  })

  it('without a key says exactly where to put one', async () => {
    const error = await errorOf('claude-opus-5-5', deps(null))
    expect(error.code).toBe('no_credentials')
    expect(error.remedy).toMatch(/ANTHROPIC_API_KEY.*\.env.*working folder.*window/)
    expect((await errorOf('claude-opus-5-5', deps(null, { ANTHROPIC_API_KEY: ' ' }))).message).toContain(
      'set but empty',
    )
  })

  it.each([
    ['anthropc/claude-opus-5-5', 'anthropic/claude-opus-5-5'],
    ['opus', 'anthropic/claude-opus-5-5'],
    ['haiku-4-5', 'anthropic/claude-haiku-4-5'],
    ['Claud-Sonnet-5-5', 'anthropic/claude-sonnet-5-5'],
    ['demo', 'demo/scripted'],
  ])('suggests the nearest id for %s', async (id, expected) => {
    const error = await errorOf(id, deps('sk-ant-1'))
    expect(error.code).toBe('unknown_model')
    expect(error.remedy).toContain(`Did you mean ${expected}?`)
  })

  it.each(['', 'anthropic/', 'anthropic/a b', 'openai/gpt-9', 'zzz'])(
    'refuses "%s" and lists what there is',
    async (id) => {
      const error = await errorOf(id, deps('sk-ant-1'))
      expect(error.code).toBe('unknown_model')
      expect(error.remedy).toContain('anthropic/claude-opus-5-5')
      expect(error.remedy).toContain('demo/scripted')
    },
  )
})

describe('listModels', () => {
  it('marks the models whose key is missing, never the demo', async () => {
    const models = await listModels(deps(null))
    expect(models.filter((model) => model.available).map((model) => model.id)).toEqual(['demo/scripted'])
    expect((await listModels(deps('k'))).every((model) => model.available)).toBe(true)
  })

  it('offers the default model first', async () => {
    expect((await listModels(deps('k')))[0]).toEqual({
      id: 'anthropic/claude-opus-5-5',
      name: 'Claude Opus 5.5',
      provider: 'Anthropic',
      context_window: 1_000_000,
      max_output: 128_000,
      input_price: 4,
      output_price: 20,
      capabilities: { tools: true, images: null, reasoning: true },
      efforts: null,
      available: true,
      note: '',
    })
  })
})

describe('normalizeModelId', () => {
  it('leaves other providers alone', () => {
    expect(normalizeModelId('demo/scripted')).toBe('demo/scripted')
    expect(normalizeModelId('hf/org/claude-like')).toBe('hf/org/claude-like')
  })
})
