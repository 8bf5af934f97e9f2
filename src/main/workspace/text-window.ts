import { createHash } from 'node:crypto'
import type { Stats } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { TextDecoder } from 'node:util'
import { type FileVersion, fileProblem, MAX_WHOLE_BYTES, openFile, readChunks } from './files'
import { isHighSurrogate } from './output'
import { BOM, refuseBinary, undecodable } from './text'

/** A line longer than this (characters) is cut; `...` marks the cut. */
const MAX_LINE_CHARS = 4000

export interface TextWindow {
  /** Without line endings. */
  lines: string[]
  /** Number of the first line shown, from 1. */
  first: number
  /** Lines in the file; null when it is too large to be read to its end. */
  total: number | null
  /** Something follows the last line shown. */
  more: boolean
  /** `max_chars` was reached before `limit`. */
  full: boolean
  size: number
  /** Null when the file is too large to be read whole. */
  version: FileVersion | null
}

interface WindowOptions {
  /** From 1. */
  first: number
  limit: number
  /** Of all shown lines together; one line is always shown. */
  max_chars: number
  signal: AbortSignal
  /** The file, at its beginning; it stays open. Absent: `path`, a real one, is opened. */
  opened?: { handle: FileHandle; stats: Stats }
}

/**
 * Some lines of a text file. It is streamed, so memory does not grow with it; up to MAX_WHOLE_BYTES it is read to the end,
 * for its number of lines and its hash. Throws UserError when it is missing, a folder, or no UTF-8 text.
 */
export async function readTextWindow(path: string, options: WindowOptions): Promise<TextWindow> {
  const { handle, stats } = options.opened ?? (await openFile(path))
  try {
    const whole = stats.size <= MAX_WHOLE_BYTES
    const hash = createHash('sha256')
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
    const collector = new LineCollector(options)
    let size = 0
    let cut = false
    for await (const bytes of readChunks(handle, options.signal)) {
      refuseBinary(bytes, path, size === 0)
      if (whole) hash.update(bytes)
      const text = decode(decoder, bytes, path)
      collector.add(size === 0 && text.startsWith(BOM) ? text.slice(1) : text)
      size += bytes.length
      if (!whole && collector.done) {
        cut = true
        break
      }
    }
    if (!cut) {
      collector.add(decode(decoder, null, path))
      collector.end()
    }
    const version = whole ? { mtime_ms: stats.mtimeMs, size, hash: hash.digest('hex') } : null
    const { lines, total, more, full } = collector
    return { lines, first: options.first, total: cut ? null : total, more, full, size: stats.size, version }
  } catch (error) {
    throw await fileProblem(error, path)
  } finally {
    if (!options.opened) await handle.close()
  }
}

function decode(decoder: TextDecoder, bytes: Buffer | null, path: string): string {
  try {
    return bytes ? decoder.decode(bytes, { stream: true }) : decoder.decode()
  } catch (error) {
    throw undecodable(path, error)
  }
}

class LineCollector {
  readonly lines: string[] = []
  total = 0
  full = false
  readonly #first: number
  readonly #last: number
  readonly #maxChars: number
  #chars = 0
  /** The beginning of the line that is being read, one character more than is shown of it. */
  #line = ''
  #open = false

  constructor({ first, limit, max_chars }: WindowOptions) {
    this.#first = first
    this.#last = first + limit - 1
    this.#maxChars = max_chars
  }

  /** Lines were seen behind the last one shown. */
  get more(): boolean {
    return this.total >= this.#first + this.lines.length
  }

  /** Nothing that comes can be shown, and something does come. */
  get done(): boolean {
    return this.more && (this.full || this.lines.length > this.#last - this.#first)
  }

  add(text: string): void {
    let at = 0
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', at)) {
      this.#grow(text, at, end)
      this.#close()
      at = end + 1
    }
    if (at < text.length) this.#grow(text, at, text.length)
  }

  end(): void {
    if (this.#open) this.#close()
  }

  #wanted(): boolean {
    const number = this.total + 1
    return number >= this.#first && number <= this.#last && !this.full
  }

  #grow(text: string, from: number, to: number): void {
    this.#open = true
    // A `\r` before the cut is not known to be a line ending yet, hence the two extra characters.
    const room = MAX_LINE_CHARS + 2 - this.#line.length
    if (room > 0 && this.#wanted()) this.#line += text.slice(from, Math.min(to, from + room))
  }

  #close(): void {
    if (this.#wanted()) {
      const line = cutLine(this.#line.endsWith('\r') ? this.#line.slice(0, -1) : this.#line)
      if (this.lines.length > 0 && this.#chars + line.length > this.#maxChars) this.full = true
      else {
        this.#chars += line.length
        this.lines.push(line)
      }
    }
    this.total += 1
    this.#line = ''
    this.#open = false
  }
}

function cutLine(line: string): string {
  if (line.length <= MAX_LINE_CHARS) return line
  const end = isHighSurrogate(line[MAX_LINE_CHARS - 1]) ? MAX_LINE_CHARS - 1 : MAX_LINE_CHARS
  return `${line.slice(0, end)}...`
}
