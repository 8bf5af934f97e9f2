import { lookup as systemLookup } from 'node:dns/promises'
import { createServer, request as httpRequest, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { connect, isIP, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { messageOf } from '../../errors'
import { isPublicAddress, judge, parseTarget, type Target } from './network'
import type { NetworkDenial, NetworkPolicy } from './types'

/** Below this many at once: one command fetches a few dozen files at a time. */
const MAX_CONNECTIONS = 512
/** For an answer of the user; a client gives up sooner or later anyway. */
const ASK_TIMEOUT_MS = 120_000
const CONNECT_TIMEOUT_MS = 20_000
/** More are not remembered: a loop of refusals must not fill memory. */
const MAX_DENIALS = 100

export type Lookup = (host: string) => Promise<readonly { address: string; family: number }[]>

const lookupAll: Lookup = (host) => systemLookup(host, { all: true })

/** A request that is refused; the text goes back to the client, and with it to the model. */
class Refusal extends Error {
  constructor(
    readonly status: 400 | 403 | 502 | 504,
    message: string,
  ) {
    super(message)
  }
}

/**
 * A forward proxy for one command: HTTP and CONNECT, on a unix socket, by an allow list. Names are resolved here, and
 * the connection goes to the very address that was checked. Nothing of what passes is kept or logged, only refusals.
 */
export class SandboxProxy {
  readonly denials: NetworkDenial[] = []
  readonly #server: Server
  readonly #sockets = new Set<Duplex>()
  readonly #closing = new AbortController()
  /** Answers of this command's life, also while they are waited for. */
  readonly #answers = new Map<string, Promise<'allow' | 'deny'>>()

  constructor(
    private readonly policy: Exclude<NetworkPolicy, 'off'>,
    private readonly lookup: Lookup = lookupAll,
  ) {
    this.#server = createServer({ requestTimeout: 0, headersTimeout: 30_000 }, (request, response) => {
      this.#forward(request, response).catch((error: unknown) => answer(response, error))
    })
    this.#server.maxConnections = MAX_CONNECTIONS
    this.#server.on('connect', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      this.#tunnel(request.url ?? '', socket, head).catch((error: unknown) => {
        if (!socket.destroyed) socket.end(rawAnswer(error))
      })
    })
    // Asking to speak something else over plain HTTP: nothing a package manager does.
    this.#server.on('upgrade', (_request, socket) =>
      socket.end(rawAnswer(new Refusal(403, 'Upgrades are not allowed.'))),
    )
    this.#server.on('connection', (socket) => this.#track(socket))
    this.#server.on('clientError', (_error, socket) => socket.destroy())
  }

  listen(path: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(path, () => {
        this.#server.off('error', reject)
        // An app that ends does not wait for a command's proxy.
        this.#server.unref()
        resolve()
      })
    })
  }

  close(): Promise<void> {
    this.#closing.abort()
    for (const socket of this.#sockets) socket.destroy()
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }

  #track(socket: Duplex): void {
    this.#sockets.add(socket)
    // A connection cut at either end is everyday life, and the other end learns of it by its own close.
    socket.on('error', () => socket.destroy())
    socket.once('close', () => this.#sockets.delete(socket))
  }

  async #tunnel(url: string, client: Duplex, head: Buffer): Promise<void> {
    const target = parseTarget(url)
    if (!target) throw new Refusal(400, 'The request names no host and port.')
    const address = await this.#permit(target)
    const upstream = await this.#connect(address, target.port)
    if (client.destroyed) {
      upstream.destroy()
      return
    }
    client.write('HTTP/1.1 200 Connection Established\r\n\r\n')
    if (head.length > 0) upstream.write(head)
    client.once('close', () => upstream.destroy())
    upstream.once('close', () => client.destroy())
    upstream.pipe(client)
    client.pipe(upstream)
  }

  async #forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = URL.canParse(request.url ?? '') ? new URL(request.url ?? '') : null
    if (url?.protocol !== 'http:') throw new Refusal(400, 'Only whole http:// addresses and CONNECT are understood.')
    const target = parseTarget(url.host, 80)
    if (!target) throw new Refusal(400, 'The address names no host.')
    const address = await this.#permit(target)
    // The host is that of the address that was judged, whatever the header says.
    const headers: IncomingMessage['headers'] = { ...request.headers, host: url.host, connection: 'close' }
    for (const name of ['proxy-connection', 'proxy-authorization', 'keep-alive', 'te', 'upgrade']) delete headers[name]
    await new Promise<void>((resolve, reject) => {
      const upstream = httpRequest(
        {
          host: address,
          port: target.port,
          method: request.method,
          path: url.pathname + url.search,
          headers,
          agent: false,
        },
        (incoming) => {
          response.writeHead(incoming.statusCode ?? 502, incoming.headers)
          incoming.pipe(response)
          incoming.once('error', () => response.destroy())
          response.once('close', resolve)
        },
      )
      upstream.once('socket', (socket) => this.#track(socket))
      upstream.once('error', (error) => reject(new Refusal(502, `The connection failed: ${messageOf(error)}.`)))
      response.once('close', () => upstream.destroy())
      request.pipe(upstream)
    })
  }

  /** The address to connect to. Throws a Refusal, which is remembered. */
  async #permit(target: Target): Promise<string> {
    try {
      return await this.#check(target)
    } catch (error) {
      if (error instanceof Refusal && error.status === 403) this.#remember(target, error.message)
      throw error
    }
  }

  async #check(target: Target): Promise<string> {
    const { host, port } = target
    const verdict = judge(this.policy, target)
    if (typeof verdict === 'object') throw new Refusal(403, verdict.refused)
    if (verdict === 'ask' && (await this.#ask(target)) === 'deny')
      throw new Refusal(403, 'the user was asked and refused')
    if (this.#closing.signal.aborted) throw new Refusal(504, 'the command has ended')
    const found = isIP(host) === 0 ? await this.#resolve(host) : [{ address: host }]
    // One private address among several is refused whole: which one is taken must not be a matter of luck.
    if (verdict !== 'allow_private' && found.some(({ address }) => !isPublicAddress(address))) {
      throw new Refusal(403, 'the name leads to a private or local address')
    }
    const first = found[0]
    if (!first) throw new Refusal(502, `The name ${host} has no address (port ${port}).`)
    return first.address
  }

  async #resolve(host: string): Promise<readonly { address: string }[]> {
    try {
      return await this.lookup(host)
    } catch (error) {
      throw new Refusal(502, `The name ${host} cannot be resolved: ${messageOf(error)}.`)
    }
  }

  #ask({ host, port }: Target): Promise<'allow' | 'deny'> {
    const key = `${host}:${port}`
    const known = this.#answers.get(key)
    if (known) return known
    const asked = this.#askOnce(host, port)
    this.#answers.set(key, asked)
    return asked
  }

  async #askOnce(host: string, port: number): Promise<'allow' | 'deny'> {
    const { ask, ask_timeout_ms = ASK_TIMEOUT_MS } = this.policy
    if (!ask) return 'deny'
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(ask_timeout_ms)])
    const ended = new Promise<'deny'>((resolve) => {
      if (signal.aborted) resolve('deny')
      signal.addEventListener('abort', () => resolve('deny'), { once: true })
    })
    // A question that fails is a question nobody answered with yes.
    return Promise.race([ask(host, port, signal).catch((): 'deny' => 'deny'), ended])
  }

  #connect(address: string, port: number): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: address, port })
      this.#track(socket)
      socket.setTimeout(CONNECT_TIMEOUT_MS, () => {
        reject(new Refusal(504, 'The connection was not answered in time.'))
        socket.destroy()
      })
      socket.once('error', (error) => reject(new Refusal(502, `The connection failed: ${messageOf(error)}.`)))
      socket.once('close', () => reject(new Refusal(502, 'The connection was closed.')))
      socket.once('connect', () => {
        socket.setTimeout(0)
        resolve(socket)
      })
    })
  }

  #remember({ host, port }: Target, reason: string): void {
    if (this.denials.length >= MAX_DENIALS) return
    if (this.denials.some((known) => known.host === host && known.port === port)) return
    this.denials.push({ host, port, reason })
  }
}

function describe(error: unknown): { status: number; text: string } {
  if (!(error instanceof Refusal)) return { status: 502, text: 'The proxy of the sandbox failed.' }
  const text = error.status === 403 ? `Blocked by the sandbox: ${error.message}.` : error.message
  return { status: error.status, text }
}

const REASONS: Record<number, string> = {
  400: 'Bad Request',
  403: 'Forbidden',
  502: 'Bad Gateway',
  504: 'Gateway Timeout',
}

function rawAnswer(error: unknown): string {
  const { status, text } = describe(error)
  const length = Buffer.byteLength(text) + 1
  return `HTTP/1.1 ${status} ${REASONS[status]}\r\nContent-Type: text/plain\r\nContent-Length: ${length}\r\nConnection: close\r\n\r\n${text}\n`
}

function answer(response: ServerResponse, error: unknown): void {
  const { status, text } = describe(error)
  if (response.headersSent) response.destroy()
  else response.writeHead(status, { 'content-type': 'text/plain', connection: 'close' }).end(`${text}\n`)
}
