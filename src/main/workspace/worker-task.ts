import { UserError } from '../errors'

/** What a worker says, once. */
export type TaskReply<T> = { ok: true; value: T } | { ok: false; message: string }

export interface TaskOptions {
  /** What it does, for errors: "Reading the PDF". */
  what: string
  signal: AbortSignal
  max_ms: number
  heap_mb: number
}

/**
 * Runs a worker that does one thing, answers once and ends. Long work and broken input stay off the main thread: it is
 * ended after `max_ms` and when it needs too much memory. Throws UserError, and the signal's reason when aborted.
 */
export async function runTask<T>(file: string, data: unknown, options: TaskOptions): Promise<T> {
  const { what, signal, max_ms, heap_mb } = options
  const { Worker } = await import('node:worker_threads')
  signal.throwIfAborted()
  const worker = new Worker(file, {
    workerData: data,
    name: what,
    resourceLimits: { maxOldGenerationSizeMb: heap_mb },
    execArgv: [],
    env: {},
    // What a library prints there is no output of this program.
    stdout: true,
    stderr: true,
  })
  let timer: NodeJS.Timeout | undefined
  let onAbort = (): void => undefined
  try {
    return await new Promise<T>((resolve, reject) => {
      const fail = (why: string, cause?: unknown): void =>
        reject(new UserError('invalid_request', `${what} failed: ${why}.`, 'Use a script in bash instead.', { cause }))
      onAbort = () => reject(signal.reason)
      signal.addEventListener('abort', onAbort, { once: true })
      timer = setTimeout(() => fail(`it took more than ${max_ms / 1000} s`), max_ms)
      worker.on('message', (reply: TaskReply<T>) => {
        if (reply.ok) resolve(reply.value)
        else fail(reply.message)
      })
      worker.once('error', (error) => fail(memory(error) ? `it needs more than ${heap_mb} MB` : error.message, error))
      worker.once('exit', () => fail('it ended without a result'))
    })
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
    await worker.terminate()
  }
}

function memory(error: Error): boolean {
  return 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'
}
