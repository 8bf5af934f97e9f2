import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DEFAULT_SETTINGS, type Settings } from '@shared/settings'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { compactNow } from '../../../src/main/agent/compaction'
import { runTurn } from '../../../src/main/agent/loop'
import { Budget, DayLedger } from '../../../src/main/budget'
import { dayOf } from '../../../src/main/budget/day'
import { UserError } from '../../../src/main/errors'
import type { ModelClient, ModelDelta } from '../../../src/main/models/types'
import type { Tool } from '../../../src/main/tools/types'
import { harness, reply, say, scriptedClient, testTool, use } from '../../support/turn'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ml-intern-spend-'))
})
afterEach(() => rm(folder, { recursive: true }))

/** Output only: each scripted reply has 5 tokens, so it costs $0.10, and $40 would be held for the usual reply. */
const PRICE = { input: 0, output: 20_000, cache_read: 0, cache_write: 0 }
const MAX_OUTPUT = 10
const probe = () => testTool({ run: () => Promise.resolve({ ok: true, output: `${Math.random()}` }) })
const calls = (n: number) => Array.from({ length: n }, (_, i) => reply([use(`t${i}`, 'probe', { value: `${i}` })]))

function priced(script: ModelDelta[][], price: typeof PRICE | null = PRICE) {
  const { client, requests } = scriptedClient(script)
  const info = () => ({ name: 'Fake', context_window: null, max_output: MAX_OUTPUT, price })
  const made: ModelClient = { ...client, info }
  return { client: made, requests }
}
function capped(client: ModelClient, settings: Partial<Settings>) {
  const days = new DayLedger(join(folder, 'spend'))
  const budget = new Budget({ days, settings: () => ({ ...DEFAULT_SETTINGS, ...settings }) })
  return { ...harness(client, [probe()], { budget }), days }
}
const last = (h: ReturnType<typeof capped>) => h.events.at(-1)
const updates = (h: ReturnType<typeof capped>) => h.events.flatMap((e) => (e.type === 'budget_update' ? [e.data] : []))

