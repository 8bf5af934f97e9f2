import type { Bridge, BridgePush, BridgeReply, ConnectionState, WireMessage, WireRequest } from '@shared/bridge'

/** Milliseconds before the first new attempt; doubled each time up to the limit, with jitter. */
const FIRST_DELAY_MS = 300
const MAX_DELAY_MS = 8_000
/** Milliseconds a call may take. Creating the demo project and the diagnostics start processes and probe the network. */
const TIMEOUT_MS = 30_000
const SLOW_TIMEOUT_MS = 90_000
const SLOW_METHODS: ReadonlySet<string> = new Set(['doctor.run', 'demo.start'])
/** Where the browser host serves its bridge; its cookie, which no script can read, lets us in. */
const BRIDGE_PATH = '/bridge'

export interface SocketBridgeDeps {
  open: (url: string) => WebSocket
  /** Asks the host over plain HTTP whether it would let us in: a refused handshake looks like a lost network. */
  refused: (url: string) => Promise<boolean>
  random: () => number
}

interface Waiting {
  resolve: (reply: BridgeReply) => void
  timer: ReturnType<typeof setTimeout>
}

/** The bridge over one WebSocket: reconnects with backoff for ever, unless the host refuses this browser. */
export function openSocketBridge(deps: SocketBridgeDeps = browserDeps, url = socketUrl()): Bridge {
  const pushListeners = new Set<(push: BridgePush) => void>()
  const stateListeners = new Set<(state: ConnectionState) => void>()
  const waiting = new Map<number, Waiting>()
  let state: ConnectionState = 'connecting'
  let socket: WebSocket | null = null
  let nextId = 1
  let attempt = 0
  let retryTimer: ReturnType<typeof setTimeout> | null = null

  function setState(next: ConnectionState): void {
    if (next === state) return
    state = next
    for (const listener of stateListeners) listener(next)
  }

  function failAll(): void {
    for (const { resolve, timer } of waiting.values()) {
      clearTimeout(timer)
      resolve(disconnected)
    }
    waiting.clear()
  }

  function receive(data: unknown): void {
    const message = readMessage(data)
    if (!message) return
    if (message.type === 'push') {
      for (const listener of pushListeners) listener(message.push)
      return
    }
    const entry = waiting.get(message.id)
    if (!entry) return
    waiting.delete(message.id)
    clearTimeout(entry.timer)
    entry.resolve(message.reply)
  }

  function connect(): void {
    retryTimer = null
    const current = deps.open(url)
    let opened = false
    socket = current
    current.onopen = () => {
      opened = true
      attempt = 0
      setState('connected')
    }
    current.onmessage = (event: MessageEvent) => receive(event.data)
    current.onclose = () => void closed(opened)
  }

  async function closed(opened: boolean): Promise<void> {
    socket = null
    failAll()
    if (!opened && (await deps.refused(url))) {
      setState('refused')
      return
    }
    setState('lost')
    const delay = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt)
    attempt += 1
    retryTimer = setTimeout(connect, delay * (0.75 + deps.random() * 0.5))
  }

  // The network is back, or the window is looked at again: no reason to wait out the delay.
  function hurry(): void {
    if (retryTimer === null || document.visibilityState === 'hidden') return
    clearTimeout(retryTimer)
    connect()
  }
  window.addEventListener('online', hurry)
  document.addEventListener('visibilitychange', hurry)
  connect()

  return {
    request: (method, input) =>
      // The host answers a method with that method's result; the wire cannot carry this to the type checker.
      send(method, input) as Promise<BridgeReply<typeof method>>,
    onPush: (listener) => {
      pushListeners.add(listener)
      return () => pushListeners.delete(listener)
    },
    onConnection: (listener) => {
      stateListeners.add(listener)
      listener(state)
      return () => stateListeners.delete(listener)
    },
  }

  function send(method: string, input: unknown): Promise<BridgeReply> {
    const open = socket
    if (!open || open.readyState !== WebSocket.OPEN) return Promise.resolve(disconnected)
    const id = nextId++
    const frame: WireRequest = { id, method, input }
    return new Promise((resolve) => {
      const timer = setTimeout(
        () => {
          waiting.delete(id)
          resolve(timedOut)
        },
        SLOW_METHODS.has(method) ? SLOW_TIMEOUT_MS : TIMEOUT_MS,
      )
      waiting.set(id, { resolve, timer })
      open.send(JSON.stringify(frame))
    })
  }
}

const disconnected: BridgeReply = {
  ok: false,
  error: {
    code: 'disconnected',
    message: 'There is no connection to ML Intern.',
    remedy: 'It reconnects by itself. If it does not, check that the program still runs in its terminal.',
  },
}

const timedOut: BridgeReply = {
  ok: false,
  error: { code: 'timeout', message: 'ML Intern did not answer in time.', remedy: 'Try again in a moment.' },
}

const browserDeps: SocketBridgeDeps = {
  open: (url) => new WebSocket(url),
  refused: async (url) => {
    try {
      const reply = await fetch(url.replace(/^ws/, 'http'), { cache: 'no-store' })
      return reply.status === 401 || reply.status === 403
    } catch {
      // No answer at all: the host is away, which is the other case.
      return false
    }
  },
  random: Math.random,
}

function readMessage(data: unknown): WireMessage | null {
  if (typeof data !== 'string') return null
  try {
    const value: unknown = JSON.parse(data)
    // Our own host on the same origin wrote it: its shape is trusted, its kind is checked.
    return isWireMessage(value) ? value : null
  } catch (thrown) {
    console.error('The host sent a frame that is not JSON.', thrown)
    return null
  }
}

function isWireMessage(value: unknown): value is WireMessage {
  if (typeof value !== 'object' || value === null || !('type' in value)) return false
  return value.type === 'push' || value.type === 'reply'
}

function socketUrl(): string {
  const url = new URL(BRIDGE_PATH, window.location.origin)
  url.protocol = window.location.protocol === 'https:' ? 'wss:' : 'ws:'
  return url.href
}
