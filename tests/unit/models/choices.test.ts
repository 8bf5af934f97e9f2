import { describe, expect, it } from 'vitest'
import { alternatives, choiceOf } from '../../../src/main/models/choices'
import { closest, didYouMean } from '../../../src/main/models/suggest'

const info = { name: 'x', context_window: null, max_output: null, price: null }
const offer = (id: string, available = true, tools: boolean | null = null) =>
  choiceOf(id, 'p', { ...info, capabilities: { tools, images: null, reasoning: null } }, available)

describe('alternatives after a refusal', () => {
  const choices = [
    offer('anthropic/claude-opus-5-5'),
    offer('anthropic/claude-sonnet-5-5'),
    offer('hf/anthropic/claude-opus-4.8:fal-ai'),
    offer('hf/moonshotai/Kimi-K2.6'),
    offer('hf/moonshotai/Kimi-K2.6:novita'),
    offer('hf/zai-org/GLM-5.1', true, false),
    offer('ollama/qwen3:8b'),
    offer('vllm/big', false),
    offer('demo/scripted'),
  ]
  it('are of other makers first, and models that can work', () => {
    expect(alternatives('anthropic/claude-opus-5-5', choices)).toEqual([
      'hf/moonshotai/Kimi-K2.6',
      'ollama/qwen3:8b',
      'hf/moonshotai/Kimi-K2.6:novita',
    ])
  })
  it('never the same weights elsewhere', () => {
    expect(alternatives('hf/moonshotai/Kimi-K2.6', choices)).toEqual([
      'anthropic/claude-opus-5-5',
      'ollama/qwen3:8b',
      'anthropic/claude-sonnet-5-5',
    ])
  })
  it('are the same maker’s where there is no other, and none where there is nothing', () => {
    expect(alternatives('anthropic/claude-opus-5-5', choices.slice(0, 2))).toEqual(['anthropic/claude-sonnet-5-5'])
    expect(alternatives('anthropic/claude-opus-5-5', choices.slice(0, 1))).toEqual([])
  })
})

describe('close ids', () => {
  const ids = ['moonshotai/Kimi-K2.6', 'moonshotai/Kimi-K2', 'zai-org/GLM-5.1', 'deepseek-ai/DeepSeek-V4-Pro']
  it.each([
    ['moonshot/kimi-k2.6', ['moonshotai/Kimi-K2.6', 'moonshotai/Kimi-K2']],
    ['GLM', ['zai-org/GLM-5.1']],
    ['deepseek/deepseek-v4', ['deepseek-ai/DeepSeek-V4-Pro']],
    ['qqq/zzzz', []],
  ])('%s: %j', (id, expected) => {
    expect(closest(id, ids, 3).slice(0, expected.length || 1)).toEqual(expected)
  })
  it('are told in a sentence', () => {
    expect(didYouMean([])).toBe('')
    expect(didYouMean(['a'])).toBe('Did you mean a? ')
    expect(didYouMean(['a', 'b', 'c'])).toBe('Did you mean a, b or c? ')
  })
})
