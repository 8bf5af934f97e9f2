import { describe, expect, it } from 'vitest'
import { type RetryDelta, type RetryOptions, withRetry } from '../../../src/main/models/retry'
import type { ModelDelta, ModelFailure, ModelRequest } from '../../../src/main/models/types'

const request: ModelRequest = { system: '', messages: [], tools: [], effort: null, streaming: true }
const usage = { prompt_tokens: 10, completion_tokens: 2, cache_read_tokens: 0, cache_creation_tokens: 0 }

function failed(change: Partial<ModelFailure> = {}): ModelDelta {
  const base = { kind: 'overloaded', message: 'The model is overloaded.', remedy: 'Wait.', retryable: true } as const
  const failure = { ...base, retry_after_ms: null, status: 529, ...change }
  return { type: 'failed', failure, blocks: [{ type: 'text', text: 'half' }], usage }
}
const done: ModelDelta = { type: 'done', blocks: [], stop_reason: 'end_turn', usage, model: 'm' }
const text: ModelDelta = { type: 'text', text: 'half' }

/** Each attempt plays the next list; the last one is repeated. */
function clientOf(...attempts: ModelDelta[][]) {
  const state = { calls: 0 }
  async function* stream() {
    yield* attempts[Math.min(state.calls++, attempts.length - 1)] ?? []
  }
  return { state, stream }
}

async function run(client: ReturnType<typeof clientOf>, options: RetryOptions = {}, signal?: AbortSignal) {
  const waits: number[] = []
  const deltas: RetryDelta[] = []
  const sleep = async (ms: number) => {
    waits.push(ms)
  }
  const all = { random: () => 0.5, sleep, ...options }
  for await (const delta of withRetry(client, request, signal ?? new AbortController().signal, all)) deltas.push(delta)
  return { deltas, waits, last: deltas.at(-1) }
}

describe('withRetry', () => {
  it('passes a good reply on without touching it', async () => {
    const { deltas, waits } = await run(clientOf([text, done]))
    expect(deltas).toEqual([text, done])
    expect(waits).toEqual([])
  })

  it('tells the reader to throw away the text of a failed attempt, and only then', async () => {
    const { deltas } = await run(clientOf([text, failed()], [failed()], [text, done]))
    const notices = deltas.filter((delta) => delta.type === 'retry')
    expect(notices.map(({ attempt, discard }) => [attempt, discard])).toEqual([
      [2, true],
      [3, false],
    ])
    expect(notices[0]?.usage).toEqual(usage)
    expect(deltas.at(-1)).toBe(done)
    expect(deltas.filter((delta) => delta.type === 'failed')).toEqual([])
  })

  it('doubles its waits, jitters over the whole range and never exceeds the cap', async () => {
    const options = { baseDelayMs: 1000, maxDelayMs: 3000, maxAttempts: 5 }
    expect((await run(clientOf([failed()]), options)).waits).toEqual([500, 1000, 1500, 1500])
    expect((await run(clientOf([failed()]), { ...options, random: () => 0 })).waits).toEqual([0, 0, 0, 0])
  })

  it('gives up after five attempts and says so', async () => {
    const client = clientOf([failed()])
    const { last } = await run(client)
    expect(client.state.calls).toBe(5)
    expect(last).toMatchObject({ type: 'failed', failure: { kind: 'overloaded' }, blocks: [{ text: 'half' }] })
    expect(last?.type === 'failed' && last.failure.message).toContain('tried 5 times')
  })

  it('does not repeat a request that cannot succeed', async () => {
    const client = clientOf([failed({ kind: 'auth', retryable: false })])
    const { last } = await run(client)
    expect(client.state.calls).toBe(1)
    expect(last).toEqual(failed({ kind: 'auth', retryable: false }))
  })

  it('waits as long as the server asks, not shorter, even beyond its own cap', async () => {
    const options = { maxDelayMs: 100, random: () => 0 }
    const { waits } = await run(clientOf([failed({ kind: 'rate_limit', retry_after_ms: 60_000 })], [done]), options)
    expect(waits).toEqual([60_000])
  })

  it('does not hold a turn for a server that asks for more than two minutes', async () => {
    const client = clientOf([failed({ kind: 'rate_limit', retry_after_ms: 600_000 })])
    const { last, waits } = await run(client)
    expect(waits).toEqual([])
    expect(client.state.calls).toBe(1)
    expect(last?.type === 'failed' && last.failure).toMatchObject({ retryable: false, kind: 'rate_limit' })
    expect(last?.type === 'failed' && last.failure.message).toContain('10 minutes')
  })

  it('starts slower on a rate limit without a Retry-After: the limit counts minutes', async () => {
    const { waits } = await run(clientOf([failed({ kind: 'rate_limit' })], [done]), { baseDelayMs: 1000 })
    expect(waits).toEqual([2000])
  })

  it('ends a wait at once when the user stops, and does not call again', async () => {
    const controller = new AbortController()
    const client = clientOf([text, failed()])
    const never = new Promise<void>(() => {})
    const deltas: RetryDelta[] = []
    const sleep = (_ms: number, signal: AbortSignal) => {
      const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
      controller.abort()
      return Promise.race([never, aborted])
    }
    for await (const delta of withRetry(client, request, controller.signal, { sleep })) deltas.push(delta)
    expect(client.state.calls).toBe(1)
    expect(deltas.at(-1)).toMatchObject({
      type: 'failed',
      failure: { kind: 'interrupted', retryable: false },
      blocks: [],
    })
  })

  it('the real timer ends on abort too', async () => {
    const controller = new AbortController()
    const deltas: RetryDelta[] = []
    const stream = withRetry(clientOf([failed({ retry_after_ms: 100_000 })]), request, controller.signal)
    for await (const delta of stream) {
      deltas.push(delta)
      if (delta.type === 'retry') queueMicrotask(() => controller.abort())
    }
    expect(deltas.map((delta) => delta.type)).toEqual(['retry', 'failed'])
  })

  it('a client that ends without a result is a defect, not a silent end of the turn', async () => {
    await expect(run(clientOf([text]))).rejects.toThrow(/without a result/)
  })
})
