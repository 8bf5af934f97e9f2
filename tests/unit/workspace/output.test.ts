import { describe, expect, it } from 'vitest'
import { AnsiStripper, OutputWindow, stripAnsi } from '../../../src/main/workspace/output'
import { fixture } from '../tools/context'

interface Vectors {
  strip_ansi: { name: string; input: string; expected: string }[]
  vectors: {
    name: string
    length: number
    max_chars: number
    expected: { truncated: boolean; head_chars: number | null; tail_chars: number | null; omitted: number }
  }[]
}
const vectors = await fixture<Vectors>('output_truncation')
/** The reference leaves private sequences (hide cursor) in what the model reads; ours takes out every control sequence. */
const DIFFERENT = new Map([['\x1b[?25l', '']])

describe('stripAnsi', () => {
  for (const { name, input, expected } of vectors.strip_ansi) {
    it(`vector ${name}`, () => {
      expect(stripAnsi(input)).toBe(DIFFERENT.get(input) ?? expected)
    })
  }

  it('takes out titles, links, charset switches and stray control characters, and keeps tab, CR and LF', () => {
    const link = '\x1b]8;;https://example.org\x1b\\text\x1b]8;;\x1b\\'
    expect(stripAnsi(`\x1b]0;title\x07${link}\x1b(B\x1b7\x1b=a\tb\r\nc\x08\x00\x7f`)).toBe('texta\tb\r\nc')
  })

  it('gives the same text however a stream is cut', () => {
    const text = 'a\x1b[1;31mred\x1b[0m \x1b]0;title\x07b\x1b[?25lc\x1b]8;;u\x1b\\d'
    for (let cut = 0; cut <= text.length; cut += 1) {
      const stripper = new AnsiStripper()
      const parts = stripper.push(text.slice(0, cut)) + stripper.push(text.slice(cut)) + stripper.end()
      expect(parts).toBe('ared bcd')
    }
  })

  it('does not hold back text for ever behind a lone escape character', () => {
    const stripper = new AnsiStripper()
    const text = `\x1b]${'x'.repeat(10_000)}`
    expect((stripper.push(text) + stripper.end()).length).toBeGreaterThan(9_000)
  })
})

describe('OutputWindow', () => {
  for (const { name, length, max_chars, expected } of vectors.vectors) {
    // `output_length` of the vectors counts the reference's own wording and path, so it is not compared.
    it(`vector ${name}`, () => {
      const text = Array.from({ length }, (_, i) => String.fromCharCode(33 + (i % 90))).join('')
      for (const piece of [1, 7, length]) {
        const window = new OutputWindow(max_chars)
        for (let at = 0; at < length; at += piece) window.add(text.slice(at, at + piece))
        const result = window.render((omitted) => `<${omitted}>`)
        expect(window.truncated).toBe(expected.truncated)
        expect(result.omitted).toBe(expected.omitted)
        const head = text.slice(0, expected.head_chars ?? length)
        const tail = text.slice(length - (expected.tail_chars ?? 0))
        expect(result.text).toBe(expected.truncated ? `${head}<${expected.omitted}>${tail}` : text)
      }
    })
  }

  it('does not tear a surrogate pair at a cut, which no request could carry', () => {
    const window = new OutputWindow(40)
    window.add(`x${'😀'.repeat(100)}`)
    const { text, omitted } = window.render(() => '|')
    expect(text).not.toMatch(/\p{Surrogate}/u)
    expect(text.length - 1 + omitted).toBe(201)
  })
})
