import type { DoctorCheck } from '@shared/bridge'
import { messageOf } from '../errors'
import { CHECKS, type Check } from './checks'
import type { DoctorDeps } from './types'

export { inspectPython, type PythonInfo } from './python'
export { probeSandbox, type SandboxInfo } from './sandbox'
export type { DoctorDeps } from './types'

/** Above the longest wait inside any check (a keychain that times out twice, 6 s). */
const CHECK_TIMEOUT_MS = 8_000

/**
 * Looks at everything a run needs, all at once. Never rejects: a check that fails or hangs says so in its own line.
 * `failed` is what makes every run impossible; everything else is a `warning`.
 */
export function runDoctor(
  deps: DoctorDeps,
  signal?: AbortSignal,
  checks: readonly Check[] = CHECKS,
): Promise<DoctorCheck[]> {
  return Promise.all(checks.map((check) => runCheck(check, deps, signal)))
}

async function runCheck(check: Check, deps: DoctorDeps, outer: AbortSignal | undefined): Promise<DoctorCheck> {
  const { id, title } = check
  const limit = deps.timeout_ms ?? CHECK_TIMEOUT_MS
  const timeout = AbortSignal.timeout(limit)
  const signal = outer ? AbortSignal.any([outer, timeout]) : timeout
  const ended = new Promise<never>((_resolve, reject) => {
    const onAbort = (): void => {
      reject(new Error(timeout.aborted ? `No result within ${limit / 1000} s.` : 'The check was stopped.'))
    }
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
  })
  ended.catch(() => undefined)
  try {
    return { id, title, ...(await Promise.race([check.run(deps, signal), ended])) }
  } catch (error) {
    const remedy = 'Run ml-intern doctor again; if it stays, please report it with this text.'
    return { id, title, state: 'warning', detail: `The check itself failed: ${messageOf(error)}`, remedy }
  }
}
