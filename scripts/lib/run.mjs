import { spawn } from 'node:child_process'
import { constants } from 'node:os'

/** npm passes a signal on that the terminal may have sent to its script already: one key press is one signal. */
const SAME_PRESS_MS = 300
/** npm's shell dies of a signal without passing it on; nothing but a look at the parent tells. */
const PARENT_CHECK_MS = 1_000

/**
 * Runs a program as if it had been started instead of this one: signals reach it once, and its end is ours. Resolves
 * with its exit code, 128 + the signal's number when a signal ended it, or 127 when it could not be started.
 */
export function runForeground(command, args, { onStdout, ...options } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['inherit', onStdout ? 'pipe' : 'inherit', 'inherit'], ...options })
    if (onStdout) child.stdout.setEncoding('utf8').on('data', onStdout)

    let last = Number.NEGATIVE_INFINITY
    const forward = (signal) => {
      const now = performance.now()
      const repeated = now - last < SAME_PRESS_MS
      last = now
      // On a terminal Ctrl+C goes to the whole foreground group, the child included.
      if (repeated || (signal === 'SIGINT' && process.stdin.isTTY)) return
      child.kill(signal)
    }
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
    for (const signal of signals) process.on(signal, forward)
    const parent = process.ppid
    const watch = setInterval(() => {
      if (process.env.npm_lifecycle_event && process.ppid !== parent) child.kill('SIGTERM')
    }, PARENT_CHECK_MS)
    const end = (code) => {
      clearInterval(watch)
      for (const signal of signals) process.removeListener(signal, forward)
      resolve(code)
    }
    child.once('error', () => end(127))
    child.once('close', (code, signal) => end(code ?? 128 + (constants.signals[signal] ?? 0)))
  })
}
