import type { FailureKind, ModelFailure } from './types'

/** What all providers' failures have in common. */

/** Worth trying the same request again. */
export const RETRYABLE: ReadonlySet<FailureKind> = new Set(['rate_limit', 'overloaded', 'server', 'network', 'timeout'])

export const TIMEOUTS: ReadonlySet<string> = new Set([
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
])
export const NO_NAME: ReadonlySet<string> = new Set(['ENOTFOUND', 'EAI_AGAIN'])
/** OpenSSL's names for a certificate that is not trusted, as Node reports them. */
export const UNTRUSTED = /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_CERT_)/

export function interrupted(): ModelFailure {
  const message = 'The call was stopped.'
  return { kind: 'interrupted', message, remedy: '', retryable: false, retry_after_ms: null, status: null }
}

/** `retry-after-ms`, or `retry-after` in seconds or as an HTTP date. Null: the server did not say. */
export function retryAfterMs(headers: Headers | null, now: number): number | null {
  const exact = number(headers?.get('retry-after-ms'))
  if (exact !== null) return exact
  const header = headers?.get('retry-after')?.trim()
  if (!header) return null
  const seconds = number(header)
  if (seconds !== null) return seconds * 1000
  const date = Date.parse(header)
  return Number.isNaN(date) ? null : Math.max(0, date - now)
}

function number(value: string | null | undefined): number | null {
  return value && /^\s*-?\d+(\.\d+)?\s*$/.test(value) ? Math.max(0, Number(value)) : null
}

/** The system's code, which fetch hides some causes deep; empty when there is none. */
export function codeOf(error: unknown): string {
  let current = error
  // Deep enough for every chain seen (fetch failed -> AggregateError -> connect error), and finite for a cyclic one.
  for (let depth = 0; depth < 6 && typeof current === 'object' && current !== null; depth++) {
    if ('code' in current && typeof current.code === 'string') return current.code
    if ('errors' in current && Array.isArray(current.errors)) current = current.errors[0]
    else current = 'cause' in current ? current.cause : null
  }
  return ''
}
