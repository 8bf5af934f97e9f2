import { execFile } from 'node:child_process'
import { commandEnvironment } from '../workspace/environment'
import type { RunProgram } from './types'

/** What the checked programs print is a line or two. */
const MAX_OUTPUT_BYTES = 256 * 1024

/** Runs a program without a shell. Never rejects; ends soon after the signal aborts. */
export const runProgram: RunProgram = (file, args, { env, signal }) =>
  new Promise((resolve) => {
    const options = {
      // Secrets are none of the business of a program that is only asked for its version.
      env: commandEnvironment(env),
      signal,
      // Not the project's folder: its files must not be found by the program that is checked.
      cwd: process.platform === 'win32' ? undefined : '/',
      killSignal: 'SIGKILL' as const,
      maxBuffer: MAX_OUTPUT_BYTES,
      windowsHide: true,
    }
    execFile(file, [...args], options, (error, stdout, stderr) => {
      const code = error?.code
      resolve({
        exit_code: error ? (typeof code === 'number' ? code : null) : 0,
        stdout,
        stderr,
        error: error && typeof code !== 'number' ? (code ?? error.message) : '',
      })
    })
  })
