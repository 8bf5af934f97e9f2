import { once } from 'node:events'
import { type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http'
import type { BridgePush, BridgeReply, WireMessage } from '@shared/bridge'
import { WebSocket } from 'ws'
import type { Engine, EngineClient } from '../../src/main/engine-types'
import type { BrowserHost } from '../../src/main/hosts/browser/serve'

/** An engine of which only `connect` is used: events with a number and a payload, replayed on subscription. */
export class FakeEngine {
  readonly windows = new Set<(push: BridgePush) => void>()
  readonly requests: { method: string; input: unknown }[] = []
  closed_windows = 0
  /** Settles when a window's client was closed. */
  readonly left: Promise<void>
  private markLeft: () => void = () => undefined
  private seq = 0
  private readonly log: BridgePush[] = []

  readonly engine: Pick<Engine, 'connect'> = { connect: (push) => this.connect(push) }

  constructor() {
    this.left = new Promise((resolve) => {
      this.markLeft = resolve
    })
  }

  private connect(push: (message: BridgePush) => void): EngineClient {
    return {
      request: async (method, input): Promise<BridgeReply> => {
        this.requests.push({ method, input })
        if (method === 'sessions.subscribe') {
          this.windows.add(push)
          const { after } = input as { after: number }
          const events = this.log.flatMap((entry) => (entry.kind === 'event' ? [entry.event] : []))
          return { ok: true, value: { kind: 'events', events: events.slice(after) } }
        }
        if (method === 'large') {
          const { bytes } = input as { bytes: number }
          return { ok: true, value: { text: 'x'.repeat(bytes), next_offset: 0, total_bytes: bytes } }
        }
        return { ok: false, error: { code: 'invalid_request', message: `no ${method}` } }
      },
      close: () => {
        this.closed_windows++
        this.markLeft()
        this.windows.delete(push)
      },
    }
  }

  emit(bytes = 0): void {
    const data = { tool: 'bash', log: 'x'.repeat(bytes) }
    const seq = ++this.seq
    const push: BridgePush = {
      kind: 'event',
      event: { seq, time: '2026-01-01T00:00:00.000Z', session: 's', type: 'tool_log', data },
    }
    this.log.push(push)
    for (const window of this.windows) window(push)
  }
}

export interface Answer {
  status: number
  headers: IncomingMessage['headers']
  body: string
}

/** The target is sent as it is: no client tidies the path up. */
export function get(
  host: BrowserHost,
  path: string,
  headers: OutgoingHttpHeaders = {},
  method = 'GET',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port: host.port, path, method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        }),
      )
    })
    sent.on('error', reject)
    sent.end()
  })
}

export const targetOf = (url: string) => url.slice(url.indexOf('/', 'http://'.length))

export async function logIn(host: BrowserHost): Promise<string> {
  const answer = await get(host, targetOf(host.url))
  return answer.headers['set-cookie']?.[0]?.split(';')[0] ?? ''
}

export async function open(
  host: BrowserHost,
  cookie: string,
  options: { autoPong?: boolean } = {},
): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${host.port}/bridge`, {
    headers: { cookie },
    origin: `http://127.0.0.1:${host.port}`,
    ...options,
  })
  await once(socket, 'open')
  return socket
}

/** Status of a refused WebSocket. */
export function refusedWith(host: BrowserHost, path: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${host.port}${path}`, { headers })
    socket.on('unexpected-response', (_request, response) => {
      resolve(response.statusCode ?? 0)
      socket.terminate()
    })
    // Terminating a refused handshake reports itself as an error too.
    socket.on('error', () => undefined)
    socket.on('open', () => reject(new Error('it connected')))
  })
}

/** Collects what arrives; `until` resolves with everything once the condition holds. */
export function collect(socket: WebSocket) {
  const messages: WireMessage[] = []
  let check = () => {}
  socket.on('message', (data) => {
    messages.push(JSON.parse(String(data)) as WireMessage)
    check()
  })
  return {
    messages,
    seqs: () => messages.flatMap((m) => (m.type === 'push' && m.push.kind === 'event' ? [m.push.event.seq] : [])),
    until: (condition: () => boolean) =>
      new Promise<void>((resolve) => {
        check = () => condition() && resolve()
        check()
      }),
  }
}
