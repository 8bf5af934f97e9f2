import { UserError } from '../../errors'
import { compilePattern } from './match'
import { secretRemark } from './remarks'
import { type FromGrepWorker, type GrepFile, type GrepRequest, type GrepResult, MAX_KEPT, MAX_MS } from './types'

/** Milliseconds without a sign of life from the worker, after which the pattern is taken for one that never ends. */
const STUCK_MS = 3_000
const HEAP_MB = 512

/**
 * The search without ripgrep, in a worker thread: a regular expression of JavaScript can take for ever, and only a thread
 * can be ended then. What was found until then is kept. `env`: for git's global excludes alone. Throws UserError.
 */
export async function ownGrep(
  request: GrepRequest,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
  stuck_ms = STUCK_MS,
): Promise<GrepResult> {
  compilePattern(request)
  const [{ Worker }, { default: path }] = await Promise.all([
    import('node:worker_threads'),
    import('./worker?modulePath'),
  ])
  signal.throwIfAborted()
  const { HOME, XDG_CONFIG_HOME } = env
  const worker = new Worker(path, {
    workerData: { request, env: { HOME, XDG_CONFIG_HOME } },
    name: 'grep',
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
    execArgv: [],
    env: {},
  })
  const files: GrepFile[] = []
  let kept = 0
  let where = ''
  let onAbort = (): void => undefined
  const timers: { all?: NodeJS.Timeout; stuck?: NodeJS.Timeout } = {}
  try {
    const remarks = await new Promise<string[]>((resolve, reject) => {
      const alive = (): void => {
        clearTimeout(timers.stuck)
        timers.stuck = setTimeout(() => resolve([stuck(where, stuck_ms)]), stuck_ms)
      }
      onAbort = () => reject(signal.reason)
      signal.addEventListener('abort', onAbort, { once: true })
      timers.all = setTimeout(() => resolve([`Stopped after ${MAX_MS / 1000} s: not everything was searched.`]), MAX_MS)
      worker.on('message', (message: FromGrepWorker) => {
        alive()
        if (message.kind === 'at') where = message.path
        else if (message.kind === 'found') {
          kept += Math.max(1, message.file.lines.length)
          files.push(message.file)
        } else if (message.kind === 'done') resolve([...message.remarks, ...secretRemark(message.secrets)])
        else reject(new UserError('invalid_request', `The search failed: ${message.message}.`))
      })
      worker.once('error', reject)
      worker.once('exit', () => reject(new Error('the search ended without a result')))
      alive()
    })
    return { files, remarks, more: kept >= MAX_KEPT }
  } finally {
    clearTimeout(timers.all)
    clearTimeout(timers.stuck)
    signal.removeEventListener('abort', onAbort)
    await worker.terminate()
  }
}

function stuck(path: string, ms: number): string {
  const near = path === '' ? '' : ` (near ${path})`
  return `Stopped: the pattern took more than ${ms / 1000} s on one file${near}. Make it simpler: no repetition inside a repetition.`
}
