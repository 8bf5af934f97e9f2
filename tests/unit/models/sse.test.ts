import { describe, expect, it } from 'vitest'
import { SseDecoder, type SseEvent } from '../../../src/main/models/sse'

const stream =
  ': comment\nevent: a\ndata: {"x":"ü😀"}\n\ndata:no space\ndata: second\nid: 5\n\nevent: empty\n\nevent: b\r\ndata: crlf\r\n\r\ndata: last'
const expected: SseEvent[] = [
  { event: 'a', data: '{"x":"ü😀"}' },
  { event: null, data: 'no space\nsecond' },
  { event: 'b', data: 'crlf' },
  { event: null, data: 'last' },
]

describe('SseDecoder', () => {
  it('gives the same events however the bytes are cut, also inside a character or a CRLF', () => {
    const bytes = Buffer.from(stream)
    for (let size = 1; size <= bytes.length; size++) {
      const decoder = new SseDecoder()
      const events: SseEvent[] = []
      for (let at = 0; at < bytes.length; at += size) events.push(...decoder.push(bytes.subarray(at, at + size)))
      events.push(...decoder.end())
      expect(events, `chunks of ${size} bytes`).toEqual(expected)
    }
  })

  it('reads a line of many chunks in linear time', () => {
    const decoder = new SseDecoder()
    const chunk = Buffer.from('x'.repeat(1000))
    decoder.push(Buffer.from('data: '))
    for (let i = 0; i < 20_000; i++) decoder.push(chunk)
    const [event] = decoder.push(Buffer.from('\n\n'))
    expect(event?.data.length).toBe(20_000_000)
  })
})
