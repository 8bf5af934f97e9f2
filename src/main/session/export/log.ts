import { parseEvent } from '@shared/events'
import { redactEvent } from '../../redact'
import { readLines } from '../log'

/** A line of a log that is an event, as it is stored: of newer versions too, with fields that this one does not know. */
export interface StoredEvent {
  line: string
  value: Record<string, unknown>
  seq: number
  type: string
}

/**
 * The events of a log in the order of their numbers. What is no event, or comes again, is left out, as it is when the
 * log is folded. Rejects with the system's error.
 */
export async function* storedEvents(file: string): AsyncGenerator<StoredEvent, void, undefined> {
  let last = 0
  for await (const lines of readLines(file)) {
    for (const line of lines) {
      const stored = parseStored(line)
      if (!stored || stored.seq <= last) continue
      last = stored.seq
      yield stored
    }
  }
}

function parseStored(line: string): StoredEvent | null {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    // Damaged on the disk: it is no event of any version.
    return null
  }
  const event = parseEvent(value)
  if (!event || typeof value !== 'object' || value === null) return null
  return { line, value: value as Record<string, unknown>, seq: event.seq, type: event.type }
}

/** The log itself. A line in which nothing had to be redacted is given byte for byte. */
export async function* jsonl(file: string, secrets: readonly string[]): AsyncGenerator<string, void, undefined> {
  for await (const { line, value, type } of storedEvents(file)) {
    const { data } = value
    const clean = typeof data === 'object' && data !== null ? redactEvent(type, data, secrets) : data
    yield clean === data ? `${line}\n` : `${JSON.stringify({ ...value, data: clean })}\n`
  }
}
