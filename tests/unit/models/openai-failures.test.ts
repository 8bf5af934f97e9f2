import { describe, expect, it } from 'vitest'
import { connectionFailure, parseError, responseFailure } from '../../../src/main/models/openai/failures'
import { type Endpoint, localEndpoint, routerEndpoint } from '../../../src/main/models/openai/local'
import vectors from '../../fixtures/error_classification.json'

const router = routerEndpoint({}, 'hf_secretSecretSecret')
const local = (kind: 'ollama' | 'vllm' | 'llamacpp') => localEndpoint(kind, {})
function of(status: number, body: unknown, endpoint: Endpoint = router, headers: Record<string, string> = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const context = { endpoint, model: 'org/model:novita', aborted: false, now: 0 }
  return responseFailure(parseError(text, status, new Headers(headers)), context)
}
const connection = (code: string) => {
  const cause = Object.assign(new Error(code), { code })
  const context = { endpoint: router, model: 'm', aborted: false, now: 0 }
  return connectionFailure(new TypeError('fetch failed', { cause }), context)
}
const openai = (message: string, code: string | null = null, type: string | null = null) => ({
  error: { message, type, param: null, code },
})

describe('the acceptance vectors', () => {
  // On purpose unlike the reference, which takes any text for any kind: here status and code decide (design, part 3).
  it.each(vectors.vectors.map(({ error, expected }) => [error, expected.context_overflow] as const))(
    '"%s" is an overflow in a 400 (%s), and nothing of the kind in a 500 or 429',
    (error, overflow) => {
      expect(of(400, openai(error)).kind).toBe(overflow ? 'context_overflow' : 'bad_request')
      expect(of(500, openai(error)).kind).toBe('server')
      expect(of(429, openai(error))).toMatchObject({ kind: 'rate_limit', retryable: true })
    },
  )
})

describe('the vectors’ friendly texts', () => {
  // What the reference reads out of the text stands here in the status and the code that come with it.
  const carried: Record<string, [number, string | null]> = {
    auth: [401, null],
    billing: [402, null],
    provider_mismatch: [400, 'model_not_supported'],
    model_not_found: [404, 'model_not_found'],
  }
  const kinds: Record<string, string> = { provider_mismatch: 'model_not_found' }
  const friendly = vectors.vectors.flatMap(({ error, expected }) => {
    const answer = expected.friendly === null ? undefined : carried[expected.friendly]
    return answer && expected.friendly ? [[error, expected.friendly, ...answer] as const] : []
  })
  it('are all here', () => {
    expect(friendly).toHaveLength(vectors.vectors.filter(({ expected }) => expected.friendly !== null).length)
  })
  it.each(friendly)('"%s" is %s', (error, name, status, code) => {
    const failure = of(status, openai(error, code))
    expect(failure).toMatchObject({ kind: kinds[name] ?? name, retryable: false })
    expect(failure.remedy).not.toBe('')
  })
})

describe('kinds', () => {
  const cases: [number, unknown, string, boolean][] = [
    [401, openai('Invalid username or password.'), 'auth', false],
    [402, { error: 'Payment required' }, 'billing', false],
    [403, openai('no permission'), 'permission', false],
    [403, { error: 'You have exceeded your monthly included credits for Inference Providers.' }, 'billing', false],
    [429, { error: 'You have exceeded your monthly included credits' }, 'billing', false],
    [429, openai('You exceeded your current quota', 'insufficient_quota'), 'billing', false],
    [429, openai('slow down', 'rate_limit_exceeded'), 'rate_limit', true],
    [404, openai('The model `x` does not exist', null, 'NotFoundError'), 'model_not_found', false],
    [404, { object: 'error', message: 'The model `x` does not exist.', code: 404 }, 'model_not_found', false],
    [404, { detail: 'Not Found' }, 'bad_request', false],
    [404, '<h1>Not Found</h1>', 'bad_request', false],
    [400, openai('not supported by provider novita', 'model_not_supported'), 'model_not_found', false],
    [400, openai('too long', 'context_length_exceeded'), 'context_overflow', false],
    [
      400,
      {
        error: {
          code: 400,
          message: 'the request exceeds the available context size',
          type: 'exceed_context_size_error',
        },
      },
      'context_overflow',
      false,
    ],
    [
      400,
      { object: 'error', message: "This model's maximum context length is 4096 tokens.", code: 400 },
      'context_overflow',
      false,
    ],
    [413, '', 'context_overflow', false],
    [422, { detail: [{ loc: ['body'], msg: 'field required' }] }, 'bad_request', false],
    [500, openai('boom'), 'server', true],
    [502, '<html>', 'server', true],
    [503, { error: { code: 503, message: 'Loading model', type: 'unavailable_error' } }, 'overloaded', true],
    [504, '', 'timeout', true],
  ]
  it.each(cases)('%i %j is %s', (status, body, kind, retryable) => {
    expect(of(status, body)).toMatchObject({ kind, retryable, status })
  })

  it.each([400, 403, 429, 500])(
    'spent credits are told by the router’s own words, whatever the status: %i',
    (status) => {
      const words = 'You have exceeded your monthly included credits for Inference Providers. Subscribe to PRO.'
      for (const body of [{ error: words }, openai(words), words]) {
        expect(of(status, body)).toMatchObject({ kind: 'billing', retryable: false })
      }
      expect(of(status, words).remedy).toContain('huggingface.co/settings/billing')
    },
  )

  it('a page or a proxy in between is told as such, not as a fault of the key', () => {
    const page = { 'content-type': 'text/html; charset=utf-8' }
    expect(of(403, '<h1>Blocked</h1>', router, page)).toMatchObject({ kind: 'bad_request', status: 403 })
    expect(of(503, '<h1>Unavailable</h1>', router, page)).toMatchObject({ kind: 'overloaded', retryable: true })
  })

  it('plain text counts as the server’s words, a page does not', () => {
    expect(of(400, 'prompt is too long').kind).toBe('context_overflow')
    expect(of(500, 'upstream connect error').message).toContain('upstream connect error')
    expect(of(500, '<html>nginx</html>').message).not.toContain('nginx')
  })

  it('the words of the router are nobody else’s', () => {
    expect(of(400, { error: 'exceeded your monthly included credits' }, local('vllm')).kind).toBe('bad_request')
  })

  it('llama.cpp has one model: its 404 is a wrong address', () => {
    expect(of(404, openai('File Not Found', null, 'not_found_error'), local('llamacpp')).kind).toBe('bad_request')
  })
})

