import { DraftRows, itemRows, tailRows } from '@renderer/features/chat/rows'
import { describe, expect, it } from 'vitest'
import { assistant, notice, session, tool, user } from './items'

const long = `${'Some words. '.repeat(200)}\n\n${'More words. '.repeat(200)}\n\nEnd.`

describe('itemRows', () => {
  it('draws calls of one run as one card, across replies that say nothing', () => {
    const rows = itemRows([
      notice('n', 'resumed'),
      tool('1'),
      assistant('a', ''),
      tool('2'),
      tool('3'),
      notice('m', 'info'),
      tool('4'),
    ])
    const cards = rows.flatMap((row) =>
      row.kind === 'tool' ? [`${row.item.key} ${row.first} ${row.last} ${row.gap > 0}`] : [],
    )
    expect(cards).toEqual(['1 true false true', '2 false false false', '3 false true false', '4 true true true'])
  })

  it('keeps the rows of unchanged items, so that a new event redraws one row and not all', () => {
    const items = [user('u'), assistant('a', long), tool('1')]
    const before = itemRows(items)
    const after = itemRows([...items, user('v')])
    expect(after.slice(0, before.length).every((row, i) => row === before[i])).toBe(true)
    const changed = itemRows([...items.slice(0, 2), { ...tool('1'), output: 'more' }])
    expect(changed[0]).toBe(before[0])
    expect(changed.at(-1)).not.toBe(before.at(-1))
  })

  it('gives every row a key of its own', () => {
    const rows = itemRows([user('u'), assistant('a', long, { reasoning: 'Hm' }), tool('1'), notice('n', 'error')])
    expect(new Set(rows.map((row) => row.key)).size).toBe(rows.length)
  })

  it('puts the footer under the last piece of a reply only, and shows a reply that was cut before its first word', () => {
    const rows = itemRows([assistant('a', long), assistant('b', '', { partial: true })])
    expect(rows.map((row) => 'reply' in row && row.reply?.key)).toEqual([undefined, 'a', 'b'])
  })

  it('leaves it to the notice below to say how a reply ended', () => {
    const cut = assistant('a', 'Half', { partial: true })
    const explained = (below: Parameters<typeof itemRows>[0]) =>
      itemRows([cut, ...below]).flatMap((row) => ('explained' in row ? [row.explained] : []))
    expect(explained([notice('n', 'interrupted')])).toEqual([true])
    expect(explained([notice('n', 'resumed')])).toEqual([false])
    expect(explained([])).toEqual([false])
  })

  it('marks the last reply of each turn, and the newest of them (a fork that cuts a turn in half)', () => {
    const rows = itemRows([
      user('u'),
      assistant('a', 'One'),
      tool('1'),
      assistant('b', 'Two'),
      notice('n', 'compacted'),
      user('v'),
      user('s', 'Faster', 'steer'),
      assistant('c', 'Three'),
      tool('2'),
    ])
    const marks = (of: typeof rows) =>
      of.flatMap((row) => ('reply' in row && row.reply ? [`${row.reply.key} ${row.ends} ${row.newest}`] : []))
    expect(marks(rows)).toEqual(['a false false', 'b true false', 'c false true'])
    expect(marks(itemRows([user('u'), assistant('a', 'One'), notice('n', 'interrupted')]))).toEqual(['a true true'])
  })

  it('leaves no gap under a message: the line of its actions is there already', () => {
    const rows = itemRows([user('u'), tool('1'), user('v'), assistant('a', 'One')])
    expect(rows.map((row) => row.gap)).toEqual([24, 0, 16, 0])
    expect(tailRows(session({ status: 'running' }), rows[0])).toMatchObject([{ gap: 0 }])
  })

  it('offers to try again under the newest error only', () => {
    const rows = itemRows([notice('n', 'error'), user('u'), notice('m', 'error')])
    expect(rows.flatMap((row) => (row.kind === 'notice' ? [row.newest] : []))).toEqual([false, true])
  })
})

describe('DraftRows', () => {
  const draft = (text: string, reasoning = '') => ({ id: 'a', text, reasoning, started_at: '2026-03-05T12:00:00.000Z' })

  it('gives the streaming reply the same rows as the finished one: nothing jumps at the end', () => {
    const drafts = new DraftRows()
    for (let end = 7; end < long.length; end += 113) drafts.rows(draft(long.slice(0, end), 'Hm'), undefined)
    const streamed = drafts.rows(draft(long, 'Hm'), undefined)
    const finished = itemRows([assistant('a', long, { reasoning: 'Hm' })])
    const look = (rows: typeof streamed) => rows.map((row) => [row.key, row.kind, row.gap, 'text' in row && row.text])
    expect(look(streamed)).toEqual(look(finished))
  })

  it('is thinking until there is text, and growing only in its last piece', () => {
    const drafts = new DraftRows()
    expect(drafts.rows(draft('', 'Hm'), undefined)).toMatchObject([{ kind: 'reasoning', live: true }])
    const rows = drafts.rows(draft(long, 'Hm'), undefined)
    expect(rows[0]).toMatchObject({ kind: 'reasoning', live: false })
    expect(rows.slice(1).map((row) => 'growing' in row && row.growing)).toEqual([false, true])
  })

  it('does not mix two replies', () => {
    const drafts = new DraftRows()
    drafts.rows(draft(long), undefined)
    const rows = drafts.rows({ ...draft('Other'), id: 'b' }, undefined)
    expect(rows).toMatchObject([{ key: 'b:0', text: 'Other' }])
  })
})

describe('tailRows', () => {
  it('shows the question instead of the activity, and nothing when idle', () => {
    const request = { tool: 'bash', arguments: {}, tool_call_id: 'c' }
    expect(tailRows(session({}), undefined)).toEqual([])
    expect(tailRows(session({ status: 'running' }), undefined)).toMatchObject([{ kind: 'activity' }])
    const asking = session({ status: 'waiting_approval', pending_approvals: [request] })
    expect(tailRows(asking, undefined)).toMatchObject([{ kind: 'approval', key: 'approval-c' }])
  })
})
