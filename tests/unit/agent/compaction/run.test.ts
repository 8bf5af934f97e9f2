import { parseEvent, type SessionEvent, serializeEvent } from '@shared/events'
import { foldEvents } from '@shared/reducer'
import { initialState } from '@shared/state'
import { describe, expect, it } from 'vitest'
import { compactNow } from '../../../../src/main/agent/compaction'
import { contextTokens } from '../../../../src/main/agent/compaction/tokens'
import { modelMessages } from '../../../../src/main/agent/compaction/view'
import { runTurn } from '../../../../src/main/agent/loop'
import type { ModelRequest } from '../../../../src/main/models/types'
import { SAMPLE_SESSION } from '../../../support/sample-log'
import { harness, testTool, use } from '../../../support/turn'
import { isSummary, problemOf, sizeOf, strictClient, worker } from './drive'

const output = (n: number) => `line of output ${n}\n`.repeat(100)
function tools(text = output) {
  let n = 0
  return [testTool({ run: () => Promise.resolve({ ok: true, output: text(++n) }) })]
}
const compactions = (events: SessionEvent[]) =>
  events.flatMap((event) => (event.type === 'compacted' ? [event.data] : []))
const headOf = (request: ModelRequest) =>
  request.messages[0]?.content.map((block) => (block.type === 'text' ? block.text : '')) ?? []
const replayed = (events: SessionEvent[]) =>
  foldEvents(
    initialState(SAMPLE_SESSION),
    events.map((event) => parseEvent(JSON.parse(serializeEvent(event)))).filter((event) => event !== null),
  )

describe('a run of any length in one prompt', () => {
  it('makes 2,000 tool calls in a 200,000-token window and never dies (the reference stops at the first 90 %)', async () => {
    const window = 200_000
    const heads: string[][] = []
    const { client, seen } = strictClient({
      window,
      next: (n, request) => {
        heads.push(headOf(request))
        return worker(2_000)(n)
      },
    })
    const h = harness(client, tools(), { max_iterations: -1, streaming: false })
    h.turn.emit('plan_update', { plan: [{ id: '1', content: 'Sweep all 2,000 seeds', status: 'in_progress' }] })
    await runTurn(h.turn)

    expect(h.events.at(-1)).toMatchObject({ type: 'turn_complete', data: { reason: 'finished' } })
    expect(seen.problems).toEqual([])
    expect(seen.refused).toBe(0)
    expect(seen.largest).toBeLessThan(window)
    const made = compactions(h.events)
    expect(made.length).toBeGreaterThan(5)
    for (const { old_tokens, new_tokens, summary = '' } of made) {
      expect(old_tokens).toBeLessThan(window)
      expect(new_tokens).toBeLessThan(window / 2)
      expect(summary).toContain('SUMMARY')
    }
    const compacted = heads.filter((head) => head.length > 1)
    expect(compacted.length).toBeGreaterThan(1_500)
    expect(heads.every((head) => head[0] === 'go')).toBe(true)
    expect(compacted.every((head) => head[1]?.includes('SUMMARY') && head[1].includes('Sweep all 2,000 seeds'))).toBe(
      true,
    )
    // Nothing of the transcript is lost, and what the summaries cost is counted.
    expect(h.turn.state().items.filter((item) => item.kind === 'tool')).toHaveLength(2_000)
    const calls = h.events.flatMap((event) => (event.type === 'llm_call' ? [event.data.kind] : []))
    expect(calls.filter((kind) => kind === 'compaction')).toHaveLength(made.length)
    // What the window shows.
    const notice = h.turn.state().items.find((item) => item.kind === 'notice')
    expect(notice?.kind === 'notice' ? notice.text : '').toMatch(
      /^The conversation was summarised: 1\d\d,\d{3} tokens became \d\d,\d{3}\.$/,
    )
    expect(replayed(h.events)).toEqual({ ...h.turn.state(), mode: 'ask', cwd: '', model: '' })
  })

  it('counts by itself where the server reports no usage', async () => {
    const { client, seen } = strictClient({ window: 32_000, report: null, next: worker(200) })
    const h = harness(client, tools(), { max_iterations: -1 })
    await runTurn(h.turn)
    expect(h.events.at(-1)).toMatchObject({ data: { reason: 'finished' } })
    expect(seen).toMatchObject({ refused: 0, problems: [] })
    expect(compactions(h.events).length).toBeGreaterThan(2)
  })

  it('trusts the server where its tokens are smaller than estimated ones', async () => {
    const { client, seen } = strictClient({ window: 60_000, report: (n) => n * 2, next: worker(150) })
    const h = harness(client, tools(), { max_iterations: -1 })
    await runTurn(h.turn)
    expect(h.events.at(-1)).toMatchObject({ data: { reason: 'finished' } })
    expect(seen.largest * 2).toBeLessThan(60_000)
    for (const { new_tokens } of compactions(h.events)) expect(new_tokens).toBeLessThan(30_000)
  })

  it('summarises on an overflow alone where the window is not known, and counts the call again', async () => {
    const { client, seen } = strictClient({ window: null, limit: 20_000, next: worker(100) })
    const h = harness(client, tools(), { max_iterations: -1 })
    await runTurn(h.turn)
    const made = compactions(h.events)
    expect(made.length).toBeGreaterThan(1)
    expect(made.every(({ reason }) => reason === 'overflow')).toBe(true)
    expect(seen.problems).toEqual([])
    expect(h.events.at(-1)).toMatchObject({ data: { reason: 'finished', iterations: 101 + made.length } })
  })

  it('shows the beginning and the end of a huge result and says where the rest is', async () => {
    const huge = (n: number) => (n === 30 ? `START ${'y'.repeat(40_000)} END` : output(n))
    const { client, seen } = strictClient({ window: 26_000, next: worker(31) })
    const h = harness(client, tools(huge), { max_iterations: -1 })
    await runTurn(h.turn)
    expect(compactions(h.events)).toHaveLength(1)
    const last = JSON.stringify(seen.last?.messages)
    expect(last).toContain('START yyy')
    expect(last).toContain('yyy END')
    expect(last).toContain('whole result is in the log')
    expect(last.length).toBeLessThan(60_000)
    expect(JSON.stringify(h.turn.state().items).length).toBeGreaterThan(80_000)
  })

  it('survives a reply whose fifty results fill the window together', async () => {
    const { client, seen } = strictClient({
      window: 50_000,
      next: (n) => {
        if (n > 3) return [{ type: 'text', text: 'Done.' }]
        return Array.from({ length: 50 }, (_, i) => use(`r${n}-${i}`, 'probe', { value: `${i}` }))
      },
    })
    const h = harness(
      client,
      tools(() => 'z'.repeat(3_400)),
      { max_iterations: -1 },
    )
    await runTurn(h.turn)
    expect(h.events.at(-1)).toMatchObject({ data: { reason: 'finished' } })
    expect(seen).toMatchObject({ problems: [], refused: 0 })
  })
})

