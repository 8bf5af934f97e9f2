import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { hostname, networkInterfaces } from 'node:os'
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import type { Engine } from '../../engine-types'
import { isNodeError, messageOf, UserError } from '../../errors'
import { openRendererFiles, type RendererFiles } from '../renderer-files'
import { Access, isLoopbackHost, isOwnOrigin, isServedHost } from './access'
import { CLOSE, MAX_BACKLOG_BYTES, PING_INTERVAL_MS, serveBridge } from './bridge-socket'
import { securityHeaders } from './headers'
import { pages } from './pages'

/** Path of the WebSocket. */
const BRIDGE_PATH = '/bridge'
/** The longest operation is 200,000 characters, at most 4 bytes each in UTF-8. */
const MAX_FRAME_BYTES = 1024 * 1024
/** A header block takes milliseconds on any line that can carry the window. */
const HEADERS_TIMEOUT_MS = 10_000
/** Windows get this long to answer the closing frame. */
const CLOSE_GRACE_MS = 1_000

export interface BrowserHostOptions {
  /** Loopback unless the user asked for more; the caller prints `warnings`. */
  host: string
  /** 0: any free port. */
  port: number
  /** The built window, out/renderer. */
  renderer_dir: string
  /** Limits that only tests change. */
  limits?: { max_backlog_bytes?: number; ping_interval_ms?: number }
}

export interface BrowserHost {
  /** Lets one browser in, once. */
  readonly url: string
  readonly port: number
  /** What the user has to know before the address is given away. */
  readonly warnings: string[]
  /** A new one-time address; the one before it becomes void if it was not used. Browsers that are in stay in. */
  renewUrl(): string
  /** Closes every window's connection and frees the port. The engine is the caller's to close. */
  close(): Promise<void>
}

/**
 * Serves the window over HTTP and its bridge over one WebSocket per tab. Rejects with UserError: `resource_missing`
 * when the window is not built, `usage` when the port is taken or the address is not this machine's, `permission`.
 */
export async function startBrowserHost(
  engine: Pick<Engine, 'connect'>,
  options: BrowserHostOptions,
): Promise<BrowserHost> {
  const files = await openRendererFiles(options.renderer_dir)
  const { WebSocketServer } = await import('ws')
  const server = createServer()
  server.headersTimeout = HEADERS_TIMEOUT_MS
  server.requestTimeout = HEADERS_TIMEOUT_MS
  // The server forgets a connection when it is upgraded, refused ones included; to end it has to know them all.
  const connections = new Set<Duplex>()
  server.on('connection', (stream: Duplex) => {
    connections.add(stream)
    stream.once('close', () => connections.delete(stream))
  })
  const port = await listen(server, options)

  const access = new Access(port)
  const isServed = (request: IncomingMessage) => isServedHost(request.headers.host, options.host, hostname())
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_FRAME_BYTES,
    perMessageDeflate: false,
    clientTracking: true,
  })

  server.on('request', (request, response) => {
    if (!isServed(request)) return sendPage(request, response, 403, pages.wrongHost())
    answer(request, response, access, files).catch(() => {
      // The folder changed under us or the disk failed: the page says so, and the next request may work again.
      if (response.headersSent) response.destroy()
      else sendPage(request, response, 500, pages.failed())
    })
  })

  let closing: Promise<void> | null = null
  server.on('upgrade', (request, stream, head) => {
    if (closing !== null) return refuse(stream, '503 Service Unavailable')
    const refusal = refuseUpgrade(request, isServed(request), access)
    if (refusal !== null) return refuse(stream, refusal)
    sockets.handleUpgrade(request, stream, head, (socket) =>
      serveBridge(engine, socket, stream, {
        max_backlog_bytes: options.limits?.max_backlog_bytes ?? MAX_BACKLOG_BYTES,
        ping_interval_ms: options.limits?.ping_interval_ms ?? PING_INTERVAL_MS,
      }),
    )
  })

  const newUrl = () => `http://${urlHost(options.host)}:${port}/?token=${access.issueToken()}`
  const url = newUrl()

  return {
    url,
    port,
    warnings: isLoopbackHost(options.host) ? [] : [exposureWarning(options.host, port)],
    renewUrl: newUrl,
    close() {
      closing ??= closeAll(server, sockets.clients, connections)
      return closing
    },
  }
}

async function listen(server: Server, { host, port }: BrowserHostOptions): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, host, port)))
    server.listen({ host, port }, resolve)
  })
  server.removeAllListeners('error')
  // From here on an error is one connection that could not be accepted (no file handles left); the next one may be.
  server.on('error', () => undefined)
  const address = server.address()
  if (address === null || typeof address === 'string') throw new UserError('internal', 'The server has no port.')
  return address.port
}

