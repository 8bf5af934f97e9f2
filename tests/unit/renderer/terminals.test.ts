import { ACK_STEP, OutputStream } from '@renderer/features/terminal/flow'
import { cleanPaste, firstPiece, InputQueue, pasteQuestion } from '@renderer/features/terminal/input'
import { chooseTab, endLine, hasFailed, selectTab, tabsOf, titleOf } from '@renderer/features/terminal/tabs'
import { MAX_TERMINAL_INPUT, TERMINAL_HIGH_WATER, TERMINAL_LOW_WATER, type TerminalInfo } from '@shared/terminals'
import { describe, expect, it } from 'vitest'

function info(id: string, second: number, more: Partial<TerminalInfo> = {}): TerminalInfo {
  const at = (s: number): string => new Date(Date.UTC(2026, 2, 5, 12, 0, s)).toISOString()
  return {
    id,
    session: 's',
    kind: 'command',
    title: `run ${id}`,
    cwd: '/w',
    pid: 1,
    state: 'running',
    exit_code: null,
    signal: null,
    started_at: at(second),
    ended_at: null,
    cols: 80,
    rows: 24,
    ...more,
  }
}
const ended = (id: string, second: number, more: Partial<TerminalInfo> = {}): TerminalInfo =>
  info(id, second, { state: 'ended', exit_code: 0, ended_at: '2026-03-05T12:10:00.000Z', ...more })

/** A terminal that draws when it is told to. */
class Screen {
  shown = ''
  acked: number[] = []
  private readonly drawing: (() => void)[] = []
  readonly stream = new OutputStream({
    write: (data, done) => {
      this.shown += data
      this.drawing.push(done)
    },
    ack: (chars) => this.acked.push(chars),
  })

  draw(): void {
    for (const done of this.drawing.splice(0)) done()
  }
}

describe('OutputStream', () => {
  it('draws once and in order what overtakes the screen', () => {
    const own = new Screen()
    own.stream.push({ data: 'before', seq: 1 })
    own.stream.begin()
    for (const seq of [3, 4, 5]) own.stream.push({ data: `${seq} `, seq })
    expect(own.shown).toBe('')
    own.stream.start(4)
    own.stream.push({ data: '5 ', seq: 5 })
    own.stream.push({ data: '6 ', seq: 6 })
    expect(own.shown).toBe('5 6 ')
  })

  it('never leaves so much unconfirmed that a terminal that was held back stays so', () => {
    const screen = new Screen()
    screen.stream.begin()
    screen.stream.start(0)
    // As main does: nothing more is sent above the high water, and again below the low one.
    let unconfirmed = 0
    let paused = false
    let seq = 0
    let left = 61_000_000
    let most = 0
    while (left > 0) {
      while (!paused && left > 0) {
        const data = 'x'.repeat(Math.min(65_536, left))
        left -= data.length
        unconfirmed += data.length
        most = Math.max(most, unconfirmed)
        screen.stream.push({ data, seq: ++seq })
        paused = unconfirmed > TERMINAL_HIGH_WATER
      }
      screen.draw()
      unconfirmed -= screen.acked.splice(0).reduce((sum, chars) => sum + chars, 0)
      if (paused) expect(unconfirmed).toBeLessThan(TERMINAL_LOW_WATER)
      paused = false
    }
    expect(screen.shown).toHaveLength(61_000_000)
    expect(most).toBeLessThan(TERMINAL_HIGH_WATER + 65_537)
    expect(ACK_STEP).toBeLessThan(TERMINAL_LOW_WATER)
  })

  it('confirms nothing before it is drawn, and nothing of an attachment that has ended', () => {
    const screen = new Screen()
    screen.stream.begin()
    screen.stream.start(0)
    screen.stream.push({ data: 'x'.repeat(ACK_STEP), seq: 1 })
    expect(screen.acked).toEqual([])
    screen.stream.end()
    screen.stream.push({ data: 'late', seq: 2 })
    screen.stream.begin()
    screen.stream.start(7)
    screen.draw()
    expect(screen.acked).toEqual([])
    expect(screen.shown).not.toContain('late')
  })
})

