import { afterEach, describe, expect, it } from 'vitest'
import { type ChatReply, callPiece, delta, type Json, usageChunk } from '../support/fake-openai'
import { closeServers, collect, collectRetrying, setup } from '../support/openai-client'
import { doneOf, streamProblems } from '../support/stream-faults'

afterEach(closeServers)

const chunks: Json[] = [
  delta({ role: 'assistant', content: '' }),
  delta({ reasoning_content: 'I think ' }),
  delta({ reasoning_content: '😀.' }),
  delta({ content: 'Grüß ' }),
  delta({ content: 'dich.' }),
  callPiece(0, 'call', 'bash', '{"command":'),
  callPiece(0, undefined, undefined, '"ls"}'),
  delta({}, 'tool_calls'),
  usageChunk(10, 5),
]
const whole = { text: 'Grüß dich.', reasoning: 'I think 😀.' }
const upTo = (n: number) => chunks.slice(0, n)
const broken: [string, (n: number) => ChatReply][] = [
  ['the socket dies', (n) => ({ chunks: upTo(n), end: 'drop' })],
  ['the body ends', (n) => ({ chunks: upTo(n), done: false })],
  ['an event is half there', (n) => ({ chunks: [...upTo(n), 'data: {"choices":[{"index"'], done: false })],
  ['an event is no JSON', (n) => ({ chunks: [...upTo(n), 'data: {"choices": \n\n'] })],
  ['an event is no object', (n) => ({ chunks: [...upTo(n), 'data: 7\n\n'] })],
]

describe.each(broken)('%s', (_name, at) => {
  it('after every n events: one end, nothing doubled, and a retry gives the whole reply', async () => {
    for (let n = 0; n <= chunks.length; n++) {
      const once = await setup([at(n)])
      const single = await collect(once.client)
      expect(streamProblems(single.deltas, whole), `one attempt, after ${n} events`).toEqual([])
      if (single.failed) {
        expect(single.failed.failure).toMatchObject({ retryable: true })
        expect(single.failed.blocks.some(({ type }) => type === 'tool_use')).toBe(false)
      }

      const again = await setup([at(n), { chunks }])
      const deltas = await collectRetrying(again.client)
      expect(streamProblems(deltas, whole), `with a retry, after ${n} events`).toEqual([])
      expect(doneOf(deltas)?.blocks).toMatchObject([
        { type: 'reasoning', text: whole.reasoning },
        { type: 'text', text: whole.text },
        { type: 'tool_use', id: 'call', input: { command: 'ls' } },
      ])
    }
  })
})

describe('an answer that is none', () => {
  const page = { text: '<h1>Sorry</h1>', type: 'text/html' }
  const credits = 'You have exceeded your monthly included credits for Inference Providers.'
  const cases: [string, ChatReply, string, boolean, RegExp][] = [
    ['402', { status: 402, json: { error: 'pay' } }, 'billing', false, /settings\/billing/],
    ['403 credits', { status: 403, json: { error: credits } }, 'billing', false, /settings\/billing/],
    ['429 credits', { status: 429, json: { error: credits } }, 'billing', false, /settings\/billing/],
    ['400 credits', { status: 400, text: credits, type: 'text/plain' }, 'billing', false, /settings\/billing/],
    ['200 credits', { chunks: [{ error: { message: credits } }] }, 'billing', false, /settings\/billing/],
    ['401', { status: 401, json: { error: 'who?' } }, 'auth', false, /HF_TOKEN/],
    [
      '403 gated',
      { status: 403, json: { error: 'This repository is gated' } },
      'permission',
      false,
      /accept the terms/,
    ],
    ['403 page', { status: 403, ...page }, 'bad_request', false, /HF_ROUTER_URL/],
    ['404', { status: 404, json: { error: { message: 'no such model' } } }, 'model_not_found', false, /another model/],
    ['404 page', { status: 404, ...page }, 'bad_request', false, /HF_ROUTER_URL/],
    // The standard makes it an error of fetch that tells nothing; the remedy names the proxy anyway.
    ['407', { status: 407, text: '' }, 'network', true, /the proxy/],
    ['413', { status: 413, text: '' }, 'context_overflow', false, /Compact/],
    ['429', { status: 429, json: { error: 'slow' }, headers: { 'retry-after': '7' } }, 'rate_limit', true, /Wait/],
    ['429 bare', { status: 429, text: '' }, 'rate_limit', true, /Wait/],
    ['500', { status: 500, json: { error: 'boom' } }, 'server', true, /again/],
    ['502 page', { status: 502, ...page }, 'server', true, /again/],
    ['503', { status: 503, text: '' }, 'overloaded', true, /Wait/],
    ['504', { status: 504, text: '' }, 'timeout', true, /again/],
    ['529', { status: 529, text: '' }, 'overloaded', true, /Wait/],
    ['200 empty stream', { chunks: [], done: false }, 'network', true, /connection/],
    ['200 empty JSON', { text: '' }, 'server', true, /again/],
    ['200 page', page, 'bad_request', false, /HF_ROUTER_URL/],
  ]
  it.each(cases)('%s says what to do', async (name, answer, kind, retryable, remedy) => {
    const { client } = await setup([answer], 'hf/org/model')
    const { failed, deltas } = await collect(client)
    expect(deltas).toHaveLength(1)
    expect(failed?.failure).toMatchObject({ kind, retryable, remedy: expect.stringMatching(remedy) })
    expect(failed?.failure.message).not.toContain('<h1>')
    expect(failed?.failure.retry_after_ms).toBe(name === '429' ? 7000 : null)
  })

  it('a reply of nothing is a reply: the loop decides what it means', async () => {
    const { client } = await setup([{ chunks: [delta({}, 'stop')] }])
    expect((await collect(client)).done).toMatchObject({ blocks: [], stop_reason: 'end_turn', usage_estimated: true })
  })
})