describe('a summary that cannot be had', () => {
  it('is replaced by a list of what was done, so that it never ends the run', async () => {
    const failure = {
      kind: 'auth',
      message: 'no',
      remedy: '',
      retryable: false,
      retry_after_ms: null,
      status: 401,
    } as const
    const { client, seen } = strictClient({
      window: 30_000,
      next: worker(120),
      summary: () => [{ type: 'failed', failure, blocks: [], usage: null }],
    })
    const h = harness(client, tools(), { max_iterations: -1 })
    await runTurn(h.turn)
    expect(h.events.at(-1)).toMatchObject({ data: { reason: 'finished' } })
    const made = compactions(h.events)
    expect(made.length).toBeGreaterThan(1)
    expect(
      made.every(({ mechanical, summary }) => mechanical && summary?.includes('- probe probe x -> ok: line of output')),
    ).toBe(true)
    expect(seen.problems).toEqual([])
  })

  it('is cut when it is far too long', async () => {
    const { client } = strictClient({ window: 20_000, next: worker(60), summary: () => 'w'.repeat(400_000) })
    const h = harness(client, tools(), { max_iterations: -1 })
    await runTurn(h.turn)
    const made = compactions(h.events)
    expect(made.length).toBeGreaterThan(0)
    for (const { new_tokens } of made) expect(new_tokens).toBeLessThan(10_000)
  })

  it('leaves everything as it was when the user stops it', async () => {
    const controller = new AbortController()
    const { client } = strictClient({
      window: 30_000,
      next: worker(80),
      summary: () => {
        controller.abort(new Error('interrupted'))
        return 'late'
      },
    })
    const h = harness(client, tools(), { max_iterations: -1, signal: controller.signal })
    await runTurn(h.turn)
    expect(h.types().at(-1)).toBe('interrupted')
    expect(h.turn.state().compaction).toBeNull()
  })
})

describe('the breaker', () => {
  it('ends the turn after two compactions that did not help, with a remedy, and the session can go on', async () => {
    let full = true
    const { client, seen } = strictClient({
      window: 30_000,
      report: (n) => (full && seen.main > 30 ? 29_000 : n),
      next: worker(1_000),
    })
    const h = harness(client, tools(), { max_iterations: 300 })
    await runTurn(h.turn)
    const error = h.events.at(-1)
    expect(error).toMatchObject({ type: 'error', data: { code: 'context_overflow' } })
    expect(error?.type === 'error' ? error.data.remedy : '').toContain('larger window')
    expect(seen.summaries).toBeLessThan(10)
    expect(h.turn.state().status).toBe('idle')

    full = false
    const calls = seen.main
    h.turn.emit('user_message', { id: 'u2', content: 'again', source: 'user' })
    await runTurn({ ...h.turn, max_iterations: 5 })
    expect(seen.main).toBe(calls + 5)
    expect(seen.problems).toEqual([])
  })

  it('gives up when the provider refuses whatever is left', async () => {
    const { client, seen } = strictClient({ window: null, limit: 10, next: worker(1) })
    const h = harness(client, [])
    await runTurn(h.turn)
    expect(h.events.at(-1)).toMatchObject({ type: 'error', data: { code: 'context_overflow' } })
    expect(seen.refused).toBeLessThan(6)
  })
})

