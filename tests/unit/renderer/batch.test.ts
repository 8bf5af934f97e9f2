import type { AnyEvent } from '@shared/events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createBatcher } from '../../../src/renderer/src/stores/batch'

let frames: FrameRequestCallback[] = []
const nextFrame = () => {
  const due = frames
  frames = []
  for (const frame of due) frame(0)
}
const event = (seq: number): AnyEvent => ({
  seq,
  time: '2026-01-01T00:00:00Z',
  session: 's',
  type: 'assistant_chunk',
  data: { id: 'a', content: 'x' },
})

beforeEach(() => {
  frames = []
  vi.useFakeTimers()
  vi.stubGlobal('requestAnimationFrame', (frame: FrameRequestCallback) => frames.push(frame))
  vi.stubGlobal('cancelAnimationFrame', () => {
    frames = []
  })
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

describe('batcher', () => {
  it('folds all events of a frame at once (one store update a token would drop frames)', () => {
    const calls: number[][] = []
    const batcher = createBatcher((_id, events) => {
      calls.push(events.map((e) => e.seq))
      return events.length
    })
    for (let seq = 1; seq <= 500; seq++) batcher.add('s', event(seq))
    expect(calls).toEqual([])
    nextFrame()
    expect(calls).toHaveLength(1)
    expect(calls[0]).toHaveLength(500)
    nextFrame()
    expect(calls).toHaveLength(1)
  })

  it('keeps what did not fit into a frame, in order, for the next (a lost or reordered tail)', () => {
    const seen: number[] = []
    const batcher = createBatcher((_id, events) => {
      const part = events.slice(0, 2)
      seen.push(...part.map((e) => e.seq))
      return part.length
    })
    for (let seq = 1; seq <= 3; seq++) batcher.add('s', event(seq))
    nextFrame()
    expect(seen).toEqual([1, 2])
    batcher.add('s', event(4))
    nextFrame()
    expect(seen).toEqual([1, 2, 3, 4])
  })

  it('folds in a hidden window, which gets no frames (a background tab that falls behind without end)', () => {
    const fold = vi.fn((_id: string, events: AnyEvent[]) => events.length)
    const batcher = createBatcher(fold)
    batcher.add('s', event(1))
    vi.advanceTimersByTime(1_000)
    expect(fold).toHaveBeenCalledOnce()
  })

  it('flushes one session at once and drops another (events folded after a snapshot that has them)', () => {
    const seen: string[] = []
    const batcher = createBatcher((id, events) => {
      seen.push(id)
      return events.length
    })
    batcher.add('a', event(1))
    batcher.add('b', event(1))
    batcher.flush('a')
    batcher.drop('b')
    nextFrame()
    expect(seen).toEqual(['a'])
  })
})
