import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { checkBody, checkHeaders, type Issued, noteIssued } from './anthropic-checks'
import { type MessageReply, type Reply, render } from './anthropic-script'

export * from './anthropic-script'

/**
 * A strict stand-in for api.anthropic.com on loopback. It answers POST /v1/messages (streaming or not) from a script,
 * GET /v1/models and POST /v1/messages/count_tokens. Whatever the real API would refuse is answered with its error and
 * remembered; `close()` then throws, so that the test fails even if the program under test coped.
 *
 * No test framework is imported here: benchmarks bundle this file and run it in a process of its own.
 */
export interface FakeRequest {
  /** 0 for the first POST /v1/messages. */
  index: number
  headers: IncomingHttpHeaders
  body: RequestBody
  /** Resolves when the response is over: `true` when the client went away before its end. */
  closed: Promise<boolean>
}

export interface RequestBody {
  model: string
  max_tokens: number
  messages: { role: string; content: Record<string, unknown>[] }[]
  system?: { type: string; text: string; cache_control?: Record<string, unknown> }[]
  tools?: {
    name: string
    description: string
    input_schema: Record<string, unknown>
    cache_control?: Record<string, unknown>
  }[]
  stream?: boolean
  thinking?: Record<string, unknown>
  output_config?: Record<string, unknown>
  cache_control?: Record<string, unknown>
}

export type Script = Reply[] | ((request: FakeRequest) => Reply | Promise<Reply>)

export interface FakeAnthropic {
  /** Without a path: the value of ANTHROPIC_BASE_URL. */
  url: string
  /** Of POST /v1/messages, in order of arrival. */
  requests: FakeRequest[]
  /** What was wrong with the requests so far. */
  violations: string[]
  /** Resolves when the request with this index has arrived. */
  request(index: number): Promise<FakeRequest>
  /** TCP connections accepted so far. */
  connections(): number
  /** Ends every connection. Throws when a request broke a rule, or when more requests came than replies were scripted. */
  close(): Promise<void>
}

export interface FakeOptions {
  /** Any other key is answered with 401. Default: every key is right. */
  apiKey?: string
  models?: Record<string, unknown>[]
  /** Levels of effort that the models take; any other is a 400 as the API words it. Default: all. */
  efforts?: string[]
  /** Thinking of another account is a 400 as the API words it, not a broken rule. Default: broken rule. */
  foreignThinking?: boolean
  /** Model names that exist; any other is a 404. Default: all. */
  knownModels?: string[]
}

/** Bytes of events joined into one write; small enough that a client still sees many reads. */
const BATCH_BYTES = 16_384

export async function startFakeAnthropic(script: Script, options: FakeOptions = {}): Promise<FakeAnthropic> {
  const requests: FakeRequest[] = []
  const violations: string[] = []
  const waiting: { index: number; resolve: (request: FakeRequest) => void }[] = []
  const issued: Issued = { thinkingOfCall: new Map(), signatures: new Map(), redacted: new Set(), paused: new Set() }
  let connections = 0
  let requestIds = 0

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      violations.push(`the fake server failed: ${error instanceof Error ? error.stack : String(error)}`)
      response.destroy()
    })
  })
  server.on('connection', () => connections++)
  // Benchmarks pause between calls; a connection that closes by itself would be measured as the client's cost.
  server.keepAliveTimeout = 60_000
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname
    const method = request.method ?? 'GET'
    const text = await readBody(request)
    response.setHeader('request-id', `req_fake_${++requestIds}`)
    const refuse = (problems: string[]) => {
      violations.push(...problems.map((problem) => `${method} ${path}: ${problem}`))
      sendError(response, 400, 'invalid_request_error', problems.join('; '))
    }
    const headerProblems = checkHeaders(request.headers, method)
    if (headerProblems.length > 0) return refuse(headerProblems)
    if (options.apiKey !== undefined && request.headers.authorization !== `Bearer ${options.apiKey}`) {
      return sendError(response, 401, 'authentication_error', 'invalid bearer token')
    }
    if (method === 'GET' && path === '/v1/models') {
      const data = options.models ?? []
      return sendJson(response, 200, { data, has_more: false, first_id: null, last_id: null })
    }
    const counting = path === '/v1/messages/count_tokens'
    if (method !== 'POST' || (path !== '/v1/messages' && !counting)) {
      violations.push(`${method} ${path}: no such endpoint`)
      return sendError(response, 404, 'not_found_error', `no such endpoint: ${path}`)
    }
    const body = parse(text)
    const problems = checkBody(body, issued, counting)
    const foreign = problems.find((problem) => problem.includes('thinking that this server did not sign'))
    if (foreign && options.foreignThinking) {
      const at = foreign.slice(0, foreign.indexOf(':'))
      return sendError(response, 400, 'invalid_request_error', `${at}: Invalid \`signature\` in \`thinking\` block`)
    }
    if (problems.length > 0 || !isBody(body)) return refuse(problems)
    const effort = body.output_config?.effort
    if (options.efforts && typeof effort === 'string' && !options.efforts.includes(effort)) {
      return sendError(response, 400, 'invalid_request_error', refusedEffort(effort, options.efforts))
    }
    if (counting) return sendJson(response, 200, { input_tokens: tokensOf(text) })
    if (options.knownModels && !options.knownModels.includes(body.model)) {
      return sendError(response, 404, 'not_found_error', `model: ${body.model}`)
    }

    const closed = once(response, 'close').then(() => !response.writableFinished)
    const fake: FakeRequest = { index: requests.length, headers: request.headers, body, closed }
    requests.push(fake)
    for (const { index, resolve } of waiting) if (index === fake.index) resolve(fake)
    const reply = Array.isArray(script) ? script[fake.index] : await script(fake)
    if (!reply) return refuse([`request ${fake.index} came, but only ${script.length} replies are scripted`])
    await answer(reply, fake, response, text)
  }

  async function answer(reply: Reply, request: FakeRequest, response: ServerResponse, text: string): Promise<void> {
    if ('hang' in reply) {
      await request.closed
    } else if ('drop' in reply) {
      response.destroy()
    } else if ('raw' in reply) {
      const { contentType, body, status = 200, drop = false } = reply.raw
      response.writeHead(status, { 'content-type': contentType })
      if (!drop) response.end(body)
      else {
        // Without a byte of the body the headers would stay here.
        await new Promise<void>((resolve) => response.write(body === '' ? '\n' : body, () => resolve()))
        response.destroy()
      }
    } else if ('error' in reply) {
      const { status, type, message, details, headers } = reply.error
      for (const [name, value] of Object.entries(headers ?? {})) response.setHeader(name, value)
      if (type === undefined) response.writeHead(status, { 'content-type': 'text/html' }).end(message)
      else sendError(response, status, type, message, details)
    } else {
      const { message, events } = render(reply, `msg_fake_${request.index}`, request.body.model, tokensOf(text))
      noteIssued(message.content, message.stop_reason, issued)
      if (request.body.stream) await sendStream(response, reply, events)
      else {
        await reply.gate?.arrive()
        if (reply.dropAfterChunks === undefined) sendJson(response, 200, message)
        else await dropInBody(response, JSON.stringify(message))
      }
    }
  }

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    violations,
    request(index) {
      const known = requests[index]
      return known ? Promise.resolve(known) : new Promise((resolve) => waiting.push({ index, resolve }))
    },
    connections: () => connections,
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
      if (violations.length > 0) {
        throw new Error(`The requests broke the API's rules:\n${violations.map((v) => `- ${v}`).join('\n')}`)
      }
    },
  }
}

