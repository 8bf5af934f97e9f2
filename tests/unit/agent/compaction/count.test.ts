import { describe, expect, it } from 'vitest'
import { runTurn } from '../../../../src/main/agent/loop'
import type { ModelClient } from '../../../../src/main/models/types'
import { harness, testTool } from '../../../support/turn'
import { type ClientOptions, sizeOf, strictClient, worker } from './drive'

const WINDOW = 20_000
/** Tool calls of one run; with what each returns the conversation fills most of the window. */
const STEPS = 12

/** A model that reports no usage. `real`: real tokens of one estimated token. `count`: whether it counts when asked. */
async function run(real: number, count: 'yes' | 'no' | 'fails', output: string, options: Partial<ClientOptions> = {}) {
  const { client, seen } = strictClient({
    window: WINDOW,
    limit: WINDOW / real,
    report: null,
    next: worker(STEPS),
    ...options,
  })
  let counts = 0
  const counting: ModelClient = {
    ...client,
    countTokens: (request) => {
      counts += 1
      return Promise.resolve(count === 'yes' ? Math.ceil(sizeOf(request) * real) : null)
    },
  }
  const tool = testTool({ run: () => Promise.resolve({ ok: true, output }) })
  const h = harness(count === 'no' ? client : counting, [tool], { max_iterations: -1, streaming: false })
  await runTurn(h.turn)
  const compactions = h.events.filter((event) => event.type === 'compacted').length
  return { seen, compactions, counts, last: h.events.at(-1) }
}

describe('a provider that counts', () => {
  it('keeps a conversation whole that only the estimate takes for full', async () => {
    // Two bytes a letter, and for this model four letters a token: the estimate is twice too high.
    const output = 'строка '.repeat(650)
    const guessed = await run(1, 'no', output)
    expect(guessed.compactions).toBeGreaterThan(0)
    const counted = await run(1, 'yes', output)
    expect(counted.compactions).toBe(0)
    expect(counted.last).toMatchObject({ type: 'turn_complete', data: { reason: 'finished' } })
    // Only near the limit, and once for each new state.
    expect(counted.counts).toBeGreaterThan(0)
    expect(counted.counts).toBeLessThanOrEqual(STEPS)
  })

  it('summarises in time a conversation that is longer than the estimate', async () => {
    const output = 'a line of plain text\n'.repeat(300)
    const guessed = await run(1.3, 'no', output)
    expect(guessed.seen.refused).toBeGreaterThan(0)
    const counted = await run(1.3, 'yes', output)
    expect(counted.seen.refused).toBe(0)
    expect(counted.compactions).toBeGreaterThan(0)
    expect(counted.last).toMatchObject({ type: 'turn_complete', data: { reason: 'finished' } })
  })

  it('is done without when it cannot count now', async () => {
    const output = 'a line of plain text\n'.repeat(300)
    const { seen, compactions, last } = await run(1, 'fails', output)
    expect(seen.refused).toBe(0)
    expect(compactions).toBeGreaterThan(0)
    expect(last).toMatchObject({ type: 'turn_complete', data: { reason: 'finished' } })
  })

  it('is not asked where its own count of the last reply is known', async () => {
    const report = (size: number) => size
    const { counts } = await run(1, 'yes', 'short\n'.repeat(20), { report })
    expect(counts).toBe(0)
  })
})
