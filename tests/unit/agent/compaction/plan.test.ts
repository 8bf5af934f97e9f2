import type { Block } from '@shared/content'
import { foldEvents } from '@shared/reducer'
import { initialState } from '@shared/state'
import { describe, expect, it } from 'vitest'
import { planCompaction } from '../../../../src/main/agent/compaction/plan'
import { shorten } from '../../../../src/main/agent/compaction/text'
import { modelMessages } from '../../../../src/main/agent/compaction/view'
import { runTurn } from '../../../../src/main/agent/loop'
import { recorder, SAMPLE_SESSION } from '../../../support/sample-log'
import { harness, reply, say, scriptedClient, testTool, use } from '../../../support/turn'
import { problemOf } from './drive'

const options = { window: 4_000, scale: 1, attempt: 0 }

function session() {
  const { events, add } = recorder()
  const state = () => foldEvents(initialState(SAMPLE_SESSION), events)
  const step = (id: string, output: string | null, seen_seq?: number) => {
    const blocks: Block[] = [use(id, 'edit', { value: id })]
    add('assistant_message', { id: `a-${id}`, content: '', blocks, model: 'm', stop_reason: 's', seen_seq })
    add('tool_call', { tool: 'edit', arguments: {}, tool_call_id: id })
    if (output === null) return
    const path = `src/${id}.py`
    const details = { kind: 'diff', path, patch: '', added: 1, removed: 0, created: false, truncated: false } as const
    add('tool_output', { tool: 'edit', tool_call_id: id, output, success: true, duration_ms: 1, details })
  }
  const compacted = () => {
    const plan = planCompaction(state(), options)
    if (!plan) throw new Error('there is something to summarise')
    const { first_kept_seq, window, result_tokens } = plan
    add('compacted', { old_tokens: 9, new_tokens: 8, summary: 'SUMMARY', first_kept_seq, window, result_tokens })
    return modelMessages(state(), '')
  }
  add('user_message', { id: 'u1', content: 'the task', source: 'user' })
  return { events, add, step, state, compacted }
}

describe('planCompaction', () => {
  it('never parts a reply from its results, and names the files of what is gone', () => {
    const s = session()
    for (let i = 0; i < 30; i++) s.step(`t${i}`, 'o'.repeat(800))
    s.add('user_message', { id: 'u2', content: 'next', source: 'user' })
    const sent = s.compacted()
    expect(problemOf(sent)).toBe('')
    const head = JSON.stringify(sent[0])
    expect(head).toContain('written or edited: src/t')
    expect(head).toContain('the task')
    expect(sent.length).toBeGreaterThan(2)
  })

  it('keeps the reply of a call that waits for the user, however much came after it', () => {
    const s = session()
    for (let i = 0; i < 10; i++) s.step(`t${i}`, 'o'.repeat(800))
    s.step('open', null)
    s.add('approval_required', { tools: [{ tool: 'edit', arguments: {}, tool_call_id: 'open' }], count: 1 })
    const plan = planCompaction(s.state(), options)
    const reply = s.state().items.find((item) => item.key === 'a-open')
    expect(plan?.first_kept_seq).toBeLessThanOrEqual(reply?.seq ?? 0)
    expect(JSON.stringify(s.compacted())).toContain('"open"')
  })

  it('keeps a message that was not read yet, which stands before the reply that did not see it', () => {
    const s = session()
    for (let i = 0; i < 10; i++) s.step(`t${i}`, 'o'.repeat(800))
    const seen = s.events.length
    s.add('user_message', { id: 'u2', content: 'stop using edit', source: 'steer' })
    s.step('last', 'o'.repeat(3_000), seen)
    const sent = s.compacted()
    expect(problemOf(sent)).toBe('')
    expect(JSON.stringify(sent.at(-1))).toContain('stop using edit')
  })
})

describe('shorten', () => {
  it('cuts between characters and not inside one', () => {
    const short = shorten('🐧'.repeat(1_000), 51, (omitted) => `[${omitted}]`)
    expect(() => encodeURIComponent(short)).not.toThrow()
    expect(short).toContain('[')
    expect(Buffer.byteLength(short)).toBeLessThan(260)
  })
})

describe('a reply that the full window cut', () => {
  it('is kept, its calls do not run, and the next request asks to go on', async () => {
    let runs = 0
    const tool = testTool({
      run: () => {
        runs += 1
        return Promise.resolve({ ok: true, output: 'o'.repeat(4_000) })
      },
    })
    const { client, requests } = scriptedClient([
      reply([use('1', 'probe', { value: 'a' })]),
      reply([use('2', 'probe', { value: 'b' })]),
      reply([say('Half an ans')], 'context_overflow'),
      reply([say('SUMMARY')]),
      reply([say('Done.')]),
    ])
    const h = harness(client, [tool])
    await runTurn(h.turn)
    expect(runs).toBe(2)
    expect(h.events.at(-1)).toMatchObject({ type: 'turn_complete', data: { reason: 'finished', iterations: 4 } })
    expect(requests.map(({ messages }) => problemOf(messages))).toEqual(['', '', '', '', ''])
    expect(JSON.stringify(requests.at(-1)?.messages)).toContain('Half an ans')
  })
})
