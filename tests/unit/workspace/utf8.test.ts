import { expect, it } from 'vitest'
import { Utf8Splitter } from '../../../src/main/workspace/utf8'

it('never splits a character, whatever the pieces, and loses no byte', () => {
  const text = 'aä€😀 end ✓'
  const bytes = Buffer.from(text)
  for (let size = 1; size <= bytes.length; size += 1) {
    const splitter = new Utf8Splitter()
    const parts: string[] = []
    for (let at = 0; at < bytes.length; at += size) parts.push(splitter.push(bytes.subarray(at, at + size)).toString())
    expect(parts.join('') + splitter.end().toString()).toBe(text)
    expect(parts.join('')).not.toContain('\ufffd')
  }
})

it('passes bytes that are not UTF-8 through unchanged', () => {
  const bytes = Buffer.from([0xff, 0x80, 0x80, 0x80, 0x80, 0xe2, 0x41, 0xf0, 0x9f])
  const splitter = new Utf8Splitter()
  const out = [...bytes].map((byte) => Buffer.from(splitter.push(Buffer.from([byte]))))
  expect(Buffer.concat([...out, splitter.end()])).toEqual(bytes)
})
