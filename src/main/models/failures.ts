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

/** OpenSSL's names for an answer that is not TLS at all: a plain server, or a proxy that speaks first. */
export const NOT_TLS = /^(EPROTO$|ERR_SSL_)/
export const EXPIRED = 'CERT_HAS_EXPIRED'
/** The machine itself has no way out. */
export const NO_ROUTE: ReadonlySet<string> = new Set(['ENETUNREACH', 'EHOSTUNREACH', 'ENETDOWN', 'EADDRNOTAVAIL'])

/** A page for people where an API was expected: a proxy, a firewall or a login stands in between. */
export function isPage(headers: Headers | null): boolean {
  return /^\s*text\/html/i.test(headers?.get('content-type') ?? '')
}

export interface ConnectionProblem {
  kind: 'network' | 'timeout'
  message: string
  /** Absent: the provider's usual one. */
  remedy?: string
  retryable?: false
}

/** Why no connection came about, as far as the system's code tells; null: it tells nothing special. */
export function connectionProblem(code: string, host: string): ConnectionProblem | null {
  if (TIMEOUTS.has(code)) return { kind: 'timeout', message: `${host} did not answer in time (${code}).` }
  if (code === EXPIRED) {
    const message = `The certificate of ${host} has expired (${code}).`
    const remedy = 'Check the date and time of this machine; if they are right, the server needs a new certificate.'
    return { kind: 'network', message, remedy, retryable: false }
  }
  if (UNTRUSTED.test(code)) {
    const message = `The certificate of ${host} is not trusted (${code}).`
    const remedy = 'Behind a company proxy, name its certificate in NODE_EXTRA_CA_CERTS and start again.'
    return { kind: 'network', message, remedy, retryable: false }
  }
  if (NOT_TLS.test(code)) {
    const message = `${host} does not answer with encryption (${code}).`
    const remedy = 'Check whether the address begins with http:// or https://, and whether a proxy stands in between.'
    return { kind: 'network', message, remedy, retryable: false }
  }
  if (NO_NAME.has(code)) return { kind: 'network', message: `The name ${host} cannot be resolved (${code}).` }
  if (NO_ROUTE.has(code)) return { kind: 'network', message: `There is no way to ${host} from this machine (${code}).` }
  return null
}

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
