import { codeOf, connectionProblem, interrupted, isPage, RETRYABLE, retryAfterMs, TIMEOUTS } from '../failures'
import type { FailureKind, ModelFailure } from '../types'
import { isObject, listOf, objectOf, parseJson, textOf } from './json'
import { type Endpoint, isLoopback } from './local'

/**
 * Decided by status, code and type. Text counts only where servers say nothing else: an overflow inside a 400 or 413,
 * and the one sentence of the Hugging Face router about spent credits.
 */
export interface FailureContext {
  endpoint: Endpoint
  /** Without prefix. */
  model: string
  aborted: boolean
  /** Milliseconds since the epoch. */
  now: number
}

/** An error of the server, in whichever of the known shapes it came. */
export interface ApiError {
  /** Null in the middle of a stream, unless the error itself names one. */
  status: number | null
  code: string | null
  type: string | null
  param: string | null
  message: string | null
  headers: Headers | null
}

/** `{error: {…}}`, `{error: "…"}`, `{message, code}` (vLLM), `{detail}` (FastAPI), or a page that is no JSON at all. */
export function errorOf(body: unknown, status: number | null, headers: Headers | null): ApiError {
  const outer = objectOf(body)
  const inner = isObject(outer.error) ? outer.error : outer
  const code = typeof inner.code === 'number' ? String(inner.code) : textOf(inner.code)
  const detail = listOf(outer.detail).length > 0 ? JSON.stringify(outer.detail) : textOf(outer.detail)
  const named = code !== null && /^[45]\d\d$/.test(code) ? Number(code) : null
  return {
    status: status ?? named,
    code,
    type: textOf(inner.type),
    param: textOf(inner.param),
    message: textOf(inner.message) ?? textOf(outer.error) ?? detail,
    headers,
  }
}

/** Characters of a plain-text error that are a sentence rather than a page. */
const MAX_PLAIN = 500

export function parseError(text: string, status: number, headers: Headers): ApiError {
  const body = parseJson(text)
  const error = errorOf(body, status, headers)
  const plain = text.trim()
  // A gateway's own words: "exceeded your monthly included credits" may come without any JSON.
  const said = body === undefined && plain !== '' && plain.length <= MAX_PLAIN && !plain.startsWith('<')
  return said ? { ...error, message: plain } : error
}

/** The server could not take the request as it was, and says which field is to blame. */
export function blames({ status, param, message }: ApiError, field: string): boolean {
  if (status !== 400 && status !== 422) return false
  return Boolean(param?.includes(field) || message?.includes(field))
}

