import type {
  MessageCreateParams,
  RawMessageStreamEvent,
  Tool as ToolParam,
} from '@anthropic-ai/sdk/resources/messages/messages'
import { type FinishedReply, fromMessage, ReplyBuilder, toMessageParams } from './anthropic-blocks'
import {
  brokenStream,
  type FailureContext,
  failureOf,
  notTheApi,
  unreadableStream,
  unusableKey,
} from './anthropic-failures'
import type { Sdk } from './anthropic-sdk'
import type { Catalogue, LiveModel } from './catalogue'
import { interrupted } from './failures'
import { SseDecoder, type SseEvent } from './sse'
import type { ModelClient, ModelDelta, ModelFailure, ModelRequest } from './types'

export interface AnthropicOptions {
  /** Full id, `anthropic/<model>`. */
  id: string
  /** The API's own name of the model. */
  model: string
  apiKey: string
  baseURL: string
  catalogue: Catalogue
  fetch?: typeof fetch
}

export function createAnthropicClient(options: AnthropicOptions): ModelClient {
  let loading: Promise<SdkModule & { sdk: Sdk }> | null = null
  const load = () => {
    loading ??= loadSdk(options)
    return loading
  }
  return {
    id: options.id,
    info: () => options.catalogue.info(options.model),
    stream: (request, signal) => call(options, load, request, signal),
  }
}

/** The models the key may use, from GET /v1/models. Rejects with the SDK's error. */
export async function listAnthropicModels(
  options: Pick<AnthropicOptions, 'apiKey' | 'baseURL' | 'fetch'>,
  signal: AbortSignal,
): Promise<LiveModel[]> {
  const { sdk } = await loadSdk(options)
  const models: LiveModel[] = []
  for await (const model of sdk.models.list({ lifecycle: ['active'] }, { signal })) {
    models.push({
      id: model.id,
      name: model.display_name,
      context_window: model.max_input_tokens,
      max_output: model.max_tokens,
      adaptive_thinking: model.capabilities?.thinking.types.adaptive.supported ?? null,
      effort: model.capabilities?.effort.supported ?? null,
    })
  }
  return models
}

type SdkModule = typeof import('./anthropic-sdk')

async function loadSdk(
  options: Pick<AnthropicOptions, 'apiKey' | 'baseURL' | 'fetch'>,
): Promise<SdkModule & { sdk: Sdk }> {
  const module = await import('./anthropic-sdk')
  // People copy the address with the version that the SDK adds itself.
  const baseURL = options.baseURL.replace(/\/+$/, '').replace(/\/v1$/, '')
  return { ...module, sdk: module.createSdk({ ...options, baseURL }) }
}

async function* call(
  options: AnthropicOptions,
  load: () => Promise<SdkModule & { sdk: Sdk }>,
  request: ModelRequest,
  signal: AbortSignal,
): AsyncGenerator<ModelDelta> {
  const reply = new ReplyBuilder()
  const context = (): FailureContext => ({ ...options, aborted: signal.aborted, now: Date.now() })
  const failed = (failure: ModelFailure): ModelDelta => {
    return { type: 'failed', failure, blocks: reply.partial(), usage: reply.usage }
  }
  if (signal.aborted) return yield failed(interrupted())
  // The header would be refused with an error that quotes the key.
  if (!/^[\x21-\x7e]+$/.test(options.apiKey)) return yield failed(unusableKey(context()))

  const { sdk, describeError } = await load()
  const controller = new AbortController()
  const abort = () => controller.abort()
  let whole = false
  signal.addEventListener('abort', abort, { once: true })
  // The user may have stopped while the SDK was loading.
  if (signal.aborted) abort()
  try {
    const params = { ...paramsOf(options, request), stream: request.streaming }
    const response = await sdk.messages.create(params, { signal: controller.signal }).asResponse()
    const type = response.headers.get('content-type') ?? ''
    const expected = request.streaming ? 'text/event-stream' : 'application/json'
    if (!response.body || type.split(';', 1)[0] !== expected) return yield failed(notTheApi(type, context()))
    if (!request.streaming) {
      whole = yield* readWhole(response, context)
      return
    }
    const failure = yield* readStream(response.body, controller, reply, context, (event) => {
      return failureOf(eventError(event, response), context())
    })
    if (failure) return yield failed({ ...failure, ...requestId(response) })
    whole = true
    return yield { type: 'done', ...reply.finish(), ...requestId(response) }
  } catch (error) {
    return yield failed(failureOf(describeError(error), context()))
  } finally {
    signal.removeEventListener('abort', abort)
    // Closes the connection when the reply was not read to its end; a whole one leaves it open for the next call.
    if (!whole) controller.abort()
  }
}

