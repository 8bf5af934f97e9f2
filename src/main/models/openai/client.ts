import { interrupted } from '../failures'
import { SseDecoder, type SseEvent } from '../sse'
import type { ModelClient, ModelDelta, ModelFailure, ModelInfo, ModelRequest } from '../types'
import {
  type ApiError,
  blames,
  brokenStream,
  connectionFailure,
  errorOf,
  type FailureContext,
  notTheApi,
  parseError,
  responseFailure,
  unreadable,
  unusableKey,
} from './failures'
import { isObject, parseJson } from './json'
import type { Endpoint } from './local'
import { type ChatBody, newQuirks, type Quirks, toBody } from './messages'
import { ReplyBuilder, type Shown } from './stream'

export interface OpenAiOptions {
  /** Full id with the prefix. */
  id: string
  /** The server's own name of the model. */
  model: string
  endpoint: Endpoint
  info: () => ModelInfo
  /** Brings what `info` tells up to date, beside the call; never rejects. */
  refresh: (signal: AbortSignal) => Promise<void>
}

/** A client for one model of a server that speaks OpenAI's chat completions. */
export function createOpenAiClient(options: OpenAiOptions): ModelClient {
  const quirks = newQuirks(options.endpoint.kind)
  return {
    id: options.id,
    info: options.info,
    stream: (request, signal) => call(options, quirks, request, signal),
  }
}

async function* call(
  options: OpenAiOptions,
  quirks: Quirks,
  request: ModelRequest,
  signal: AbortSignal,
): AsyncGenerator<ModelDelta> {
  const { endpoint, model } = options
  const reply = new ReplyBuilder()
  const context = (): FailureContext => ({ endpoint, model, aborted: signal.aborted, now: Date.now() })
  const failed = (failure: ModelFailure): ModelDelta => {
    return { type: 'failed', failure, blocks: reply.partial(), usage: reply.usage }
  }
  if (signal.aborted) return yield failed(interrupted())
  // The header would be refused with an error that quotes the key.
  if (endpoint.apiKey !== null && !/^[\x21-\x7e]+$/.test(endpoint.apiKey)) return yield failed(unusableKey(context()))

  const controller = new AbortController()
  const abort = () => controller.abort()
  signal.addEventListener('abort', abort, { once: true })
  let whole = false
  void options.refresh(controller.signal)
  try {
    const sent = await send(options, quirks, request, controller.signal)
    if ('error' in sent) return yield failed(responseFailure(sent.error, context()))
    const { response, chars } = sent
    const type = response.headers.get('content-type')?.split(';', 1)[0]?.trim() ?? ''
    // Some servers stream whatever they were asked, others never do.
    const streamed = type === 'text/event-stream'
    if (response.status >= 300) return yield failed(notTheApi(`with a redirect (${response.status})`, context()))
    if (!response.body || (!streamed && type !== 'application/json')) {
      return yield failed(notTheApi(type === '' ? 'without a content type' : `with ${type}`, context()))
    }
    const failure = streamed
      ? yield* readStream(response.body, controller, reply, context)
      : yield* readWhole(response, reply, context)
    const request_id = response.headers.get('x-request-id')
    const origin = request_id ? { request_id } : {}
    if (failure) return yield failed({ ...failure, ...origin })
    whole = true
    const finished = reply.finish(chars)
    return yield { type: 'done', ...finished, model: finished.model || model, ...origin }
  } catch (error) {
    return yield failed(connectionFailure(error, context()))
  } finally {
    signal.removeEventListener('abort', abort)
    // Closes the connection when the reply was not read to its end; a whole one leaves it open for the next call.
    if (!whole) controller.abort()
  }
}

/** Sends the request, and once more for each optional field that the server refuses by name. */
async function send(
  { endpoint, model }: OpenAiOptions,
  quirks: Quirks,
  request: ModelRequest,
  signal: AbortSignal,
): Promise<{ response: Response; chars: number } | { error: ApiError }> {
  for (;;) {
    const body = toBody(model, request, endpoint.kind, quirks)
    const text = JSON.stringify(body)
    const response = await fetch(`${endpoint.baseURL}/chat/completions`, {
      method: 'POST',
      headers: headersFor(endpoint, request),
      body: text,
      // The conversation goes to the address that was chosen, and nowhere else.
      redirect: 'manual',
      signal,
    })
    if (response.status < 400) return { response, chars: text.length }
    const error = parseError(await response.text(), response.status, response.headers)
    if (!learn(quirks, body, error)) return { error }
  }
}

