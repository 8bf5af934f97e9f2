import type { ModelChoice } from '@shared/bridge'
import { describe, expect, it } from 'vitest'
import {
  countMatches,
  freeIdOf,
  MAX_SHOWN,
  otherFamilies,
  priceOf,
  sectionsOf,
} from '../../../src/renderer/src/features/models/catalogue'

const model = (id: string, provider: string, more: Partial<ModelChoice> = {}): ModelChoice => ({
  id,
  name: id.split('/').at(-1) ?? id,
  provider,
  context_window: 200_000,
  max_output: null,
  input_price: 1,
  output_price: 5,
  capabilities: { tools: true, images: null, reasoning: null },
  efforts: null,
  available: true,
  note: '',
  ...more,
})
const opus = model('anthropic/claude-opus', 'Anthropic')
const haiku = model('anthropic/claude-haiku', 'Anthropic')
const qwen = model('hf/Qwen/Qwen4', 'Hugging Face')
const qwenSmall = model('hf/Qwen/Qwen4-8B', 'Hugging Face')
const kimi = model('hf/moonshotai/Kimi', 'Hugging Face')
const gone = model('vllm/llama', 'vLLM', { available: false })
const mute = model('hf/google/gemma', 'Hugging Face', { capabilities: { tools: false, images: null, reasoning: null } })
const demo = model('demo/scripted', 'Demo')
const all = [opus, haiku, qwen, qwenSmall, kimi, gone, mute, demo]
const idsOf = (query: string, recent: string[] = []) =>
  sectionsOf(all, recent, query).map(({ label, models }) => [label, models.map(({ id }) => id)])

describe('model picker', () => {
  it('shows the models chosen last first and nowhere else, and forgets ids that are gone', () => {
    expect(idsOf('', ['hf/moonshotai/Kimi', 'hf/not/there']).slice(0, 3)).toEqual([
      ['Recent', ['hf/moonshotai/Kimi']],
      ['Anthropic', ['anthropic/claude-opus', 'anthropic/claude-haiku']],
      ['Hugging Face', ['hf/Qwen/Qwen4', 'hf/Qwen/Qwen4-8B', 'hf/google/gemma']],
    ])
  })

  it('finds by every word, in name, id or provider, and without a section of recent ones', () => {
    expect(idsOf('HUGGING 8b', ['hf/Qwen/Qwen4-8B'])).toEqual([['Hugging Face', ['hf/Qwen/Qwen4-8B']]])
    expect(idsOf('nothing')).toEqual([])
  })

  it('draws a bounded number of a long list and says how many there are', () => {
    const many = Array.from({ length: 1000 }, (_, at) => model(`hf/org/m${at}`, 'Hugging Face'))
    expect(sectionsOf(many, [], '')[0]?.models).toHaveLength(MAX_SHOWN)
    expect(countMatches(many, 'm99')).toBe(11)
  })

  it('takes an id that is not in the list, and a bare Hub id as one of its router', () => {
    expect(freeIdOf(' hf/org/model:novita ', all)).toBe('hf/org/model:novita')
    expect(freeIdOf('org/model-7b', all)).toBe('hf/org/model-7b')
    expect(freeIdOf('ollama/qwen3:8b', all)).toBe('ollama/qwen3:8b')
    expect(freeIdOf('claude-next', all)).toBe('anthropic/claude-next')
    for (const no of ['opus', 'two words/here', 'hf/', '', 'hf/Qwen/Qwen4', 'Qwen/Qwen4'])
      expect(freeIdOf(no, all)).toBeNull()
  })

  it('says that a price is not known instead of showing nothing or zero', () => {
    expect(priceOf(opus)).toBe('$1 / $5')
    expect(priceOf({ ...opus, output_price: null })).toBe('price not known')
    expect(priceOf({ ...opus, input_price: 0, output_price: 0 })).toBe('free')
  })

  it('offers, after a refusal, other makers that can be used, each once before any twice', () => {
    expect(otherFamilies(all, 'anthropic/claude-opus').map(({ id }) => id)).toEqual([
      'hf/Qwen/Qwen4',
      'hf/moonshotai/Kimi',
      'hf/Qwen/Qwen4-8B',
    ])
    expect(otherFamilies(all, 'hf/Qwen/Qwen4', 2).map(({ id }) => id)).toEqual([
      'anthropic/claude-opus',
      'hf/moonshotai/Kimi',
    ])
  })
})
