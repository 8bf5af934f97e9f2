import { type AnyEvent, eventSchemas, parseEvent, type SessionEvent, serializeEvent } from '@shared/events'
import { applyEvent, foldEvents, titleFrom } from '@shared/reducer'
import { initialState, LIVE_LOG_CHARS, type SessionState } from '@shared/state'
import { describe, expect, it } from 'vitest'
import { recorder, SAMPLE_SESSION, sampleLog } from '../../support/sample-log'

const fold = (events: AnyEvent[]): SessionState => foldEvents(initialState(SAMPLE_SESSION), events)

/** The log as it lies on disk: neighbouring chunks of one message or call merged into the newest of them. */
function merged(events: SessionEvent[]): SessionEvent[] {
  const out: SessionEvent[] = []
  for (const event of events) {
    const last = out.at(-1)
    if (event.type === 'assistant_chunk' && last?.type === 'assistant_chunk' && last.data.id === event.data.id) {
      out[out.length - 1] = { ...event, data: { ...event.data, content: last.data.content + event.data.content } }
    } else if (
      event.type === 'tool_log' &&
      last?.type === 'tool_log' &&
      last.data.tool_call_id === event.data.tool_call_id
    ) {
      out[out.length - 1] = { ...event, data: { ...event.data, log: last.data.log + event.data.log } }
    } else {
      out.push(event)
    }
  }
  return out
}

/** A draft's start is the time of its first chunk, which merging moves; nothing else may differ. */
function withoutDraftTime(state: SessionState): SessionState {
  return state.draft ? { ...state, draft: { ...state.draft, started_at: '' } } : state
}

describe('applyEvent', () => {
  it('folds every event type the contract names (a new type without a fold would be missing here)', () => {
    const covered = new Set(sampleLog().map((event) => event.type))
    expect([...covered].sort()).toEqual(Object.keys(eventSchemas).sort())
  })

  it('folds any prefix of a log without throwing, and leaves a status that matches what is open', () => {
    const events = sampleLog()
    for (let n = 0; n <= events.length; n++) {
      const state = fold(events.slice(0, n))
      expect(state.last_seq).toBe(n)
      if (state.status === 'waiting_approval') expect(state.pending_approvals).not.toEqual([])
      if (state.status === 'idle')
        expect(state.items.some((i) => i.kind === 'tool' && i.state === 'running')).toBe(false)
    }
  })

  it('gives the same state when replayed from disk lines as it had live', () => {
    const events = sampleLog()
    for (let n = 1; n <= events.length; n++) {
      const live = fold(events.slice(0, n))
      const lines = merged(events.slice(0, n)).map(serializeEvent)
      const replayed = lines.map((line) => parseEvent(JSON.parse(line))).filter((event) => event !== null)
      expect(withoutDraftTime(fold(replayed))).toEqual(withoutDraftTime(live))
    }
  })

  it('ignores an event it has already seen, so that a reconnect doubles nothing', () => {
    const events = sampleLog()
    const twice = events.flatMap((event, i) => [event, ...events.slice(Math.max(0, i - 3), i + 1)])
    expect(fold(twice)).toEqual(fold(events))
  })

  it('never changes a state it was given', () => {
    let state = initialState(SAMPLE_SESSION)
    for (const event of sampleLog()) {
      const before = JSON.stringify(state)
      const next = applyEvent(state, event)
      expect(JSON.stringify(state)).toBe(before)
      state = next
    }
  })

  it('keeps events of a newer version and payloads it cannot read, and goes on', () => {
    const { events, add } = recorder()
    add('user_message', { id: 'u1', content: 'Hello', source: 'user' })
    const newer = parseEvent({ seq: 2, time: 't', session: SAMPLE_SESSION, type: 'hologram', data: { x: 1 } })
    const broken = parseEvent({ seq: 3, time: 't', session: SAMPLE_SESSION, type: 'plan_update', data: { plan: 7 } })
    if (!newer || !broken) throw new Error('both are events')
    const state = fold([...events, newer, broken])
    expect(state.unknown.map((event) => [event.type, event.data])).toEqual([
      ['hologram', { x: 1 }],
      ['plan_update', { plan: 7 }],
    ])
    expect(state.items).toHaveLength(1)
    expect(state.last_seq).toBe(3)
    expect(JSON.parse(serializeEvent(newer))).toEqual({
      seq: 2,
      time: 't',
      session: SAMPLE_SESSION,
      type: 'hologram',
      data: { x: 1 },
    })
  })

  it('rejects what is not an event at all', () => {
    for (const value of [null, 7, [], {}, { seq: 0, time: '', session: '', type: 'ready', data: {} }, { seq: 1.5 }]) {
      expect(parseEvent(value)).toBeNull()
    }
  })

  it('drops the text of a failed attempt, so that a retry shows nothing twice', () => {
    const events = sampleLog()
    const discarded = events.findIndex((event) => event.type === 'assistant_stream_end')
    expect(fold(events.slice(0, discarded)).draft?.text).toBe('thrown away')
    expect(fold(events.slice(0, discarded + 1)).draft).toBeNull()
    expect(JSON.stringify(fold(events).items)).not.toContain('thrown away')
  })

  it('bounds the live log of a flooding command', () => {
    const { events, add } = recorder()
    add('tool_call', { tool: 'bash', arguments: {}, tool_call_id: 't', intent: 'yes' })
    for (let i = 0; i < 40; i++) add('tool_log', { tool: 'bash', log: `${i}`.repeat(5_000), tool_call_id: 't' })
    const log = fold(events).live_logs.t ?? ''
    expect(log).toHaveLength(LIVE_LOG_CHARS)
    expect(log.endsWith('39')).toBe(true)
  })

  it('sums usage and says when a price was unknown', () => {
    const { events, add } = recorder()
    const call = {
      model: 'm',
      latency_ms: 1,
      first_token_ms: null,
      finish_reason: 'end_turn',
      kind: 'main',
      context_window: null,
      prompt_tokens: 10,
      completion_tokens: 5,
      total_tokens: 15,
      cache_read_tokens: 1,
      cache_creation_tokens: 2,
    } as const
    add('llm_call', { ...call, cost_usd: 0.5 })
    add('llm_call', { ...call, cost_usd: null })
    expect(fold(events).usage).toMatchObject({ calls: 2, cost_usd: 0.5, unpriced_calls: 1, prompt_tokens: 20 })
    expect(fold(events).context).toEqual({ used_tokens: 15, window: null, overhead_tokens: 0 })
  })

  it('closes what a crash left open when the session is resumed', () => {
    const { events, add } = recorder()
    add('user_message', { id: 'u1', content: 'Go', source: 'user' })
    add('tool_call', { tool: 'bash', arguments: {}, tool_call_id: 't', intent: '' })
    expect(fold(events).status).toBe('running')
    add('resumed', { torn_bytes: 12, repaired_calls: 1 })
    const state = fold(events)
    expect(state.status).toBe('idle')
    expect(state.items.map((item) => (item.kind === 'tool' ? item.state : item.kind))).toEqual([
      'user',
      'cancelled',
      'notice',
    ])
  })

  it('takes back a message with everything after it, and counts turns by what is left', () => {
    const state = fold(sampleLog())
    expect(state.items.some((item) => item.kind === 'user' && item.text === 'Wrong one')).toBe(false)
    expect(state.turns).toBe(2)
  })
})

