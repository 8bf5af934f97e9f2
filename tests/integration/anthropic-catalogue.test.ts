import { DEFAULT_SETTINGS } from '@shared/settings'
import { afterEach, describe, expect, it } from 'vitest'
import {
  createCatalogues,
  createModelClient,
  listModels,
  type ModelDeps,
  modelNotes,
  refreshCatalogues,
} from '../../src/main/models/registry'
import { closeServers, KEY } from '../support/anthropic-client'
import { type FakeAnthropic, startFakeAnthropic } from '../support/fake-anthropic'

const open: FakeAnthropic[] = []
afterEach(async () => {
  await closeServers()
  for (const server of open.splice(0)) await server.close()
})

const yes = { supported: true }
const no = { supported: false }
function listed(id: string, max_input_tokens: number) {
  return {
    type: 'model',
    id,
    display_name: `Live ${id}`,
    lifecycle: 'active',
    max_input_tokens,
    max_tokens: 5000,
    capabilities: {
      effort: { supported: true, low: yes, medium: no, high: yes, xhigh: null, max: no },
      thinking: { supported: true, types: { adaptive: yes } },
      image_input: yes,
    },
  }
}

async function engine(models: Record<string, unknown>[], key: string | null = KEY) {
  const server = await startFakeAnthropic([], { apiKey: KEY, models })
  open.push(server)
  const catalogues = createCatalogues()
  const deps: ModelDeps & { catalogues: typeof catalogues } = {
    credentials: { get: async () => key },
    settings: { ...DEFAULT_SETTINGS, anthropic_base_url: server.url },
    env: {},
    demo: async () => Promise.reject(new Error('the demo is not asked for')),
    catalogues,
  }
  return { server, deps }
}

describe('the live catalogue', () => {
  it('is shared: a client made before knows what came after', async () => {
    const { server, deps } = await engine([listed('claude-opus-5-5', 777), listed('claude-next-1', 888)])
    const client = await createModelClient('claude-opus-5-5', deps)
    expect(client.info().context_window).toBe(1_000_000)
    expect(server.connections()).toBe(0)
    await refreshCatalogues(deps)
    expect(client.info()).toMatchObject({
      context_window: 777,
      max_output: 5000,
      price: { input: 4 },
      efforts: ['low', 'high'],
      capabilities: { tools: true, images: true, reasoning: true },
    })
    expect(await modelNotes('claude-fable-5-1', deps)).toEqual(['The provider does not list this model for your key.'])
    expect(await modelNotes('claude-next-1', deps)).toEqual([])
  })

  it('is in the list of choices, and asked again when the user says so', async () => {
    const models = [listed('claude-opus-5-5', 777)]
    const { deps } = await engine(models)
    // A slow machine may show the built-in list first; what is refreshed is there.
    const before = await listModels(deps, { refresh: true })
    expect(before[0]).toMatchObject({ id: 'anthropic/claude-opus-5-5', context_window: 777, efforts: ['low', 'high'] })
    models.push(listed('claude-next-1', 888))
    expect((await listModels(deps)).map(({ id }) => id)).not.toContain('anthropic/claude-next-1')
    const after = (await listModels(deps, { refresh: true })).find(({ id }) => id === 'anthropic/claude-next-1')
    expect(after).toMatchObject({ name: 'Live claude-next-1', provider: 'Anthropic', input_price: null, note: '' })
  })

  it('a list that cannot be had leaves the built-in one, and one who asked is told why, without the key', async () => {
    const { deps } = await engine([], 'sk-ant wrong key')
    const quiet = await listModels(deps)
    expect(quiet[0]).toMatchObject({ context_window: 1_000_000, note: '' })
    const told = (await listModels(deps, { refresh: true }))[0]?.note
    expect(told).toContain('could not be refreshed')
    expect(told).not.toContain('wrong key')
    await expect(refreshCatalogues(deps)).resolves.toBeUndefined()
  })

  it('without catalogues, as in a short run, nothing is asked', async () => {
    const { server, deps } = await engine([listed('claude-opus-5-5', 777)])
    const { catalogues: _shared, ...short } = deps
    expect((await listModels(short))[0]?.context_window).toBe(1_000_000)
    expect((await createModelClient('claude-opus-5-5', short)).info().context_window).toBe(1_000_000)
    expect(server.connections()).toBe(0)
  })

  it('is forgotten with the key it was for', async () => {
    const { deps } = await engine([listed('claude-opus-5-5', 777)])
    await refreshCatalogues(deps)
    deps.catalogues.anthropic.forget()
    expect((await createModelClient('claude-opus-5-5', deps)).info().context_window).toBe(1_000_000)
  })
})
