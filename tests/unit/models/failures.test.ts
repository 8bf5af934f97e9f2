import { describe, expect, it } from 'vitest'
import { brokenStream, type FailureContext, failureOf } from '../../../src/main/models/anthropic-failures'
import type { CallError } from '../../../src/main/models/anthropic-sdk'
import { retryAfterMs } from '../../../src/main/models/failures'
import type { FailureKind } from '../../../src/main/models/types'

const KEY = 'sk-ant-api03-very-secret'
const context: FailureContext = {
  apiKey: KEY,
  baseURL: 'https://user:pw@api.example.com',
  model: 'claude-opus-5-5',
  aborted: false,
  now: Date.parse('2026-11-20T10:00:00Z'),
}
type Response = Extract<CallError, { kind: 'response' }>
function response(status: number | null, type: string | null, change: Partial<Response> = {}): Response {
  return { kind: 'response', status, type, code: null, message: 'said', headers: null, request_id: 'req_1', ...change }
}

describe('failureOf', () => {
  const cases: [string, Response, FailureKind, boolean][] = [
    ['401', response(401, 'authentication_error'), 'auth', false],
    ['402', response(402, 'billing_error'), 'billing', false],
    ['403', response(403, 'permission_error'), 'permission', false],
    ['403 about money', response(403, 'billing_error'), 'billing', false],
    ['404 of a model', response(404, 'not_found_error'), 'model_not_found', false],
    ['404 of another server', response(404, null), 'bad_request', false],
    ['408', response(408, null), 'timeout', true],
    ['409', response(409, 'conflict_error'), 'server', true],
    ['413', response(413, 'request_too_large'), 'context_overflow', false],
    ['422', response(422, 'invalid_request_error'), 'bad_request', false],
    ['429', response(429, 'rate_limit_error'), 'rate_limit', true],
    [
      '429 of a spent tier',
      response(429, 'rate_limit_error', { code: 'enforced_spend_limit_reached' }),
      'billing',
      false,
    ],
    ['500', response(500, 'api_error'), 'server', true],
    ['502 of a proxy', response(502, null, { message: null }), 'server', true],
    ['504', response(504, 'timeout_error'), 'timeout', true],
    ['529', response(529, 'overloaded_error'), 'overloaded', true],
    ['mid-stream overload', response(null, 'overloaded_error'), 'overloaded', true],
    ['mid-stream api error', response(null, 'api_error'), 'server', true],
    ['mid-stream rate limit', response(null, 'rate_limit_error'), 'rate_limit', true],
    ['mid-stream unknown type', response(null, 'brand_new_error'), 'server', true],
    [
      'prompt too long',
      response(400, 'invalid_request_error', { message: 'prompt is too long: 208310 tokens > 200000 maximum' }),
      'context_overflow',
      false,
    ],
    [
      'input and max_tokens too long',
      response(400, 'invalid_request_error', {
        message: 'input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000, decrease input length',
      }),
      'context_overflow',
      false,
    ],
    [
      'no credit, which is a 400',
      response(400, 'invalid_request_error', {
        message: 'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing.',
      }),
      'billing',
      false,
    ],
    [
      'own spend limit, which is a 400',
      response(400, 'invalid_request_error', {
        message: 'You have reached your specified workspace API usage limits. You will regain access on 2026-12-01.',
      }),
      'billing',
      false,
    ],
    [
      'a 400 that only mentions billing and length',
      response(400, 'invalid_request_error', {
        message: 'messages.3: the text "Your credit balance is too low; prompt is too long" is not valid here',
      }),
      'bad_request',
      false,
    ],
  ]
  it.each(cases)('%s', (_name, error, kind, retryable) => {
    const failure = failureOf(error, context)
    expect(failure).toMatchObject({ kind, retryable, status: error.status, request_id: 'req_1' })
    expect(failure.remedy).not.toBe('')
    expect(failure.message).not.toContain('null')
  })

  it('never shows the key, even when the server repeats it', () => {
    const failure = failureOf(
      response(401, 'authentication_error', { message: `bad key ${KEY}, really ${KEY}` }),
      context,
    )
    expect(JSON.stringify(failure)).not.toContain(KEY)
    expect(failure.message).toContain('[key]')
  })

  it('shows neither the password in an address nor a page of a proxy', () => {
    const page = failureOf(response(502, null, { message: `\u001b[2J${'<p>'.repeat(5000)}` }), context)
    expect(page.message).not.toContain('pw')
    expect(page.message).not.toContain('\u001b')
    expect(page.message.length).toBeLessThan(700)
  })

  it('obeys a server that says a retry is of no use', () => {
    const headers = new Headers({ 'x-should-retry': 'false' })
    expect(failureOf(response(529, 'overloaded_error', { headers }), context).retryable).toBe(false)
  })

  it('a stop by the user is not blamed on the network', () => {
    const aborted = { ...context, aborted: true }
    expect(failureOf({ kind: 'connection', cause: new Error('socket') }, aborted).kind).toBe('interrupted')
    expect(brokenStream(new Error('terminated'), aborted).kind).toBe('interrupted')
  })

  it('finds the code of the system in the causes of fetch', () => {
    const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })
    const cause = new TypeError('fetch failed', { cause: Object.assign(new Error(), { errors: [refused] }) })
    const failure = failureOf({ kind: 'connection', cause }, context)
    expect(failure).toMatchObject({ kind: 'network', retryable: true })
    expect(failure.message).toBe('Nothing answers at api.example.com (ECONNREFUSED).')
  })

  it('does not retry a certificate that will not become trusted', () => {
    const cause = new TypeError('fetch failed', {
      cause: Object.assign(new Error(), { code: 'SELF_SIGNED_CERT_IN_CHAIN' }),
    })
    const failure = failureOf({ kind: 'connection', cause }, context)
    expect(failure).toMatchObject({ kind: 'network', retryable: false })
    expect(failure.remedy).toContain('NODE_EXTRA_CA_CERTS')
  })

  it('silence in the middle of a reply is a timeout, a cut is the network; both are tried again', () => {
    const silent = new TypeError('terminated', { cause: Object.assign(new Error(), { code: 'UND_ERR_BODY_TIMEOUT' }) })
    expect(brokenStream(silent, context)).toMatchObject({ kind: 'timeout', retryable: true })
    expect(brokenStream(null, context)).toMatchObject({ kind: 'network', retryable: true })
  })

  it('survives a cause that contains itself', () => {
    const loop: { cause?: unknown } = {}
    loop.cause = loop
    expect(failureOf({ kind: 'connection', cause: loop }, context).kind).toBe('network')
  })
})

describe('retryAfterMs', () => {
  it.each([
    [{ 'retry-after': '7' }, 7000],
    [{ 'retry-after': '1.5' }, 1500],
    [{ 'retry-after-ms': '250', 'retry-after': '7' }, 250],
    [{ 'retry-after': 'Fri, 20 Nov 2026 10:00:30 GMT' }, 30_000],
    [{ 'retry-after': 'Fri, 20 Nov 2026 09:00:00 GMT' }, 0],
    [{ 'retry-after': 'soon' }, null],
    [{ 'retry-after': '' }, null],
    [{ 'retry-after': '-5' }, 0],
    [{}, null],
  ])('%j', (headers, expected) => {
    const result = retryAfterMs(new Headers(headers as Record<string, string>), context.now)
    expect(result).toBe(expected)
  })
})
