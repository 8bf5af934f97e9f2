import { setTimeout as delay } from 'node:timers/promises'
import { messageOf, UserError } from '../errors'
import type { HubEndpoint } from './endpoint'

export interface HubFetchOptions {
  signal?: AbortSignal
  /** Called before each wait. */
  onRetry?: (notice: { attempt: number; delay_ms: number; reason: string }) => void
  /** Attempts in all. */
  attempts?: number
  /** 0 <= n < 1. */
  random?: () => number
  /** Resolves after `ms`; rejects with the signal's reason. */
  sleep?: (ms: number, signal?: AbortSignal) => Promise<void>
  fetch?: typeof fetch
}

const ATTEMPTS = 4
const BASE_DELAY_MS = 1000
/** The longest wait that a server may ask for; the Hub's windows are five minutes, which nobody watches. */
const MAX_WAIT_MS = 120_000
const MAX_REDIRECTS = 5
/** A call that carries no file. */
const CALL_MS = 60_000
/** One that does: 10 MB over a slow line. */
const UPLOAD_MS = 15 * 60_000

/**
 * A fetch for the Hub's library. The token goes to the Hub's own origin, whatever address the library or a redirect
 * names, and content never follows a redirect to another host. 429, 5xx and lost connections are tried again: every call
 * made here may be repeated. Rejects with UserError `network`, and with the signal's reason.
 */
export function hubFetch(endpoint: HubEndpoint, options: HubFetchOptions = {}): typeof fetch {
  const { attempts = ATTEMPTS, random = Math.random, sleep = wait, signal } = options
  const { origin } = new URL(endpoint.url)
  return async (input, init = {}) => {
    for (let attempt = 1; ; attempt++) {
      signal?.throwIfAborted()
      const last = attempt >= attempts
      let asked: number | null = null
      let reason: string
      try {
        const response = await send(input, init, origin, options)
        const again = response.status === 429 || response.status >= 500
        if (!again || last) return response
        asked = waitOf(response.headers)
        if (asked !== null && asked > MAX_WAIT_MS) return response
        reason =
          response.status === 429 ? 'The Hub limits requests.' : `The Hub answered with status ${response.status}.`
        await response.body?.cancel()
      } catch (error) {
        signal?.throwIfAborted()
        if (error instanceof UserError) throw error
        if (last) throw unreachable(endpoint, error)
        reason = `${new URL(endpoint.url).host} cannot be reached.`
      }
      const delay_ms = asked === null ? random() * BASE_DELAY_MS * 2 ** attempt : asked * (1 + 0.1 * random())
      options.onRetry?.({ attempt: attempt + 1, delay_ms, reason })
      await sleep(delay_ms, signal)
    }
  }
}

async function send(
  input: Parameters<typeof fetch>[0],
  init: RequestInit,
  home: string,
  { signal, fetch: request = fetch }: HubFetchOptions,
): Promise<Response> {
  let url = new URL(input instanceof Request ? input.url : input)
  const method = (init.method ?? 'GET').toUpperCase()
  const reads = method === 'GET' || method === 'HEAD'
  const limit = AbortSignal.timeout(reads ? CALL_MS : UPLOAD_MS)
  const signals = [limit, signal, init.signal].filter((given) => given !== undefined && given !== null)
  for (let hop = 0; ; hop++) {
    const headers = new Headers(init.headers)
    if (url.origin !== home) for (const name of ['Authorization', 'Cookie']) headers.delete(name)
    const response = await request(url, { ...init, headers, redirect: 'manual', signal: AbortSignal.any(signals) })
    const location = response.headers.get('Location')
    if (response.status < 300 || response.status >= 400 || location === null) return response
    await response.body?.cancel()
    const next = new URL(location, url)
    const moved = response.status === 307 || response.status === 308
    if (hop >= MAX_REDIRECTS || (!reads && (!moved || next.origin !== url.origin))) {
      throw new UserError(
        'network',
        `${url.host} sends this upload on to ${next.host}, which was not asked for.`,
        'Check HF_ENDPOINT: nothing was sent there.',
      )
    }
    url = next
  }
}

/** Milliseconds that the server wants us to wait; null when it does not say. */
export function waitOf(headers: Headers, now = Date.now()): number | null {
  const after = headers.get('Retry-After')?.trim()
  if (after && /^\d+(?:\.\d+)?$/.test(after)) return Number(after) * 1000
  const date = after ? Date.parse(after) : Number.NaN
  if (!Number.isNaN(date)) return Math.max(0, date - now)
  // `"api";r=0;t=12`: nothing left in this window, which ends in 12 s.
  const [, left, seconds] = /;\s*r=(\d+)\s*;\s*t=(\d+(?:\.\d+)?)/.exec(headers.get('RateLimit') ?? '') ?? []
  return left === '0' && seconds !== undefined ? Number(seconds) * 1000 : null
}

async function wait(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal })
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  }
}

function unreachable({ url }: HubEndpoint, cause: unknown): UserError {
  const why = cause instanceof Error && cause.cause !== undefined ? messageOf(cause.cause) : messageOf(cause)
  return new UserError(
    'network',
    `${new URL(url).host} cannot be reached: ${why}`,
    'Check the connection and HF_ENDPOINT, then try again. Nothing is lost here.',
    { cause },
  )
}
