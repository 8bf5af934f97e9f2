/// <reference path="./node-pty.d.ts" />
import type { PtyExit, PtyOptions } from './backend'
import type { Pty } from './pty'

/**
 * Windows: the library as it is. ConPTY has no second end to hold open; the library itself reads on after the program's
 * end until the console is closed.
 */
export async function startOnWindows(options: PtyOptions, onData: (bytes: Buffer) => void): Promise<Pty> {
  const { spawn } = await import('node-pty')
  const { cwd, env, cols, rows } = options
  const pty = spawn(options.file, [...options.args], { cwd, env, cols, rows, name: 'xterm-256color' })
  let closed = false
  pty.onData((text) => onData(Buffer.from(text, 'utf8')))
  const exited = new Promise<PtyExit>((resolve) => {
    pty.onExit(({ exitCode }) => {
      closed = true
      resolve({ exit_code: exitCode, signal: null })
    })
  })
  return {
    pid: pty.pid,
    tty: null,
    exited,
    write: (data) => {
      if (closed) return false
      pty.write(data)
      return true
    },
    resize: (c, r) => {
      if (!closed) pty.resize(c, r)
    },
    pause: () => pty.pause(),
    resume: () => pty.resume(),
    drain: async () => {
      await exited
    },
    close: () => {
      if (!closed) pty.kill()
    },
  }
}