function headersFor(endpoint: Endpoint, request: ModelRequest): Record<string, string> {
  // By this header Hugging Face tells what a session cost; it takes at most 256 characters.
  const session = endpoint.kind === 'hf' ? request.session_id?.replace(/[^\x21-\x7e]/g, '').slice(0, 256) : undefined
  return {
    accept: request.streaming ? 'text/event-stream' : 'application/json',
    'content-type': 'application/json',
    ...(endpoint.apiKey === null ? {} : { authorization: `Bearer ${endpoint.apiKey}` }),
    ...(session ? { 'X-HF-Session-id': session } : {}),
  }
}

/** Whether the request is worth sending in another form. Each quirk changes at most twice, so this comes to an end. */
function learn(quirks: Quirks, body: ChatBody, error: ApiError): boolean {
  if (body.stream_options && (blames(error, 'stream_options') || blames(error, 'include_usage'))) {
    quirks.usage = false
    return true
  }
  if (body.reasoning_effort && blames(error, 'reasoning_effort')) {
    quirks.effort = false
    return true
  }
  if (body.max_tokens !== undefined && blames(error, 'max_completion_tokens')) {
    quirks.limit = 'max_completion_tokens'
    return true
  }
  if (quirks.reasoning !== 'never' && blames(error, 'reasoning_content')) {
    quirks.reasoning = quirks.reasoning === 'no' ? 'yes' : 'never'
    return true
  }
  return false
}

/** A reply in one piece, with the same deltas as a streamed one. */
async function* readWhole(
  response: Response,
  reply: ReplyBuilder,
  context: () => FailureContext,
): AsyncGenerator<ModelDelta, ModelFailure | null> {
  let text: string
  try {
    text = await response.text()
  } catch (error) {
    return brokenStream(error, context())
  }
  const body = parseJson(text)
  if (isObject(body) && body.error) return responseFailure(errorOf(body, null, response.headers), context())
  if (!isObject(body) || !Array.isArray(body.choices)) return unreadable('the body is not a completion', context())
  yield* reply.add(body)
  return reply.abandoned ? unreadable('the server gave it up', context()) : null
}

/** Milliseconds a body may stay open after [DONE], and after a finish reason that only a usage chunk can follow. */
const BODY_END_MS = 30
const FINISH_MS = 1000

/** Reads to the end of the reply; deltas of one kind that arrived together are handed on as one. */
async function* readStream(
  body: ReadableStream<Uint8Array>,
  controller: AbortController,
  reply: ReplyBuilder,
  context: () => FailureContext,
): AsyncGenerator<ModelDelta, ModelFailure | null> {
  const reader = body.getReader()
  const decoder = new SseDecoder()
  let closing: NodeJS.Timeout | null = null
  let over = false
  const closeWithin = (ms: number) => {
    if (closing) clearTimeout(closing)
    closing = setTimeout(() => controller.abort(), ms)
  }
  const end = () => (reply.abandoned ? unreadable('the server gave it up', context()) : null)
  try {
    for (;;) {
      let events: SseEvent[]
      let ended = false
      try {
        const { value, done } = await reader.read()
        events = done ? decoder.end() : decoder.push(value)
        ended = done
      } catch (error) {
        // The user's stop counts even here; a server that keeps a finished reply open does not.
        if ((over || reply.finished) && !context().aborted) return end()
        return brokenStream(error, context())
      }
      let pending: Shown | null = null
      let failure: ModelFailure | null = null
      for (const { event, data } of events) {
        if (over) break
        if (data.trim() === '[DONE]') {
          over = true
          break
        }
        const chunk = parseJson(data)
        if (!isObject(chunk)) {
          failure = unreadable('an event is not JSON', context())
          break
        }
        if (event === 'error' || chunk.error) {
          failure = responseFailure(errorOf(chunk, null, null), context())
          break
        }
        for (const shown of reply.add(chunk)) {
          if (pending?.type === shown.type) pending.text += shown.text
          else {
            if (pending) yield pending
            pending = shown
          }
        }
      }
      if (pending) yield pending
      if (failure) return failure
      if (ended) return over || reply.finished ? end() : brokenStream(null, context())
      if (over) closeWithin(BODY_END_MS)
      else if (reply.finished && !closing) closeWithin(FINISH_MS)
    }
  } finally {
    if (closing) clearTimeout(closing)
  }
}
