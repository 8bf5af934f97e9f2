import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type AnyEvent, parseEvent, type SessionEvent, serializeEvent } from '@shared/events'
import { isNodeError, messageOf, UserError } from '../errors'
import { isTransient, Partials } from './partials'

export interface LogOptions {
  /** Longest time a transient tail may be un-stored, in milliseconds. */
  partialIntervalMs?: number
  /** Called once, when the log cannot be written any more. */
  onFailure?: (error: UserError) => void
}

/** Design part 2: transient events are stored at least once a second. */
const PARTIAL_INTERVAL_MS = 1000
/** Read in one piece: at about 5 µs a line, a piece of short lines stays far below 10 ms of work. */
const READ_BYTES = 64 * 1024
/** Characters encoded and written in one batch; encoding more would be felt by the event loop. */
const BATCH_CHARS = 1024 * 1024
/** Milliseconds a reader works before it lets others run. */
const SLICE_MS = 5
const NEWLINE = 0x0a

interface Waiter {
  /** Number of lines that have to be on the disk. */
  target: number
  resolve: () => void
  reject: (error: UserError) => void
}

/**
 * The append-only file of one session: one JSON event a line, numbers strictly ascending, possibly with gaps.
 * The caller holds the writer lock. After any whole line that is a durable event, folding the file gives exactly the
 * state that was live when that event was appended.
 */
export class EventLog {
  /** Bytes of an unfinished last line that `open` cut off. */
  readonly torn_bytes: number

  readonly #file: string
  readonly #handle: FileHandle
  readonly #partialIntervalMs: number
  readonly #onFailure: (error: UserError) => void
  readonly #partials = new Partials()
  #lines: string[] = []
  #waiters: Waiter[] = []
  /** End of the last synced line, in bytes: where the next batch starts, and where a failed one is cut off. */
  #offset: number
  #lastSeq = 0
  #queued = 0
  #synced = 0
  /** Value of `#queued` after the newest durable event. */
  #durableTarget = 0
  #writing: Promise<void> | null = null
  #closing: Promise<void> | null = null
  #timer: NodeJS.Timeout | null = null
  #failure: UserError | null = null

  private constructor(file: string, handle: FileHandle, offset: number, torn: number, options: LogOptions) {
    this.#file = file
    this.#handle = handle
    this.#offset = offset
    this.torn_bytes = torn
    this.#partialIntervalMs = options.partialIntervalMs ?? PARTIAL_INTERVAL_MS
    this.#onFailure = options.onFailure ?? (() => {})
  }

  /** Opens or creates the file; its folder must exist. Rejects with UserError `log_write`. */
  static async open(file: string, options: LogOptions = {}): Promise<EventLog> {
    let handle: FileHandle | null = null
    try {
      // Not O_APPEND: a batch is written at its own offset, so that one that failed half-way is overwritten or cut off.
      handle = await open(file, constants.O_RDWR | constants.O_CREAT, 0o600)
      const { size } = await handle.stat()
      if (size === 0) await syncFolder(dirname(file))
      const end = await endOfLastLine(handle, size)
      if (end < size) await handle.truncate(end)
      return new EventLog(file, handle, end, size - end, options)
    } catch (error) {
      await handle?.close()
      throw writeFailure(error, file)
    }
  }

  get failure(): UserError | null {
    return this.#failure
  }

  /**
   * Queues one event. Numbers must ascend. Ignored after a failure. After `close` a late chunk is ignored, and a
   * durable event is a defect of the caller: it throws.
   */
  append(event: SessionEvent): void {
    if (this.#failure) return
    if (this.#closing) {
      if (isTransient(event)) return
      throw new Error(`Event ${event.type} ${event.seq} came after its log was closed`)
    }
    if (event.seq <= this.#lastSeq) {
      throw new Error(`Event ${event.type} ${event.seq} came after number ${this.#lastSeq}`)
    }
    this.#lastSeq = event.seq
    if (isTransient(event)) {
      this.#partials.add(event)
      this.#timer ??= setTimeout(() => this.#flushPartials(), this.#partialIntervalMs).unref()
      return
    }
    this.#partials.supersede(event)
    this.#queuePartials()
    this.#queue(event)
    this.#durableTarget = this.#queued
    this.#kick()
  }

  /** Resolves when every durable event appended so far is on the disk. Rejects with UserError `log_write`. */
  durable(): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure)
    const target = this.#durableTarget
    if (this.#synced >= target) return Promise.resolve()
    return new Promise((resolve, reject) => {
      this.#waiters.push({ target, resolve, reject })
    })
  }