describe('a cap of the session', () => {
  test('ends the turn before the call that does not fit, and says what to do', async () => {
    const { client, requests } = priced(calls(20))
    const h = capped(client, { max_cost_usd: 1 })
    await runTurn(h.turn)
    // $0.20 is held for each call: nine fit when each costs $0.10 in the end.
    expect(requests).toHaveLength(9)
    expect(last(h)).toMatchObject({ type: 'turn_complete', data: { reason: 'budget', iterations: 9 } })
    const state = h.turn.state()
    expect(state.items.at(-1)).toMatchObject({
      kind: 'notice',
      code: 'budget',
      remedy: expect.stringContaining('--max-cost'),
    })
    expect(state.items.at(-1)).toMatchObject({ text: expect.stringContaining('$0.90 of this session') })
    expect(state.budget).toMatchObject({ reserved_usd: 0, cap_usd: 1, warning: 100, day: null })
    expect(state.budget?.spent_usd).toBeCloseTo(0.9, 9)
    expect(state.last_outcome).toBe('budget')
  })

  test('tells each mark once, holds money while a call runs, and goes on when it is raised', async () => {
    const { client, requests } = priced([...calls(9), reply([say('done')])])
    const h = capped(client, { max_cost_usd: 1 })
    await runTurn(h.turn)
    const marks = updates(h).map(({ warning = 0 }) => warning)
    expect(marks.filter((mark, at) => mark !== (marks[at - 1] ?? 0))).toEqual([50, 80, 100])
    expect(updates(h)[0]).toEqual({ spent_usd: 0, reserved_usd: 0.2, cap_usd: 1 })
    h.turn.emit('session_update', { max_cost_usd: 3 })
    expect(h.turn.state().budget).toMatchObject({ cap_usd: 3, warning: null })
    h.turn.emit('user_message', { id: 'u2', content: 'go on', source: 'user' })
    await runTurn(h.turn)
    expect(requests).toHaveLength(10)
    expect(last(h)).toMatchObject({ type: 'turn_complete', data: { reason: 'finished' } })
    expect(h.turn.state().budget?.spent_usd).toBeCloseTo(1, 9)
  })

  test('an unknown price under a cap: no request, and three ways out', async () => {
    const { client, requests } = priced(calls(1), null)
    const h = capped(client, { max_cost_usd: 1 })
    await runTurn(h.turn)
    expect(requests).toHaveLength(0)
    expect(last(h)).toMatchObject({ type: 'turn_complete', data: { reason: 'budget', iterations: 0 } })
    const { text = '', remedy = '' } = h.turn.state().items.at(-1) as { text?: string; remedy?: string }
    expect(text).toContain('The price of fake/model is not known')
    for (const way of ['"prices"', 'another model', '"allow_unknown_price"']) expect(remedy).toContain(way)
    expect(updates(h)).toEqual([])
  })

  test('an unknown price that is allowed, and a free model over its cap, are called', async () => {
    for (const price of [null, { input: 0, output: 0, cache_read: 0, cache_write: 0 }]) {
      const { client } = priced([reply([say('done')])], price)
      const h = capped(client, { max_cost_usd: 0, max_cost_per_day_usd: 0, allow_unknown_price: price === null })
      await runTurn(h.turn)
      expect(last(h)).toMatchObject({ data: { reason: 'finished' } })
    }
  })

  test('a session without its own cap is not held back by the settings', async () => {
    const { client } = priced([reply([say('done')])])
    const h = capped(client, { max_cost_usd: 0 })
    h.turn.emit('session_update', { max_cost_usd: null })
    await runTurn(h.turn)
    expect(last(h)).toMatchObject({ data: { reason: 'finished' } })
    expect(updates(h)).toEqual([])
  })

  test('an attempt that failed after it was billed is counted once, and not repeated over the cap', async () => {
    const usage = { prompt_tokens: 0, completion_tokens: 10, cache_read_tokens: 0, cache_creation_tokens: 0 }
    const details = { message: 'Overloaded.', remedy: '', retry_after_ms: 0, status: 529 }
    const failed: ModelDelta = {
      type: 'failed',
      failure: { kind: 'overloaded', retryable: true, ...details },
      blocks: [],
      usage,
    }
    const { client, requests } = priced([[failed], [failed], reply([say('never')])])
    const h = capped(client, { max_cost_usd: 0.5 })
    await runTurn(h.turn)
    expect(requests).toHaveLength(2)
    expect(last(h)).toMatchObject({ type: 'turn_complete', data: { reason: 'budget', iterations: 1 } })
    expect(h.turn.state().usage.cost_usd).toBeCloseTo(0.4, 9)
    const file = await readFile(join(folder, 'spend', `${dayOf(new Date())}.jsonl`), 'utf8')
    expect(file.match(/"op":"cost"/g)).toHaveLength(2)
  })

  test('a call that failed without a bill gives back what was held', async () => {
    const failure = {
      kind: 'auth',
      message: 'No.',
      remedy: '',
      retryable: false,
      retry_after_ms: null,
      status: 401,
    } as const
    const failed: ModelDelta = { type: 'failed', failure, blocks: [], usage: null }
    const { client } = priced([[failed], reply([say('done')])])
    const h = capped(client, { max_cost_usd: 0.2, max_cost_per_day_usd: 0.2 })
    await runTurn(h.turn)
    await runTurn(h.turn)
    expect(last(h)).toMatchObject({ data: { reason: 'finished' } })
  })

  test('a summary that was asked for is not paid for over the cap', async () => {
    const { client, requests } = priced([
      ...Array.from({ length: 9 }, (_, i) => reply([use(`t${i}`, 'probe', { value: 'x'.repeat(4000) })])),
    ])
    const h = capped(client, { max_cost_usd: 1 })
    await runTurn(h.turn)
    const before = requests.length
    await compactNow(h.turn)
    expect(requests).toHaveLength(before)
    expect(last(h)).toMatchObject({
      type: 'error',
      data: { code: 'budget', remedy: expect.stringContaining('--max-cost') },
    })
  })
})

describe('a cap of the day', () => {
  test('holds for all sessions together', async () => {
    const first = priced([...calls(2), reply([say('done')])])
    const one = capped(first.client, { max_cost_per_day_usd: 0.5 })
    await runTurn(one.turn)
    expect(last(one)).toMatchObject({ data: { reason: 'finished' } })
    const second = priced(calls(3))
    const two = capped(second.client, { max_cost_per_day_usd: 0.5 })
    await runTurn(two.turn)
    expect(second.requests).toHaveLength(1)
    expect(last(two)).toMatchObject({
      data: { reason: 'budget', message: expect.stringContaining('for all sessions') },
    })
    const { budget } = two.turn.state()
    expect(budget).toMatchObject({ cap_usd: null, warning: 100, day: { cap_usd: 0.5 } })
    expect(budget?.day?.spent_usd).toBeCloseTo(0.4, 9)
  })
})

test('without a cap nothing is told, and the day still counts', async () => {
  const { client } = priced([reply([say('done')])])
  const h = capped(client, {})
  await runTurn(h.turn)
  expect(updates(h)).toEqual([])
  expect(h.turn.state().budget).toBeNull()
  await h.days.idle()
  expect(await new DayLedger(join(folder, 'spend')).today().total()).toBeCloseTo(0.1, 9)
})

