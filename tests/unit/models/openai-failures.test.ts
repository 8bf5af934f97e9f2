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

  it('the words of the router are nobody else’s', () => {
    expect(of(400, { error: 'exceeded your monthly included credits' }, local('vllm')).kind).toBe('bad_request')
  })

  it('llama.cpp has one model: its 404 is a wrong address', () => {
    expect(of(404, openai('File Not Found', null, 'not_found_error'), local('llamacpp')).kind).toBe('bad_request')
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