  /** Stores what is pending and closes the file. Never rejects because of a failed write: see `failure`. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    if (!this.#failure) this.#flushPartials()
    while (this.#writing) await this.#writing
    await this.#handle.close()
  }

  #flushPartials(): void {
    this.#queuePartials()
    this.#kick()
  }

  #queuePartials(): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
    if (this.#partials.empty) return
    for (const event of this.#partials.take()) this.#queue(event)
  }

  #queue(event: SessionEvent): void {
    this.#lines.push(`${serializeEvent(event)}\n`)
    this.#queued++
  }

  #kick(): void {
    if (this.#writing || this.#lines.length === 0) return
    this.#writing = this.#write()
  }

  /** Group commit: one write and one fdatasync for everything that came while the batch before was under way. */
  async #write(): Promise<void> {
    // The events of one synchronous step belong into one batch.
    await Promise.resolve()
    while (this.#lines.length > 0) {
      const lines = this.#nextBatch()
      try {
        const bytes = Buffer.from(lines.join(''), 'utf8')
        await writeFully(this.#handle, bytes, this.#offset)
        await this.#handle.datasync()
        this.#offset += bytes.length
      } catch (error) {
        await this.#fail(error)
        break
      }
      this.#synced += lines.length
      const done = this.#waiters.findIndex((waiter) => waiter.target > this.#synced)
      for (const waiter of this.#waiters.splice(0, done < 0 ? this.#waiters.length : done)) waiter.resolve()
    }
    // In the very step that found the queue empty: whoever appends after this starts the next writer.
    this.#writing = null
  }

  #nextBatch(): string[] {
    let chars = 0
    const end = this.#lines.findIndex((line) => {
      chars += line.length
      return chars > BATCH_CHARS
    })
    // A line that is longer than a batch goes alone.
    return this.#lines.splice(0, end < 0 ? this.#lines.length : Math.max(end, 1))
  }

  async #fail(error: unknown): Promise<void> {
    let cause = error
    try {
      // Without this a half-written line would be the last thing in the file.
      await this.#handle.truncate(this.#offset)
    } catch (truncateError) {
      cause = new AggregateError([error, truncateError], 'The log could neither be written nor cut back')
    }
    const failure = writeFailure(error, this.#file, cause)
    this.#failure = failure
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
    this.#partials.clear()
    this.#lines = []
    for (const waiter of this.#waiters.splice(0)) waiter.reject(failure)
    this.#onFailure(failure)
  }
}

async function writeFully(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  let done = 0
  while (done < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done)
    done += bytesWritten
  }
}

/** A new file survives a power cut only when its folder entry is on the disk too. */
export async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open a folder as a file, and journals its entries itself.
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Offset just after the last newline; 0 when there is none. */
async function endOfLastLine(handle: FileHandle, size: number): Promise<number> {
  const piece = Buffer.alloc(Math.min(READ_BYTES, size))
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - piece.length)
    const { bytesRead } = await handle.read(piece, 0, end - start, start)
    const at = piece.subarray(0, bytesRead).lastIndexOf(NEWLINE)
    if (at >= 0) return start + at + 1
    end = start
  }
  return 0
}

/** Where a stored log ends. */
export interface LogEnd {
  /** Bytes and modification time together recognise an unchanged file. */
  size: number
  mtime_ms: number
  /** Number of the last whole line; null when there is none or it is no event. */
  last_seq: number | null
}

