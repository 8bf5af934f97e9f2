import type { RawMessageStreamEvent } from '@anthropic-ai/sdk/resources/messages/messages'
import type { ModelInfo as ApiModel, EffortCapability } from '@anthropic-ai/sdk/resources/models'
import type { Effort } from '@shared/settings'
import { UserError } from '../errors'
import { type FinishedReply, fromMessage, ReplyBuilder } from './anthropic-blocks'
import {
  brokenStream,
  type FailureContext,
  failureOf,
  notTheApi,
  unreadableStream,
  unusableKey,
} from './anthropic-failures'
import { type Learned, learn, paramsOf, type RequestParams } from './anthropic-request'
import type { Sdk } from './anthropic-sdk'
import type { Catalogue, LiveModel } from './catalogue'
import { EFFORTS, effortMemory } from './effort'
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
  const learned: Learned = { efforts: effortMemory(options.baseURL, options.model), refusedReasoning: new Set() }
  return {
    id: options.id,
    info() {
      const info = options.catalogue.info(options.model)
      return { ...info, efforts: learned.efforts.known(info.efforts) }
    },
    relearn: () => learned.efforts.forget(),
    stream: (request, signal) => call(options, load, learned, request, signal),
    countTokens: async (request, signal) => {
      if (!usableKey(options.apiKey)) return null
      const [{ sdk }, { countTokens }] = await Promise.all([load(), import('./anthropic-count')])
      return countTokens(sdk, options, learned, request, signal)
    },
  }
}

/** The models the key may use, from GET /v1/models. Throws `model`. */
export async function listAnthropicModels(
  options: Pick<AnthropicOptions, 'apiKey' | 'baseURL' | 'fetch'>,
  signal: AbortSignal,
): Promise<LiveModel[]> {
  const context = { ...options, model: '', now: Date.now() }
  if (!usableKey(options.apiKey)) throw new UserError('model', unusableKey({ ...context, aborted: false }).message)
  const { sdk, describeError } = await loadSdk(options)
  const models: LiveModel[] = []
  try {
    for await (const model of sdk.models.list({ lifecycle: ['active'] }, { signal })) models.push(liveModel(model))
  } catch (error) {
    // The SDK's own errors may quote what they were given.
    const { message, remedy } = failureOf(describeError(error), { ...context, aborted: signal.aborted })
    throw new UserError('model', message, remedy)
  }
  return models
}

/** The header would be refused with an error that quotes the key. */
function usableKey(key: string): boolean {
  return /^[\x21-\x7e]+$/.test(key)
}

function liveModel(model: ApiModel): LiveModel {
  const { capabilities } = model
  return {
    id: model.id,
    name: model.display_name,
    context_window: model.max_input_tokens,
    max_output: model.max_tokens,
    // Gateways send models without most of these fields, whatever the types promise.
    adaptive_thinking: capabilities?.thinking?.types?.adaptive?.supported ?? null,
    effort: capabilities?.effort?.supported ?? null,
    efforts: effortsOf(capabilities?.effort),
    images: capabilities?.image_input?.supported ?? null,
    reasoning: capabilities?.thinking?.supported ?? null,
  }
}

function effortsOf(told: EffortCapability | undefined): Effort[] | null {
  if (!told) return null
  return told.supported ? EFFORTS.filter((level) => told[level]?.supported) : []
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
  learned: Learned,
  request: ModelRequest,
  signal: AbortSignal,
): AsyncGenerator<ModelDelta> {
  const reply = new ReplyBuilder()
  const context = (): FailureContext => ({ ...options, aborted: signal.aborted, now: Date.now() })
  const failed = (failure: ModelFailure): ModelDelta => {
    return { type: 'failed', failure, blocks: reply.partial(), usage: reply.usage }
  }
  if (signal.aborted) return yield failed(interrupted())
  if (!usableKey(options.apiKey)) return yield failed(unusableKey(context()))

  const { sdk, describeError } = await load()
  const controller = new AbortController()
  const abort = () => controller.abort()
  let whole = false
  signal.addEventListener('abort', abort, { once: true })
  // The user may have stopped while the SDK was loading.
  if (signal.aborted) abort()
  try {
    const { response, sent, effort } = await send(
      (params) => sdk.messages.create(params, { signal: controller.signal }).asResponse(),
      (error) => describeError(error),
      { options, learned, request },
    )
    const prompt_bytes = () => Buffer.byteLength(JSON.stringify(sent))
    const used = request.effort === null ? {} : { effort }
    const type = response.headers.get('content-type') ?? ''
    const expected = request.streaming ? 'text/event-stream' : 'application/json'
    if (!response.body || type.split(';', 1)[0] !== expected) return yield failed(notTheApi(type, context()))
    if (!request.streaming) {
      whole = yield* readWhole(response, context, (text) => {
        return { ...fromMessage(JSON.parse(text), prompt_bytes), ...used }
      })
      return
    }
    const failure = yield* readStream(response.body, controller, reply, context, (event) => {
      return failureOf(eventError(event, response), context())
    })
    if (failure) return yield failed({ ...failure, ...requestId(response) })
    whole = true
    return yield { type: 'done', ...reply.finish(prompt_bytes), ...used, ...requestId(response) }
  } catch (error) {
    return yield failed(failureOf(describeError(error), context()))
  } finally {
    signal.removeEventListener('abort', abort)
    // Closes the connection when the reply was not read to its end; a whole one leaves it open for the next call.
    if (!whole) controller.abort()
  }
}

/** Sends the request, and again in another form as long as its refusals say which. Rejects with the SDK's error. */
async function send(
  post: (params: RequestParams & { stream: boolean }) => Promise<Response>,
  describe: SdkModule['describeError'],
  { options, learned, request }: { options: AnthropicOptions; learned: Learned; request: ModelRequest },
): Promise<{ response: Response; sent: RequestParams; effort: Effort | null }> {
  for (;;) {
    const made = paramsOf(options, request, learned)
    try {
      const response = await post({ ...made.params, stream: request.streaming })
      return { response, sent: made.params, effort: made.effort }
    } catch (error) {
      if (!learn(learned, request, made, describe(error))) throw error
    }
  }
}

/** A reply in one piece, with the same deltas as a streamed one. Returns whether the body was read to its end. */
async function* readWhole(
  response: Response,
  context: () => FailureContext,
  read: (text: string) => FinishedReply,
): AsyncGenerator<ModelDelta, boolean> {
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
    message = read(text)
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
