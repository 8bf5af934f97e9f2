import { afterEach, describe, expect, it, vi } from 'vitest'
import { follow } from '../../support/engine'
import { delta, startFakeOpenAi } from '../../support/fake-openai'
import {
  bash,
  expectAtRest,
  expectReplay,
  faultBench,
  replies,
  say,
  text,
  toolItems,
} from '../../support/faults-session'

const bench = faultBench()
afterEach(() => vi.restoreAllMocks())

const refusal = (status: number, type: string, message: string, headers: Record<string, string> = {}) => ({
  error: { status, type, message, headers },
})

/** One turn against the script, then one that must work again. */
async function twoTurns(...script: Parameters<typeof bench.start>) {
  const { server, engine } = await bench.start(...script)
  const session = await engine.createSession({})
  const f = follow(session)
  await say(session, 'go')
  const first = { state: session.state, last: f.events.at(-1), events: [...f.events], requests: server.requests.length }
  expectAtRest(first.state)
  await say(session, 'again')
  expect(session.state.last_outcome).toBe('finished')
  expectAtRest(session.state)
  await expectReplay(engine, session)
  return { ...first, after: session.state }
}
const retriesOf = (events: readonly { type: string; data: unknown }[]) =>
  events.flatMap(({ type, data }) => {
    const retry = type === 'processing' ? (data as { retry?: { attempt: number; delay_ms: number } }).retry : undefined
    return retry ? [retry] : []
  })

describe('a rate limit', () => {
  it('with Retry-After in seconds is waited out and the reply comes once', async () => {
    const { events, after, requests } = await twoTurns([
      refusal(429, 'rate_limit_error', 'slow down', { 'retry-after': '1' }),
      text('Here.'),
      text('More.'),
    ])
    expect(requests).toBe(2)
    const [retry] = retriesOf(events)
    expect(retry?.attempt).toBe(2)
    expect(retry?.delay_ms).toBeGreaterThanOrEqual(1000)
    expect(retry?.delay_ms).toBeLessThanOrEqual(1100)
    expect(replies(after)).toEqual(['Here.', 'More.'])
  })

  it('with Retry-After as an HTTP date is waited out', async () => {
    const { events, after } = await twoTurns(({ index }) =>
      index === 0
        ? refusal(429, 'rate_limit_error', 'slow down', { 'retry-after': new Date(Date.now() + 2000).toUTCString() })
        : text(`Reply ${index}.`),
    )
    const [retry] = retriesOf(events)
    // An HTTP date has no milliseconds, and a tenth is added so that clients do not come back together.
    expect(retry?.delay_ms).toBeGreaterThan(500)
    expect(retry?.delay_ms).toBeLessThanOrEqual(2200)
    expect(replies(after)).toEqual(['Reply 1.', 'Reply 2.'])
  })

  it.each([
    ['seconds', () => '3600'],
    ['an HTTP date', () => new Date(Date.now() + 3_600_000).toUTCString()],
  ])('that asks for an hour (%s) is a failure that says when to come back', async (_, header) => {
    const { state, last, requests } = await twoTurns(({ index }) =>
      index === 0 ? refusal(429, 'rate_limit_error', 'slow down', { 'retry-after': header() }) : text('Back.'),
    )
    expect(requests).toBe(1)
    expect(last).toMatchObject({ type: 'error', data: { code: 'rate_limit' } })
    expect(JSON.stringify(last)).toContain('a wait of 60 minutes')
    expect(JSON.stringify(last)).toContain('Send the message again in 60 minutes, or choose another model.')
    expect(state.last_outcome).toBe('error')
  })
})

