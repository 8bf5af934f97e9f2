import { spawn } from 'node:child_process'
import { isNodeError, messageOf } from '../../errors'

export interface Answer {
  /** Null: it was not started, was ended by a signal, or ran too long. */
  exit_code: number | null
  stdout: string
  stderr: string
  /** Why it gave no answer: `ENOENT` and the like, `timeout`, `aborted`; empty when it ran to its end. */
  error: string
}

export interface AskOptions {
  env: NodeJS.ProcessEnv
  cwd?: string
  signal: AbortSignal
  timeout_ms: number
}

/** What the asked programs say is a page at most. */
const MAX_OUTPUT_CHARS = 256 * 1024

/**
 * Runs a program that answers a question, without a shell and without input. Never rejects. At the timeout or the abort
 * its whole process group is killed and the answer is given at once: a driver that hangs in the kernel outlives SIGKILL.
 */
export function ask(file: string, args: readonly string[], options: AskOptions): Promise<Answer> {
  return new Promise((resolve) => {
    const answer: Answer = { exit_code: null, stdout: '', stderr: '', error: '' }
    if (options.signal.aborted) return resolve({ ...answer, error: 'aborted' })
    const child = spawn(file, [...args], {
      env: options.env,
      cwd: options.cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: process.platform !== 'win32',
      windowsHide: true,
    })
    const finish = (change: Partial<Answer>) => {
      clearTimeout(limit)
      options.signal.removeEventListener('abort', onAbort)
      child.stdout.destroy()
      child.stderr.destroy()
      resolve({ ...answer, ...change })
    }
    const stop = (error: string) => {
      killGroup(child.pid)
      // It may be stuck in the kernel: our own process must be able to end meanwhile.
      child.unref()
      finish({ error, exit_code: null })
    }
    const onAbort = () => stop('aborted')
    const limit = setTimeout(() => stop('timeout'), options.timeout_ms)
    options.signal.addEventListener('abort', onAbort, { once: true })
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8')
      child[stream].on('data', (text: string) => {
        if (answer[stream].length < MAX_OUTPUT_CHARS) answer[stream] += text.slice(0, MAX_OUTPUT_CHARS)
      })
    }
    child.on('error', (error) => finish({ error: isNodeError(error) ? (error.code ?? '') : messageOf(error) }))
    child.on('close', (exit_code, signal) => finish({ exit_code, error: signal ?? '' }))
  })
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL')
  } catch (error) {
    // It has just ended, or it runs as another user (a setuid program).
    if (!isNodeError(error) || (error.code !== 'ESRCH' && error.code !== 'EPERM')) throw error
  }
}
