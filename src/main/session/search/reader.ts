import { closeSync, fstatSync, openSync, readSync, type Stats } from 'node:fs'
import { type AnyEvent, parseEvent } from '@shared/events'
import { isNodeError } from '../../errors'
import { INDEXED_EVENTS, newRecord } from './extract'
import type { SessionRecord } from './types'

// Runs in the search worker, where synchronous reading holds up nobody and keeps out of the thread pool of the log writers.

const READ_BYTES = 256 * 1024
/** A line above this is no event that anybody could have read. */
const MAX_LINE_BYTES = 16 * 1024 * 1024
const TAIL_BYTES = 64
const NEWLINE = 0x0a
/** Our own lines, as far as is needed to see what they are. */
const LINE_HEAD = /^\{"seq":(\d{1,15}),"time":"([^"\\]*)","session":"[^"\\]*","type":"([a-z_]+)"/

export interface Piece {
  events: AnyEvent[]
  /** Number and time of the last line, which may be one that is not searched. */
  last: { seq: number; time: string } | null
}

/**
 * The events of a log after what the record has already seen, in pieces; the record says how far it is, and at the end which file it knows. A
 * file that is not the one read before is read from its beginning: then `reset` gives a new record. Null: no such file.
 */
export function openFrom(
  file: string,
  record: SessionRecord,
): { record: SessionRecord; reset: boolean; pieces: Generator<Piece, void, undefined> } | null {
  let fd: number
  try {
    fd = openSync(file, 'r')
  } catch (error) {
    if (isNodeError(error)) return null
    throw error
  }
  try {
    const info = fstatSync(fd)
    const same = info.size >= record.offset && tailAt(fd, record.offset) === record.tail
    const from = same && !record.left_out ? record : newRecord(record.session)
    from.mtime_ms = info.mtimeMs
    return { record: from, reset: from !== record, pieces: pieces(fd, info, from) }
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

function tailAt(fd: number, offset: number): string {
  const bytes = Buffer.alloc(Math.min(TAIL_BYTES, offset))
  const read = readSync(fd, bytes, 0, bytes.length, offset - bytes.length)
  return bytes.toString('base64', 0, read)
}

function* pieces(fd: number, info: Stats, record: SessionRecord): Generator<Piece, void, undefined> {
  const { size } = info
  try {
    let buffer = Buffer.alloc(READ_BYTES)
    while (record.offset < size) {
      const read = readSync(fd, buffer, 0, Math.min(buffer.length, size - record.offset), record.offset)
      const end = buffer.subarray(0, read).lastIndexOf(NEWLINE)
      if (end >= 0) {
        const piece = parsePiece(buffer.toString('utf8', 0, end))
        record.offset += end + 1
        record.tail = tailAt(fd, record.offset)
        yield piece
      } else if (read < buffer.length || read === 0) {
        // An unfinished last line: it is read when it is whole.
        break
      } else if (buffer.length < MAX_LINE_BYTES) {
        buffer = Buffer.alloc(buffer.length * 2)
      } else {
        const next = endOfLine(fd, record.offset, size)
        if (next === null) break
        record.offset = next
      }
    }
    record.tail = tailAt(fd, record.offset)
    // Only now: a record that is stored half-way must not look as if it were whole.
    record.size = size
  } finally {
    closeSync(fd)
  }
}

/** Just after the next newline; null when there is none. */
function endOfLine(fd: number, from: number, size: number): number | null {
  const buffer = Buffer.alloc(READ_BYTES)
  for (let offset = from; offset < size; ) {
    const read = readSync(fd, buffer, 0, buffer.length, offset)
    if (read === 0) return null
    const at = buffer.subarray(0, read).indexOf(NEWLINE)
    if (at >= 0) return offset + at + 1
    offset += read
  }
  return null
}

function parsePiece(text: string): Piece {
  const events: AnyEvent[] = []
  let last: Piece['last'] = null
  for (const line of text.split('\n')) {
    const head = LINE_HEAD.exec(line)
    if (head && !INDEXED_EVENTS.has(head[3] ?? '')) {
      last = { seq: Number(head[1]), time: head[2] ?? '' }
      continue
    }
    const event = parseLine(line)
    if (!event) continue
    last = { seq: event.seq, time: event.time }
    events.push(event)
  }
  return { events, last }
}

function parseLine(line: string): AnyEvent | null {
  try {
    return parseEvent(JSON.parse(line))
  } catch {
    // Damaged on the disk: every reader of the log leaves it out.
    return null
  }
}
