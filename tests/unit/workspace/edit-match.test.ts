import { describe, expect, it } from 'vitest'
import { applyEdit, type EditRequest, nearestLines, normalizeUnicode } from '../../../src/main/workspace/edit-match'
import { fixture } from '../tools/context'

interface Vectors {
  unicode_map: Record<string, string>
  vectors: {
    name: string
    input: EditRequest
    expected:
      | { content: string; replacements: number; note: string | null }
      | { error: string; match_count: number | null }
  }[]
}
const { vectors, unicode_map } = await fixture<Vectors>('edit_utils')

const edit = (content: string, old_str: string, new_str: string, change: Partial<EditRequest> = {}) =>
  applyEdit({ content, old_str, new_str, mode: 'replace', replace_all: false, ...change })

describe('edit vectors', () => {
  for (const { name, input, expected } of vectors) {
    it(name, async () => expect(await applyEdit(input)).toMatchObject(expected))
  }

  it('unicode map', async () => {
    const named: Record<string, string> = {
      nbsp: '\u00a0',
      emsp: '\u2003',
      ensp: '\u2002',
      'U+200B': '\u200b',
      'U+FEFF': '\ufeff',
    }
    for (const [char, plain] of Object.entries(unicode_map)) expect(normalizeUnicode(named[char] ?? char)).toBe(plain)
  })
})

describe('edit keeps everything outside the match', () => {
  it('does not take part of a line for the whole line: the code behind it would be deleted', async () => {
    // The reference replaces the whole line here and drops `; save(model)`.
    expect(await edit('print(“done”); save(model)\n', 'print("done")', 'print("ok")')).toMatchObject({
      ok: false,
      error: 'not_found',
    })
    expect(await edit('a \nb; c\n', 'a\nb', 'x')).toMatchObject({ ok: false, error: 'not_found' })
  })

  it('replaces whole lines only, with every other byte as it was', async () => {
    const content = 'head \t\r\n\tif x:  \n\t\ty = 1\t\ntail — \r\nlast'
    const result = await edit(content, 'if x:\n    y = 1', '\tif x:\n\t\ty = 2')
    expect(result).toMatchObject({ ok: true, note: '(matched after trimming whitespace)', lines: [2] })
    expect(result.ok && result.content).toBe('head \t\r\n\tif x:\n\t\ty = 2\ntail — \r\nlast')
  })

  it('keeps CRLF, and gives inserted lines CRLF', async () => {
    const result = await edit('a\r\nb\r\nc\r\n', 'a\nb\n', 'x\ny\nz\n')
    expect(result).toMatchObject({ ok: true, content: 'x\r\ny\r\nz\r\nc\r\n', note: null })
    expect(await edit('a\r\nb\r\n', 'a', 'q\nr', { mode: 'append_after' })).toMatchObject({
      content: 'aq\r\nr\r\nb\r\n',
    })
  })

  it('does not touch the line endings of a mixed file', async () => {
    expect(await edit('a\r\nb\nc\r\nd\n', 'b\nc', 'B\nC')).toMatchObject({ ok: true, content: 'a\r\nB\nC\r\nd\n' })
  })

  it('keeps a byte order mark', async () => {
    expect(await edit('\ufeffa\nb\n', 'a\n', 'x\n')).toMatchObject({ ok: true, content: '\ufeffx\nb\n' })
  })

  it('random edits: what is before and behind the match is byte for byte the same', async () => {
    let seed = 7
    const random = (n: number) => {
      seed = (seed * 1103515245 + 12345) % 2 ** 31
      return seed % n
    }
    const words = ['a', 'b = 1', '\tc', ' d ', '“e”', 'f — g', '', 'h\u00a0i']
    for (let round = 0; round < 2000; round += 1) {
      const eols = ['\n', '\r\n']
      const lines = Array.from({ length: 1 + random(8) }, () => `${words[random(words.length)]}${eols[random(2)]}`)
      const content = lines.join('')
      const from = random(lines.length)
      const count = 1 + random(lines.length - from)
      const wanted = lines.slice(from, from + count).map((line) => normalizeUnicode(line).trim())
      const result = await edit(content, wanted.join('\n'), '<NEW>')
      if (!result.ok) continue
      const [before = '', after = ''] = result.content.split('<NEW>')
      expect(content.startsWith(before)).toBe(true)
      expect(content.endsWith(after)).toBe(true)
      const taken = content.slice(before.length, content.length - after.length)
      const plain = (text: string) => text.split('\n').map((line) => normalizeUnicode(line).trim())
      expect(plain(taken)).toEqual(wanted)
    }
  })
})

describe('edit refuses', () => {
  it('names the lines of an ambiguous match', async () => {
    expect(await edit('x\na\ny\na\na\n', 'a', 'b')).toMatchObject({
      error: 'ambiguous',
      match_count: 3,
      lines: [2, 4, 5],
    })
  })

  it('an empty old_str, with replace_all too', async () => {
    expect(await edit('abc', '', 'x', { replace_all: true })).toMatchObject({ ok: false, error: 'empty_old_str' })
  })

  it('blank lines as a place when they do not match exactly', async () => {
    expect(await edit('a\n\nb\n', '   ', 'x')).toMatchObject({ ok: false, error: 'not_found' })
  })
})

it('inserts at every match with replace_all', async () => {
  const all = { replace_all: true } as const
  expect(await edit('a\nb\na\n', 'a\n', '!\n', { ...all, mode: 'append_after' })).toMatchObject({
    content: 'a\n!\nb\na\n!\n',
  })
  expect(await edit('a\nb\na\n', 'a', '!', { ...all, mode: 'prepend_before' })).toMatchObject({
    content: '!a\nb\n!a\n',
  })
})

it('hints at lines that resemble what was not found', async () => {
  expect(nearestLines('x\nprint( “hi” )  # greet\ny\n', 'print( "hi" )')).toEqual([
    { line: 2, text: 'print( “hi” )  # greet' },
  ])
})

it('lets others have their turn between the passes over a large file', async () => {
  let turns = 0
  const count = () => {
    turns += 1
    pending = setImmediate(count)
  }
  let pending = setImmediate(count)
  const content = 'value = compute(“x”)  # some words here\n'.repeat(24_000)
  expect(await edit(content, 'nothing like this', 'x')).toMatchObject({ ok: false })
  clearImmediate(pending)
  expect(turns).toBeGreaterThanOrEqual(3)
})
