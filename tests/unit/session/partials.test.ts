import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { type AnyEvent, parseEvent, type SessionEvent } from '@shared/events'
import { applyEvent, foldEvents } from '@shared/reducer'
import { initialState, LIVE_LOG_CHARS, type SessionState } from '@shared/state'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { EventLog, readLog } from '../../../src/main/session/log'
import { isTransient } from '../../../src/main/session/partials'
import { makeEvent, Random, randomEvent, SESSION, userMessage } from '../../support/log-events'

let folder: string
let file: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ml-intern-log-'))
  file = join(folder, 'events.jsonl')
})
afterEach(async () => {
  vi.restoreAllMocks()
  vi.useRealTimers()
  await rm(folder, { recursive: true, force: true })
})

async function events(path = file): Promise<AnyEvent[]> {
  const all: AnyEvent[] = []
  for await (const event of readLog(path)) all.push(event)
  return all
}

async function seqs(): Promise<number[]> {
  return (await events()).map((event) => event.seq)
}

function chunk(seq: number, id: string, content: string): SessionEvent {
  return makeEvent(seq, 'assistant_chunk', { id, content })
}

describe('partials', () => {
  it('stores chunks merged, with the number and time of the newest, within the interval', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const log = await EventLog.open(file)
    log.append(userMessage(1))
    for (let seq = 2; seq <= 20; seq++) log.append(chunk(seq, 'a', `${seq} `))
    await log.durable()
    expect(await seqs()).toEqual([1])
    vi.advanceTimersByTime(1000)
    vi.useRealTimers()
    await vi.waitFor(async () => expect(await seqs()).toEqual([1, 2, 20]))
    const merged = (await events()).at(-1)
    const text = Array.from({ length: 18 }, (_, i) => `${i + 3} `).join('')
    expect(merged).toEqual(chunk(20, 'a', text))
    await log.close()
  })

  it('drops the text of a reply that came whole before it was stored', async () => {
    const log = await EventLog.open(file)
    log.append(userMessage(1))
    log.append(chunk(2, 'a', 'never stored'))
    log.append(makeEvent(3, 'reasoning_chunk', { id: 'a', content: 'never stored' }))
    const data = { id: 'a', content: 'whole', blocks: [], model: 'anthropic/m', stop_reason: 'end_turn' }
    log.append(makeEvent(4, 'assistant_message', data))
    log.append(makeEvent(5, 'tool_log', { tool: 'bash', tool_call_id: 'c', stream: 'stdout', log: 'never stored' }))
    const output = { tool: 'bash', tool_call_id: 'c', output: 'ok', success: true, duration_ms: 1 }
    log.append(makeEvent(6, 'tool_output', output))
    log.append(chunk(7, 'b', 'never stored'))
    log.append(makeEvent(8, 'assistant_stream_end', { id: 'b', discarded: true }))
    await log.close()
    expect(await readFile(file, 'utf8')).not.toContain('never stored')
    expect((await seqs()).filter((seq) => seq !== 7)).toEqual([1, 4, 6, 8])
  })

  it('writes what is pending before a durable event that does not supersede it', async () => {
    const log = await EventLog.open(file)
    log.append(chunk(1, 'a', 'one '))
    log.append(chunk(2, 'a', 'two '))
    log.append(chunk(3, 'a', 'three'))
    log.append(makeEvent(4, 'plan_update', { plan: [] }))
    await log.durable()
    expect(await seqs()).toEqual([1, 3, 4])
    await log.close()
  })

  it('keeps stdout and stderr apart, and in the order in which they came', async () => {
    const log = await EventLog.open(file)
    const lines = [
      ['stdout', 'a'],
      ['stdout', 'b'],
      ['stderr', 'c'],
      ['stdout', 'd'],
    ] as const
    lines.forEach(([stream, text], i) => {
      log.append(makeEvent(i + 1, 'tool_log', { tool: 'bash', tool_call_id: 'c', stream, log: text }))
    })
    await log.close()
    const stored = (await events()).map((event) => (event.type === 'tool_log' ? event.data : null))
    expect(stored).toMatchObject([
      { stream: 'stdout', log: 'ab' },
      { stream: 'stderr', log: 'c' },
      { stream: 'stdout', log: 'd' },
    ])
  })

  it('keeps the memory and the log of a flood of output small, and its end exact', async () => {
    const log = await EventLog.open(file, { partialIntervalMs: 60_000 })
    let live = initialState(SESSION)
    const add = (event: SessionEvent) => {
      live = applyEvent(live, event)
      log.append(event)
    }
    add(userMessage(1))
    for (let seq = 2; seq <= 400; seq++) {
      const stream = seq % 3 === 0 ? 'stderr' : 'stdout'
      add(makeEvent(seq, 'tool_log', { tool: 'bash', tool_call_id: 'c', stream, log: `${seq} ${'z'.repeat(10_000)}` }))
    }
    add(makeEvent(401, 'plan_update', { plan: [] }))
    await log.close()
    // 4 MB of output came; what the state keeps of it is stored, and the JSON around it.
    expect((await stat(file)).size).toBeLessThan(LIVE_LOG_CHARS + 3_000)
    expect(foldEvents(initialState(SESSION), await events())).toEqual(live)
  })

  it.each(Array.from({ length: 60 }, (_, i) => i + 1))(
    'folds to the live state at every durable line (seed %i)',
    async (seed) => {
      const random = new Random(seed)
      const log = await EventLog.open(file, { partialIntervalMs: 1 })
      const live = new Map<number, SessionState>()
      let state = initialState(SESSION)
      const first = makeEvent(1, 'session_update', {
        created: { log_version: 1, app_version: '0' },
        cwd: '/w',
        model: 'm',
      })
      for (let seq = 1; seq <= 150; seq++) {
        const event = seq === 1 ? first : randomEvent(random, seq)
        state = applyEvent(state, event)
        live.set(seq, state)
        log.append(event)
        // Lets timers fire and batches end at other points of the sequence with every seed.
        const pause = random.below(12)
        if (pause === 0) await log.durable()
        else if (pause === 1) await nextTurn()
      }
      await log.close()

      let folded = initialState(SESSION)
      let last = 0
      let checked = 0
      for (const line of (await readFile(file, 'utf8')).trimEnd().split('\n')) {
        const event = parseEvent(JSON.parse(line))
        if (!event || 'unknown' in event) throw new Error(`Not an event: ${line}`)
        expect(event.seq).toBeGreaterThan(last)
        last = event.seq
        folded = applyEvent(folded, event)
        if (isTransient(event)) continue
        checked++
        if (!isDeepStrictEqual(folded, live.get(event.seq))) expect(folded).toEqual(live.get(event.seq))
      }
      expect(checked).toBeGreaterThan(30)
      expect(folded).toEqual(state)
    },
  )
})