describe('titleFrom', () => {
  it('takes the first line, cut between characters and not inside one', () => {
    expect(titleFrom('  Train a classifier\nwith care ')).toBe('Train a classifier')
    const title = titleFrom('🐧'.repeat(100))
    expect([...title]).toHaveLength(72)
    expect(title.endsWith('🐧…')).toBe(true)
    expect(titleFrom('')).toBe('')
  })
})

describe('foldEvents on a long log', () => {
  it('takes time in proportion to the number of events (a list copied for each would take minutes)', () => {
    const { events, add } = recorder()
    for (let i = 0; i < 20_000; i++) {
      add('tool_call', { tool: 'bash', arguments: {}, tool_call_id: `t${i}` })
      add('tool_output', { tool: 'bash', tool_call_id: `t${i}`, output: 'x', success: true, duration_ms: 1 })
      if (i % 20 === 0) add('user_message', { id: `u${i}`, content: 'go', source: 'user' })
    }
    const started = process.cpuUsage()
    const state = fold(events)
    const { user, system } = process.cpuUsage(started)
    expect(state.items).toHaveLength(21_000)
    expect((user + system) / 1000).toBeLessThan(1500)
  })

  it('hands out a state that later events no longer change', () => {
    const { events, add } = recorder()
    add('user_message', { id: 'u1', content: 'go', source: 'user' })
    const state = fold(events)
    const before = state.items
    add('guard', { kind: 'g', content: 'x' })
    const last = events.at(-1)
    if (!last) throw new Error('an event was added')
    expect(applyEvent(state, last).items).not.toBe(before)
    expect(before).toHaveLength(1)
  })
})