describe('a tool that costs money', () => {
  /** A job for two dollars, as far as is known before; what it cost in the end is `actual`. */
  const job = (actual: number | null, ran: string[] = []): Tool => ({
    ...testTool({
      name: 'job',
      run: ({ value }) => {
        ran.push(value ?? '')
        return Promise.resolve({ ok: true, output: 'ran', spent: { kind: 'job', label: 'a10g-large', usd: actual } })
      },
    }),
    cost: () => 2,
  })
  const withJob = (client: ModelClient, tool: Tool, settings: Partial<Settings>) => {
    const days = new DayLedger(join(folder, 'spend'))
    const budget = new Budget({ days, settings: () => ({ ...DEFAULT_SETTINGS, ...settings }) })
    return { ...harness(client, [tool, probe()], { budget }), days }
  }
  const twice = [reply([use('a', 'job', { value: '1' })]), reply([use('b', 'job', { value: '2' })]), reply([say('ok')])]

  test('is held before it runs and settled with what it really cost', async () => {
    const h = withJob(priced(twice).client, job(0.5), { max_cost_usd: 3 })
    await runTurn(h.turn)
    const { usage } = h.turn.state()
    expect(usage.parts).toMatchObject([
      { kind: 'main', calls: 3 },
      { kind: 'job', model: 'a10g-large', calls: 2, cost_usd: 1 },
    ])
    expect(usage.cost_usd).toBeCloseTo(1.3, 9)
    expect(usage.calls).toBe(3)
    expect(updates(h).some((update) => update.reserved_usd === 2)).toBe(true)
    expect(await new DayLedger(join(folder, 'spend')).today().total()).toBeCloseTo(1.3, 9)
  })

  test('is not run when it does not fit under the cap, and the model reads why', async () => {
    const ran: string[] = []
    const { client, requests } = priced(twice)
    const h = withJob(client, job(1.5, ran), { max_cost_usd: 3 })
    await runTurn(h.turn)
    expect(ran).toEqual(['1'])
    expect(JSON.stringify(requests[2]?.messages.at(-1))).toMatch(/Not run: This call costs about \$2\.00/)
    expect(h.turn.state().usage.cost_usd).toBeCloseTo(1.8, 9)
  })

  test.each([-5, Number.NaN, Number.POSITIVE_INFINITY])('that says it cost %d has cost what was held', async (usd) => {
    const h = withJob(priced(twice).client, job(usd), { max_cost_usd: 10 })
    await runTurn(h.turn)
    expect(h.turn.state().usage.parts.at(-1)).toMatchObject({ kind: 'job', cost_usd: 4 })
    expect(await new DayLedger(join(folder, 'spend')).today().total()).toBeCloseTo(4.3, 9)
  })

  test('is not run, and costs nothing, when the user stops while its money is being held', async () => {
    const ran: string[] = []
    const h = withJob(priced(twice).client, job(1, ran), { max_cost_usd: 10, max_cost_per_day_usd: 10 })
    const { budget } = h.turn
    if (!budget) throw new Error('there is no budget')
    const reserve = budget.reserve.bind(budget)
    budget.reserve = async (...args) => {
      const held = await reserve(...args)
      if (args[3] !== undefined) h.controller.abort(new Error('interrupted'))
      return held
    }
    await runTurn(h.turn)
    expect(ran).toEqual([])
    expect(h.types()).not.toContain('spend')
    // Only the reply that asked for it, and nothing held.
    expect(await new DayLedger(join(folder, 'spend')).today().total()).toBeCloseTo(0.1, 9)
    expect(await budget.reserve(h.turn.state(), 'x', () => 9.9)).toMatchObject({ kind: 'reserved' })
  })

  test('is refused alone when the ledger cannot be kept: the calls beside it go on', async () => {
    const { client } = priced([reply([use('j', 'job'), use('p', 'probe')]), reply([say('done')])])
    const h = withJob(client, job(1), {})
    const { budget } = h.turn
    if (!budget) throw new Error('there is no budget')
    const reserve = budget.reserve.bind(budget)
    budget.reserve = (...args) =>
      args[3] === undefined
        ? reserve(...args)
        : Promise.reject(new UserError('permission', 'The ledger is gone.', 'Look.'))
    await runTurn(h.turn)
    const outputs = h.events.flatMap((event) => (event.type === 'tool_output' ? [event.data] : []))
    expect(outputs.map(({ success }) => success)).toEqual([false, true])
    expect(outputs[0]?.output).toBe('Not run: The ledger is gone. Look.')
    expect(h.events.at(-1)).toMatchObject({ type: 'turn_complete', data: { reason: 'finished' } })
  })

  test('counts what was held when nobody can tell what it cost', async () => {
    const h = withJob(priced(twice).client, job(null), { max_cost_usd: 10 })
    await runTurn(h.turn)
    expect(h.turn.state().usage.parts.at(-1)).toMatchObject({ kind: 'job', cost_usd: 4 })
  })
})

test('a session without a cap says once that it has cost five dollars', async () => {
  const dear = { ...PRICE, output: 600_000 }
  const { client } = priced([...calls(2), reply([say('done')])], dear)
  const h = capped(client, {})
  await runTurn(h.turn)
  const notices = h.events.flatMap((e) => (e.type === 'notice' ? [e.data.text] : []))
  expect(notices).toEqual(['This session has cost $6.00 so far and has no cap.'])
  await h.days.idle()
})
