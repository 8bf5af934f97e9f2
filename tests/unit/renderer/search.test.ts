import type { SearchResult } from '@shared/bridge'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { LiveSearch, type SearchView } from '../../../src/renderer/src/features/search/live-search'
import { piecesOf } from '../../../src/renderer/src/features/search/marks'
import { itemOfSeq, rowOfItem } from '../../../src/renderer/src/features/search/target'
import { assistant, tool, user } from './items'

interface Asked {
  query: string
  answer: (result: SearchResult) => Promise<void>
  fail: (error: Error) => Promise<void>
}

let asked: Asked[] = []
let views: SearchView[] = []
const found = (session: string, pending = 0): SearchResult => ({
  hits: [{ session, title: '', cwd: '', updated_at: '', seq: 1, kind: 'user', snippet: '', marks: [] }],
  pending,
})
const settled = async () => {
  for (let i = 0; i < 5; i++) await Promise.resolve()
}
const makeSearch = () =>
  new LiveSearch(
    (query) =>
      new Promise((resolve, reject) => {
        asked.push({
          query,
          answer: (result) => {
            resolve(result)
            return settled()
          },
          fail: (error) => {
            reject(error)
            return settled()
          },
        })
      }),
    (view) => views.push(view),
  )
const last = () => views.at(-1)
const question = (at: number): Asked => {
  const one = asked[at]
  if (!one) throw new Error(`question ${at} was not asked`)
  return one
}

beforeEach(() => {
  vi.useFakeTimers()
  asked = []
  views = []
})
afterEach(() => {
  vi.useRealTimers()
})

describe('live search', () => {
  it('has one question on its way; its answer lets the newest go, and is not shown (a list that jumps back)', async () => {
    const search = makeSearch()
    for (const text of ['d', 'du', 'dup']) search.want(text)
    expect(asked.map(({ query }) => query)).toEqual(['d'])
    await question(0).answer(found('old'))
    expect(asked.map(({ query }) => query)).toEqual(['d', 'dup'])
    expect(last()).toMatchObject({ result: null, busy: true })
    await question(1).answer(found('new'))
    expect(last()).toMatchObject({ query: 'dup', busy: false, result: { hits: [{ session: 'new' }] } })
  })

  it('keeps what it shows while the next answer is on its way (a flicker at every key)', async () => {
    const search = makeSearch()
    search.want('a')
    await question(0).answer(found('a'))
    search.want('ab')
    expect(last()).toMatchObject({ query: 'a', busy: true, result: { hits: [{ session: 'a' }] } })
  })

  it('shows nothing of an answer that comes after the field was emptied', async () => {
    const search = makeSearch()
    search.want('a')
    search.want(' ')
    await question(0).answer(found('a'))
    expect(last()).toMatchObject({ query: '', result: null, busy: false })
    expect(asked).toHaveLength(1)
  })

  it('asks again while sessions are still being read, and stops when it is closed', async () => {
    const search = makeSearch()
    search.want('a')
    await question(0).answer(found('a', 3))
    vi.advanceTimersByTime(1_000)
    expect(asked).toHaveLength(2)
    await question(1).answer(found('a', 1))
    search.close()
    vi.advanceTimersByTime(10_000)
    expect(asked).toHaveLength(2)
  })

  it('says that it failed, and goes on with the next question', async () => {
    const search = makeSearch()
    search.want('a')
    await question(0).fail(new Error('no index'))
    expect(last()?.failure).toBeInstanceOf(Error)
    search.want('b')
    await question(1).answer(found('b'))
    expect(last()).toMatchObject({ failure: null, result: { hits: [{ session: 'b' }] } })
  })
})

describe('a hit', () => {
  it('is cut at its marks without losing or doubling text, whatever the marks are', () => {
    const text = 'one two three'
    const marks: [number, number][] = [
      [8, 99],
      [0, 3],
      [2, 5],
    ]
    const pieces = piecesOf(text, marks)
    expect(pieces.map((piece) => piece.text).join('')).toBe(text)
    expect(pieces.filter((piece) => piece.marked).map((piece) => piece.text)).toEqual(['one', ' t', 'three'])
    expect(piecesOf(text, [])).toEqual([{ text, marked: false, at: 0 }])
  })

  it('leads to the item of its event, and that of a result to its call', () => {
    const items = [
      { ...user('u'), seq: 2 },
      { ...tool('t'), seq: 5 },
      { ...assistant('a', 'x'), seq: 9 },
    ]
    expect(itemOfSeq(items, 2)?.key).toBe('u')
    expect(itemOfSeq(items, 7)?.key).toBe('t')
    expect(itemOfSeq(items, 1)).toBeNull()
    const rows = [
      { key: 'a:reasoning', kind: 'reasoning' },
      { key: 'a:0', kind: 'markdown' },
      { key: 'ab:0', kind: 'markdown' },
    ]
    expect([rowOfItem(rows, 'a'), rowOfItem(rows, 'ab'), rowOfItem(rows, 'b')]).toEqual([1, 2, -1])
  })
})
