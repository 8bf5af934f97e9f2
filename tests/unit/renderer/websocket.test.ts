import type { BridgePush, ConnectionState } from '@shared/bridge'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openSocketBridge } from '../../../src/renderer/src/bridge/websocket'

class FakeSocket {
  static readonly OPEN = 1
  readyState = 0
  sent: { id: number; method: string }[] = []
  onopen: (() => void) | null = null
  onmessage: ((event: { data: unknown }) => void) | null = null
  onclose: (() => void) | null = null
  send(text: string): void {
    this.sent.push(JSON.parse(text))
  }
  open(): void {
    this.readyState = 1
    this.onopen?.()
  }
  close(): void {
    this.readyState = 3
    this.onclose?.()
  }
  say(message: unknown): void {
    this.onmessage?.({ data: typeof message === 'string' ? message : JSON.stringify(message) })
  }
}

let sockets: FakeSocket[] = []
let refused = false
const last = (): FakeSocket => {
  const socket = sockets.at(-1)
  if (!socket) throw new Error('no socket was opened')
  return socket
}
const openBridge = () =>
  openSocketBridge(
    {
      open: () => {
        const socket = new FakeSocket()
        sockets.push(socket)
        return socket as unknown as WebSocket
      },
      refused: async () => refused,
      random: () => 0.5,
    },
    'ws://test/bridge',
  )

beforeEach(() => {
  sockets = []
  refused = false
  vi.useFakeTimers()
  vi.stubGlobal('WebSocket', FakeSocket)
  vi.stubGlobal('window', new EventTarget())
  vi.stubGlobal('document', Object.assign(new EventTarget(), { visibilityState: 'visible' }))
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

describe('socket bridge', () => {
  it('matches answers to calls by number, in any order (an answer given to the wrong call)', async () => {
    const bridge = openBridge()
    last().open()
    const list = bridge.request('sessions.list', {})
    const start = bridge.request('demo.start', {})
    const [first, second] = last().sent
    last().say({ type: 'reply', id: second?.id, reply: { ok: true, value: { id: 'demo' } } })
    last().say({ type: 'reply', id: first?.id, reply: { ok: true, value: [] } })
    expect(await start).toEqual({ ok: true, value: { id: 'demo' } })
    expect(await list).toEqual({ ok: true, value: [] })
  })

  it('answers open calls when the connection is lost (a button that waits for ever)', async () => {
    const bridge = openBridge()
    last().open()
    const call = bridge.request('sessions.list', {})
    last().close()
    expect(await call).toMatchObject({ ok: false, error: { code: 'disconnected' } })
    expect(await bridge.request('sessions.list', {})).toMatchObject({ ok: false, error: { code: 'disconnected' } })
  })

  it('gives up on a call that is never answered, and later ignores its answer', async () => {
    const bridge = openBridge()
    last().open()
    const call = bridge.request('sessions.list', {})
    vi.advanceTimersByTime(30_000)
    expect(await call).toMatchObject({ ok: false, error: { code: 'timeout' } })
    expect(() => last().say({ type: 'reply', id: last().sent[0]?.id, reply: { ok: true, value: [] } })).not.toThrow()
  })

  it('reconnects with growing delays, and starts small again after a success', async () => {
    const bridge = openBridge()
    const states: ConnectionState[] = []
    bridge.onConnection((state) => states.push(state))
    last().open()
    last().close()
    await vi.advanceTimersByTimeAsync(299)
    expect(sockets).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(1)
    expect(sockets).toHaveLength(2)
    last().close()
    await vi.advanceTimersByTimeAsync(599)
    expect(sockets).toHaveLength(2)
    await vi.advanceTimersByTimeAsync(1)
    expect(sockets).toHaveLength(3)
    last().open()
    last().close()
    await vi.advanceTimersByTimeAsync(300)
    expect(sockets).toHaveLength(4)
    expect(states).toEqual(['connecting', 'connected', 'lost', 'connected', 'lost'])
  })

  it('stops when the host refuses this browser (an endless knocking that no retry can help)', async () => {
    const bridge = openBridge()
    const states: ConnectionState[] = []
    bridge.onConnection((state) => states.push(state))
    refused = true
    last().close()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(sockets).toHaveLength(1)
    expect(states.at(-1)).toBe('refused')
  })

  it('does not wait out the delay when the network comes back', async () => {
    openBridge()
    last().open()
    last().close()
    await vi.advanceTimersByTimeAsync(0)
    window.dispatchEvent(new Event('online'))
    expect(sockets).toHaveLength(2)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(sockets).toHaveLength(2)
  })

  it('hands pushes on in order and survives a frame that is not JSON', () => {
    const bridge = openBridge()
    const pushes: BridgePush[] = []
    bridge.onPush((push) => pushes.push(push))
    const log = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    last().open()
    last().say({ type: 'push', push: { kind: 'session', id: 'a', summary: null } })
    last().say('{')
    last().say({ type: 'push', push: { kind: 'session', id: 'b', summary: null } })
    expect(pushes.map((push) => push.kind === 'session' && push.id)).toEqual(['a', 'b'])
    expect(log).toHaveBeenCalledOnce()
    log.mockRestore()
  })
})
