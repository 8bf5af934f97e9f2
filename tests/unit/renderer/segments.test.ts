import { extendSegments, HARD_LIMIT, type Segmented, SOFT_LIMIT, segmentText } from '@renderer/features/chat/segments'
import { describe, expect, it } from 'vitest'

const paragraph = (n: number): string => `${`Sentence ${n} about the loss. `.repeat(30)}\n\n`
const sample = [
  '# Report\n\n',
  paragraph(1),
  paragraph(2),
  paragraph(3),
  '- one\n- two\n\n  still two\n\n  ```python\n  x = 1\n\n  y = 2\n  ```\n- three\n\n',
  paragraph(4),
  '```python\nimport csv\n\nprint("``` not a fence")\n```\nAfter the code.\n\n',
  '````md\n```inner\n```\n````\n',
  paragraph(5),
  '> quoted\n> ```sh\n> ls\n> ```\n\n',
  paragraph(6),
  '| a | b |\n|---|---|\n| 1 | 2 |\n\n```\nunclosed',
].join('')

/** A small generator with a fixed seed: the same pieces in every run. */
function* pieces(text: string, seed: number): Generator<string> {
  let at = 0
  let state = seed
  while (at < text.length) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    at += 1 + (state % 97)
    yield text.slice(0, at)
  }
}

describe('segmentText', () => {
  it('loses or repeats no character outside the fences', () => {
    const segments = segmentText(sample)
    expect(segments.length).toBeGreaterThan(5)
    let at = 0
    for (const segment of segments) {
      expect(sample.slice(at, segment.start).trim()).toBe('')
      if (segment.kind === 'markdown') expect(segment.text).toBe(sample.slice(segment.start, segment.end))
      at = segment.end
    }
    expect(at).toBe(sample.length)
  })

  it('gives code with its language and without its fences', () => {
    const code = segmentText(sample).filter((s) => s.kind === 'code')
    expect(code.map((s) => [s.lang, s.text])).toEqual([
      ['python', 'import csv\n\nprint("``` not a fence")'],
      ['md', '```inner\n```'],
      ['', 'unclosed'],
    ])
  })

  it('does not take three backticks of inline code for a fence', () => {
    expect(segmentText('``` a ` b ```\n\ntext').map((s) => s.kind)).toEqual(['markdown'])
  })

  it('does not cut inside a list, which would number it anew', () => {
    const list = Array.from({ length: 60 }, (_, i) => `${i + 1}. Step ${'with words '.repeat(5)}`).join('\n\n')
    expect(list.length).toBeLessThan(HARD_LIMIT)
    expect(segmentText(list)).toHaveLength(1)
  })

  it('keeps pieces of an endless line small enough to parse in a frame', () => {
    const line = 'One more word, and another one. '.repeat(6_000)
    const segments = segmentText(line)
    expect(segments.map((s) => s.text).join('')).toBe(line)
    for (const segment of segments) expect(segment.text.length).toBeLessThanOrEqual(HARD_LIMIT)
    expect(segmentText('😀'.repeat(HARD_LIMIT)).every((s) => !/^[\uDC00-\uDFFF]/.test(s.text))).toBe(true)
  })

  it('repeats the header of a table that has to be cut', () => {
    const rows = Array.from({ length: 400 }, (_, i) => `| row ${i} | ${i * 2} | some words here |`)
    const segments = segmentText(`| name | n | note |\n| --- | --: | --- |\n${rows.join('\n')}\n`)
    expect(segments.length).toBeGreaterThan(1)
    for (const segment of segments) expect(segment.text).toMatch(/^\| name \| n \| note \|\n\| --- \| --: \| --- \|\n/)
  })

  it('leaves a short message whole and an empty one out', () => {
    expect(segmentText('Done.')).toHaveLength(1)
    expect(segmentText('a '.repeat(SOFT_LIMIT / 2))).toHaveLength(1)
    expect(segmentText(' \n')).toEqual([])
  })
})

describe('extendSegments', () => {
  it.each([1, 2, 3, 4])('gives the pieces of the finished text however it was streamed (seed %i)', (seed) => {
    let state: Segmented | null = null
    for (const prefix of pieces(sample, seed)) {
      state = extendSegments(state, prefix)
      expect(state.segments).toEqual(segmentText(prefix))
    }
    expect(state?.segments).toEqual(segmentText(sample))
  })

  it('keeps the objects of finished pieces, so that they are not drawn again', () => {
    const before = extendSegments(null, paragraph(1) + paragraph(2) + paragraph(3) + paragraph(4))
    const after = extendSegments(before, `${before.text}More.`)
    expect(before.segments.length).toBeGreaterThan(1)
    expect(after.segments[0]).toBe(before.segments[0])
    expect(extendSegments(after, after.text)).toBe(after)
  })

  it('starts anew when a retry replaces the text', () => {
    const before = extendSegments(null, sample)
    expect(extendSegments(before, 'Other').segments).toEqual(segmentText('Other'))
  })
})
