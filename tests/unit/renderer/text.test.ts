import {
  countLines,
  formatBytes,
  formatDuration,
  formatSeconds,
  formatTime,
  lastLines,
  plainOutput,
  shortPath,
} from '@renderer/features/chat/text'
import { describe, expect, it } from 'vitest'

describe('plainOutput', () => {
  it('takes colours and control strings out of output', () => {
    expect(plainOutput('\u001b[1;31mred\u001b[0m \u001b]8;;https://x.example\u0007link\u001b]8;;\u0007')).toBe(
      'red link',
    )
    expect(plainOutput('a\u001b]52;c;c2VjcmV0\u001b\\b\u0007c')).toBe('abc')
    expect(plainOutput('\u001b(Bplain\u001b=')).toBe('plain')
  })

  it('keeps of a progress bar what it ended as', () => {
    expect(plainOutput('10%\r50%\r100%\ndone\r\n')).toBe('100%\ndone\n')
    expect(plainOutput('loading 10%\r')).toBe('loading 10%')
    expect(plainOutput('one\r\ntwo\r\n')).toBe('one\ntwo\n')
  })

  it('keeps tabs, newlines and text of every script', () => {
    expect(plainOutput('a\tb\n日本 ü 😀')).toBe('a\tb\n日本 ü 😀')
  })

  it('reads a large output of progress lines in linear time', () => {
    const started = performance.now()
    plainOutput('12%|#### \r'.repeat(100_000))
    expect(performance.now() - started).toBeLessThan(500)
  })
})

describe('lastLines', () => {
  it('counts what it leaves out, and does not count the last newline as a line', () => {
    expect(lastLines('a\nb\nc\n', 2)).toEqual({ text: 'b\nc', before: 1 })
    expect(lastLines('a\nb', 5)).toEqual({ text: 'a\nb', before: 0 })
    expect(lastLines('', 1)).toEqual({ text: '', before: 0 })
  })
})

describe('numbers for people', () => {
  it('formats durations without false precision', () => {
    const said = [2, 99, 400, 9_940, 9_960, 21_000, 80_000, 3_600_000, 7_500_000].map(formatDuration)
    expect(said).toEqual(['2 ms', '99 ms', '0.4 s', '9.9 s', '10 s', '21 s', '1 min 20 s', '1 h', '2 h 5 min'])
  })

  it('never shows a negative time when the clocks of two machines differ', () => {
    expect(formatSeconds(-3)).toBe('0 s')
    expect(formatDuration(-3)).toBe('0 ms')
  })

  it('formats sizes', () => {
    expect([812, 24_300, 999_400, 1_240_000].map(formatBytes)).toEqual(['812 B', '24 kB', '999 kB', '1.2 MB'])
  })

  it('says the day of a time only when it is not today', () => {
    const now = new Date(2026, 2, 5, 12).getTime()
    expect(formatTime(new Date(2026, 2, 5, 9, 3).toISOString(), now)).toBe('09:03')
    expect(formatTime(new Date(2026, 2, 4, 14, 3).toISOString(), now)).toMatch(/^Mar 4, 14:03$/)
    expect(formatTime('never', now)).toBe('')
  })
})

describe('lines and paths', () => {
  it('counts lines as an editor does', () => {
    expect([countLines(''), countLines('a'), countLines('a\n'), countLines('a\n\nb')]).toEqual([0, 1, 1, 3])
  })

  it('shortens only paths that are inside the working folder', () => {
    expect(shortPath('/project/a/train.py', '/project/a')).toBe('train.py')
    expect(shortPath('/project/ab/train.py', '/project/a')).toBe('/project/ab/train.py')
    expect(shortPath('/etc/passwd', '')).toBe('/etc/passwd')
  })
})
