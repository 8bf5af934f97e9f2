import { setTimeout as delay } from 'node:timers/promises'
import { interrupted } from './failures'
import type { ModelClient, ModelDelta, ModelFailure, ModelRequest, TokenUsage } from './types'

/** Sent before each wait. `attempt` is the one that comes next: 2 for the first retry. */
export interface RetryNotice {
  type: 'retry'
  attempt: number
  delay_ms: number
  /** One sentence for the user. */
  reason: string
  /** The failed attempt had already yielded text: throw it away. */
  discard: boolean
  /** What the failed attempt is known to have used; it may have been billed. */
  usage: TokenUsage | null
}
export type RetryDelta = ModelDelta | RetryNotice

export interface RetryOptions {
  /** Attempts in all, the first one included. */
  maxAttempts?: number
  /** Upper bound of the first wait; it doubles with every attempt. */
  baseDelayMs?: number
  /** Upper bound of any wait that we choose. */
  maxDelayMs?: number
  /** The longest wait a server may ask for; more than that is a failure. */
  maxRetryAfterMs?: number
  /** 0 <= n < 1. */
  random?: () => number
  /** Resolves after `ms`, or at once when the signal aborts. */
  sleep?: (ms: number, signal: AbortSignal) => Promise<void>
}

/** A rate limit counts minutes: without a word from the server, waits start four times as long. */
const RATE_LIMIT_FACTOR = 4
/** Of the server's wish, added at random: clients that were refused together should not come back together. */
const RETRY_AFTER_JITTER = 0.1

/**
 * `client.stream`, with failures that are worth it tried again: same request, exponential waits with full jitter, the
 * server's Retry-After before our own idea. Ends with exactly one `done` or `failed`, like the stream it wraps; an
 * abort ends a wait at once.
 */
export async function* withRetry(
  client: Pick<ModelClient, 'stream'>,
  request: ModelRequest,
  signal: AbortSignal,
  options: RetryOptions = {},
): AsyncGenerator<RetryDelta> {
  const { maxAttempts = 5, maxRetryAfterMs = 120_000, sleep = wait } = options
  for (let attempt = 1; ; attempt++) {
    let shown = false
    let failed: Extract<ModelDelta, { type: 'failed' }> | null = null
    for await (const delta of client.stream(request, signal)) {
      if (delta.type === 'failed') {
        failed = delta
        break
      }
      if (delta.type === 'text' || delta.type === 'reasoning') shown = true
      yield delta
      if (delta.type === 'done') return
    }
    if (!failed) throw new Error('the model client ended its stream without a result')

    const { failure } = failed
    if (!failure.retryable || signal.aborted) return yield failed
    if (failure.retry_after_ms !== null && failure.retry_after_ms > maxRetryAfterMs) {
      return yield { ...failed, failure: tooLong(failure, failure.retry_after_ms) }
    }
    if (attempt >= maxAttempts) return yield { ...failed, failure: givenUp(failure, attempt) }

    const delay_ms = delayOf(failure, attempt, options)
    const { message: reason } = failure
    yield { type: 'retry', attempt: attempt + 1, delay_ms, reason, discard: shown, usage: failed.usage }
    await sleep(delay_ms, signal)
    if (signal.aborted) return yield { type: 'failed', failure: interrupted(), blocks: [], usage: null }
  }
}

function delayOf(failure: ModelFailure, attempt: number, options: RetryOptions): number {
  const { baseDelayMs = 1000, maxDelayMs = 30_000, random = Math.random } = options
  if (failure.retry_after_ms !== null) return failure.retry_after_ms * (1 + RETRY_AFTER_JITTER * random())
  const first = failure.kind === 'rate_limit' ? baseDelayMs * RATE_LIMIT_FACTOR : baseDelayMs
  return random() * Math.min(maxDelayMs, first * 2 ** (attempt - 1))
}

function tooLong(failure: ModelFailure, ms: number): ModelFailure {
  const minutes = Math.ceil(ms / 60_000)
  return {
    ...failure,
    message: `${sentence(failure.message)} It asks for a wait of ${minutes} minutes, which is too long to hold the turn.`,
    remedy: `Send the message again in ${minutes} minutes, or choose another model.`,
    retryable: false,
  }
}

function givenUp(failure: ModelFailure, attempts: number): ModelFailure {
  return attempts === 1
    ? failure
    : { ...failure, message: `${sentence(failure.message)} It was tried ${attempts} times.` }
}

/** A server's words often end without a full stop. */
function sentence(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`
}

async function wait(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal })
  } catch (error) {
    // The abort is what ends the wait early; the caller looks at the signal.
    if (!signal.aborted) throw error
  }
}
