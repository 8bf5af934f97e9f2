import { hasCommands } from '@renderer/features/terminal/commands'
import { TerminalFeed } from '@renderer/features/terminal/feed'
import { OutputFilter } from '@renderer/features/terminal/filter'
import { TerminalWriter } from '@renderer/features/terminal/writer'
import { type EventData, type EventType, parseEvent } from '@shared/events'
import { applyEvent } from '@shared/reducer'
import { initialState, type SessionState, type ToolItem } from '@shared/state'
import { beforeEach, describe, expect, it } from 'vitest'
import { session, tool } from './items'

const ID = '11111111-1111-4111-8111-111111111111'
let seq = 0
let shown = ''
let feed: TerminalFeed
let state: SessionState

beforeEach(() => {
  seq = 0
  shown = ''
  feed = new TerminalFeed((text) => {
    shown += text
  })
  state = initialState(ID)
})

function send<T extends EventType>(type: T, data: EventData<T>): void {
  seq += 1
  const event = parseEvent({ seq, time: '2026-03-05T12:00:00.000Z', session: ID, type, data })
  if (!event || 'unknown' in event) throw new Error(`not an event of this version: ${type}`)
  state = applyEvent(state, event)
  feed.take(event)
}
const call = (id: string, command: string): void =>
  send('tool_call', { tool: 'bash', arguments: { command }, tool_call_id: id })
const log = (id: string, text: string): void => send('tool_log', { tool: 'bash', log: text, tool_call_id: id })
const end = (id: string, exit_code = 0): void =>
  send('tool_output', {
    tool: 'bash',
    tool_call_id: id,
    output: 'x',
    success: exit_code === 0,
    duration_ms: 2_100,
    details: { kind: 'command', command: 'x', cwd: '', exit_code, signal: null, timed_out: false },
  })
const ESC = '\u001b'
const bare = (text: string): string => text.replaceAll(new RegExp(`${ESC}\\[[0-9;]*m`, 'g'), '')

describe('OutputFilter', () => {
  it('lets colour through and drops whatever acts, wherever a sequence is split', () => {
    const text = `${ESC}[31mred${ESC}[0m${ESC}]52;c;c2VjcmV0\u0007 a${ESC}]8;;https://x.example${ESC}\\link${ESC}]8;;${ESC}\\ b${ESC}[?1049h${ESC}[2J${ESC}c${ESC}Pq#0${ESC}\\${ESC}[6n\u0007\u009d0;t\u009c${ESC}(B.`
    const expected = `${ESC}[31mred${ESC}[0m alink b0;t.`
    expect(new OutputFilter().push(text, true)).toBe(expected)
    for (const size of [1, 2, 3, 7]) {
      const filter = new OutputFilter()
      let out = ''
      for (let at = 0; at < text.length; at += size) out += filter.push(text.slice(at, at + size), true)
      expect(out).toBe(expected)
    }
  })

  it('never lets a command write over what was printed before it', () => {
    const filter = new OutputFilter()
    expect(filter.push(`${ESC}[5Aover`, true)).toBe('over')
    expect(filter.push(`a\nb\n${ESC}[9A`, true)).toBe(`a\nb\n${ESC}[2A`)
    expect(filter.push(`${ESC}[9B`, true)).toBe(`${ESC}[2B`)
    expect(filter.push(`${ESC}[1A`, false)).toBe('')
  })

  it('does not lose what follows a control string that never ends', () => {
    expect(new OutputFilter().push(`${ESC}]0;title\nnext line\n`, true)).toBe('\nnext line\n')
  })

  it('loses no byte of plain output', () => {
    const text = 'epoch 1 📈 loss=0.3\r\n\ttabbed\n'.repeat(100)
    const filter = new OutputFilter()
    expect(
      text
        .match(/[\s\S]{1,5}/gu)
        ?.map((part) => filter.push(part, true))
        .join(''),
    ).toBe(text)
  })
})

describe('hasCommands', () => {
  it('leaves the terminal its empty state while a command waits or was denied', () => {
    const of = (state: ToolItem['state']) => hasCommands(session({ items: [tool('1', { tool: 'bash', state })] }))
    expect([of('waiting_approval'), of('rejected'), of('running'), of('ok')]).toEqual([false, false, true, true])
  })
})

