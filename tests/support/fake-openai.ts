import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * A strict stand-in on loopback for servers that speak chat completions: the Hugging Face router, Ollama, vLLM,
 * LM Studio, llama.cpp. POST /v1/chat/completions is answered from a script, everything else from `answers`. Fields
 * and orders that a real server refuses are violations: `close()` then throws.
 */
export type Json = Record<string, unknown>

export interface ChatRequest {
  index: number
  headers: IncomingHttpHeaders
  body: Json & { messages: Json[] }
  /** Resolves when the response is over: `true` when the client went away before its end. */
  closed: Promise<boolean>
}

export type ChatReply =
  /** Chunks of a stream, sent as they are; a string is sent without `data: ` and JSON. */
  | { chunks: (Json | string)[]; done?: boolean; end?: 'drop' | 'hang'; headers?: Record<string, string> }
  /** One piece: a completion, an error, a page. */
  | { status?: number; json?: unknown; text?: string; type?: string; headers?: Record<string, string> }
  | { drop: true }
  | { hang: true }

export interface FakeOpenAi {
  /** With `/v1`. */
  url: string
  requests: ChatRequest[]
  /** Method and path of everything that was not a chat completion. */
  asked: { path: string; headers: IncomingHttpHeaders; body: unknown }[]
  violations: string[]
  request(index: number): Promise<ChatRequest>
  connections(): number
  close(): Promise<void>
}

export interface FakeOpenAiOptions {
  /** Any other bearer is answered with 401; null: there must be none. Default: not looked at. */
  apiKey?: string | null
  /** By path: the JSON, or a function of the parsed body; a path that is not here is a 404. */
  answers?: Record<string, unknown>
  /** Takes hints about what to cache. Default: they are unknown fields. */
  caching?: boolean
  /** Paths that never answer. */
  silent?: string[]
}

const FIELDS = new Set([
  'model',
  'messages',
  'stream',
  'stream_options',
  'tools',
  'tool_choice',
  'reasoning_effort',
  'max_tokens',
  'max_completion_tokens',
])
/** Only the Hugging Face router takes these, and only for some providers. */
const CACHING = new Set(['cache_control', 'prompt_cache_key', 'prompt_cache_retention'])

export async function startFakeOpenAi(script: ChatReply[], options: FakeOpenAiOptions = {}): Promise<FakeOpenAi> {
  const requests: ChatRequest[] = []
  const asked: FakeOpenAi['asked'] = []
  const violations: string[] = []
  const waiting: { index: number; resolve: (request: ChatRequest) => void }[] = []
  let connections = 0

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      violations.push(`the fake server failed: ${error instanceof Error ? error.stack : String(error)}`)
      response.destroy()
    })
  })
  server.on('connection', () => connections++)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const text = Buffer.concat(parts).toString('utf8')
    const body: unknown = text === '' ? null : JSON.parse(text)
    const { authorization } = request.headers
    if (path !== '/v1/chat/completions') {
      asked.push({ path: `${request.method} ${path}`, headers: request.headers, body })
      if (options.silent?.includes(path)) return
      const answer = options.answers?.[path]
      if (answer === undefined) return send(response, 404, { detail: 'Not Found' })
      return send(response, 200, typeof answer === 'function' ? answer(body) : answer)
    }
    if (options.apiKey === null && authorization !== undefined) violations.push('a key was sent where there is none')
    if (typeof options.apiKey === 'string' && authorization !== `Bearer ${options.apiKey}`) {
      return send(response, 401, { error: { message: 'Invalid API key', code: 'invalid_api_key' } })
    }
    const problems = checkBody(body, options.caching ?? false)
    if (request.headers['content-type'] !== 'application/json') problems.push('content-type is not JSON')
    if (/\\ud[89a-f]/i.test(text)) problems.push('half a surrogate pair')
    if (problems.length > 0 || !isBody(body)) {
      violations.push(...problems)
      return send(response, 400, { error: { message: problems.join('; '), type: 'invalid_request_error' } })
    }
    const closed = once(response, 'close').then(() => !response.writableFinished)
    const chat: ChatRequest = { index: requests.length, headers: request.headers, body, closed }
    requests.push(chat)
    for (const { index, resolve } of waiting) if (index === chat.index) resolve(chat)
    const reply = script[chat.index]
    if (!reply) {
      violations.push(`request ${chat.index} came, but only ${script.length} replies are scripted`)
      return send(response, 500, { error: 'no reply is scripted' })
    }
    await answerChat(reply, chat, response)
  }

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    asked,
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
      if (violations.length > 0) throw new Error(`The requests broke the rules:\n- ${violations.join('\n- ')}`)
    },
  }
}

