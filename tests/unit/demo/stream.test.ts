import { describe, expect, it } from 'vitest'
import { DEMO_PROMPT } from '../../../src/main/demo/project'
import { createDemoClient } from '../../../src/main/demo/scripted-model'
import type { ModelDelta, ModelRequest } from '../../../src/main/models/types'

const request = (streaming = true): ModelRequest => ({
  system: '',
  messages: [{ role: 'user', content: [{ type: 'text', text: DEMO_PROMPT }] }],
  tools: [],
  effort: null,
  streaming,
})

async function all(deltas: AsyncIterable<ModelDelta>): Promise<ModelDelta[]> {
  const list: ModelDelta[] = []
  for await (const delta of deltas) list.push(delta)
  return list
}

describe('the stream of the demo model', () => {
  it('loses nothing between the chunks and the whole reply, and costs nothing', async () => {
    const client = createDemoClient({ pace: 0 })
    const deltas = await all(client.stream(request(), new AbortController().signal))
    const done = deltas.at(-1)
    if (done?.type !== 'done') throw new Error('no end')
    for (const type of ['text', 'reasoning'] as const) {
      const chunks = deltas.flatMap((delta) => (delta.type === type ? [delta.text] : []))
      const whole = done.blocks.flatMap((block) => (block.type === type ? [block.text] : []))
      expect(chunks.length).toBeGreaterThan(20)
      expect(chunks.join('')).toBe(whole.join(''))
    }
    expect(done).toMatchObject({ stop_reason: 'tool_use', model: 'scripted' })
    expect(Object.values(done.usage)).toEqual([0, 0, 0, 0])
    expect(client.id).toBe('demo/scripted')
    expect(client.info()).toMatchObject({ name: 'Scripted demo model', context_window: null })
  })

  it('gives the same reply in one delta of each kind without streaming', async () => {
    const deltas = await all(createDemoClient().stream(request(false), new AbortController().signal))
    expect(deltas.map(({ type }) => type)).toEqual(['reasoning', 'text', 'done'])
  })

  it('stops at once in the middle of a word pause and keeps what was said', async () => {
    // One pause of a minute: only an abort can end this test.
    const controller = new AbortController()
    const deltas: ModelDelta[] = []
    for await (const delta of createDemoClient({ pace: 60_000 }).stream(request(), controller.signal)) {
      deltas.push(delta)
      if (deltas.length === 1) queueMicrotask(() => setImmediate(() => controller.abort()))
    }
    const [first, last] = deltas
    if (first?.type !== 'reasoning' || last?.type !== 'failed') throw new Error('wrong deltas')
    expect(deltas).toHaveLength(2)
    expect(last.failure).toMatchObject({ kind: 'interrupted', retryable: false })
    expect(last.blocks).toEqual([{ type: 'reasoning', text: first.text }])
  })

  it('says nothing when it was stopped before it began', async () => {
    const deltas = await all(createDemoClient({ pace: 0 }).stream(request(), AbortSignal.abort()))
    expect(deltas).toMatchObject([{ type: 'failed', failure: { kind: 'interrupted' }, blocks: [], usage: null }])
  })

  it('never gives two calls of a session the same id', async () => {
    const client = createDemoClient({ pace: 0 })
    const ids = new Set<string>()
    for (let i = 0; i < 3; i++) {
      const done = (await all(client.stream(request(), new AbortController().signal))).at(-1)
      if (done?.type === 'done') for (const block of done.blocks) if (block.type === 'tool_use') ids.add(block.id)
    }
    expect(ids.size).toBe(3)
  })
})