/** A reply in one piece, with the same deltas as a streamed one. Returns whether the body was read to its end. */
async function* readWhole(response: Response, context: () => FailureContext): AsyncGenerator<ModelDelta, boolean> {
  const failed = (failure: ModelFailure): ModelDelta => {
    return { type: 'failed', failure: { ...failure, ...requestId(response) }, blocks: [], usage: null }
  }
  let text: string
  try {
    text = await response.text()
  } catch (error) {
    yield failed(brokenStream(error, context()))
    return false
  }
  let message: FinishedReply
  try {
    message = fromMessage(JSON.parse(text))
  } catch (error) {
    yield failed(unreadableStream(error, context()))
    return true
  }
  for (const block of message.blocks) {
    if ((block.type === 'text' || block.type === 'reasoning') && block.text !== '') {
      yield { type: block.type, text: block.text }
    }
  }
  yield { type: 'done', ...message, ...requestId(response) }
  return true
}

/** Reads to the end of the reply; deltas of one kind that arrived together are handed on as one. */
async function* readStream(
  body: ReadableStream<Uint8Array>,
  controller: AbortController,
  reply: ReplyBuilder,
  context: () => FailureContext,
  failureOfEvent: (event: unknown) => ModelFailure,
): AsyncGenerator<ModelDelta, ModelFailure | null> {
  const reader = body.getReader()
  const decoder = new SseDecoder()
  for (;;) {
    let events: SseEvent[]
    let ended = false
    try {
      const { value, done } = await reader.read()
      events = done ? decoder.end() : decoder.push(value)
      ended = done
    } catch (error) {
      return brokenStream(error, context())
    }
    let pending: { type: 'text' | 'reasoning'; text: string } | null = null
    let failure: ModelFailure | null = null
    for (const { event, data } of events) {
      try {
        const parsed: unknown = JSON.parse(data)
        if (event === 'error' || isErrorEvent(parsed)) {
          failure = failureOfEvent(parsed)
          break
        }
        const shown = reply.add(parsed as RawMessageStreamEvent)
        if (!shown || shown.text === '') continue
        if (pending?.type === shown.type) pending.text += shown.text
        else {
          if (pending) yield pending
          pending = shown
        }
      } catch (error) {
        failure = unreadableStream(error, context())
        break
      }
    }
    if (pending) yield pending
    if (failure) return failure
    if (ended) return reply.stopped ? null : brokenStream(null, context())
    if (reply.complete) {
      await bodyEnd(reader, controller)
      return null
    }
  }
}

/**
 * Milliseconds a server gets to end a body whose last event was read. It comes with that event or right after it; a
 * body that stays open is cut, and the next call pays for a new connection.
 */
const BODY_END_MS = 30

/** Waits for the end of the body, without which the connection cannot be used again. */
async function bodyEnd(reader: ReadableStreamDefaultReader<Uint8Array>, controller: AbortController): Promise<void> {
  const timer = setTimeout(() => controller.abort(), BODY_END_MS)
  try {
    while (!(await reader.read()).done);
  } catch {
    // The reply is whole: a connection that breaks now is only lost for the next call.
  } finally {
    clearTimeout(timer)
  }
}

function isErrorEvent(event: unknown): boolean {
  return typeof event === 'object' && event !== null && 'type' in event && event.type === 'error'
}

function eventError(event: unknown, response: Response) {
  const error = typeof event === 'object' && event !== null && 'error' in event ? event.error : null
  const field = (name: string): unknown =>
    typeof error === 'object' && error !== null ? Object.getOwnPropertyDescriptor(error, name)?.value : undefined
  const text = (value: unknown) => (typeof value === 'string' ? value : null)
  const request_id = response.headers.get('request-id')
  const rest = { status: null, code: null, headers: null, request_id }
  return { kind: 'response' as const, ...rest, type: text(field('type')), message: text(field('message')) }
}

function requestId(response: Response): { request_id?: string } {
  const request_id = response.headers.get('request-id')
  return request_id ? { request_id } : {}
}

function paramsOf({ model, catalogue }: AnthropicOptions, request: ModelRequest): Omit<MessageCreateParams, 'stream'> {
  const limits = catalogue.limits(model)
  const tools: ToolParam[] = request.tools.map(({ name, description, input_schema }) => ({
    name,
    description,
    input_schema: { ...input_schema, type: 'object' },
  }))
  return {
    model,
    max_tokens: Math.min(
      request.streaming ? limits.max_tokens : limits.max_tokens_unstreamed,
      request.max_tokens ?? Number.MAX_SAFE_INTEGER,
    ),
    ...(request.system.trim() === '' ? {} : { system: request.system }),
    ...(tools.length === 0 ? {} : { tools }),
    messages: toMessageParams(request.messages),
    ...(limits.adaptive_thinking ? { thinking: { type: 'adaptive', display: 'summarized' } } : {}),
    ...(request.effort && limits.effort ? { output_config: { effort: request.effort } } : {}),
    // One marker on the last block that can be cached: the whole conversation so far is read back at a tenth.
    cache_control: { type: 'ephemeral' },
  }
}