describe('connections', () => {
  it.each([
    ['ENOTFOUND', 'network', true, /cannot be resolved/, /internet connection/],
    ['ENETUNREACH', 'network', true, /no way to/, /internet connection/],
    ['ECONNRESET', 'network', true, /could not be reached/, /proxy/],
    ['ETIMEDOUT', 'timeout', true, /in time/, /again/],
    ['CERT_HAS_EXPIRED', 'network', false, /has expired/, /date and time/],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'network', false, /not trusted/, /NODE_EXTRA_CA_CERTS/],
    ['EPROTO', 'network', false, /encryption/, /https:/],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'network', false, /encryption/, /https:/],
  ])('%s is %s, retried: %s', (code, kind, retryable, message, remedy) => {
    const failure = connection(code)
    expect(failure).toMatchObject({ kind, retryable })
    expect(failure.message).toMatch(message)
    expect(failure.remedy).toMatch(remedy)
  })
})

describe('what the user reads', () => {
  it('says what to do', () => {
    expect(of(402, { error: 'x' }).remedy).toContain('huggingface.co/settings/billing')
    expect(of(401, { error: 'x' }).remedy).toContain('HF_TOKEN')
    expect(of(404, openai('no')).remedy).toContain('hf/org/model')
    expect(of(404, openai('no'), local('ollama')).remedy).toContain('ollama pull')
    expect(of(400, openai('"auto" tool choice requires --enable-auto-tool-choice'), local('vllm')).remedy).toContain(
      '--tool-call-parser',
    )
    expect(of(400, openai('registry.ollama.ai/x does not support tools'), local('ollama')).remedy).toContain(
      'can call tools',
    )
  })

  it('never shows the token, and no page at its full length', () => {
    const { message } = of(400, openai(`token hf_secretSecretSecret\n${'x'.repeat(5000)}`))
    expect(message).not.toContain('hf_secret')
    expect(message).toContain('[key]')
    expect(message.length).toBeLessThan(700)
  })

  it.each([
    [{ 'retry-after': '7' }, 7000],
    [{ 'retry-after-ms': '250' }, 250],
    [{ ratelimit: '"api";r=0;t=153' }, 153_000],
    [{ ratelimit: '"api";r=10;t=153' }, null],
  ])('waits as the server says: %j', (headers, ms) => {
    expect(of(429, { error: 'x' }, router, headers as unknown as Record<string, string>).retry_after_ms).toBe(ms)
  })

  it('a local server that does not run: which address, and how to start it; no retry', () => {
    const refused = new TypeError('fetch failed', { cause: Object.assign(new Error('x'), { code: 'ECONNREFUSED' }) })
    const context = { endpoint: local('ollama'), model: 'm', aborted: false, now: 0 }
    const failure = connectionFailure(refused, context)
    expect(failure).toMatchObject({ kind: 'network', retryable: false })
    expect(failure.message).toBe('Ollama is not running: nothing answers at http://127.0.0.1:11434/v1 (ECONNREFUSED).')
    expect(failure.remedy).toMatch(/`ollama serve`.*OLLAMA_BASE_URL/)
    expect(connectionFailure(refused, { ...context, endpoint: router }).retryable).toBe(true)
    expect(connectionFailure(refused, { ...context, aborted: true }).kind).toBe('interrupted')
  })
})
