import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AnyEvent, EventData } from '@shared/events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { follow } from '../../support/engine'
import { createGate } from '../../support/fake-anthropic'
import {
  bash,
  expectAtRest,
  expectReplay,
  faultBench,
  replies,
  say,
  text,
  toolItems,
} from '../../support/faults-session'
import { bundleHelper, LineProcess } from '../../support/log-process'

const bench = faultBench()
const HOUR = 3_600_000
/** Only the wall clock is ours: timers and the clock that durations are measured with go on. */
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] })
})
afterEach(() => {
  vi.useRealTimers()
})

function durations(events: readonly AnyEvent[]): number[] {
  return events.flatMap(({ data }) => {
    const found = data as Partial<EventData<'llm_call'> & EventData<'tool_output'>>
    return [found.latency_ms, found.first_token_ms, found.duration_ms].filter((ms) => typeof ms === 'number')
  })
}

describe('a clock that jumps back an hour', () => {
  it('in the middle of a turn: numbers ascend, durations stay positive, the log replays, the turn finishes', async () => {
    const noon = new Date(2026, 10, 20, 12)
    vi.setSystemTime(noon)
    const gate = createGate()
    const { engine } = await bench.start([
      bash('echo one; sleep 0.05'),
      { ...text('Half and half.', 2), gate, afterChunks: 1, unbatched: true },
      text('More.'),
    ])
    const session = await engine.createSession({})
    const f = follow(session)
    // Between the start and the end of the command, and in the middle of a reply.
    const log = f.next('tool_log')
    const chunk = f.next('assistant_chunk')
    await session.submit({ op: 'user_input', text: 'go' })
    await log
    vi.setSystemTime(noon.getTime() - HOUR)
    await chunk
    vi.setSystemTime(noon.getTime() - 2 * HOUR)
    gate.open()
    await session.idle()

    const stored = await expectReplay(engine, session)
    expect(stored.map(({ seq }) => seq)).toEqual(stored.map(({ seq }) => seq).toSorted((a, b) => a - b))
    expect(new Set(stored.map(({ seq }) => seq)).size).toBe(stored.length)
    const times = stored.map(({ time }) => Date.parse(time))
    expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(HOUR)
    const spans = durations(stored)
    expect(spans.length).toBeGreaterThan(3)
    for (const ms of spans) {
      expect(ms).toBeGreaterThanOrEqual(0)
      expect(ms).toBeLessThan(60_000)
    }
    expect(toolItems(session.state)[0]?.duration_ms).toBeGreaterThanOrEqual(40)
    expect(replies(session.state)).toEqual(['', 'Half and half.'])
    expectAtRest(session.state)

    // And after a restart, with a clock that is earlier still.
    await engine.close()
    vi.setSystemTime(noon.getTime() - 30 * HOUR)
    const again = await (await bench.engineOn({ url: engine.settings.anthropic_base_url })).openSession(session.id)
    expect(again.state).toEqual(session.state)
    await say(again, 'more')
    expect(replies(again.state).at(-1)).toBe('More.')
    expect(again.state.last_seq).toBeGreaterThan(session.state.last_seq)
  })

  it('does not shorten or lengthen a wait for another try', async () => {
    const { engine } = await bench.start([
      { error: { status: 529, type: 'overloaded_error', message: 'Overloaded', headers: { 'retry-after': '1' } } },
      text('There.'),
    ])
    const session = await engine.createSession({})
    const f = follow(session)
    const waiting = f.next('processing', ({ retry }) => retry !== undefined)
    const begun = performance.now()
    await session.submit({ op: 'user_input', text: 'go' })
    await waiting
    vi.setSystemTime(Date.now() - HOUR)
    await session.idle()
    expect(performance.now() - begun).toBeGreaterThan(900)
    expect(performance.now() - begun).toBeLessThan(5_000)
    expect(replies(session.state)).toEqual(['There.'])
  })

  it('does not give back what was spent today', async () => {
    vi.setSystemTime(new Date(2026, 10, 20, 12))
    const usage = { input_tokens: 100_000, output_tokens: 1_000 }
    const { server, engine } = await bench.start([{ ...text('One.'), usage }, text('never')], {
      settings: { max_cost_per_day_usd: 0.2 },
    })
    const session = await engine.createSession({})
    await say(session, 'go')
    const spent = session.state.usage.cost_usd
    expect(spent).toBeGreaterThan(0.2)
    for (const back of [1, 3, 11]) {
      vi.setSystemTime(new Date(2026, 10, 20, 12 - back))
      const other = await engine.createSession({})
      await say(other, 'go')
      expect(other.state.last_outcome).toBe('budget')
    }
    // A new process reads it from the file.
    const second = await (await bench.engineOn(server, { settings: { max_cost_per_day_usd: 0.2 } })).createSession({})
    await say(second, 'go')
    expect(second.state.last_outcome).toBe('budget')
    expect(server.requests).toHaveLength(1)
  })

  it('over midnight, during a call: every dollar is in one of the two days, once', async () => {
    vi.setSystemTime(new Date(2026, 10, 20, 0, 30))
    const usage = { input_tokens: 10_000, output_tokens: 100 }
    const gate = createGate()
    const { engine, server } = await bench.start(
      [
        { ...text('One.'), usage, gate },
        { ...text('Two.'), usage },
      ],
      {
        settings: { max_cost_per_day_usd: 5 },
      },
    )
    const session = await engine.createSession({})
    await session.submit({ op: 'user_input', text: 'go' })
    await server.request(0)
    vi.setSystemTime(new Date(2026, 10, 19, 23, 30))
    gate.open()
    await session.idle()
    await say(session, 'more')
    const total = session.state.usage.cost_usd
    await engine.close()
    const folder = join(engine.home, 'spend')
    const files = (await readdir(folder)).toSorted()
    expect(files).toEqual(['2026-11-19.jsonl', '2026-11-20.jsonl'])
    const lines = await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')))
    const costs = lines.map((file) =>
      file
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as { op: string; usd?: number })
        .reduce((sum, { op, usd }) => sum + (op === 'cost' ? (usd ?? 0) : 0), 0),
    )
    expect(costs[0]).toBeCloseTo(total / 2, 9)
    expect(costs[1]).toBeCloseTo(total / 2, 9)
  })

  it('does not let another process take the session', async () => {
    const { engine } = await bench.start([text('One.')])
    const session = await engine.createSession({})
    vi.setSystemTime(Date.now() - HOUR)
    await say(session, 'go')
    const racer = new LineProcess(process.execPath, [
      await bundleHelper('log-racer.ts', bench.folder),
      join(engine.home, 'sessions', session.id),
    ])
    await racer.line(/^ready$/)
    racer.send('go')
    expect(await racer.line(/^(won|lost)/)).toContain(`(${process.pid}) is writing this session`)
    await racer.kill()
    await expectReplay(engine, session)
  })
})
