/** Reading JSON from servers that agree on little: every field is checked where it is used. */
export type JsonObject = Record<string, unknown>

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : {}
}

export function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}

/** Null for everything but a string that is not empty. */
export function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

/** Null for everything but a finite number from zero up. */
export function numberOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : null
}

/** A count of tokens; zero means unknown wherever a window is told. */
export function windowOf(value: unknown): number | null {
  const number = numberOf(value)
  return number !== null && number >= 1 ? Math.floor(number) : null
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Bytes of a list of models or facts; the router's whole catalogue has about a tenth of it. */
const MAX_BYTES = 8 * 1024 * 1024

/** Parsed JSON of one request, within `timeout_ms`. Rejects for any other answer; redirects are not followed. */
export async function fetchJson(
  url: string,
  options: { headers?: Record<string, string>; body?: unknown; timeout_ms: number },
  signal: AbortSignal,
): Promise<unknown> {
  const { headers, body, timeout_ms } = options
  const response = await fetch(url, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    redirect: 'manual',
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeout_ms)]),
  })
  if (!response.ok || !response.body) {
    await response.body?.cancel()
    throw new Error(`status ${response.status}`)
  }
  const decoder = new TextDecoder()
  let text = ''
  for await (const bytes of response.body) {
    text += decoder.decode(bytes, { stream: true })
    if (text.length > MAX_BYTES) throw new Error('the answer is too large')
  }
  return JSON.parse(text + decoder.decode())
}
