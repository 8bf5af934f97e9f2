import type { CallError } from './anthropic-sdk'
import { codeOf, connectionProblem, interrupted, isPage, RETRYABLE, retryAfterMs, TIMEOUTS } from './failures'
import type { FailureKind, ModelFailure } from './types'

/**
 * Turns what went wrong with a call into a failure the user can act on. Decided by status, `error.type` and
 * `error_code`; by text only where the API gives nothing else, and then by the documented beginning of the message
 * (platform.claude.com, "Errors", 2026: overflow and spend limits are plain 400 invalid_request_error).
 */
export interface FailureContext {
  /** Never appears in a message, whatever the server echoes. */
  apiKey: string
  baseURL: string
  /** Without prefix. */
  model: string
  /** The user stopped the call: whatever broke afterwards is a consequence. */
  aborted: boolean
  /** Milliseconds since the epoch, for a Retry-After that is a date. */
  now: number
}

type ResponseError = Extract<CallError, { kind: 'response' }>

const OVERFLOW = [/^prompt is too long\b/i, /^input length and `?max_tokens`? exceed context limit\b/i]
const SPENT = [
  /^your credit balance is too low\b/i,
  /^you have reached your (specified )?(workspace )?api usage limits\b/i,
]
/** Rate limits that no waiting of ours ends (SDK 1.11, resources/shared.d.ts). */
const SPENT_CODES = new Set([
  'contract_spend_limit_reached',
  'enforced_spend_limit_reached',
  'linked_organization_spend_limit_reached',
  'linked_organization_billing_unavailable',
])
const KINDS_BY_TYPE: Record<string, FailureKind> = {
  authentication_error: 'auth',
  billing_error: 'billing',
  permission_error: 'permission',
  rate_limit_error: 'rate_limit',
  overloaded_error: 'overloaded',
  timeout_error: 'timeout',
  api_error: 'server',
  conflict_error: 'server',
  request_too_large: 'context_overflow',
  not_found_error: 'model_not_found',
  invalid_request_error: 'bad_request',
}

export function failureOf(error: CallError, context: FailureContext): ModelFailure {
  if (context.aborted || error.kind === 'aborted') return interrupted()
  switch (error.kind) {
    case 'timeout':
      return failure('timeout', `${host(context)} did not answer in time.`, context)
    case 'connection':
      return connectionFailure(error.cause, context)
    case 'response':
      return responseFailure(error, context)
    case 'other':
      return failure('bad_request', `The request could not be sent: ${textOf(error.error)}`, context)
  }
}

/** The connection broke, or ended early, after the reply had begun. */
export function brokenStream(cause: unknown, context: FailureContext): ModelFailure {
  if (context.aborted) return interrupted()
  const code = codeOf(cause)
  if (TIMEOUTS.has(code)) return failure('timeout', `${host(context)} went silent in the middle of the reply.`, context)
  const detail = code === '' ? '' : ` (${code})`
  return failure('network', `The connection to ${host(context)} broke in the middle of the reply${detail}.`, context)
}

export function unreadableStream(cause: unknown, context: FailureContext): ModelFailure {
  return failure('server', `${host(context)} sent a reply that cannot be read: ${textOf(cause)}`, context)
}

/** A proxy, a login page or a wrong address: the answer was no message of the API. */
export function notTheApi(contentType: string | null, context: FailureContext): ModelFailure {
  const what = contentType ? `with ${contentType.split(';', 1)[0]}` : 'without a content type'
  return {
    ...failure('bad_request', `${host(context)} answered ${what} instead of a model's reply.`, context),
    remedy: CHECK_ADDRESS,
  }
}

export function unusableKey(context: FailureContext): ModelFailure {
  return failure('auth', 'The API key contains spaces or characters that no key has.', context)
}

/** Statuses with which a page says more about what stands in between than about the key or the model. */
const PAGE_STATUSES = new Set([400, 403, 404, 405, 406, 410, 415, 451])

function responseFailure(error: ResponseError, context: FailureContext): ModelFailure {
  const { status, headers } = error
  if (status !== null && PAGE_STATUSES.has(status) && isPage(headers)) {
    const message = `${host(context)} answered with a page (${status}) instead of a model's reply.`
    return { ...failure('bad_request', message, context), remedy: CHECK_ADDRESS, status }
  }
  const kind = kindOf(error)
  const wish = error.headers?.get('x-should-retry')
  const base = failure(kind, sentence(kind, error, context), context)
  return {
    ...base,
    // The server may know better than the status says; what the user must settle first it cannot turn into a retry.
    retryable: wish === 'false' ? false : base.retryable,
    ...(kind === 'bad_request' && error.status === 404 ? { remedy: CHECK_ADDRESS } : {}),
    retry_after_ms: retryAfterMs(error.headers, context.now),
    status: error.status,
    ...(error.request_id ? { request_id: error.request_id } : {}),
  }
}

