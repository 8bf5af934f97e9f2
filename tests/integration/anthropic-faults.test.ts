import { afterEach, describe, expect, it } from 'vitest'
import { closeServers, collect, collectRetrying, requestOf, setup } from '../support/anthropic-client'
import { type MessageReply, type Reply, render } from '../support/fake-anthropic'
import { streamProblems } from '../support/stream-faults'

afterEach(closeServers)

const reply: MessageReply = {
  blocks: [
    { type: 'thinking', thinking: 'I think 😀.', chunks: 3 },
    { type: 'text', text: 'Grüß dich, ', chunks: 3 },
    { type: 'tool_use', name: 'bash', id: 'call', input: { command: 'ls "ä"' }, chunks: 3 },
    { type: 'text', text: 'und du?', chunks: 2 },
  ],
}
const whole = { text: 'Grüß dich, und du?', reasoning: 'I think 😀.' }
const events = render(reply, 'msg', 'claude-opus-5-5', 10).events.map(({ text }) => text)
const sse = 'text/event-stream; charset=utf-8'
const raw = (body: string, drop = false): Reply => ({ raw: { contentType: sse, body, drop } })
const broken: [string, (n: number) => Reply][] = [
  ['the socket dies', (n) => raw(events.slice(0, n).join(''), true)],
  ['the body ends', (n) => raw(events.slice(0, n).join(''))],
  ['an event is half there', (n) => raw(events.slice(0, n).join('') + (events[n] ?? '').slice(0, 40))],
  ['an event is no JSON', (n) => raw(`${events.slice(0, n).join('')}event: x\ndata: {"type": \n\n`)],
  ['an event is no object', (n) => raw(`${events.slice(0, n).join('')}data: null\n\n`)],
]

describe.each(broken)('%s', (_name, at) => {
  it('after every n events: one end, nothing doubled, and a retry gives the whole reply', async () => {
    for (let n = 0; n <= events.length; n++) {
      const once = await setup([at(n)])
      const single = await collect(once.client)
      expect(streamProblems(single.deltas, whole), `one attempt, after ${n} events`).toEqual([])
      if (single.failed) expect(single.failed.failure).toMatchObject({ retryable: true })

      const again = await setup([at(n), reply])
      const { deltas, done } = await collectRetrying(again.client)
      expect(streamProblems(deltas, whole), `with a retry, after ${n} events`).toEqual([])
      expect(done?.blocks.map(({ type }) => type)).toEqual(['reasoning', 'text', 'tool_use', 'text'])
    }
  })
})

describe('an answer that is none', () => {
  const error = (status: number, type: string | undefined, message: string, headers = {}): Reply => ({
    error: { status, ...(type ? { type } : {}), message, headers },
  })
  const cases: [string, Reply, string, boolean, RegExp][] = [
    ['402', error(402, 'billing_error', 'no credit'), 'billing', false, /Add credit/],
    [
      '400 credit',
      error(400, 'invalid_request_error', 'Your credit balance is too low'),
      'billing',
      false,
      /Add credit/,
    ],
    ['401', error(401, 'authentication_error', 'invalid'), 'auth', false, /Check the key/],
    ['403', error(403, 'permission_error', 'no access'), 'permission', false, /another model/],
    ['403 page', error(403, undefined, '<h1>Blocked by policy</h1>'), 'bad_request', false, /proxy/],
    ['404', error(404, 'not_found_error', 'model'), 'model_not_found', false, /another model/],
    // The standard makes it an error of fetch that tells nothing; the remedy names the proxy anyway.
    ['407', error(407, undefined, 'Proxy Authentication Required'), 'network', true, /the proxy/],
    ['413', error(413, 'request_too_large', 'too large'), 'context_overflow', false, /Compact/],
    ['429', error(429, 'rate_limit_error', 'slow', { 'retry-after': '7' }), 'rate_limit', true, /Wait/],
    ['429 bare', error(429, undefined, ''), 'rate_limit', true, /Wait/],
    ['500', error(500, 'api_error', 'sorry'), 'server', true, /again/],
    ['502 page', error(502, undefined, '<h1>Bad gateway</h1>'), 'server', true, /again/],
    ['503', error(503, undefined, ''), 'server', true, /again/],
    ['504', error(504, 'timeout_error', 'slow'), 'timeout', true, /again/],
    ['529', error(529, 'overloaded_error', 'Overloaded'), 'overloaded', true, /Wait/],
    ['200 empty stream', raw(''), 'network', true, /connection/],
    [
      '200 empty JSON',
      { raw: { contentType: 'application/json', body: '' } },
      'bad_request',
      false,
      /ANTHROPIC_BASE_URL/,
    ],
    ['200 page', { raw: { contentType: 'text/html', body: '<h1>Log in</h1>' } }, 'bad_request', false, /login page/],
  ]
  it.each(cases)('%s says what to do', async (name, answer, kind, retryable, remedy) => {
    const { client } = await setup([answer])
    const { failed, deltas } = await collect(client)
    expect(deltas).toHaveLength(1)
    expect(failed?.failure).toMatchObject({ kind, retryable, remedy: expect.stringMatching(remedy) })
    expect(failed?.failure.message).toMatch(/\.$|[a-z]$/)
    expect(failed?.failure.message).not.toContain('<h1>')
    expect(failed?.failure.retry_after_ms).toBe(name === '429' ? 7000 : null)
  })

  it('a reply of nothing is a reply: the loop decides what it means', async () => {
    const { client } = await setup([{ blocks: [] }])
    expect((await collect(client, requestOf())).done).toMatchObject({ blocks: [], stop_reason: 'end_turn' })
  })
})
