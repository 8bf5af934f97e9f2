import { PassThrough } from 'node:stream'
import type { AnyEvent, EventData, EventType, SessionEvent } from '@shared/events'
import { applyEvent } from '@shared/reducer'
import { initialState } from '@shared/state'
import { beforeEach, expect, it, vi } from 'vitest'
import { Conversation } from '../../../src/main/hosts/chat/conversation'
import { type Frame, Screen } from '../../../src/main/hosts/chat/screen'
import { ESC, styleFor } from '../../../src/main/hosts/headless/style'
import { Writer } from '../../../src/main/hosts/headless/writer'

// Built from a string, because a pattern with a literal control character cannot be read.
const TOKENS = new RegExp(`${ESC}\\[\\??(\\d*)([A-Za-z])|[\\s\\S]`, 'g')

/** As much of a terminal as the screen uses: rows, a cursor, and what is cleared. */
class Grid {
  readonly rows: string[] = ['']
  private row = 0
  private column = 0

  feed(text: string): void {
    for (const [piece, count, order] of text.matchAll(TOKENS)) {
      const n = Number(count || 1)
      if (order === 'A') this.row = Math.max(0, this.row - n)
      else if (order === 'B') this.row = Math.min(this.rows.length - 1, this.row + n)
      else if (order === 'C') this.column += n
      else if (order === 'K') this.rows[this.row] = ''
      else if (order === undefined) this.put(piece)
    }
  }

  private put(char: string): void {
    if (char === '\r') this.column = 0
    else if (char === '\n') {
      this.row++
      this.column = 0
      if (this.row === this.rows.length) this.rows.push('')
    } else {
      const row = (this.rows[this.row] ?? '').padEnd(this.column)
      this.rows[this.row] = row.slice(0, this.column) + char + row.slice(this.column + 1)
      this.column++
    }
  }

  get cursor(): [number, number] {
    return [this.row, this.column]
  }
  get text(): string {
    return this.rows
      .map((row) => row.trimEnd())
      .join('\n')
      .trimEnd()
  }
}

let frame: Frame
let grid: Grid
let screen: Screen
beforeEach(() => {
  vi.useFakeTimers()
  frame = { rows: [], cursor: null }
  grid = new Grid()
  const out = new PassThrough()
  out.setEncoding('utf8').on('data', (piece: string) => grid.feed(piece))
  screen = new Screen(
    new Writer(out),
    () => frame,
    () => 80,
  )
  return () => void vi.useRealTimers()
})
async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(100)
}

it('draws the frame under what was printed, again and again, with the cursor where it belongs', async () => {
  frame = { rows: ['tool', '> ab', 'status'], cursor: { row: 1, column: 4 } }
  screen.refresh()
  await settle()
  expect(grid.text).toBe('tool\n> ab\nstatus')
  expect(grid.cursor).toEqual([1, 4])
  screen.print('one\n')
  screen.print('two\n')
  await settle()
  expect(grid.text).toBe('one\ntwo\ntool\n> ab\nstatus')
  expect(grid.cursor).toEqual([3, 4])
  frame = { rows: ['> '], cursor: { row: 0, column: 2 } }
  screen.update()
  await settle()
  expect(grid.text).toBe('one\ntwo\n>')
  expect(grid.cursor).toEqual([2, 2])
})

it('leaves only what was printed when another program gets the terminal, and comes back', async () => {
  frame = { rows: ['> secret plan'], cursor: { row: 0, column: 2 } }
  screen.print('said\n')
  await settle()
  screen.suspend()
  await settle()
  expect(grid.text).toBe('said')
  screen.print('said meanwhile\n')
  await settle()
  expect(grid.text).toBe('said')
  screen.resume()
  await settle()
  expect(grid.text).toBe('said\nsaid meanwhile\n> secret plan')
})

it('prints whole lines of a reply once, keeps the open one as a row, and nothing twice at its end', () => {
  const pieces: string[] = []
  let state = initialState('s')
  const style = styleFor(new PassThrough(), {})
  const talk = new Conversation({ style, print: (text) => void pieces.push(text), columns: () => 80 })
  const emit = <T extends EventType>(type: T, data: EventData<T>): void => {
    const time = '2026-11-20T12:00:00.000Z'
    const event = { seq: state.last_seq + 1, time, session: 's', type, data } as SessionEvent as AnyEvent
    state = applyEvent(state, event)
    talk.event(event, state)
  }
  emit('user_message', { id: 'u', content: 'hi', source: 'user' })
  emit('assistant_chunk', { id: 'a', content: 'first li' })
  expect(pieces.join('')).toBe('\n› hi\n\n')
  expect(talk.rows(state, 10)).toEqual(['first li'])
  emit('assistant_chunk', { id: 'a', content: 'ne\nsecond' })
  expect(pieces.join('')).toBe('\n› hi\n\nfirst line\n')
  expect(talk.rows(state, 10)).toEqual(['second'])
  const blocks = [{ type: 'text' as const, text: 'first line\nsecond line' }]
  emit('assistant_message', {
    id: 'a',
    content: 'first line\nsecond line',
    blocks,
    model: 'm',
    stop_reason: 'end_turn',
  })
  expect(pieces.join('')).toBe('\n› hi\n\nfirst line\nsecond line\n')
  emit('session_update', { mode: 'auto', max_cost_usd: null })
  expect(pieces.at(-1)).toBe('Now: mode auto, no cap\n')
})
