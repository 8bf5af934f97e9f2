import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { LiveLog } from '../../../src/main/workspace/live-log'

describe('LiveLog', () => {
  const emitted: { text: string; stream: string }[] = []
  const log = () => new LiveLog((text, stream) => emitted.push({ text, stream }))

  beforeEach(() => {
    emitted.length = 0
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('shows the first piece at once and merges what follows to about 30 a second', () => {
    const live = log()
    live.push('first', 'stdout')
    expect(emitted).toEqual([{ text: 'first', stream: 'stdout' }])
    for (let ms = 0; ms < 1000; ms += 1) {
      live.push('x', 'stdout')
      vi.advanceTimersByTime(1)
    }
    live.end()
    expect(emitted.length).toBeLessThanOrEqual(33)
    expect(emitted.map(({ text }) => text).join('')).toBe(`first${'x'.repeat(1000)}`)
  })

  it('keeps the order of the two streams', () => {
    const live = log()
    live.push('0', 'stdout')
    live.push('1', 'stderr')
    live.push('2', 'stdout')
    live.push('3', 'stderr')
    live.end()
    expect(emitted.map(({ text }) => text).join('')).toBe('0123')
  })

  it('holds nothing back at the end and leaves no timer', () => {
    const live = log()
    live.push('a', 'stdout')
    live.push('b', 'stderr')
    live.end()
    expect(emitted.at(-1)).toEqual({ text: 'b', stream: 'stderr' })
    expect(vi.getTimerCount()).toBe(0)
  })

  it('after 2 MB shows a glimpse a second with a note, and the end of the output', () => {
    const live = log()
    const line = `${'y'.repeat(99)}\n`
    const piece = line.repeat(600)
    for (let ms = 0; ms < 10_000; ms += 10) {
      live.push(piece, 'stdout')
      vi.advanceTimersByTime(10)
    }
    live.push('the end\n', 'stdout')
    live.end()
    const shown = emitted.map(({ text }) => text).join('')
    expect(shown.length).toBeLessThan(2_200_000)
    expect(shown.endsWith('the end\n')).toBe(true)
    const skipped = [...shown.matchAll(/\[(\d+) characters are not shown live/g)]
    expect(skipped.length).toBeGreaterThan(5)
    const notes = shown.replaceAll(/\n\[\d+ characters are not shown live[^\n]*\n/g, '')
    const sum = skipped.reduce((total, [, count]) => total + Number(count), 0)
    expect(notes.length + sum).toBe(1000 * piece.length + 'the end\n'.length)
  })

  it('after 2 MB still shows all of a slow output: a training run of hours stays visible', () => {
    const live = log()
    live.push('z'.repeat(2_000_001), 'stdout')
    emitted.length = 0
    for (let step = 0; step < 20; step += 1) {
      live.push(`step ${step}\n`, 'stdout')
      vi.advanceTimersByTime(500)
    }
    live.end()
    expect(emitted.map(({ text }) => text).join('')).toBe(Array.from({ length: 20 }, (_, i) => `step ${i}\n`).join(''))
  })
})
