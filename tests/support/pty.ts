import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { CLI } from './cli'

/** Nothing in these tests takes longer; a wait that does has missed what it waits for. */
const WAIT_MS = 15_000

export const KEYS = {
  enter: '\r',
  escape: '\u001b',
  tab: '\t',
  up: '\u001b[A',
  ctrl_c: '\u0003',
  ctrl_d: '\u0004',
  alt_enter: '\u001b\r',
  alt_q: '\u001bq',
} as const

export interface Terminal {
  /** Presses keys. */
  type(keys: string): void
  /** As a terminal that brackets it. */
  paste(text: string): void
  resize(rows: number, columns: number): void
  /** Resolves when `text` has been written since the last `see` that was awaited. Escape sequences do not count. */
  see(text: string): Promise<void>
  /** Everything so far, without escape sequences. */
  text(): string
  /** Everything so far, as it came. */
  raw(): string
  /** Exit code of the program. */
  done: Promise<number>
  /** Ends it if it has not ended. */
  close(): Promise<void>
}

/** The built command line under a real pseudo-terminal (Python's `pty` holds the other end). */
export function openTerminal(
  args: string[],
  options: { cwd: string; env?: Record<string, string>; rows?: number; columns?: number },
): Terminal {
  const size = [String(options.rows ?? 30), String(options.columns ?? 100)]
  const driver = join(import.meta.dirname, 'pty-driver.py')
  const program = [process.execPath, CLI, ...args]
  const child = spawn('python3', ['-u', driver, ...size, ...program], {
    cwd: options.cwd,
    env: {
      PATH: process.env.PATH,
      HOME: options.cwd,
      TERM: 'xterm-256color',
      LANG: 'C.UTF-8',
      ML_INTERN_HOME: join(options.cwd, 'home'),
      ...options.env,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let raw = ''
  let status = ''
  let seen = 0
  let look = (): void => undefined
  child.stdin.on('error', () => undefined)
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    raw += piece
    look()
  })
  child.stderr.setEncoding('utf8').on('data', (piece: string) => {
    status += piece
  })
  const text = (): string => stripVTControlCharacters(raw).replaceAll('\r', '')
  const done = once(child, 'close').then(() => {
    look()
    return Number(status.trim().split('\n').at(-1))
  })
  const order = (value: object): void => {
    child.stdin.write(`${JSON.stringify(value)}\n`)
  }
  return {
    type: (keys) => order({ write: keys }),
    paste: (pasted) => order({ write: `\u001b[200~${pasted}\u001b[201~` }),
    resize: (rows, columns) => order({ resize: [rows, columns] }),
    see(wanted) {
      return new Promise((resolve, reject) => {
        const failed = (why: string): void => {
          reject(new Error(`${why}: ${wanted}\n--- the terminal:\n${text().slice(-4000)}\n${status}`))
        }
        const timer = setTimeout(() => failed('never seen'), WAIT_MS)
        look = () => {
          const at = text().indexOf(wanted, seen)
          if (at < 0 && child.exitCode === null) return
          look = () => undefined
          clearTimeout(timer)
          if (at < 0) {
            failed('it ended before')
            return
          }
          seen = at + wanted.length
          resolve()
        }
        look()
      })
    },
    text,
    raw: () => raw,
    done,
    async close() {
      child.stdin.end()
      await done
    },
  }
}
