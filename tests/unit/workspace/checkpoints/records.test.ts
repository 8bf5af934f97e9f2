import { describe, expect, it } from 'vitest'
import { countsAsChange } from '../../../../src/main/workspace/checkpoints'
import {
  endOf,
  type RecordKind,
  type StateRecord,
  userIntervals,
} from '../../../../src/main/workspace/checkpoints/records'

/** `before m1 a`: a record of that kind, id and tree; the place in the list is its time. */
function timeline(...lines: string[]): StateRecord[] {
  return lines.map((line, at) => {
    const [kind = '', id = '', tree = ''] = line.split(' ')
    return { kind: kind as RecordKind, id, tree, at, left_out: [], omitted: [], modes: [], ref: '' }
  })
}

describe('userIntervals', () => {
  it('is the time between the end of a turn and the beginning of the next, and since the last', () => {
    const records = timeline('before m1 a', 'after m1 b', 'before m2 c', 'after m2 d')
    expect(userIntervals(records, 0, 'e')).toEqual([
      ['b', 'c'],
      ['d', 'e'],
    ])
    expect(userIntervals(records, 2, 'e')).toEqual([['d', 'e']])
  })

  it('a rewind is not the user’s doing, and what comes after it is', () => {
    const records = timeline('before m1 a', 'after m1 b', 'undo u b', 'rewound u a')
    expect(userIntervals(records, 0, 'a')).toEqual([])
    expect(userIntervals(records, 0, 'x')).toEqual([['a', 'x']])
  })

  it('a turn that a crash ended is the agent’s up to the next record', () => {
    expect(userIntervals(timeline('before m1 a', 'before m2 b', 'after m2 c'), 0, 'c')).toEqual([])
    expect(userIntervals(timeline('before m1 a'), 0, 'b')).toEqual([])
  })
})

describe('endOf', () => {
  const end = (index: number, ...lines: string[]) => {
    const records = timeline(...lines)
    const before = records[index]
    return before && endOf(records, before)?.tree
  }

  it('is the turn’s own end, else the next beginning or rewind, else not yet known', () => {
    expect(end(0, 'before m1 a', 'after m1 b', 'before m2 c')).toBe('b')
    expect(end(0, 'before m1 a', 'before m2 c', 'after m2 d')).toBe('c')
    expect(end(0, 'before m1 a', 'undo u c', 'rewound u a')).toBe('c')
    expect(end(0, 'before m1 a')).toBeUndefined()
  })
})

it('countsAsChange: writing and running, not reading', () => {
  expect([countsAsChange('read'), countsAsChange('write'), countsAsChange('execute')]).toEqual([false, true, true])
})
