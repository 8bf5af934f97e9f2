import { randomUUID } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { isNodeError, UserError } from '../../errors'
import { startProblem } from '../process'
import { MARKER_VARIABLE } from '../process-scan'
import { findProgram } from '../programs'
import { holdGroup, releaseGroup, signalProcess, terminate } from '../terminate'
import { type Pty, type PtyExit, type PtyWay, startPty } from './pty'
import { waitsForInput } from './waits'

export interface TerminalCommand {
  /** Run by bash, or sh where there is no bash. */
  command: string
  /** Runs instead of the shell, whose arguments then hold the command: a sandbox. */
  argv?: readonly [file: string, ...args: string[]]
  /** Absolute path of an existing directory. */
  cwd: string
  env: NodeJS.ProcessEnv
  /** Milliseconds; below 2^31. */
  timeout_ms: number
  signal: AbortSignal
  cols: number
  rows: number
  /** Every piece, in order. The terminal is held back until a returned promise settles. */
  onData: (bytes: Buffer) => Promise<void> | undefined
  onSpawn?: (terminal: RunningTerminal) => void
  /** The command waits for somebody to type, or goes on. */
  onWaiting?: (waiting: boolean) => void
  /** A command that waits for input this long, and gets none, is ended; absent: never. */
  input_wait_ms?: number
  /**
   * Takes over the terminal that background processes still hold when the command has ended, and closes it in the end.
   * Its output goes on to `onData`. Absent: it is closed.
   */
  onLinger?: (terminal: Pty) => void
  /** For tests: how the terminal is made. */
  way?: PtyWay
}

export interface TerminalOutcome {
  /** Null when a signal ended the shell, or when it never ran. */
  exit_code: number | null
  signal: NodeJS.Signals | null
  /** `input`: it waited for input that nobody gave, and was ended. */
  ended_by: 'exit' | 'timeout' | 'abort' | 'input'
  /** The shell has ended, but background processes in its group still run. */
  pipes_held: boolean
  /** From the start to the shell's end. */
  duration_ms: number
  /** What a search for its background processes needs; null when it never ran. */
  trace: ProcessTrace | null
}

export interface ProcessTrace {
  /** Process group and session of the command. */
  group: number
  /** Value of MARKER_VARIABLE in the environment of all it started. */
  marker: string
}

export interface RunningTerminal {
  readonly pid: number
  /** What the user typed. False when too much waits already: nothing was taken. */
  write: (data: string) => boolean
  resize: (cols: number, rows: number) => void
  /** To the whole process group. */
  signal: (name: NodeJS.Signals) => void
}

/** Silent for this long: it is looked at whether it waits for input. */
const SILENT_MS = 1500
/** As runShell: background output is listened to until it is silent for so long, and so many times at most. */
const QUIET_MS = 250
const QUIET_ROUNDS = 8

/**
 * Runs one command in a terminal of its own. Resolves when the shell has ended and its output was delivered whole; after
 * a timeout or an abort, when every process it started is gone. Rejects with UserError when nothing could be started,
 * and with the error of `onData` when that fails.
 */
export async function runInTerminal(options: TerminalCommand): Promise<TerminalOutcome> {
  if (options.signal.aborted) return notRun()
  const marker = randomUUID()
  const run = new CommandRun(options, marker)
  await run.start()
  return run.outcome
}

function notRun(): TerminalOutcome {
  return { exit_code: null, signal: null, ended_by: 'abort', pipes_held: false, duration_ms: 0, trace: null }
}

class CommandRun {
  readonly outcome: Promise<TerminalOutcome>
  readonly #options: TerminalCommand
  readonly #marker: string
  #resolve: (outcome: TerminalOutcome) => void = () => {}
  #reject: (error: unknown) => void = () => {}
  #pty: Pty | null = null
  #startedAt = 0
  #endedBy: TerminalOutcome['ended_by'] = 'exit'
  #failure: { error: unknown } | null = null
  #exit: PtyExit & { at: number } = { exit_code: null, signal: null, at: 0 }
  #hasExited = false
  #stopping = false
  #finished = false
  #held = 0
  #received = 0
  #lastSign = 0
  #waitingSince: number | null = null
  #limit: NodeJS.Timeout | undefined
  #silence: NodeJS.Timeout | undefined

