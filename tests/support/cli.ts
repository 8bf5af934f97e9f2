import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { type AnyEvent, parseEvent } from '@shared/events'

export const ROOT = resolve(import.meta.dirname, '../..')
export const CLI = join(ROOT, 'out/main/cli.js')

export interface CliRun {
  child: ChildProcess
  stdout: () => string
  stderr: () => string
  /** Resolves when a whole event of that type has been printed (stream-json). */
  event: (type: string, accept?: (event: AnyEvent) => boolean) => Promise<AnyEvent>
  /** Exit code; null when a signal ended it. */
  done: Promise<number | null>
}

/** The built command line, as a user starts it. Nothing of this process's environment but PATH reaches it. */
export function runCli(args: string[], options: { cwd: string; env?: Record<string, string>; input?: string }): CliRun {
  const child = spawn(process.execPath, [CLI, ...args], {
    cwd: options.cwd,
    env: { PATH: process.env.PATH, HOME: options.cwd, ML_INTERN_HOME: join(options.cwd, 'home'), ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  child.stdin.on('error', () => undefined)
  child.stdin.end(options.input ?? '')
  let stdout = ''
  let stderr = ''
  let read = 0
  const seen: AnyEvent[] = []
  const waiting: { type: string; accept: (event: AnyEvent) => boolean; resolve: (event: AnyEvent) => void }[] = []
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    stdout += piece
    for (let end = stdout.indexOf('\n', read); end >= 0; end = stdout.indexOf('\n', read)) {
      const line = stdout.slice(read, end)
      read = end + 1
      const event = line.startsWith('{"seq"') ? parseEvent(JSON.parse(line)) : null
      if (!event) continue
      seen.push(event)
      for (const waiter of waiting.filter((w) => w.type === event.type && w.accept(event))) {
        waiting.splice(waiting.indexOf(waiter), 1)
        waiter.resolve(event)
      }
    }
  })
  child.stderr.setEncoding('utf8').on('data', (piece: string) => {
    stderr += piece
  })
  const done = once(child, 'close').then(([code]) => code as number | null)
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    event: (type, accept = () => true) => {
      const known = seen.find((event) => event.type === type && accept(event))
      if (known) return Promise.resolve(known)
      return new Promise((resolve, reject) => {
        waiting.push({ type, accept, resolve })
        void done.then((code) => reject(new Error(`exit ${code} before ${type}\n${stderr}`)))
      })
    },
    done,
  }
}

export function eventsOf(stdout: string): AnyEvent[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const event = parseEvent(JSON.parse(line))
      if (!event) throw new Error(`stdout holds something that is no event: ${line}`)
      return event
    })
}