describe('a server that fails', () => {
  it('overloaded five times: one clear end after five tries, and nothing half shown', async () => {
    const { events, last, requests, state } = await twoTurns(({ index }) =>
      index < 5 ? refusal(529, 'overloaded_error', 'Overloaded', { 'retry-after-ms': '1' }) : text('Back.'),
    )
    expect(requests).toBe(5)
    expect(retriesOf(events).map(({ attempt }) => attempt)).toEqual([2, 3, 4, 5])
    expect(last).toMatchObject({ type: 'error', data: { code: 'overloaded' } })
    expect(JSON.stringify(last)).toContain('It was tried 5 times.')
    expect(JSON.stringify(last)).toContain('Wait a minute and send the message again, or choose another model.')
    expect(replies(state)).toEqual([])
  })

  it('with a 500 in the middle of a task: the call is made again, the tools are not', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0)
    const { after, requests } = await twoTurns([
      bash('echo once >> made; cat made'),
      refusal(500, 'api_error', 'oops'),
      { error: { status: 502, message: '<html><body>Bad Gateway</body></html>' } },
      text('Done.'),
      text('More.'),
    ])
    expect(requests).toBe(4)
    expect(toolItems(after).map(({ output }) => output)).toEqual(['once'])
    expect(replies(after)).toEqual(['', 'Done.', 'More.'])
  })

  it('with a reply of nothing, again and again: an error that says so, not a finished task', async () => {
    const { last, requests } = await twoTurns(({ index }) => (index < 3 ? { blocks: [] } : text('Back.')))
    expect(requests).toBe(3)
    expect(last).toMatchObject({ type: 'error', data: { code: 'empty_reply' } })
  })

  it.each([{ blocks: [] }, text(''), text(' \n\t')])(
    'with one reply of nothing (%j): asked once more',
    async (nothing) => {
      const { state, requests } = await twoTurns(({ index }) => (index === 0 ? nothing : text('There.')))
      expect(requests).toBe(2)
      expect(state.last_outcome).toBe('finished')
      expect(replies(state).at(-1)).toBe('There.')
    },
  )
})

describe('what only the user can settle', () => {
  it.each([
    ['401', refusal(401, 'authentication_error', 'invalid x-api-key'), 'auth', 'ANTHROPIC_API_KEY'],
    ['402', refusal(402, 'billing_error', 'no funds'), 'billing', 'platform.claude.com under Billing'],
    [
      '400 about the balance',
      refusal(400, 'invalid_request_error', 'Your credit balance is too low to access the Anthropic API.'),
      'billing',
      'platform.claude.com under Billing',
    ],
    ['403', refusal(403, 'permission_error', 'not for you'), 'permission', 'choose another model'],
  ])('%s is told once, with what to do, and not tried again', async (_, reply, code, remedy) => {
    const { last, events, requests } = await twoTurns([reply, text('Paid.')])
    expect(requests).toBe(1)
    expect(last).toMatchObject({ type: 'error', data: { code } })
    expect(JSON.stringify(last)).toContain(remedy)
    expect(events.filter(({ type }) => type === 'error')).toHaveLength(1)
  })

  it('a refusal shows the explanation, offers another model, and its half text is no finished answer', async () => {
    const { last, state } = await twoTurns([
      {
        ...text('I would rather'),
        stopReason: 'refusal',
        stopDetails: { category: 'frontier_llm', explanation: 'This looks like training a competing model.' },
      },
      text('Fine.'),
    ])
    expect(last).toMatchObject({ type: 'error', data: { code: 'refusal' } })
    expect(JSON.stringify(last)).toContain('This looks like training a competing model.')
    expect(JSON.stringify(last)).toContain('another model')
    expect(state.last_outcome).toBe('error')
  })

  it.each([
    [402, { error: 'You have exceeded your monthly included credits for Inference Providers.' }],
    [429, { error: { message: 'You have exceeded your monthly included credits.' } }],
  ])(
    'spent Hugging Face credits (%i) are billing, and the session goes on when they are filled',
    async (status, json) => {
      const server = bench.keep(
        await startFakeOpenAi([{ status, json }, { chunks: [delta({ content: 'Paid.' }), delta({}, 'stop')] }], {
          apiKey: 'hf_faultsTestTokenThatIsLong',
          caching: true,
          answers: { '/v1/models': { data: [] } },
        }),
      )
      const env = { PATH: process.env.PATH, HF_TOKEN: 'hf_faultsTestTokenThatIsLong', HF_ROUTER_URL: server.url }
      const engine = await bench.engineOn({ url: 'http://127.0.0.1:9' }, { env })
      const session = await engine.createSession({ model: 'hf/org/model' })
      const f = follow(session)
      await say(session, 'go')
      expect(f.events.at(-1)).toMatchObject({ type: 'error', data: { code: 'billing' } })
      expect(JSON.stringify(f.events.at(-1))).toMatch(/huggingface\.co/)
      expect(server.requests).toHaveLength(1)
      await say(session, 'again')
      expect(replies(session.state)).toEqual(['Paid.'])
      expectAtRest(session.state)
      await expectReplay(engine, session)
    },
  )
})