describe('tabs', () => {
  it('shows the newest running terminal until the user chooses another, and goes back when that is gone', () => {
    const list = [ended('a', 1), info('b', 2), info('c', 3), ended('d', 4)]
    expect(selectTab(list, null)?.id).toBe('c')
    expect(selectTab(list, 'a')?.id).toBe('a')
    expect(selectTab(list, 'gone')?.id).toBe('c')
    expect(selectTab([ended('a', 1), ended('d', 4)], null)?.id).toBe('d')
    expect(selectTab([], 'a')).toBeNull()
    expect(chooseTab(list, 'c')).toBeNull()
    expect(chooseTab(list, 'b')).toBe('b')
  })

  it('keeps a tab for all that run and the one shown, and drops old ended ones', () => {
    const old = Array.from({ length: 20 }, (_, i) => ended(`e${i}`, i))
    const tabs = tabsOf([...old, info('r', 0)], 'e2').map((tab) => tab.id)
    expect(tabs).toHaveLength(10)
    expect(tabs[0]).toBe('e19')
    expect(tabs).toContain('r')
    expect(tabs).toContain('e2')
  })

  it('says how a terminal ended', () => {
    const at = '2026-03-05T12:00:03.100Z'
    expect(endLine(ended('a', 1, { ended_at: at, exit_code: 2 }))).toBe('exit 2 · 2.1 s')
    expect(endLine(ended('a', 1, { ended_at: at, exit_code: null, signal: 'SIGKILL' }))).toBe('SIGKILL · 2.1 s')
    expect(endLine(info('a', 1))).toBe('')
    expect(hasFailed(ended('a', 1, { exit_code: 1 }))).toBe(true)
    expect(hasFailed(ended('a', 1, { exit_code: 1, kind: 'shell' }))).toBe(false)
    expect(titleOf({ title: 'for x in 1\n  do y\ndone', kind: 'command' })).toBe('for x in 1 do y done')
  })
})

describe('input', () => {
  it('keeps the order of what is typed while a call is on its way, in pieces that main takes', async () => {
    const sent: string[] = []
    const answers: (() => void)[] = []
    let arrived: (() => void) | null = null
    const input = new InputQueue(
      (data) => {
        sent.push(data)
        arrived?.()
        return new Promise<void>((resolve) => answers.push(resolve))
      },
      () => undefined,
    )
    const next = (): Promise<void> => new Promise((resolve) => (arrived = resolve))
    input.write('a')
    input.write('b')
    input.write('x'.repeat(MAX_TERMINAL_INPUT))
    expect(sent).toEqual(['a'])
    for (let i = 0; i < 2; i += 1) {
      const call = next()
      answers.shift()?.()
      await call
    }
    expect(sent.join('')).toBe(`ab${'x'.repeat(MAX_TERMINAL_INPUT)}`)
    expect(sent.every((piece) => piece.length <= MAX_TERMINAL_INPUT)).toBe(true)
  })

  it('throws away what stands behind a piece that was lost, and takes new input', async () => {
    const sent: string[] = []
    const failure = new Promise<void>((resolve) => {
      const input = new InputQueue(
        (data) => {
          sent.push(data)
          return sent.length === 1 ? Promise.reject(new Error('gone')) : Promise.resolve()
        },
        () => {
          queueMicrotask(() => {
            input.write('new')
            resolve()
          })
        },
      )
      input.write('rm -rf ')
      input.write('./build\r')
    })
    await failure
    expect(sent).toEqual(['rm -rf ', 'new'])
  })

  it('never cuts a character in half', () => {
    expect(firstPiece('ab😀', 3)).toBe('ab')
    expect(firstPiece('ab😀', 4)).toBe('ab😀')
  })

  it('asks before a paste that runs something, and takes out what could end the paste early', () => {
    expect(cleanPaste('a\u001b[201~rm\r\nb\u0003')).toBe('a[201~rm\nb')
    expect(pasteQuestion('python train.py')).toBeNull()
    expect(pasteQuestion('rm -rf x\n')?.said).toContain('a line with its line break')
    expect(pasteQuestion('a\nb\nc')).toMatchObject({ said: expect.stringContaining('3 lines'), shown: 'a\nb\nc' })
  })
})