  constructor(options: TerminalCommand, marker: string) {
    this.#options = options
    this.#marker = marker
    this.outcome = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  async start(): Promise<void> {
    const { cwd, cols, rows, env, way, onSpawn } = this.#options
    const [file, ...args] = await this.#program()
    this.#startedAt = performance.now()
    const settings = { file, args, cwd, cols, rows, env: { ...env, [MARKER_VARIABLE]: this.#marker } }
    let pty: Pty
    try {
      pty = await startPty({ ...settings, ignore_hangup: true }, (bytes) => this.#receive(bytes), way)
    } catch (error) {
      throw await this.#startError(error)
    }
    this.#pty = pty
    holdGroup(pty.pid)
    this.#limit = setTimeout(() => this.#stop('timeout'), this.#options.timeout_ms)
    this.#options.signal.addEventListener('abort', this.#onAbort, { once: true })
    this.#lastSign = performance.now()
    this.#watchSilence(SILENT_MS)
    onSpawn?.({
      pid: pty.pid,
      write: (data) => {
        this.#sign()
        return pty.write(data)
      },
      resize: (c, r) => pty.resize(c, r),
      signal: (name) => void signalProcess(-pty.pid, name),
    })
    void this.#follow(pty)
    // The signal may have fired while the program was started.
    if (this.#options.signal.aborted) this.#onAbort()
  }

  async #program(): Promise<readonly [string, ...string[]]> {
    const { argv, command, env } = this.#options
    if (command.includes('\0')) {
      const said = 'The command contains a NUL character, which no shell accepts.'
      throw new UserError('invalid_request', said, 'Put it into a script file with the write tool and run that file.')
    }
    return argv ?? [(await findProgram('bash', env)) ?? 'sh', '-c', command]
  }

  async #startError(error: unknown): Promise<unknown> {
    const { cwd, command } = this.#options
    if (isNodeError(error) && error.code === 'ENOENT') {
      const there = await stat(cwd).catch(() => null)
      if (!there) return new UserError('not_found', `The folder ${cwd} is not there.`, 'Make it, or name another one.')
      return new UserError('resource_missing', 'Neither bash nor sh was found on PATH.', 'Install bash.', {
        cause: error,
      })
    }
    return startProblem(error, command)
  }

  readonly #onAbort = () => this.#stop('abort')

  async #follow(pty: Pty): Promise<void> {
    const exit = await pty.exited
    this.#exit = { ...exit, at: performance.now() }
    this.#hasExited = true
    this.#setWaiting(false)
    clearTimeout(this.#silence)
    if (this.#stopping) return
    await pty.drain()
    if (this.#held > 0) await this.#released()
    if (!this.#stopping) this.#listenOn(pty, this.#received, QUIET_ROUNDS)
  }

  #release: (() => void) | null = null
  #released(): Promise<void> {
    return new Promise((resolve) => {
      this.#release = resolve
    })
  }

  /** What background processes say at once ("listening on port 8000") still belongs to the command. */
  #listenOn(pty: Pty, seen: number, rounds: number): void {
    if (!signalProcess(-pty.pid, 0)) {
      this.#finish(false)
      return
    }
    this.#silence = setTimeout(() => {
      setImmediate(() => {
        if (this.#finished || this.#stopping) return
        if (this.#held > 0) this.#listenOn(pty, this.#received, rounds)
        else if (this.#received !== seen && rounds > 1) this.#listenOn(pty, this.#received, rounds - 1)
        else this.#finish(signalProcess(-pty.pid, 0))
      })
    }, QUIET_MS)
  }

  #stop(reason: 'timeout' | 'abort' | 'input'): void {
    const pty = this.#pty
    if (!pty || this.#finished || this.#stopping) return
    this.#stopping = true
    this.#endedBy = reason
    clearTimeout(this.#silence)
    const ended = async () => {
      await terminate(pty.pid, this.#marker, () => this.#hasExited)
      // Nobody may be reading any more: what can be had at once is taken, the rest is not waited for.
      if (this.#hasExited && this.#held === 0) await pty.drain()
    }
    ended()
      .catch((error: unknown) => {
        this.#failure ??= { error }
      })
      .finally(() => this.#finish(false))
  }

  #finish(held: boolean): void {
    const pty = this.#pty
    if (this.#finished || !pty) return
    this.#finished = true
    clearTimeout(this.#limit)
    clearTimeout(this.#silence)
    this.#options.signal.removeEventListener('abort', this.#onAbort)
    this.#setWaiting(false)
    releaseGroup(pty.pid)
    if (held && this.#options.onLinger && !this.#failure) this.#options.onLinger(pty)
    else pty.close()
    if (this.#failure) {
      this.#reject(this.#failure.error)
      return
    }
    const { at, ...exit } = this.#exit
    this.#resolve({
      ...exit,
      ended_by: this.#endedBy,
      pipes_held: held,
      duration_ms: Math.round((this.#hasExited ? at : performance.now()) - this.#startedAt),
      trace: { group: pty.pid, marker: this.#marker },
    })
  }

  #receive(bytes: Buffer): void {
    this.#received += bytes.length
    this.#sign()
    let wait: Promise<void> | undefined
    try {
      wait = this.#options.onData(bytes)
    } catch (error) {
      this.#fail(error)
    }
    if (!wait) return
    this.#held += 1
    this.#pty?.pause()
    wait
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#held -= 1
        if (this.#held > 0) return
        this.#pty?.resume()
        this.#release?.()
      })
  }

  #fail(error: unknown): void {
    this.#failure ??= { error }
    this.#stop('abort')
  }

  /** Output or input: the command is not waiting, or not in vain. */
  #sign(): void {
    this.#lastSign = performance.now()
    this.#setWaiting(false)
  }

  #watchSilence(ms: number): void {
    this.#silence = setTimeout(() => void this.#look(), ms)
    // A command that runs keeps the program alive by its process, not by this.
    this.#silence.unref()
  }

  async #look(): Promise<void> {
    const tty = this.#pty?.tty
    if (!tty) return
    const since = this.#lastSign
    const silent = performance.now() - since
    if (silent < SILENT_MS) {
      this.#watchSilence(SILENT_MS - silent)
      return
    }
    const waiting = this.#held === 0 && (await waitsForInput(tty))
    if (this.#hasExited || this.#finished || this.#stopping) return
    if (since === this.#lastSign) this.#setWaiting(waiting)
    const limit = this.#options.input_wait_ms
    const waited = this.#waitingSince === null ? 0 : performance.now() - this.#waitingSince
    if (limit !== undefined && this.#waitingSince !== null && waited >= limit) this.#stop('input')
    else this.#watchSilence(limit === undefined ? SILENT_MS : Math.min(SILENT_MS, Math.max(50, limit - waited)))
  }

  #setWaiting(waiting: boolean): void {
    if (waiting === (this.#waitingSince !== null)) return
    this.#waitingSince = waiting ? performance.now() : null
    this.#options.onWaiting?.(waiting)
  }
}