function listenError(error: Error, host: string, port: number): UserError {
  const code = isNodeError(error) ? error.code : undefined
  const cause = { cause: error }
  if (code === 'EADDRINUSE') {
    return new UserError(
      'usage',
      `Port ${port} on ${host} is in use by another program.`,
      'Choose another one with --port, or --port 0 for any free port.',
      cause,
    )
  }
  if (code === 'EACCES') {
    return new UserError(
      'permission',
      `This user may not open port ${port}.`,
      'Choose a port above 1023 with --port, or --port 0 for any free port.',
      cause,
    )
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return new UserError(
      'usage',
      `${host} is not an address of this machine.`,
      'Leave --host out to serve this machine only.',
      cause,
    )
  }
  return new UserError('internal', `Could not listen on ${host}:${port}: ${messageOf(error)}`, '', cause)
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  access: Access,
  files: RendererFiles,
): Promise<void> {
  const { method, headers } = request
  if (method !== 'GET' && method !== 'HEAD') {
    if (!isOwnOrigin(headers.origin, headers.host)) return sendPage(request, response, 403, pages.wrongOrigin())
    response.setHeader('Allow', 'GET, HEAD')
    return sendPage(request, response, 405, pages.method())
  }

  const { path, query } = splitTarget(request.url ?? '/')
  const token = path === '/' ? query.get('token') : null
  const allowed = access.allows(headers.cookie)
  if (token !== null) {
    // A HEAD or a speculative load must not use the token up before its user arrives.
    const speculative = method === 'HEAD' || /prefetch/i.test(String(headers['sec-purpose'] ?? headers.purpose ?? ''))
    const cookie = allowed || speculative ? null : access.redeem(token)
    if (cookie === null && !allowed) return sendPage(request, response, 401, pages.usedToken())
    // Whoever is in already may follow the old link again: the cookie counts, and the token leaves the address bar.
    if (cookie !== null) response.setHeader('Set-Cookie', cookie)
    response.setHeader('Location', '/')
    return send(request, response, 303, { type: 'text/plain; charset=utf-8', body: Buffer.alloc(0) })
  }

  if (!allowed) {
    // A tab from before the program was started again asks for its own files: a page would be no answer to that.
    const dest = headers['sec-fetch-dest']
    if (dest !== undefined && dest !== 'document') {
      return send(request, response, 401, { type: 'text/plain; charset=utf-8', body: Buffer.from('Not signed in.\n') })
    }
    // Behind a link on another site the browser holds the fresh cookie back on the redirect; our own page gets it.
    const cross_site = path === '/' && headers['sec-fetch-site'] === 'cross-site'
    return sendPage(request, response, 401, pages.needsToken(cross_site))
  }
  if (path === BRIDGE_PATH) {
    response.setHeader('Upgrade', 'websocket')
    return sendPage(request, response, 426, pages.upgrade())
  }
  const file = await files.read(path)
  if (file === null) return sendPage(request, response, 404, pages.notFound())
  send(request, response, 200, file)
}

/** The path as it was sent, percent-encoding included; `new URL` would read `//name` as another host. */
function splitTarget(target: string): { path: string; query: URLSearchParams } {
  const question = target.indexOf('?')
  if (question === -1) return { path: target, query: new URLSearchParams() }
  return { path: target.slice(0, question), query: new URLSearchParams(target.slice(question + 1)) }
}

function sendPage(request: IncomingMessage, response: ServerResponse, status: number, html: string): void {
  send(request, response, status, { type: 'text/html; charset=utf-8', body: Buffer.from(html) })
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  { body, type, cache_control = 'no-store' }: { body: Buffer; type: string; cache_control?: string },
): void {
  // Without a checked name there is no address of ours to allow; the pages need none.
  const host = status === 403 ? 'localhost' : (request.headers.host ?? 'localhost')
  response.writeHead(status, {
    ...securityHeaders(host),
    'Content-Type': type,
    'Content-Length': body.length,
    'Cache-Control': cache_control,
  })
  response.end(request.method === 'HEAD' ? undefined : body)
}

/** The status line of a refusal, or null when the window may connect. */
function refuseUpgrade(request: IncomingMessage, served: boolean, access: Access): string | null {
  if (!served) return '403 Forbidden'
  if (!isOwnOrigin(request.headers.origin, request.headers.host)) return '403 Forbidden'
  if (!access.allows(request.headers.cookie)) return '401 Unauthorized'
  if (splitTarget(request.url ?? '/').path !== BRIDGE_PATH) return '404 Not Found'
  return null
}

function refuse(stream: Duplex, status: string): void {
  stream.on('error', () => stream.destroy())
  // The other side may never close its own half, and nothing else would end this connection.
  stream.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => stream.destroy())
}

/** The name that another machine would use, when the server is open to all of them. */
function urlHost(host: string): string {
  if (host !== '0.0.0.0' && host !== '::') return host.includes(':') ? `[${host}]` : host
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  return addresses.find((address) => address.family === 'IPv4' && !address.internal)?.address ?? '127.0.0.1'
}

function exposureWarning(host: string, port: number): string {
  return (
    `ML Intern listens on ${host}:${port}, which other machines can reach, and the connection is not encrypted. ` +
    'Whoever gets the address before you can run commands here. ' +
    `Safer: leave --host out and use \`ssh -L ${port}:127.0.0.1:${port}\` from the other machine.`
  )
}

async function closeAll(server: Server, clients: Set<WebSocket>, connections: Set<Duplex>): Promise<void> {
  const stopped = new Promise<void>((resolve) => server.close(() => resolve()))
  const windows = [...clients].map((client) => {
    const closed = new Promise<void>((resolve) => client.once('close', resolve))
    client.close(CLOSE.going_away)
    return closed
  })
  const force = setTimeout(() => {
    for (const client of clients) client.terminate()
  }, CLOSE_GRACE_MS)
  await Promise.all(windows)
  clearTimeout(force)
  for (const connection of connections) connection.destroy()
  await stopped
}