function kindOf({ status, type, code, message }: ResponseError): FailureKind {
  if (code !== null && SPENT_CODES.has(code)) return 'billing'
  if (type === 'invalid_request_error' && message !== null) {
    if (OVERFLOW.some((shape) => shape.test(message))) return 'context_overflow'
    if (SPENT.some((shape) => shape.test(message))) return 'billing'
  }
  switch (status) {
    // A failure in mid-stream has a type only.
    case null:
      return (type !== null && KINDS_BY_TYPE[type]) || 'server'
    case 401:
      return 'auth'
    case 402:
      return 'billing'
    case 403:
      return type === 'billing_error' ? 'billing' : 'permission'
    case 404:
      // Any other 404 comes from a server that is not this API.
      return type === 'not_found_error' ? 'model_not_found' : 'bad_request'
    case 408:
    case 504:
      return 'timeout'
    case 409:
      return 'server'
    case 413:
      return 'context_overflow'
    case 429:
      return 'rate_limit'
    case 529:
      return 'overloaded'
    default:
      if (type === 'billing_error') return 'billing'
      if (type === 'overloaded_error') return 'overloaded'
      return status >= 500 ? 'server' : 'bad_request'
  }
}

function sentence(kind: FailureKind, error: ResponseError, context: FailureContext): string {
  const said = error.message === null ? '' : ` The server says: ${error.message}`
  const status = error.status === null ? '' : ` (${error.status})`
  switch (kind) {
    case 'auth':
      return `The API key was not accepted${status}.${said}`
    case 'billing':
      return `The account cannot pay for this call${status}.${said}`
    case 'permission':
      return `The API key may not use ${context.model}${status}.${said}`
    case 'model_not_found':
      return `There is no model "${context.model}" for this API key${status}.${said}`
    case 'rate_limit':
      return `The rate limit of the account is reached${status}.${said}`
    case 'overloaded':
      return `The model is overloaded${status}.${said}`
    case 'timeout':
      return `${host(context)} did not answer in time${status}.${said}`
    case 'context_overflow':
      return `The conversation is larger than ${context.model} can read${status}.${said}`
    case 'server':
      return `${host(context)} failed${status}.${said}`
    default:
      return `${host(context)} refused the request${status}.${said}`
  }
}

const CHECK_ADDRESS =
  'Check the address in ANTHROPIC_BASE_URL or the setting anthropic_base_url, and whether a proxy or a login page stands in between.'

const REMEDIES: Record<FailureKind, string> = {
  auth: 'Check the key: in the window under Settings > Keys, or the variable ANTHROPIC_API_KEY. Keys are made at platform.claude.com.',
  billing: 'Add credit or raise the spend limit at platform.claude.com under Billing, then send the message again.',
  permission: 'Ask the owner of the organization for access to this model, or choose another model.',
  model_not_found: 'Choose another model: with --model, or in the window at the bottom left.',
  rate_limit: 'Wait a minute and send the message again, or choose another model.',
  overloaded: 'Wait a minute and send the message again, or choose another model.',
  server: 'Send the message again. status.claude.com tells whether the service has a problem.',
  network: 'Check the internet connection, the proxy and ANTHROPIC_BASE_URL, then send the message again.',
  timeout: 'Send the message again. status.claude.com tells whether the service has a problem.',
  context_overflow: 'Compact the conversation, or start a new session.',
  bad_request: 'Please report this: it is most likely a defect of ML Intern.',
  interrupted: '',
}

function failure(kind: FailureKind, message: string, context: FailureContext): ModelFailure {
  return {
    kind,
    message: clean(message, context.apiKey),
    remedy: REMEDIES[kind],
    retryable: RETRYABLE.has(kind),
    retry_after_ms: null,
    status: null,
  }
}

/** Characters of a message; a proxy's error page can be long. */
const MAX_MESSAGE = 600

function clean(message: string, apiKey: string): string {
  const hidden = apiKey === '' ? message : message.replaceAll(apiKey, '[key]')
  const line = hidden.replace(/[\p{Cc}\s]+/gu, ' ').trim()
  return line.length > MAX_MESSAGE ? `${line.slice(0, MAX_MESSAGE)}…` : line
}

// ---------------------------------------------------------------- connections

function connectionFailure(cause: unknown, context: FailureContext): ModelFailure {
  const code = codeOf(cause)
  const known = connectionProblem(code, host(context))
  if (known) {
    const { kind, message, ...rest } = known
    return { ...failure(kind, message, context), ...rest }
  }
  if (code === 'ECONNREFUSED') return failure('network', `Nothing answers at ${host(context)} (${code}).`, context)
  const detail = code === '' ? '' : ` (${code})`
  return failure('network', `${host(context)} could not be reached${detail}.`, context)
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** `127.0.0.1:8080` rather than the whole address, which may hold a password. */
function host({ baseURL }: FailureContext): string {
  return URL.canParse(baseURL) ? new URL(baseURL).host : 'the server'
}