async function sendStream(
  response: ServerResponse,
  reply: MessageReply,
  events: { text: string; chunk: boolean }[],
): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' })
  let batch = ''
  let chunks = 0
  const flush = async () => {
    if (batch === '' || response.destroyed) return
    const text = batch
    batch = ''
    if (!response.write(text) && !response.destroyed) {
      await writable(response)
    }
  }
  const stopAt = reply.dropAfterChunks ?? reply.endAfterChunks ?? reply.eventError?.afterChunks ?? reply.hangAfterChunks
  for (const { text, chunk } of events) {
    if (chunk) {
      if (chunks === stopAt) break
      if (reply.gate && chunks === (reply.afterChunks ?? 0)) {
        await flush()
        await reply.gate.arrive()
      }
      if (reply.beforeChunk) {
        await flush()
        await reply.beforeChunk(chunks)
      }
      chunks++
    }
    if (response.destroyed) return
    batch += text
    if (reply.unbatched || batch.length >= BATCH_BYTES) await flush()
  }
  if (stopAt !== undefined) return breakOff(response, reply, batch)
  response.end(batch)
}

/** Resolves when the client has read on, or is gone. */
function writable(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done).off('close', done)
      resolve()
    }
    response.on('drain', done).on('close', done)
  })
}

/** The stream stops where the script says, after everything before it has left. */
async function breakOff(response: ServerResponse, reply: MessageReply, batch: string): Promise<void> {
  const error = reply.eventError
  if (error) {
    const body = { type: 'error', error: { type: error.type, message: error.message } }
    response.end(`${batch}event: error\ndata: ${JSON.stringify(body)}\n\n`)
  } else if (reply.endAfterChunks !== undefined) {
    response.end(batch)
  } else {
    await new Promise<void>((resolve) => response.write(batch, () => resolve()))
    if (reply.dropAfterChunks !== undefined) response.destroy()
    else if (!response.destroyed) await once(response, 'close')
  }
}

/** Half of a body whose length was announced. */
async function dropInBody(response: ServerResponse, body: string): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
  await new Promise<void>((resolve) => response.write(body.slice(0, body.length / 2), () => resolve()))
  response.destroy()
}

async function readBody(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts).toString('utf8')
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function refusedEffort(effort: string, taken: readonly string[]): string {
  if (taken.length === 0) return 'This model does not support the effort parameter.'
  return `This model does not support effort level '${effort}'. Supported levels: ${taken.join(', ')}.`
}

/** Run after `checkBody` found nothing wrong. */
function isBody(body: unknown): body is RequestBody {
  return typeof body === 'object' && body !== null && 'messages' in body
}

/** About four characters a token, as the API's own documentation estimates. */
function tokensOf(text: string): number {
  return Math.ceil(text.length / 4)
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

function sendError(
  response: ServerResponse,
  status: number,
  type: string,
  message: string,
  details?: Record<string, unknown>,
): void {
  const request_id = response.getHeader('request-id')
  sendJson(response, status, { type: 'error', error: { type, message, ...(details ? { details } : {}) }, request_id })
}
