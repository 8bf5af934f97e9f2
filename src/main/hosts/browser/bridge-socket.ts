import type { Duplex } from 'node:stream'
import { type BridgePush, type WireMessage, wireRequestSchema } from '@shared/bridge'
import type { WebSocket } from 'ws'
import type { Engine } from '../../engine-types'

/** Bytes a window may have waiting before it gets no more events: seconds of the fastest stream, and bounded memory. */
export const MAX_BACKLOG_BYTES = 8 * 1024 * 1024
/** Bytes of everything, replies included, after which a window that reads nothing is cut off. */
const MAX_BUFFERED_BYTES = 64 * 1024 * 1024
/** A question a window has to answer, so that a vanished one does not keep its subscriptions. */
export const PING_INTERVAL_MS = 30_000
/** Pings without an answer while data is still on its way: a slow line is not a dead one (10 x 30 s). */
const MAX_MISSED_WHILE_SENDING = 10

/** Close codes that the window can get besides the standard ones; after any of them it connects again. */
export const CLOSE = {
  going_away: 1001,
  unsupported_data: 1003,
  policy_violation: 1008,
  /** The window fell behind; its next subscription brings what it missed. */
  try_again_later: 1013,
} as const

export interface BridgeSocketOptions {
  max_backlog_bytes: number
  ping_interval_ms: number
}

/**
 * One window: requests go to an engine client of its own, pushes come back. `stream` is the connection below the
 * WebSocket; it is corked so that all frames of one turn of the event loop leave in one write.
 */
export function serveBridge(
  engine: Pick<Engine, 'connect'>,
  socket: WebSocket,
  stream: Duplex,
  options: BridgeSocketOptions,
): void {
  /** Bytes of pushes that have not left this process. Replies do not count: a large snapshot must not cost the link. */
  let backlog = 0
  let behind = false
  let corked = false

  const cork = () => {
    if (corked) return
    corked = true
    stream.cork()
    setImmediate(() => {
      corked = false
      stream.uncork()
    })
  }

  const closeWhenDrained = () => {
    if (behind && backlog === 0) socket.close(CLOSE.try_again_later, 'fell behind')
  }

  const push = (message: BridgePush) => {
    if (behind || socket.readyState !== socket.OPEN) return
    if (backlog > options.max_backlog_bytes) {
      // Nothing after this point is sent, so the window has no gap: it subscribes again after its last number.
      behind = true
      return
    }
    const data = Buffer.from(JSON.stringify({ type: 'push', push: message } satisfies WireMessage))
    backlog += data.length
    cork()
    // The callback also runs with an error when the connection breaks; then `close` does the rest.
    socket.send(data, { binary: false }, () => {
      backlog -= data.length
      closeWhenDrained()
    })
  }

  const client = engine.connect(push)

  const answer = async (id: number, method: string, input: unknown) => {
    const reply = await client.request(method, input)
    if (socket.readyState !== socket.OPEN) return
    if (socket.bufferedAmount > MAX_BUFFERED_BYTES) {
      socket.terminate()
      return
    }
    cork()
    socket.send(JSON.stringify({ type: 'reply', id, reply } satisfies WireMessage))
  }

  let missed = 0
  const heartbeat = setInterval(() => {
    if (missed > (socket.bufferedAmount > 0 ? MAX_MISSED_WHILE_SENDING : 0)) {
      socket.terminate()
      return
    }
    missed++
    socket.ping()
  }, options.ping_interval_ms)

  socket.on('pong', () => {
    missed = 0
  })
  socket.on('message', (data, is_binary) => {
    missed = 0
    if (is_binary) {
      socket.close(CLOSE.unsupported_data, 'text frames only')
      return
    }
    const frame = parseJson(data.toString())
    if (frame === undefined) {
      socket.close(CLOSE.unsupported_data, 'not JSON')
      return
    }
    const request = wireRequestSchema.safeParse(frame)
    if (!request.success) {
      socket.close(CLOSE.policy_violation, 'not a request')
      return
    }
    void answer(request.data.id, request.data.method, request.data.input)
  })
  // A frame that is too large or breaks the protocol, or a dead connection: ws closes with the fitting code by itself
  // and `close` follows, so there is nothing to add; without a listener the error would end the process.
  socket.on('error', () => undefined)
  socket.on('close', () => {
    clearInterval(heartbeat)
    client.close()
  })
}

/** Undefined when the text is not JSON; JSON itself has no undefined. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
