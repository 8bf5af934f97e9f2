import { serializeEvent } from '@shared/events'
import type { Sink } from './sink'
import type { Writer } from './writer'

/** `--output-format stream-json`: every event, one a line, and nothing else. */
export function streamJsonSink(out: Writer): Sink {
  return {
    start: () => undefined,
    event: (event) => out.write(`${serializeEvent(event)}\n`),
    pause: () => undefined,
    resume: () => undefined,
    finish: () => undefined,
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
