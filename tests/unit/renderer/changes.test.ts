import { describeFiles, firstLine, rewindScope, totals, turnOf, turnsOf } from '@renderer/features/changes/turns'
import { formatMemory, gpuLine, machineLine, pythonLabel } from '@renderer/features/status/machine-text'
import type { FileChange, TurnChanges } from '@shared/checkpoints'
import type { Machine } from '@shared/machine'
import { describe, expect, it } from 'vitest'
import { assistant, tool, user } from './items'

const file = (path: string, added: number | null = 1, removed: number | null = 0): FileChange => ({
  path,
  kind: 'changed',
  added,
  removed,
})
const changes = (id: string, files: FileChange[], left_out: string[] = []): TurnChanges => ({
  user_message_id: id,
  recorded_at: '2026-03-05T12:00:00.000Z',
  files,
  left_out,
})

describe('turns', () => {
  const items = [
    user('u1', '\n  Train it \nplease'),
    tool('t1'),
    user('s1', 'faster', 'steer'),
    assistant('a1', 'Done.'),
    user('u2', 'Again'),
    assistant('a2', 'Done.'),
  ]

  it('lists turns newest first and keeps one whose message was taken back', () => {
    const turns = turnsOf(items, ['u1', 'gone', 'u2'])
    expect(turns.map((turn) => [turn.id, turn.message?.key ?? null, turn.newest])).toEqual([
      ['u2', 'u2', true],
      ['gone', null, false],
      ['u1', 'u1', false],
    ])
    expect(firstLine('\n  Train it \nplease')).toBe('Train it')
  })

  it('finds the message that began a turn, past one that was sent while it ran', () => {
    expect(turnOf(items, 'a1')).toBe('u1')
    expect(turnOf(items, 'a2')).toBe('u2')
    expect(turnOf(items, 'nowhere')).toBeNull()
  })

  it('names every file that a rewind touches: those of later turns too', () => {
    const turns = turnsOf(items, ['u0', 'u1', 'u2'])
    const known: Record<string, TurnChanges> = {
      u1: changes('u1', [file('b'), file('a')]),
      u2: changes('u2', [file('a'), file('c')], ['data/ is too large.']),
    }
    const scope = rewindScope(turns, (id) => known[id], 'u1')
    expect(scope).toEqual({ files: ['a', 'b', 'c'], later: 1, more: false, left_out: ['data/ is too large.'] })
    expect(describeFiles(scope)).toBe('3 files')
    const unsure = rewindScope(turns, (id) => known[id], 'u0')
    expect(unsure.more).toBe(true)
    expect(describeFiles(unsure)).toBe('at least 3 files')
  })

  it('counts lines, and says nothing where no file has any', () => {
    expect(totals([file('a', 3, 1), file('b', null, null)])).toEqual({ added: 3, removed: 1 })
    expect(totals([file('b', null, null)])).toBeNull()
  })
})

describe('machine', () => {
  const machine: Machine = {
    cpu: { model: 'Some CPU', cores: 2 },
    memory: { total: 24 * 1024 ** 3, available: 8 * 1024 ** 3 },
    disk: { total: 1, free: 1 },
    gpus: [],
    gpu_note: '',
  }
  const gpu = { name: 'A100', kind: 'cuda', memory: null, memory_free: null, driver: null } as const

  it('is one line in the status bar', () => {
    expect(machineLine(machine)).toBe('2 cores · 24 GB · no GPU')
    expect(gpuLine([gpu, gpu])).toBe('2 × A100')
    expect(gpuLine([gpu, { ...gpu, name: 'T4' }])).toBe('2 GPUs')
    expect(formatMemory(1.5 * 1024 ** 3)).toBe('1.5 GB')
    expect(formatMemory(2 * 1024 ** 4)).toBe('2 TB')
  })

  it('names Python by what is known of it', () => {
    const python = { path: '/w/.venv/bin/python', version: '3.12.4', source: 'uv', environment: '/w/.venv' } as const
    expect(pythonLabel(python, '/usr/bin/python3')).toBe('Python 3.12 · uv')
    expect(pythonLabel(undefined, '/usr/bin/python3')).toBe('python3')
    expect(pythonLabel(undefined, null)).toBe('No Python')
  })
})