async function answerChat(reply: ChatReply, chat: ChatRequest, response: ServerResponse): Promise<void> {
  if ('drop' in reply) return void response.destroy()
  if ('hang' in reply) return void (await chat.closed)
  if (!('chunks' in reply)) {
    const { status = 200, json, text = JSON.stringify(json), type = 'application/json', headers } = reply
    response.writeHead(status, { 'content-type': type, ...headers }).end(text)
    return
  }
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', ...reply.headers })
  const events = reply.chunks.map((chunk) => (typeof chunk === 'string' ? chunk : `data: ${JSON.stringify(chunk)}\n\n`))
  if (reply.done !== false && !reply.end) events.push('data: [DONE]\n\n')
  await new Promise<void>((resolve) => response.write(events.join(''), () => resolve()))
  if (reply.end === 'drop') response.destroy()
  else if (reply.end === 'hang') await chat.closed
  else response.end()
}

// ---------------------------------------------------------------- what is checked

function checkBody(body: unknown, caching: boolean): string[] {
  if (!isBody(body)) return ['no messages']
  const known = (field: string) => FIELDS.has(field) || (caching && CACHING.has(field))
  const problems = Object.keys(body).flatMap((field) => (known(field) ? [] : [`unknown field ${field}`]))
  if (typeof body.model !== 'string' || body.model === '') problems.push('no model')
  if (typeof body.stream !== 'boolean') problems.push('stream is not said')
  if (body.stream_options !== undefined && body.stream !== true) problems.push('stream_options without stream')
  if (body.tool_choice !== undefined && !Array.isArray(body.tools)) problems.push('tool_choice without tools')
  for (const tool of Array.isArray(body.tools) ? body.tools : []) {
    if (tool?.type !== 'function' || tool.function?.parameters?.type !== 'object') problems.push('a broken tool')
  }
  let open: unknown[] = []
  body.messages.forEach((message, at) => {
    if (message.role === 'tool') {
      // Results come in the order of their calls, right after them.
      if (message.tool_call_id !== open.shift())
        problems.push(`message ${at}: a result without its call, or out of order`)
      if (typeof message.content !== 'string' || message.content === '') problems.push(`message ${at}: an empty result`)
      return
    }
    if (open.length > 0) problems.push(`message ${at}: calls without results: ${open.join(', ')}`)
    open = []
    if (message.role === 'system' && at !== 0) problems.push(`message ${at}: a system message in the middle`)
    if (message.role === 'assistant') {
      const calls = Array.isArray(message.tool_calls) ? (message.tool_calls as Json[]) : []
      if (calls.length === 0 && !message.content) problems.push(`message ${at}: an empty reply`)
      for (const call of calls) {
        if (!/^[\w-]{1,40}$/.test(String(call.id))) problems.push(`message ${at}: an id that is refused: ${call.id}`)
        const fn = call.function as Json
        if (call.type !== 'function' || typeof fn?.name !== 'string') problems.push(`message ${at}: a broken call`)
        const input: unknown = JSON.parse(String(fn?.arguments))
        if (typeof input !== 'object' || input === null) problems.push(`message ${at}: arguments that are no object`)
      }
      open = calls.map((call) => call.id)
    } else if (caching && Array.isArray(message.content)) {
      for (const part of message.content) if (!part?.text) problems.push(`message ${at}: a part without text`)
    } else if (typeof message.content !== 'string' || message.content.trim() === '') {
      problems.push(`message ${at}: an empty text`)
    }
    if (message.role === body.messages[at - 1]?.role) problems.push(`message ${at}: the same role twice`)
  })
  if (open.length > 0) problems.push('calls without results at the end')
  return problems
}

function isBody(body: unknown): body is ChatRequest['body'] {
  return typeof body === 'object' && body !== null && 'messages' in body && Array.isArray(body.messages)
}

function send(response: ServerResponse, status: number, json: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json))
}

// ---------------------------------------------------------------- chunks

export function delta(fields: Json, finish_reason: string | null = null): Json {
  return {
    object: 'chat.completion.chunk',
    model: 'served-model',
    choices: [{ index: 0, delta: fields, finish_reason }],
  }
}

export function callPiece(
  index: number | undefined,
  id: string | undefined,
  name: string | undefined,
  args: unknown,
): Json {
  const fn = { ...(name === undefined ? {} : { name }), ...(args === undefined ? {} : { arguments: args }) }
  const rest = { ...(index === undefined ? {} : { index }), ...(id === undefined ? {} : { id }) }
  return delta({ tool_calls: [{ ...rest, function: fn }] })
}

export function usageChunk(prompt_tokens: number, completion_tokens: number, cached_tokens = 0): Json {
  const total_tokens = prompt_tokens + completion_tokens
  return {
    choices: [],
    usage: { prompt_tokens, completion_tokens, total_tokens, prompt_tokens_details: { cached_tokens } },
  }
}
