import type { Effort } from '@shared/settings'
import { type EffortMemory, effortMemory, namesEffort } from '../effort'
import { interrupted } from '../failures'
import { SseDecoder, type SseEvent } from '../sse'
import type { ModelClient, ModelDelta, ModelFailure, ModelInfo, ModelRequest } from '../types'
import { sessionHeader } from './caching'
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
  const efforts = effortMemory(options.endpoint.baseURL, options.model)
  const learned: Learned = { quirks: newQuirks(), efforts }
  return {
    id: options.id,
    info() {
      const info = options.info()
      return { ...info, efforts: efforts.known(info.efforts ?? null) }
    },
    relearn: () => efforts.forget(),
    stream: (request, signal) => call(options, learned, request, signal),
  }
}

/** What a client has learned from refusals. */
interface Learned {
  quirks: Quirks
  efforts: EffortMemory
}

async function* call(
  options: OpenAiOptions,
  learned: Learned,
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
    const sent = await send(options, learned, request, controller.signal)
    if ('error' in sent) return yield failed(responseFailure(sent.error, context()))
    const { response, text, effort } = sent
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
    const finished = reply.finish(() => Buffer.byteLength(text))
    const used = request.effort === null ? {} : { effort }
    return yield { type: 'done', ...finished, model: finished.model || model, ...used, ...origin }
  } catch (error) {
    return yield failed(connectionFailure(error, context()))
  } finally {
    signal.removeEventListener('abort', abort)
    // Closes the connection when the reply was not read to its end; a whole one leaves it open for the next call.
    if (!whole) controller.abort()
  }
}

/** Sends the request, and once more for each optional field or level that the server refuses by name. */
async function send(
  { endpoint, model, info }: OpenAiOptions,
  { quirks, efforts }: Learned,
  request: ModelRequest,
  signal: AbortSignal,
): Promise<{ response: Response; text: string; effort: Effort | null } | { error: ApiError }> {
  for (;;) {
    const effort = efforts.level(request.effort, levelsOf(endpoint, info))
    const body = toBody(model, request, endpoint.kind, quirks, effort)
    const text = JSON.stringify(body)
    const response = await fetch(`${endpoint.baseURL}/chat/completions`, {
      method: 'POST',
      headers: headersFor(endpoint, request),
      body: text,
      // The conversation goes to the address that was chosen, and nowhere else.
      redirect: 'manual',
      signal,
    })
    if (response.status < 400) return { response, text, effort }
    const error = parseError(await response.text(), response.status, response.headers)
    if (effort && blamesEffort(error)) efforts.refuse(effort, error.message)
    else if (!learn(quirks, body, error)) return { error }
  }
}

/** The router knows three levels (reference, 2.5). */
const ROUTER_LEVELS: readonly Effort[] = ['low', 'medium', 'high']

/** Most local servers fail on an effort, and the rest ignore it: they get one only where they say they take it. */
function levelsOf(endpoint: Endpoint, info: () => ModelInfo): readonly Effort[] {
  return info().efforts ?? (endpoint.kind === 'hf' ? ROUTER_LEVELS : [])
}

function blamesEffort(error: ApiError): boolean {
  if (error.status !== 400 && error.status !== 422) return false
  return namesEffort(`${error.param ?? ''} ${error.message ?? ''}`.trim())
}

function headersFor(endpoint: Endpoint, request: ModelRequest): Record<string, string> {
  return {
    accept: request.streaming ? 'text/event-stream' : 'application/json',
    'content-type': 'application/json',
    ...(endpoint.apiKey === null ? {} : { authorization: `Bearer ${endpoint.apiKey}` }),
    ...(endpoint.kind === 'hf' ? sessionHeader(request.session_id) : {}),
  }
}

/** Whether the request is worth sending in another form. Each quirk changes at most twice, so this comes to an end. */
function learn(quirks: Quirks, body: ChatBody, error: ApiError): boolean {
  if (body.stream_options && (blames(error, 'stream_options') || blames(error, 'include_usage'))) {
    quirks.usage = false
    return true
  }
  if (quirks.cache && (blames(error, 'cache_control') || blames(error, 'prompt_cache'))) {
    quirks.cache = false
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