describe('history and compaction', () => {
  async function longSession() {
    const { client, seen } = strictClient({ window: 20_000, next: worker(120) })
    const h = harness(client, tools(), { max_iterations: 50 })
    await runTurn(h.turn)
    const first = h.turn.state()
    h.turn.emit('user_message', { id: 'u2', content: 'second request', source: 'user' })
    await runTurn(h.turn)
    return { h, first, seen }
  }

  it('an undo brings back the summary that was there before the message', async () => {
    const { h, first, seen } = await longSession()
    expect(first.compaction).not.toBeNull()
    const later = h.turn.state()
    h.turn.emit('compacted', { old_tokens: 9, new_tokens: 8, summary: 'S', first_kept_seq: later.last_seq + 1 })
    expect(h.turn.state().compaction?.summary).toBe('S')
    h.turn.emit('undo_complete', { user_message_id: 'u2' })
    expect(h.turn.state().compaction).toEqual(first.compaction)
    expect(modelMessages(h.turn.state(), '')).toEqual(modelMessages(first, ''))
    h.turn.emit('undo_complete', { user_message_id: 'u1' })
    expect(h.turn.state()).toMatchObject({ compaction: null, earlier_compactions: [], items: [] })
    expect(seen.problems).toEqual([])
    expect(replayed(h.events)).toEqual({ ...h.turn.state(), mode: 'ask', cwd: '', model: '' })
  })

  it('keeps every message of the user that a summary replaced', async () => {
    const { h } = await longSession()
    h.turn.emit('compacted', {
      old_tokens: 9,
      new_tokens: 8,
      summary: 'S',
      first_kept_seq: h.turn.state().last_seq + 1,
      window: 30_000,
    })
    const head = JSON.stringify(modelMessages(h.turn.state(), '')[0])
    expect(head).toContain('"go"')
    expect(head).toContain('second request')
  })

  it('any prefix of the log gives a valid request (a crash may come anywhere)', async () => {
    const { h } = await longSession()
    let state = initialState(SAMPLE_SESSION)
    for (const event of h.events) {
      state = foldEvents(state, [event])
      const messages = modelMessages(state, '')
      if (messages.at(-1)?.role === 'user') expect(problemOf(messages)).toBe('')
    }
  })

  it('reads old logs, which know the numbers only', () => {
    const h = harness(strictClient({ window: null, next: worker(0) }).client, [])
    h.turn.emit('compacted', { old_tokens: 182_000, new_tokens: 41_000 })
    expect(h.turn.state().compaction).toBeNull()
    expect(JSON.stringify(h.turn.state().items)).toContain('182,000 tokens became 41,000')
  })
})

describe('compactNow', () => {
  it('works far below the threshold, counts as no turn and leaves the session idle', async () => {
    const { client, seen } = strictClient({ window: 200_000, next: worker(20) })
    const h = harness(client, tools())
    await runTurn(h.turn)
    const before = h.turn.state()
    h.turn.emit('processing', { message: 'Summarising' })
    await compactNow(h.turn)
    const after = h.turn.state()
    expect(seen.summaries).toBe(1)
    expect(compactions(h.events)[0]).toMatchObject({ reason: 'manual' })
    expect(after).toMatchObject({ status: 'idle', turns: before.turns, last_outcome: 'finished' })
    expect(contextTokens(after, 0)).toBeLessThan(contextTokens(before, 0) / 2)
  })

  it('goes on with a message that came while it worked', async () => {
    const { client } = strictClient({
      window: 200_000,
      next: worker(20),
      summary: () => {
        h.turn.emit('user_message', { id: 'u2', content: 'and now?', source: 'steer' })
        return 'S'
      },
    })
    const h = harness(client, tools())
    await runTurn(h.turn)
    await compactNow(h.turn)
    expect(h.turn.state().status).toBe('running')
    expect(JSON.stringify(modelMessages(h.turn.state(), '').at(-1))).toContain('and now?')
  })

  it('gives the summariser no more than fits its window, and no instructions from the conversation', async () => {
    const requests: ModelRequest[] = []
    const { client } = strictClient({
      window: 30_000,
      next: worker(60),
      summary: (request) => {
        requests.push(request)
        return 'S'
      },
    })
    const h = harness(client, tools(), { max_iterations: -1 })
    await runTurn(h.turn)
    expect(requests.length).toBeGreaterThan(0)
    for (const request of requests) {
      expect(isSummary(request)).toBe(true)
      expect(request).toMatchObject({ tools: [], effort: 'low' })
      expect(sizeOf(request) + (request.max_tokens ?? 0)).toBeLessThan(30_000)
    }
  })
})
