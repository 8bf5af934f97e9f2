import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { streamJsonSink } from '../../../src/main/hosts/headless/machine-sinks'
import { Writer } from '../../../src/main/hosts/headless/writer'
import { initialState } from '../../../src/shared/state'
import { SAMPLE_SESSION, sampleLog } from '../../support/sample-log'

const state = initialState(SAMPLE_SESSION)
const events = sampleLog()
const types = (stream: PassThrough) => {
  const text: string = stream.read()?.toString() ?? ''
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line).type)
}

describe('stream-json', () => {
  it('prints nothing that is not on disk yet, and keeps the order of chunks behind it', async () => {
    const stream = new PassThrough()
    const out = new Writer(stream)
    let store = () => {}
    const stored = new Promise<void>((resolve) => {
      store = resolve
    })
    const sink = streamJsonSink(out, () => stored)
    const some = events.slice(0, 6)
    for (const event of some) sink.event(event, state)
    await out.flush()
    expect(types(stream)).toEqual([])
    store()
    await sink.settled()
    await out.flush()
    expect(types(stream)).toEqual(some.map((event) => event.type))
  })

  it('prints a chunk at once when nothing waits before it', async () => {
    const stream = new PassThrough()
    const out = new Writer(stream)
    const sink = streamJsonSink(out, () => new Promise(() => undefined))
    const chunk = events.find((event) => event.type === 'assistant_chunk')
    if (!chunk) throw new Error('the sample has one')
    sink.event(chunk, state)
    await out.flush()
    expect(types(stream)).toEqual(['assistant_chunk'])
  })

  it('prints the error, and not what was lost, when the log can no longer be written', async () => {
    const stream = new PassThrough()
    const out = new Writer(stream)
    const sink = streamJsonSink(out, () => Promise.reject(new Error('disk full')))
    // From a durable event on: a chunk before it would be printed at once.
    for (const event of events) sink.event(event, state)
    await sink.settled()
    await out.flush()
    expect(types(stream)).toEqual(['error'])
  })
})