/** The wordings of the acceptance vectors and of OpenAI, vLLM, llama.cpp and Text Generation Inference. */
const OVERFLOW = [
  /context (window|length|size)( is)? exceeded/i,
  /exceeds? (the )?(available |maximum |max )?(model'?s )?context (window|length|size)/i,
  /(maximum|max) context length/i,
  /prompt is too long/i,
  /too many input tokens/i,
  /input is too long/i,
  /`inputs` tokens \+ `max_new_tokens` must be/i,
]
const OVERFLOW_CODES = new Set(['context_length_exceeded', 'exceed_context_size_error', 'string_above_max_length'])
const SPENT_CODES = new Set(['insufficient_quota', 'billing_hard_limit_reached', 'insufficient_credits'])
/** Hugging Face's own words (reference, 2.4); they come with more than one status. */
const SPENT = /exceeded your monthly included credits/i
const NO_MODEL_CODES = new Set(['model_not_found', 'model_not_supported'])
const KINDS_BY_CODE: Record<string, FailureKind> = {
  invalid_api_key: 'auth',
  authentication_error: 'auth',
  permission_error: 'permission',
  rate_limit_exceeded: 'rate_limit',
  rate_limit_error: 'rate_limit',
  overloaded_error: 'overloaded',
  unavailable_error: 'overloaded',
  invalid_request_error: 'bad_request',
}

export function responseFailure(error: ApiError, context: FailureContext): ModelFailure {
  if (context.aborted) return interrupted()
  const { status } = error
  if (status === 403 && isPage(error.headers)) return { ...notTheApi('with a page (403)', context), status }
  const kind = kindOf(error, context)
  const hint = kind === 'bad_request' ? requestHint(error, context) : null
  const request_id = error.headers?.get('x-request-id')
  return {
    ...failure(kind, sentence(kind, error, context), context),
    ...(hint ? { remedy: hint } : {}),
    retry_after_ms: retryAfterMs(error.headers, context.now) ?? rateLimitMs(error),
    status: error.status,
    ...(request_id ? { request_id } : {}),
  }
}

function kindOf(error: ApiError, { endpoint }: FailureContext): FailureKind {
  const { status, code, type, message } = error
  const names = [code, type].filter((name) => name !== null)
  if (names.some((name) => SPENT_CODES.has(name))) return 'billing'
  if (endpoint.kind === 'hf' && message !== null && SPENT.test(message)) return 'billing'
  if (names.some((name) => OVERFLOW_CODES.has(name))) return 'context_overflow'
  if (status === 413) return 'context_overflow'
  if (status === 400 && message !== null && OVERFLOW.some((shape) => shape.test(message))) return 'context_overflow'
  if (names.some((name) => NO_MODEL_CODES.has(name))) return 'model_not_found'
  switch (status) {
    case null:
      return names.map((name) => KINDS_BY_CODE[name]).find((kind) => kind !== undefined) ?? 'server'
    case 401:
      return 'auth'
    case 402:
      return 'billing'
    case 403:
      return 'permission'
    case 404:
      // A wrong path is a page, `{detail}`, or llama.cpp's 404: that server takes any name for its one model.
      return endpoint.kind === 'llamacpp' || message === null || /^not found$/i.test(message)
        ? 'bad_request'
        : 'model_not_found'
    case 408:
    case 504:
      return 'timeout'
    case 429:
      return 'rate_limit'
    case 503:
    case 529:
      return 'overloaded'
    default:
      return status >= 500 ? 'server' : 'bad_request'
  }
}

/** Hugging Face: `RateLimit: "api";r=0;t=153`, t in seconds. */
function rateLimitMs({ status, headers }: ApiError): number | null {
  const seconds = status === 429 ? /;\s*r=0\s*;\s*t=(\d+)/.exec(headers?.get('ratelimit') ?? '')?.[1] : undefined
  return seconds === undefined ? null : Number(seconds) * 1000
}

function sentence(kind: FailureKind, error: ApiError, context: FailureContext): string {
  const { name } = context.endpoint
  const said = error.message === null ? '' : ` The server says: ${error.message}`
  const status = error.status === null ? '' : ` (${error.status})`
  switch (kind) {
    case 'auth':
      return `${context.endpoint.apiKey ? `${name} did not accept the key` : `${name} asks for a key`}${status}.${said}`
    case 'billing':
      return `The account cannot pay for this call${status}.${said}`
    case 'permission':
      return `${name} does not allow this call${status}.${said}`
    case 'model_not_found':
      return `${name} cannot serve the model "${context.model}"${status}.${said}`
    case 'rate_limit':
      return `The rate limit of ${name} is reached${status}.${said}`
    case 'overloaded':
      return `${name} is overloaded or still loading the model${status}.${said}`
    case 'timeout':
      return `${name} did not answer in time${status}.${said}`
    case 'context_overflow':
      return `The conversation is larger than ${context.model} can read${status}.${said}`
    case 'server':
      return `${name} failed${status}.${said}`
    default:
      return `${name} at ${context.endpoint.baseURL} refused the request${status}.${said}`
  }
}

function remedyOf(kind: FailureKind, { endpoint, model }: FailureContext): string {
  const router = endpoint.kind === 'hf'
  switch (kind) {
    case 'auth':
      return router
        ? 'Check HF_TOKEN: the token is made at huggingface.co/settings/tokens and needs the permission "Make calls to Inference Providers".'
        : `Put the key of the server into LOCAL_LLM_API_KEY, and check the address in ${endpoint.variable}.`
    case 'billing':
      return router
        ? 'Buy credits or subscribe to PRO at huggingface.co/settings/billing, or choose a local model, then send the message again.'
        : 'Add credit at the provider of the server, or choose another model.'
    case 'permission':
      return router
        ? 'Give the token the permission "Make calls to Inference Providers" at huggingface.co/settings/tokens, accept the terms of the model on its page, or choose another model.'
        : 'Check the key in LOCAL_LLM_API_KEY, or choose another model.'
    case 'model_not_found':
      return noModelRemedy(endpoint, model)
    case 'rate_limit':
    case 'overloaded':
      return 'Wait a minute and send the message again, or choose another model.'
    case 'network':
      return endpoint.start === ''
        ? `Check the internet connection, the proxy and ${endpoint.variable}, then send the message again.`
        : `${endpoint.start}, or put its address into ${endpoint.variable}; then send the message again.`
    case 'server':
    case 'timeout':
      return router
        ? 'Send the message again, name another provider as hf/<org>/<model>:<provider>, or choose another model.'
        : 'Look at the log of the server, then send the message again.'
    case 'context_overflow':
      return router || endpoint.kind === 'openai-compat'
        ? 'Compact the conversation, or start a new session.'
        : 'Compact the conversation, start a new session, or start the server with a larger context.'
    case 'bad_request':
      return `Check the address in ${endpoint.variable} and the model's name, or choose another model.`
    case 'interrupted':
      return ''
  }
}

function noModelRemedy(endpoint: Endpoint, model: string): string {
  switch (endpoint.kind) {
    case 'hf':
      return /:/.test(model)
        ? `Leave out the provider (hf/${model.replace(/:.*$/, '')}) or name another; the page of the model on huggingface.co lists those that serve it.`
        : 'Choose another model; huggingface.co/models?inference_provider=all lists those that are served.'
    case 'ollama':
      return `Get it with \`ollama pull ${model}\`; \`ollama list\` shows what is there.`
    case 'lm_studio':
      return `Load it in LM Studio, or with \`lms load ${model}\`; \`lms ls\` shows what is there.`
    default:
      return `Use a name that ${endpoint.baseURL}/models lists, or start the server with this model.`
  }
}

/** What is wrong with the server's own options; these servers tell it by text alone. Only the remedy depends on it. */
function requestHint({ message }: ApiError, { endpoint }: FailureContext): string | null {
  if (message === null) return null
  if (message.includes('--enable-auto-tool-choice')) {
    return 'Start vLLM again with --enable-auto-tool-choice and --tool-call-parser <parser for the model>.'
  }
  if (message.includes('--jinja'))
    return 'Start llama-server again with --jinja: without it the model cannot call tools.'
  if (/does not support tools|tool (use|calling) is not supported/i.test(message)) {
    return endpoint.kind === 'hf'
      ? 'Choose a model or provider that can call tools.'
      : 'Choose a model that can call tools, such as a Qwen, Llama or GPT-OSS model.'
  }
  return null
}

// ---------------------------------------------------------------- connections

export function connectionFailure(cause: unknown, context: FailureContext): ModelFailure {
  if (context.aborted) return interrupted()
  const { name, baseURL } = context.endpoint
  const code = codeOf(cause)
  const detail = code === '' ? '' : ` (${code})`
  const known = connectionProblem(code, new URL(baseURL).host)
  if (known) {
    const { kind, message, ...rest } = known
    return { ...failure(kind, message, context), ...rest }
  }
  if (code === 'ECONNREFUSED') {
    const refused = failure('network', `${name} is not running: nothing answers at ${baseURL}${detail}.`, context)
    // Nobody starts a local server within the seconds of a retry.
    return isLoopback(baseURL) ? { ...refused, retryable: false } : refused
  }
  return failure('network', `${name} at ${baseURL} could not be reached${detail}.`, context)
}

/** The connection broke, or ended before the server had said why it stops. */
export function brokenStream(cause: unknown, context: FailureContext): ModelFailure {
  if (context.aborted) return interrupted()
  const { name } = context.endpoint
  const code = codeOf(cause)
  if (TIMEOUTS.has(code)) return failure('timeout', `${name} went silent in the middle of the reply.`, context)
  const detail = code === '' ? '' : ` (${code})`
  return failure('network', `The connection to ${name} broke in the middle of the reply${detail}.`, context)
}

export function unreadable(what: string, context: FailureContext): ModelFailure {
  return failure('server', `${context.endpoint.name} sent a reply that cannot be read: ${what}`, context)
}

/** A proxy, a login page, another program on the port. */
export function notTheApi(what: string, context: FailureContext): ModelFailure {
  const { name, baseURL } = context.endpoint
  return failure('bad_request', `${name} at ${baseURL} answered ${what} instead of a model's reply.`, context)
}

export function unusableKey(context: FailureContext): ModelFailure {
  return failure('auth', `The key for ${context.endpoint.name} contains characters that no key has.`, context)
}

/** Characters of a message; a proxy's error page can be long. */
const MAX_MESSAGE = 600

function failure(kind: FailureKind, message: string, context: FailureContext): ModelFailure {
  const { apiKey } = context.endpoint
  const hidden = apiKey ? message.replaceAll(apiKey, '[key]') : message
  const line = hidden.replace(/[\p{Cc}\s]+/gu, ' ').trim()
  return {
    kind,
    message: line.length > MAX_MESSAGE ? `${line.slice(0, MAX_MESSAGE)}…` : line,
    remedy: remedyOf(kind, context),
    retryable: RETRYABLE.has(kind),
    retry_after_ms: null,
    status: null,
  }
}
