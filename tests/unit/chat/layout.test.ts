import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { layout } from '../../../src/main/hosts/chat/layout'
import { MarkdownLines, wrapWords } from '../../../src/main/hosts/chat/markdown-lines'
import { styleFor, widthOf } from '../../../src/main/hosts/headless/style'

const same = (text: string): string => text
function rows(text: string, cursor = text.length, columns = 10, max_rows = 20) {
  return layout({ text, cursor, prompt: '> ', paintPrompt: same, paintNote: same, columns, max_rows })
}

describe('layout of the line', () => {
  it('cuts rows by columns, wide characters and composed emoji whole', () => {
    expect(rows('abcdefghij', 0)).toEqual({ rows: ['> abcdefgh', '  ij'], row: 0, column: 2 })
    expect(rows('a你好吗吗', 1).rows).toEqual(['> a你好吗', '  吗'])
    const { rows: family, column } = rows('👩‍👩‍👧x')
    expect(family).toEqual(['> 👩‍👩‍👧x'])
    expect(column).toBe(5)
  })

  it('puts a cursor behind a full row into the next one', () => {
    expect(rows('abcdefgh')).toEqual({ rows: ['> abcdefgh', '  '], row: 1, column: 2 })
    expect(rows('abcdefgh\nx', 8)).toMatchObject({ row: 1, column: 2 })
  })

  it('shows the part around the cursor of a long text, and how much is left out', () => {
    const text = Array.from({ length: 100 }, (_, i) => `line ${i}`).join('\n')
    const { rows: shown, row } = rows(text, text.indexOf('line 50'), 40, 8)
    expect(shown).toHaveLength(8)
    expect(shown[0]).toMatch(/4\d more above/)
    expect(shown[7]).toMatch(/4\d more below/)
    expect(shown[row]).toContain('line 50')
  })
})

describe('Markdown in a terminal', () => {
  it('wraps prose between words and under its marker, and never loses a character', () => {
    expect(wrapWords('- one two three four', 10)).toEqual(['- one two', '  three', '  four'])
    expect(wrapWords('averyveryverylongword x', 8)).toEqual(['averyver', 'yverylon', 'gword x'])
    expect(wrapWords('', 8)).toEqual([''])
    for (const row of wrapWords('学习率 是 一个 重要 的 超参数 👩‍👩‍👧 ok', 7))
      expect(widthOf(row.replace(/👩‍👩‍👧/u, 'xx'))).toBeLessThanOrEqual(7)
  })

  it('keeps code as it is until the fence ends, and paints nothing without colours', () => {
    const plain = new MarkdownLines(styleFor(new PassThrough(), {}))
    const long = `x = "${'a'.repeat(40)}"  # **not bold**`
    expect(['```python', long, '```', '# Done'].flatMap((line) => plain.line(line, 20))).toEqual([
      '```python',
      long,
      '```',
      '# Done',
    ])
    const tty = styleFor(Object.assign(new PassThrough(), { isTTY: true }), { TERM: 'xterm' })
    const painted = new MarkdownLines(tty)
    expect(painted.line('a **b** `c`', 20)[0]).toBe(`a ${tty.bold('b')} ${tty.cyan('`c`')}`)
    expect(painted.line('2 ** 3 ** 4', 20)[0]).toBe('2 ** 3 ** 4')
  })
})
