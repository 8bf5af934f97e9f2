import { type AnyEvent, serializeEvent, TRANSIENT_EVENTS } from '@shared/events'
import type { Sink } from './sink'
import type { Writer } from './writer'

/**
 * `--output-format stream-json`: every event, one a line, and nothing else. An event is printed when it is on disk, so
 * that no reader ever knows more than the log: a chunk at once when nothing before it waits.
 */
export function streamJsonSink(out: Writer, durable: () => Promise<void>): Sink & { settled: () => Promise<void> } {
  const waiting: AnyEvent[] = []
  let draining: Promise<void> | null = null

  const drain = async (): Promise<void> => {
    while (waiting.length > 0) {
      const count = waiting.length
      let stored = true
      try {
        await durable()
      } catch {
        // The log can no longer be written. Its error is the last event of the run; what was not stored is not printed.
        stored = false
      }
      for (const event of waiting.splice(0, count)) if (stored || event.type === 'error') print(event)
    }
    draining = null
  }
  const print = (event: AnyEvent): void => out.write(`${serializeEvent(event)}\n`)

  return {
    start: () => undefined,
    event: (event) => {
      if (waiting.length === 0 && TRANSIENT_EVENTS.has(event.type)) return print(event)
      waiting.push(event)
      draining ??= drain()
    },
    pause: () => undefined,
    resume: () => undefined,
    finish: () => undefined,
    settled: async () => {
      while (draining) await draining
    },
  }
}

/** `--output-format json`: one object at the end. */
export function jsonSink(out: Writer): Sink {
  return {
    start: () => undefined,
    event: () => undefined,
    pause: () => undefined,
    resume: () => undefined,
    finish: (result) => out.write(`${JSON.stringify(result)}\n`),
  }
}
