import type { Block } from '@shared/content'
import { describe, expect, it } from 'vitest'
import { runTurn } from '../../../src/main/agent/loop'
import { harness, reply, say, scriptedClient, testTool, use } from '../../support/turn'

const ok = (output: string) => Promise.resolve({ ok: true, output })

describe('a model that does not answer as it should', () => {
  it('gives up on a model whose calls are cut again and again, before the limit of model calls', async () => {
    const { client, requests } = scriptedClient(
      Array.from({ length: 4 }, (_, i) => reply([use(`${i}`, 'probe')], 'max_tokens')),
    )
    const h = harness(client, [testTool({ run: () => ok('') })])
    await runTurn(h.turn)
    expect(requests).toHaveLength(4)
    expect(h.events.at(-1)?.data).toMatchObject({ reason: 'guard' })
  })

  it('asks again after an empty reply instead of calling the task finished', async () => {
    const thought: Block = { type: 'reasoning', text: 'Hm.', signature: 's' }
    const { client, requests } = scriptedClient([
      reply([use('1', 'probe')]),
      reply([thought]),
      reply([say('The result is 0.9.')]),
    ])
    const h = harness(client, [testTool({ run: () => ok('0.9') })])
    await runTurn(h.turn)
    expect(requests).toHaveLength(3)
    expect(JSON.stringify(requests[2]?.messages.at(-1))).toContain('Your reply was empty')
    expect(h.events.at(-1)?.data).toMatchObject({ reason: 'finished', final_response: 'The result is 0.9.' })
  })

  it('ends with an error when the model says nothing at all', async () => {
    const { client, requests } = scriptedClient([reply([]), reply([]), reply([])])
    const h = harness(client, [])
    await runTurn(h.turn)
    expect(requests).toHaveLength(3)
    expect(h.events.at(-1)).toMatchObject({ type: 'error', data: { code: 'empty_reply' } })
  })

  it('gives a call with an id that the API would refuse another one', async () => {
    const { client, requests } = scriptedClient([
      reply([use('../x \u001b[31m', 'probe'), use('toolu_01', 'probe')]),
      reply([say('done')]),
    ])
    const h = harness(client, [testTool({ run: () => ok('') })])
    await runTurn(h.turn)
    const ids = requests[1]?.messages.at(-1)?.content.map((c) => ('tool_use_id' in c ? c.tool_use_id : ''))
    expect(ids?.[0]).toMatch(/^call_[0-9a-f-]+$/)
    expect(ids?.[1]).toBe('toolu_01')
  })
})

describe('a secret in a reply that is streamed', () => {
  const SECRET = 'correct-horse-battery'
  it('shows in no chunk, however the model cuts it, and nothing else of the text is lost', async () => {
    for (const size of [1, 3, 7, 40]) {
      const whole = `The key is ${SECRET}, and hf_${'a1B2'.repeat(9)} too.`
      const pieces = whole.match(new RegExp(`.{1,${size}}`, 'gs')) ?? []
      const { client } = scriptedClient([
        [
          ...pieces.map((text) => ({ type: 'reasoning' as const, text })),
          ...pieces.map((text) => ({ type: 'text' as const, text })),
          ...reply([say(whole)]).slice(-1),
        ],
      ])
      const { turn, events } = harness(client, [], { secrets: () => [SECRET] })
      await runTurn(turn)
      const streamed = (type: string) =>
        events.flatMap((e) => (e.type === type && 'content' in e.data ? [String(e.data.content)] : [])).join('')
      for (const type of ['assistant_chunk', 'reasoning_chunk']) {
        expect(streamed(type)).toBe('The key is [REDACTED], and [REDACTED_HF_TOKEN] too.')
      }
    }
  })
})
