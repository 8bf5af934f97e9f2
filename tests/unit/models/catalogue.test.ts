import { describe, expect, it } from 'vitest'
import { costOf, createCatalogue, type LiveModel, LiveModels } from '../../../src/main/models/catalogue'

const usage = { prompt_tokens: 0, completion_tokens: 0, cache_read_tokens: 0, cache_creation_tokens: 0 }
const signal = new AbortController().signal

describe('costOf', () => {
  const price = createCatalogue().info('claude-opus-5-5').price

  it('charges fresh, cached and written input each at its own rate, and none twice', () => {
    const prompt_tokens = 1_000_000
    expect(costOf({ ...usage, prompt_tokens }, price)).toBeCloseTo(4)
    expect(costOf({ ...usage, prompt_tokens, cache_read_tokens: prompt_tokens }, price)).toBeCloseTo(0.4)
    expect(costOf({ ...usage, prompt_tokens, cache_creation_tokens: prompt_tokens }, price)).toBeCloseTo(5)
    expect(costOf({ ...usage, completion_tokens: 100_000 }, price)).toBeCloseTo(2)
  })

  it('an unknown price is unknown, not free', () => {
    expect(costOf({ ...usage, prompt_tokens: 5 }, createCatalogue().info('claude-fable-5-2').price)).toBeNull()
    expect(costOf(usage, null)).toBeNull()
  })

  it('Haiku 5.5 costs five times as much once the prompt passes 100,000 tokens', () => {
    const { price: haiku } = createCatalogue().info('claude-haiku-5-5')
    expect(costOf({ ...usage, prompt_tokens: 100_000 }, haiku)).toBeCloseTo(0.01)
    expect(costOf({ ...usage, prompt_tokens: 100_001 }, haiku)).toBeCloseTo(0.0500005)
    const cached = { ...usage, prompt_tokens: 200_000, cache_read_tokens: 200_000, completion_tokens: 1000 }
    expect(costOf(cached, haiku)).toBeCloseTo(0.2 * 0.05 + 0.0025)
  })

  it('a provider that counts cached tokens apart does not make the cost negative', () => {
    expect(costOf({ ...usage, prompt_tokens: 10, cache_read_tokens: 50 }, price)).toBeGreaterThan(0)
  })
})

describe('createCatalogue', () => {
  it('knows the default model', () => {
    const info = createCatalogue().info('claude-opus-5-5')
    expect(info).toMatchObject({ name: 'Claude Opus 5.5', context_window: 1_000_000, max_output: 128_000 })
    expect(info.price).toEqual({ input: 4, output: 20, cache_read: 0.4, cache_write: 5 })
  })

  it('matches a dated name only where a rule says so: a look-alike may cost ten times as much', () => {
    const catalogue = createCatalogue()
    expect(catalogue.info('claude-haiku-4-5-20251001').price?.input).toBe(1)
    expect(catalogue.info('claude-opus-5-5-20260101')).toEqual({
      name: 'claude-opus-5-5-20260101',
      context_window: null,
      max_output: null,
      price: null,
      efforts: null,
      capabilities: { tools: null, images: null, reasoning: null },
      notes: [],
    })
    expect(catalogue.info('constructor').price).toBeNull()
  })

  it('leaves unknown what nobody published', () => {
    expect(createCatalogue().info('claude-opus-5').context_window).toBeNull()
  })

  it('the user’s prices win, also for the dated name, and bring their own window', () => {
    const catalogue = createCatalogue({
      'claude-haiku-5-5': { input: 1, output: 2 },
      'claude-haiku-4-5': { input: 3, output: 4, cache_read: 0, cache_write: 9, context_window: 1234 },
    })
    expect(catalogue.info('claude-haiku-5-5').price).toEqual({
      input: 1,
      output: 2,
      cache_read: 0.1,
      cache_write: 1.25,
    })
    expect(catalogue.info('claude-haiku-5-5').context_window).toBe(1_000_000)
    const dated = catalogue.info('claude-haiku-4-5-20251001')
    expect(dated.price).toEqual({ input: 3, output: 4, cache_read: 0, cache_write: 9 })
    expect(dated.context_window).toBe(1234)
  })

  it('does not ask a model for more tokens than it gives, nor an unstreamed reply to outlast its timeout', () => {
    const catalogue = createCatalogue()
    expect(catalogue.limits('claude-opus-5-5')).toMatchObject({ max_tokens: 64_000, max_tokens_unstreamed: 21_333 })
    expect(catalogue.limits('claude-unknown').max_tokens).toBe(32_000)
  })

  it('does not send Haiku 4.5 the parameters it refuses', () => {
    const limits = createCatalogue().limits('claude-haiku-4-5')
    expect(limits).toMatchObject({ adaptive_thinking: false, effort: false })
  })

  it('refreshes when asked, at most once an hour, and keeps what it knew when the list fails', async () => {
    let time = 0
    let calls = 0
    const catalogue = createCatalogue({}, new LiveModels(() => time))
    const live: LiveModel = {
      id: 'claude-opus-6',
      name: 'Claude Opus 6',
      context_window: 2_000_000,
      max_output: 8000,
      adaptive_thinking: true,
      effort: null,
      efforts: ['low', 'high'],
      images: true,
      reasoning: true,
    }
    const list = async () => {
      calls++
      return [live, { ...live, id: 'claude-opus-5', name: 'Claude Opus 5', context_window: 500_000 }]
    }
    await expect(catalogue.refresh(async () => Promise.reject(new Error('offline')), signal)).rejects.toThrow('offline')
    await catalogue.refresh(list, signal)
    await catalogue.refresh(list, signal)
    expect(calls).toBe(1)
    time = 3_600_001
    await catalogue.refresh(list, signal)
    expect(calls).toBe(2)
    expect(catalogue.info('claude-opus-6')).toMatchObject({ context_window: 2_000_000, price: null })
    expect(catalogue.info('claude-opus-5')).toMatchObject({ context_window: 500_000, price: { input: 5 } })
    expect(catalogue.limits('claude-opus-6').max_tokens).toBe(8000)
    expect(catalogue.offered().at(-1)).toBe('claude-opus-6')
    expect(catalogue.info('claude-opus-6')).toMatchObject({ efforts: ['low', 'high'], notes: [] })
    expect(catalogue.info('claude-fable-5-1').notes).toEqual(['The provider does not list this model for your key.'])
  })
})
