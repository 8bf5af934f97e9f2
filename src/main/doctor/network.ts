import { messageOf } from '../errors'
import type { Finding } from './types'

/** A server that has not answered by then is as good as not there. */
const ANSWER_TIMEOUT_MS = 5_000

/** Whether a server answers at all: any HTTP status counts, because no key is sent. */
export async function checkEndpoint(
  url: string,
  signal: AbortSignal,
  env: NodeJS.ProcessEnv,
  fetcher: typeof fetch,
): Promise<Finding> {
  const host = hostOf(url)
  const started = performance.now()
  const timeout = AbortSignal.timeout(ANSWER_TIMEOUT_MS)
  try {
    const response = await fetcher(url, {
      method: 'HEAD',
      redirect: 'manual',
      signal: AbortSignal.any([signal, timeout]),
    })
    await response.body?.cancel()
    const ms = Math.round(performance.now() - started)
    return { state: 'ok', detail: `${host} answers in ${ms} ms (HTTP ${response.status}).`, remedy: '' }
  } catch (error) {
    const reason = timeout.aborted ? `no answer within ${ANSWER_TIMEOUT_MS / 1000} s` : reasonOf(error)
    return { state: 'warning', detail: `${host} cannot be reached: ${reason}.`, remedy: remedyFor(env) }
  }
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url
}

function remedyFor(env: NodeJS.ProcessEnv): string {
  const proxy = env.HTTPS_PROXY ?? env.https_proxy
  if (!proxy) return 'Check the network, a firewall, or the address in the settings.'
  return 'HTTPS_PROXY is set: Node.js uses it only with NODE_USE_ENV_PROXY=1 and Node.js 24 or later.'
}

const REASONS: Record<string, string> = {
  ENOTFOUND: 'its name cannot be resolved',
  EAI_AGAIN: 'its name cannot be resolved at the moment',
  ECONNREFUSED: 'the connection is refused',
  ECONNRESET: 'the connection was cut',
  ENETUNREACH: 'there is no network',
  EHOSTUNREACH: 'there is no way to it',
  ETIMEDOUT: 'no answer',
  UND_ERR_CONNECT_TIMEOUT: 'no answer',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate chain is self-signed (an inspecting proxy?)',
  CERT_HAS_EXPIRED: 'its certificate has expired',
}

/** `fetch` says "fetch failed"; what happened is in the cause, or in the first of several causes. */
function reasonOf(error: unknown): string {
  let cause: unknown = error
  while (cause instanceof Error && cause.cause !== undefined) cause = cause.cause
  if (cause instanceof AggregateError && cause.errors.length > 0) cause = cause.errors[0]
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  return REASONS[code] ?? (code || messageOf(cause))
}