/** Looks at the end of a log without reading the rest. Rejects with the system's error. */
export async function readLogEnd(file: string): Promise<LogEnd> {
  const handle = await open(file, 'r')
  try {
    const { size, mtimeMs } = await handle.stat()
    const end = await endOfLastLine(handle, size)
    const start = await endOfLastLine(handle, Math.max(0, end - 1))
    const line = Buffer.alloc(Math.max(0, end - start))
    await handle.read(line, 0, line.length, start)
    return { size, mtime_ms: mtimeMs, last_seq: parseLine(line.toString('utf8'))?.seq ?? null }
  } finally {
    await handle.close()
  }
}

function writeFailure(error: unknown, file: string, cause: unknown = error): UserError {
  const code = isNodeError(error) ? error.code : undefined
  const at = `the session log ${file}`
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    const what = code === 'ENOSPC' ? 'The disk is full' : 'The disk quota is used up'
    const remedy = 'Free some space on that disk, then resume the session. Everything up to this point is kept.'
    return new UserError('log_write', `${what}: ${at} cannot grow.`, remedy, { cause })
  }
  if (code === 'EFBIG') {
    const remedy = 'Raise the limit for the size of files (ulimit -f), or go on in a new session.'
    return new UserError('log_write', `The file is larger than this system allows: ${at} cannot grow.`, remedy, {
      cause,
    })
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    const remedy = 'Make the file and its folder writable, or choose another data folder with ML_INTERN_HOME.'
    return new UserError('log_write', `Not allowed to write ${at}.`, remedy, { cause })
  }
  const remedy = 'Check the disk and the data folder, then resume the session.'
  return new UserError('log_write', `Could not write ${at}: ${messageOf(error)}`, remedy, { cause })
}

/**
 * The whole lines of a file, without their newlines, in pieces of about 64 KiB. What follows the last newline is an
 * unfinished line and is left out. Reads as far as the file went when reading began. Rejects with the system's error.
 */
export async function* readLines(file: string): AsyncGenerator<string[], void, undefined> {
  const handle = await open(file, 'r')
  try {
    const { size } = await handle.stat()
    let rest: Buffer[] = []
    for (let offset = 0; offset < size; ) {
      const piece = Buffer.allocUnsafe(Math.min(READ_BYTES, size - offset))
      const { bytesRead } = await handle.read(piece, 0, piece.length, offset)
      if (bytesRead === 0) break
      offset += bytesRead
      const end = piece.subarray(0, bytesRead).lastIndexOf(NEWLINE)
      if (end < 0) {
        rest.push(piece.subarray(0, bytesRead))
        continue
      }
      const text = Buffer.concat([...rest, piece.subarray(0, end)]).toString('utf8')
      rest = end + 1 < bytesRead ? [piece.subarray(end + 1, bytesRead)] : []
      yield text.split('\n')
    }
  } finally {
    await handle.close()
  }
}

/** A stored log as events, in ascending order; it can be iterated once. */
export class LogReader implements AsyncIterable<AnyEvent> {
  readonly #file: string
  #skipped = 0

  constructor(file: string) {
    this.#file = file
  }

  /** Lines so far that are no event, or whose number is not higher than the one before. */
  get skipped(): number {
    return this.#skipped
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<AnyEvent, void, undefined> {
    let lastSeq = 0
    let sliceStart = performance.now()
    for await (const lines of readLines(this.#file)) {
      for (const line of lines) {
        const event = parseLine(line)
        if (event && event.seq > lastSeq) {
          lastSeq = event.seq
          yield event
        } else {
          this.#skipped++
        }
        // The consumer's work counts too: it is done between two steps of this loop.
        if (performance.now() - sliceStart > SLICE_MS) {
          await nextTurn()
          sliceStart = performance.now()
        }
      }
    }
  }
}

/** Streams a stored log. A torn last line is left out; unreadable lines in the middle are skipped and counted. */
export function readLog(file: string): LogReader {
  return new LogReader(file)
}

function parseLine(line: string): AnyEvent | null {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    // Damaged on the disk: the caller counts it.
    return null
  }
  return parseEvent(value)
}