describe('TerminalFeed', () => {
  it('shows a command, its output and how it ended', () => {
    call('1', 'python train.py')
    log('1', 'loss 0.')
    log('1', '3\n')
    end('1', 1)
    expect(bare(shown)).toBe('$ python train.py\nloss 0.3\nexit 1 · 2.1 s\n')
  })

  it('does not interleave the lines of commands that run at once', () => {
    call('1', 'one')
    log('1', 'a-begin ')
    call('2', 'two')
    log('2', 'b\nb-half')
    log('1', 'a-end\nA\n')
    end('2')
    end('1')
    expect(bare(shown)).toBe(
      [
        '$ one',
        'a-begin ',
        '2│ $ two',
        '2│ b',
        '1│ a-end',
        '1│ A',
        '2│ b-half',
        '2│ exit 0 · 2.1 s',
        '1│ exit 0 · 2.1 s',
        '',
      ].join('\n'),
    )
  })

  it('does not show a refused command as one that ran', () => {
    const refusal = 'Plan mode is read-only: describe what you would do.'
    call('1', 'rm -rf build')
    send('tool_output', { tool: 'bash', tool_call_id: '1', output: refusal, success: false, duration_ms: 0 })
    expect(bare(shown)).toBe('$ rm -rf build\nnot run\n')
    shown = ''
    feed.rebuild(state)
    expect(bare(shown)).toBe('$ rm -rf build\nnot run\n')
  })

  it('takes no event twice', () => {
    call('1', 'one')
    const again = parseEvent({
      seq: 1,
      time: '',
      session: ID,
      type: 'tool_log',
      data: { tool: 'bash', log: 'twice', tool_call_id: '1' },
    })
    if (again) feed.take(again)
    expect(shown).not.toContain('twice')
  })

  it('shows after a reload in mid-command what it showed before it', () => {
    call('1', 'one')
    log('1', 'x\n')
    end('1')
    call('2', 'two')
    log('2', 'half a li')
    const before = bare(shown)
    shown = ''
    feed.rebuild(state)
    expect(bare(shown)).toBe(before)
    log('2', 'ne\n')
    end('2')
    expect(bare(shown)).toBe(`${before}ne\nexit 0 · 2.1 s\n`)
  })

  it('shows a command that was asked for only when it was approved, and approved ones in their order', () => {
    const ask = (id: string, command: string) => ({ tool: 'bash', arguments: { command }, tool_call_id: id })
    send('approval_required', { tools: [ask('1', 'one'), ask('2', 'no'), ask('3', 'three')], count: 3 })
    expect(shown).toBe('')
    send('tool_state_change', { tool_call_id: '1', tool: 'bash', state: 'approved' })
    send('tool_state_change', { tool_call_id: '2', tool: 'bash', state: 'rejected' })
    send('tool_state_change', { tool_call_id: '3', tool: 'bash', state: 'approved' })
    expect(bare(shown)).toBe('$ one\n')
    log('1', 'out\n')
    end('1')
    end('2')
    end('3')
    expect(bare(shown)).toBe('$ one\nout\nexit 0 · 2.1 s\n$ three\nexit 0 · 2.1 s\n')
  })

  it('shows a command as the user edited it (the terminal names one that never ran)', () => {
    const asked = { tool: 'bash', arguments: { command: 'rm -rf .' }, tool_call_id: '1' }
    send('approval_required', { tools: [asked], count: 1 })
    const edited = { tool_call_id: '1', approved: true, arguments: { command: 'rm -rf build' } }
    send('approval_resolved', { decisions: [edited], by: 'user' })
    send('tool_state_change', { tool_call_id: '1', tool: 'bash', state: 'approved' })
    log('1', 'gone\n')
    expect(bare(shown)).toBe('$ rm -rf build\ngone\n')
  })

  it('ends what ran when the turn is stopped', () => {
    call('1', 'sleep 99')
    send('interrupted', {})
    expect(bare(shown)).toBe('$ sleep 99\nstopped\n')
  })

  it('does not let a command forge its own prompt line', () => {
    call('1', `echo a\u001b[2J\r$ rm -rf /\nls`)
    expect(bare(shown)).toBe('$ echo a$ rm -rf /\n> ls\n')
  })

  it('rebuilds from the end of a long session, not from its start', () => {
    const items = Array.from({ length: 30 }, (_, i) => tool(`${i}`, { output: `${i}\n`.repeat(1_000) }))
    feed.rebuild(session({ items, last_seq: 9 }))
    expect(shown.split('\n').length).toBeLessThan(12_000)
    expect(shown).toContain('29\n')
    expect(feed.seq).toBe(9)
  })
})

describe('TerminalWriter', () => {
  const flood = Array.from({ length: 400_000 }, (_, i) => `line ${i} of the flood`)

  it('gives the terminal everything when it keeps up', () => {
    let got = ''
    const writer = new TerminalWriter(
      {
        write: (text, done) => {
          got += text
          done()
        },
      },
      100,
    )
    for (const line of flood.slice(0, 5_000)) writer.write(`${line}\n`)
    expect(got).toBe(
      flood
        .slice(0, 5_000)
        .map((line) => `${line}\n`)
        .join(''),
    )
  })

  it('holds a bounded part of a flood while the terminal is slow, and ends with the newest lines', () => {
    const done: (() => void)[] = []
    let got = ''
    const writer = new TerminalWriter(
      {
        write: (text, ready) => {
          got += text
          done.push(ready)
        },
      },
      1_000,
    )
    for (const line of flood) writer.write(`${line}\n`)
    expect(got.length).toBeLessThan(200_000)
    for (let ready = done.shift(); ready; ready = done.shift()) ready()
    expect(got.length).toBeLessThan(5_000_000)
    const lines = got.trimEnd().split('\n').slice(-1_000)
    expect(lines.at(-1)).toBe(flood.at(-1))
    expect(lines.join('\n').endsWith(flood.slice(-999).join('\n'))).toBe(true)
  })

  it('draws nothing while nobody looks', () => {
    let got = ''
    const writer = new TerminalWriter(
      {
        write: (text, ready) => {
          got += text
          ready()
        },
      },
      100,
    )
    writer.setPaused(true)
    writer.write('hidden\n')
    expect(got).toBe('')
    writer.setPaused(false)
    expect(got).toBe('hidden\n')
  })
})
