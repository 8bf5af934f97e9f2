import { writeSync } from 'node:fs'
import { isNodeError } from '../../errors'
import { type Backend, type PtyExit, type PtyOptions, startByLibrary, startByNode } from './backend'
import { EndMark } from './nonce'
import { startOnWindows } from './windows'

export type { PtyExit, PtyOptions } from './backend'

export interface Pty {
  readonly pid: number
  /** `/dev/pts/3`; null on Windows. */
  readonly tty: string | null
  /** The program has ended; output may still be on its way. */
  readonly exited: Promise<PtyExit>
  /** False when the program does not read and too much waits for it already: nothing was taken. */
  write: (data: string) => boolean
  resize: (cols: number, rows: number) => void
  pause: () => void
  resume: () => void
  /**
   * After the program has ended: settles when all that it wrote was handed to `onData`, or when the terminal is closed.
   * While paused it waits. What background processes write later is not waited for.
   */
  drain: () => Promise<void>
  /** Gives both ends back; output that was not read is lost. */
  close: () => void
}

/** How a terminal is made: `library` is the way of macOS, for the tests of it. */
export type PtyWay = 'node' | 'library' | 'windows'

/** Input that may wait for a program that does not read, in UTF-16 code units. */
const MAX_WAITING_INPUT = 1_000_000
/** The end mark cannot be written while the terminal's buffer is full: tried again after this or after a read. */
const RETRY_MS = 10
/** Nothing came for this long and the mark did not either: it was lost, or the terminal is stopped. */
const QUIET_MS = 250
/** A background process never stops writing: the mark is waited for this long altogether. */
const LONGEST_DRAIN_MS = 3000
/** Ctrl+Q: goes on after Ctrl+S. */
const XON = '\u0011'

/** Starts a program in a terminal of its own, as the leader of a new session. Rejects with the system's error. */
export async function startPty(
  options: PtyOptions,
  onData: (bytes: Buffer) => void,
  way: PtyWay = defaultWay(),
): Promise<Pty> {
  if (way === 'windows') return startOnWindows(options, onData)
  const backend = way === 'node' ? await startByNode(options) : await startByLibrary(options)
  return new LosslessPty(backend, onData)
}

function defaultWay(): PtyWay {
  if (process.platform === 'win32') return 'windows'
  return process.platform === 'linux' ? 'node' : 'library'
}

/**
 * A terminal loses the end of what a program prints when its last user ends before it was read. So the program's end is
 * held open here, and a mark written into it after the program's end says when everything has come out.
 */
class LosslessPty implements Pty {
  readonly pid: number
  readonly tty: string
  readonly exited: Promise<PtyExit>
  readonly #backend: Backend
  readonly #onData: (bytes: Buffer) => void
  #mark: EndMark | null = null
  #written = 0
  #draining: Promise<void> | null = null
  #settle: (() => void) | null = null
  #paused = false
  #closed = false
  /** Set anew by every piece of output. */
  #lastData = 0

  constructor(backend: Backend, onData: (bytes: Buffer) => void) {
    this.#backend = backend
    this.#onData = onData
    this.pid = backend.pid
    this.tty = backend.tty
    this.exited = backend.exited
    backend.stream.on('data', (bytes: Buffer) => this.#receive(bytes))
    backend.stream.on('close', () => this.#finish())
  }

  write(data: string): boolean {
    if (this.#closed) return false
    if (this.#backend.stream.writableLength + data.length > MAX_WAITING_INPUT) return false
    this.#backend.stream.write(data)
    return true
  }

  resize(cols: number, rows: number): void {
    if (!this.#closed) this.#backend.resize(cols, rows)
  }

  pause(): void {
    this.#paused = true
    this.#backend.stream.pause()
  }

  resume(): void {
    this.#paused = false
    this.#lastData = performance.now()
    this.#backend.stream.resume()
  }

  drain(): Promise<void> {
    this.#draining ??= this.#closed ? Promise.resolve() : this.#drain()
    return this.#draining
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#backend.close()
    this.#finish()
  }

  #receive(bytes: Buffer): void {
    if (this.#closed) return
    this.#lastData = performance.now()
    const mark = this.#mark
    const data = mark ? mark.push(bytes) : bytes
    if (data.length > 0) this.#onData(data)
    if (mark?.found) this.#finish()
    else if (mark) this.#writeMark(mark)
  }

  #drain(): Promise<void> {
    const mark = new EndMark()
    this.#mark = mark
    return new Promise((resolve) => {
      let unpaused = 0
      let asked = false
      this.#lastData = performance.now()
      const timer = setInterval(() => {
        // What waits in a paused terminal is not lost, only not wanted yet.
        if (this.#paused) return
        unpaused += RETRY_MS
        const quiet = performance.now() - this.#lastData
        if (this.#written === 0 && quiet > QUIET_MS / 2 && !asked) {
          asked = true
          this.#backend.stream.write(XON)
        }
        this.#writeMark(mark)
        // Timers run before the terminal is read: on a busy loop, what lies in it must be read before we judge.
        if (quiet > QUIET_MS || unpaused > LONGEST_DRAIN_MS) setImmediate(() => this.#giveUp(mark))
      }, RETRY_MS)
      this.#settle = () => {
        clearInterval(timer)
        resolve()
      }
      this.#writeMark(mark)
    })
  }

  #giveUp(mark: EndMark): void {
    if (mark.found || this.#mark !== mark) return
    const rest = mark.end()
    this.#mark = null
    // A part of the mark went out: an interrupted mark is not output.
    if (rest.length > 0 && this.#written === 0) this.#onData(rest)
    this.#finish()
  }

  /** The descriptor does not block, so the call returns at once whatever the state of the terminal is. */
  #writeMark(mark: EndMark): void {
    if (this.#closed || this.#written >= mark.bytes.length) return
    try {
      this.#written += writeSync(this.#backend.held, mark.bytes, this.#written)
    } catch (error) {
      // EAGAIN: no room yet. EIO: the terminal was hung up, and reading ends by itself.
      if (!isNodeError(error) || (error.code !== 'EAGAIN' && error.code !== 'EIO')) throw error
    }
  }

  #finish(): void {
    this.#mark = null
    const settle = this.#settle
    this.#settle = null
    settle?.()
  }
}
