import type { SessionSummary } from '@shared/state'
import { describe, expect, it } from 'vitest'
import { groupByFolder, matches } from '../../../src/renderer/src/features/sessions/groups'
import { runStateOf } from '../../../src/renderer/src/features/sessions/sessionState'
import { baseName, formatAgo, formatCost, formatTokens } from '../../../src/renderer/src/lib/format'

const summary = (id: string, cwd: string, title = ''): SessionSummary => ({
  id,
  title,
  cwd,
  model: 'anthropic/claude-opus-5-5',
  created_at: '',
  updated_at: '',
  status: 'idle',
  last_outcome: null,
  turns: 0,
  cost_usd: 0,
  locked: false,
})

describe('numbers on screen', () => {
  it('shows a small cost with its digits and an unknown part with a plus (a lying zero)', () => {
    expect(formatCost(0.0123)).toBe('$0.0123')
    expect(formatCost(1.836)).toBe('$1.84')
    expect(formatCost(0)).toBe('$0.00')
    expect(formatCost(0, true)).toBe('$0.00+')
  })

  it('rounds tokens without jumping a unit (1000.0k)', () => {
    expect([950, 12_345, 200_000, 999_499, 999_600, 1_000_000].map(formatTokens)).toEqual([
      '950',
      '12.3k',
      '200k',
      '999k',
      '1M',
      '1M',
    ])
  })

  it('says how long ago, also for a clock that runs ahead', () => {
    const now = new Date('2026-11-20T12:00:00Z').getTime()
    expect(formatAgo('2026-11-20T12:00:30Z', now)).toBe('now')
    expect(formatAgo('2026-11-20T11:56:00Z', now)).toBe('4 m')
    expect(formatAgo('2026-11-20T09:00:00Z', now)).toBe('3 h')
    expect(formatAgo('2025-03-04T12:00:00Z', now)).toBe('Mar 4, 2025')
    expect(formatAgo('', now)).toBe('')
  })

  it('takes the last part of paths of both kinds', () => {
    expect([baseName('/a/b/'), baseName('C:\\data\\x'), baseName('/')]).toEqual(['b', 'x', '/'])
  })
})

describe('session list', () => {
  it('tells two folders of the same name apart (two groups that look the same)', () => {
    const groups = groupByFolder([
      summary('1', '/a/data'),
      summary('2', '/b/data'),
      summary('3', '/a/data'),
      summary('4', '/c'),
    ])
    expect(groups.map((group) => [group.label, group.sessions.map((s) => s.id)])).toEqual([
      ['a/data', ['1', '3']],
      ['b/data', ['2']],
      ['c', ['4']],
    ])
  })

  it('finds by every word, in title and folder', () => {
    const session = summary('1', '/home/ada/tickets', 'Fine-tune a classifier')
    expect(matches(session, 'TICKETS fine')).toBe(true)
    expect(matches(session, 'tickets qwen')).toBe(false)
  })

  it('does not call a stopped run finished', () => {
    expect(runStateOf({ status: 'idle', last_outcome: 'interrupted' }).kind).toBe('idle')
    expect(runStateOf({ status: 'idle', last_outcome: 'finished' }).kind).toBe('ok')
    expect(runStateOf({ status: 'waiting_approval', last_outcome: null }).kind).toBe('waiting')
  })
})
