import type { BridgeReply } from '@shared/bridge'
import type { SessionEvent } from '@shared/events'
import { foldEvents } from '@shared/reducer'
import { initialState } from '@shared/state'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

const ID = '11111111-1111-4111-8111-111111111111'
type Calls = { method: string; input: unknown; answer: (reply: BridgeReply) => void }[]

const calls: Calls = []
vi.mock('../../../src/renderer/src/bridge/bridge', async () => {
  class BridgeFailure extends Error {
    code = 'test'
  }
  return {
    BridgeFailure,
    failureOf: (thrown: unknown) => thrown,
    call: (method: string, input: unknown) =>
      new Promise((resolve, reject) => {
        const answer = (reply: BridgeReply) => (reply.ok ? resolve(reply.value) : reject(reply.error))
        calls.push({ method, input, answer })
      }),
  }
})
const store = await import('../../../src/renderer/src/stores/sessions')

let frame: (() => void) | null = null
const event = (seq: number, content: string): SessionEvent => ({
  seq,
  time: '2026-01-01T00:00:00Z',
  session: ID,
  type: 'assistant_chunk',
  data: { id: 'a', content },
})
const push = (...events: SessionEvent[]) => {
  for (const one of events) store.receive({ kind: 'event', event: one })
}
const lastCall = (): Calls[number] => {
  const last = calls.at(-1)
  if (!last) throw new Error('nothing was asked')
  return last
}
const answer = async (value: Extract<BridgeReply, { ok: true }>['value']) => {
  lastCall().answer({ ok: true, value })
  await Promise.resolve()
  await Promise.resolve()
  await Promise.resolve()
}
const draft = () => store.getSessionState(ID)?.draft?.text

beforeEach(() => {
  calls.length = 0
  vi.stubGlobal('requestAnimationFrame', (run: () => void) => {
    frame = run
    return 1
  })
  vi.stubGlobal('cancelAnimationFrame', () => {
    frame = null
  })
  store.follow(ID)
})
afterEach(() => {
  store.forget(ID)
  vi.unstubAllGlobals()
})

describe('sessions store', () => {
  it('folds a live event that overtakes the answer to subscribe after it (older events taken for repetitions)', async () => {
    push(event(3, 'c'))
    await answer({ kind: 'events', events: [event(1, 'a'), event(2, 'b')] })
    expect(draft()).toBe('abc')
  })

  it('asks again after what is known on reconnect, and neither loses nor doubles (a reload in mid-stream)', async () => {
    await answer({ kind: 'events', events: [event(1, 'a')] })
    push(event(2, 'b'))
    store.followAgain()
    expect(lastCall()).toMatchObject({ method: 'sessions.subscribe', input: { id: ID, after: 2 } })
    push(event(3, 'c'))
    await answer({ kind: 'events', events: [event(2, 'b'), event(3, 'c'), event(4, 'd')] })
    expect(draft()).toBe('abcd')
  })

  it('takes a snapshot for the state, with what is queued for the older one thrown away', async () => {
    await answer({ kind: 'events', events: [event(1, 'a')] })
    push(event(2, 'lost'))
    store.receive({ kind: 'snapshot', state: foldEvents(initialState(ID), [event(5, 'whole')]) })
    frame?.()
    expect(draft()).toBe('whole')
    push(event(6, '!'))
    frame?.()
    expect(draft()).toBe('whole!')
  })

  it('tells raw events once, in order, at the time they are folded (a terminal that shows a line twice)', async () => {
    const seen: number[] = []
    const stop = store.onSessionEvent(ID, (one) => seen.push(one.seq))
    await answer({ kind: 'events', events: [event(1, 'a')] })
    push(event(2, 'b'), event(2, 'b'), event(3, 'c'))
    expect(seen).toEqual([1])
    frame?.()
    expect(seen).toEqual([1, 2, 3])
    stop()
    push(event(4, 'd'))
    frame?.()
    expect(seen).toEqual([1, 2, 3])
    expect(draft()).toBe('abcd')
  })

  it('goes on folding when a listener throws', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const stop = store.onSessionEvent(ID, () => {
      throw new Error('broken view')
    })
    await answer({ kind: 'events', events: [event(1, 'a'), event(2, 'b')] })
    expect(draft()).toBe('ab')
    stop()
    log.mockRestore()
  })

  it('folds a long catch-up to the same state, each event told once (a bulk path that differs from the live one)', async () => {
    const seen: number[] = []
    const stop = store.onSessionEvent(ID, (one) => seen.push(one.seq))
    const events = Array.from({ length: 1000 }, (_, at) => event(at + 1, `${at} `))
    await answer({ kind: 'events', events: [...events, ...events] })
    expect(store.getSessionState(ID)).toEqual(foldEvents(initialState(ID), events))
    expect(seen).toEqual(events.map((one) => one.seq))
    stop()
  })

  it('does not fold for a session that is not open, and ignores the answer to an older question', async () => {
    const first = lastCall()
    store.followAgain()
    await answer({ kind: 'events', events: [event(1, 'new')] })
    first.answer({ ok: true, value: { kind: 'snapshot', state: initialState(ID) } })
    await Promise.resolve()
    await Promise.resolve()
    expect(draft()).toBe('new')
    store.unfollow(ID)
    push(event(2, 'later'))
    frame?.()
    expect(draft()).toBe('new')
  })
})
