import { foldEvents } from '@shared/reducer'
import { initialState, type SessionState } from '@shared/state'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { planCompaction } from '../../../../src/main/agent/compaction/plan'
import { triggerOf } from '../../../../src/main/agent/compaction/tokens'
import { modelMessages } from '../../../../src/main/agent/compaction/view'
import fixture from '../../../fixtures/compaction.json'
import { recorder, SAMPLE_SESSION } from '../../../support/sample-log'
import { problemOf } from './drive'

const message = z.object({
  role: z.enum(['system', 'user', 'assistant', 'tool']),
  content_len: z.number(),
  content_prefix: z.string(),
  tool_calls: z.number().optional(),
  tool_call_id: z.string().optional(),
})
const vectors = z
  .array(
    z.object({
      name: z.string(),
      window: z.number(),
      reported_usage: z.number(),
      messages: z.array(message),
      expected: z.object({ error: z.string().nullable(), summarised_message_count: z.number() }),
    }),
  )
  .parse(fixture.vectors)

/** The vector's history as a log. */
function stateOf(messages: z.infer<typeof message>[]): SessionState {
  const { events, add } = recorder()
  const ids = messages.flatMap((m) => (m.tool_call_id ? [m.tool_call_id] : []))
  for (const { role, content_len, content_prefix, tool_calls, tool_call_id = '' } of messages) {
    const text = content_prefix.padEnd(content_len, content_prefix.slice(-1) || ' ')
    if (role === 'user') add('user_message', { id: `u${events.length}`, content: text, source: 'user' })
    if (role === 'tool') {
      add('tool_output', { tool: 'bash', tool_call_id, output: text, success: true, duration_ms: 1 })
    }
    if (role !== 'assistant') continue
    const id = tool_calls ? (ids.shift() ?? '') : ''
    const use = id ? [{ type: 'tool_use' as const, id, name: 'bash', input: {} }] : []
    const blocks = text === '' ? use : [{ type: 'text' as const, text }, ...use]
    add('assistant_message', { id: `a${events.length}`, content: text, blocks, model: 'm', stop_reason: 's' })
    if (id) add('tool_call', { tool: 'bash', arguments: {}, tool_call_id: id })
  }
  return foldEvents(initialState(SAMPLE_SESSION), events)
}

const vector = (name: string) => {
  const found = vectors.find((v) => v.name === name)
  if (!found) throw new Error(`no vector ${name}`)
  return found
}

describe('the reference vectors', () => {
  it('are all looked at here', () => {
    expect(vectors.map(({ name }) => name)).toEqual([
      'below threshold: untouched',
      'tail starts at a user message',
      'giant tool result in tail replaced by placeholder',
      'summary too large still over threshold fails',
    ])
  })

  // The design differs: 85 % and not 90 %, because a reply must still fit; at 90 % the reference leaves all untouched.
  it('leaves a conversation below the threshold untouched', () => {
    const { window, messages } = vector('below threshold: untouched')
    expect(triggerOf(window)).toBe(850)
    const state = stateOf(messages)
    expect(modelMessages(state, '').flatMap(({ content }) => content.map(({ type }) => type))).toHaveLength(
      messages.length - 1,
    )
  })

  // The design differs: the tail is measured in tokens, so eleven messages of two characters have nothing to summarise.
  it('does not summarise what is smaller than a summary', () => {
    const { window, messages } = vector('tail starts at a user message')
    expect(planCompaction(stateOf(messages), { window, scale: 1, attempt: 0 })).toBeNull()
  })

  // The design differs: beginning and end stay readable, where the reference puts a bare placeholder.
  it('cuts a giant result and keeps its call', () => {
    const { window, messages } = vector('giant tool result in tail replaced by placeholder')
    const state = stateOf([...messages, { role: 'user', content_len: 5, content_prefix: 'go on' }])
    const plan = planCompaction(state, { window, scale: 1, attempt: 0 })
    if (!plan) throw new Error('there is something to cut')
    const { first_kept_seq, result_tokens } = plan
    const { events, add } = recorder()
    for (let i = 0; i < state.last_seq; i++) add('ready', { message: '', tool_count: 0 })
    add('compacted', { old_tokens: 95_000, new_tokens: 9, summary: 'SUMMARY', first_kept_seq, result_tokens, window })
    const sent = modelMessages(foldEvents(state, events), '/home/outputs')
    expect(problemOf(sent)).toBe('')
    const text = JSON.stringify(sent)
    expect(text).toContain('BBBB')
    expect(text).toContain('characters left out')
    expect(text.length / 4).toBeLessThan(window / 2)
    expect(text).toContain('"u1"')
  })

  // The design differs: a summary is cut to its limit, so it cannot be what ends the session (see run.test.ts).
  it('gives the summary a limit, where the reference ends the session over a long one', () => {
    const { messages, expected } = vector('summary too large still over threshold fails')
    expect(expected.error).toBe('compaction_failed')
    const state = stateOf(messages.map((m) => ({ ...m, content_len: 400 })))
    const plan = planCompaction(state, { window: 1_000, scale: 1, attempt: 0 })
    expect(plan?.summary_tokens).toBeLessThanOrEqual(150)
  })
})
