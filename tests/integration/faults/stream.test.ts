import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AnyEvent } from '@shared/events'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { follow } from '../../support/engine'
import { type FakeRequest, type MessageReply, type Reply, render } from '../../support/fake-anthropic'
import {
  endsOf,
  expectAtRest,
  expectReplay,
  faultBench,
  outline,
  replies,
  say,
  text,
  tool,
  toolItems,
} from '../../support/faults-session'

const bench = faultBench()
beforeEach(() => {
  // Waits between tries are a random part of a second: none of it is needed here.
  vi.spyOn(Math, 'random').mockReturnValue(0)
  return () => vi.restoreAllMocks()
})

/** Thinking, text and two calls that leave a trace each time they run, in 13 deltas. */
const WHOLE: MessageReply = {
  blocks: [
    { type: 'thinking', thinking: 'First one thing, then the other.', chunks: 3 },
    { type: 'text', text: 'Both at once.', chunks: 3 },
    { ...tool('bash', { command: 'echo left >> "$PWD/made"' }, 'toolu_left'), chunks: 3 } as MessageReply['blocks'][0],
    {
      ...tool('bash', { command: 'echo right >> "$PWD/made"' }, 'toolu_right'),
      chunks: 3,
    } as MessageReply['blocks'][0],
  ],
}
const MODEL = 'claude-opus-5-5'
const EVENTS = render(WHOLE, 'msg_whole', MODEL, 10).events.map(({ text }) => text)
const DELTAS = render(WHOLE, 'msg_whole', MODEL, 10).events.filter(({ chunk }) => chunk).length
const raw = (body: string, contentType = 'text/event-stream'): Reply => ({ raw: { contentType, body } })

const wasAnswered = ({ body }: FakeRequest) => body.messages.at(-1)?.content[0]?.type === 'tool_result'

/** One turn in which the first reply is `broken`; the second try gets the whole one. */
async function turnWith(broken: Reply | null) {
  let tries = 0
  const { server, engine } = await bench.start((request) => {
    if (wasAnswered(request)) return text('Both done.')
    tries += 1
    return tries === 1 && broken ? broken : WHOLE
  })
  const session = await engine.createSession({})
  const f = follow(session)
  await say(session, 'go')
  const made = await readFile(join(bench.folder, 'made'), 'utf8').catch(() => '')
  const stored = await expectReplay(engine, session)
  expectAtRest(session.state)
  await engine.close()
  return {
    tries,
    requests: server.requests,
    state: session.state,
    live: f.events,
    stored,
    made: made.split('\n').sort(),
  }
}

/** What a window shows that only streams: chunks of drafts that were not thrown away, in the order of their drafts. */
function shown(events: readonly AnyEvent[], type: 'assistant_chunk' | 'reasoning_chunk'): string {
  const drafts = new Map<string, string>()
  for (const event of events) {
    if (event.type === type) {
      const { id, content } = event.data as { id: string; content: string }
      drafts.set(id, (drafts.get(id) ?? '') + content)
    } else if (event.type === 'assistant_stream_end') {
      const { id, discarded } = event.data as { id: string; discarded?: boolean }
      if (discarded) drafts.delete(id)
    }
  }
  return [...drafts.values()].join('|')
}

/** The turn is exactly what it would have been without the fault. */
async function expectUnharmed(broken: Reply, tries: number): Promise<void> {
  const whole = await undisturbed()
  const turn = await turnWith(broken)
  expect(turn.tries).toBe(tries)
  expect(outline(turn.state)).toEqual(outline(whole.state))
  expect(turn.made).toEqual(['', 'left', 'right'])
  expect(endsOf(turn.stored)).toEqual(['turn_complete'])
  for (const type of ['assistant_chunk', 'reasoning_chunk'] as const) {
    expect(shown(turn.live, type)).toBe(shown(whole.live, type))
  }
  const calls = turn.stored.filter(({ type }) => type === 'tool_call' || type === 'assistant_message')
  expect(calls.map(({ type }) => type)).toEqual(['assistant_message', 'tool_call', 'tool_call', 'assistant_message'])
}

let reference: ReturnType<typeof turnWith> | null = null
/** Made once: in a folder of its own, whose bench is gone by the second use. */
function undisturbed() {
  reference ??= turnWith(null)
  return reference
}

describe('a stream that dies', () => {
  it('is measured by the reply that came whole', async () => {
    const whole = await undisturbed()
    expect(replies(whole.state)).toEqual(['Both at once.', 'Both done.'])
    expect(whole.made).toEqual(['', 'left', 'right'])
    expect(shown(whole.live, 'reasoning_chunk')).toBe('First one thing, then the other.')
    expect(DELTAS).toBe(13)
    expect(EVENTS.length).toBe(DELTAS + 12)
  })

  it.each(Array.from({ length: DELTAS }, (_, n) => n))(
    'with a broken connection after %i deltas leaves the same transcript, nothing twice, no half call run',
    async (n) => {
      await expectUnharmed({ ...WHOLE, dropAfterChunks: n, unbatched: true }, 2)
    },
  )

  it.each(Array.from({ length: EVENTS.length + 1 }, (_, n) => n))(
    'with a body that ends after %i events leaves the same transcript, nothing twice, no half call run',
    async (n) => {
      // With its stop reason (the last event but one) the reply is whole: some gateways send nothing after it.
      await expectUnharmed(raw(EVENTS.slice(0, n).join('')), n < EVENTS.length - 1 ? 2 : 1)
    },
  )

  it('again and again ends the turn with what had come, runs nothing, and the next turn works', async () => {
    const { server, engine } = await bench.start(({ index }) =>
      index < 5 ? { ...WHOLE, dropAfterChunks: 10 } : text('Back.'),
    )
    const session = await engine.createSession({})
    const f = follow(session)
    await say(session, 'go')
    expect(server.requests).toHaveLength(5)
    expect(f.events.at(-1)).toMatchObject({ type: 'error', data: { code: 'network' } })
    expect(replies(session.state)).toEqual(['Both at once.'])
    expect(toolItems(session.state)).toEqual([])
    expectAtRest(session.state)
    await say(session, 'again')
    expect(replies(session.state)).toEqual(['Both at once.', 'Back.'])
    await expectReplay(engine, session)
  })
})

describe('a stream that is not what it should be', () => {
  const at = (n: number, line: string) => [...EVENTS.slice(0, n), line, ...EVENTS.slice(n)].join('')
  const find = (part: string) => EVENTS.findIndex((event) => event.includes(part))
  const without = (part: string) => EVENTS.filter((_, i) => i !== find(part)).join('')
  const mid = find('input_json_delta')

  it.each([
    ['comments, ids and blank lines between events', at(mid, ': keep-alive\nid: 7\nretry: 100\n\n\n\n')],
    ['an event of an unknown kind', at(mid, 'event: confetti\ndata: {"type":"confetti","index":9}\n\n')],
    ['a delta of an unknown kind', at(mid, 'data: {"type":"content_block_delta","index":0,"delta":{"type":"x"}}\n\n')],
    [
      'a delta for a block that never began',
      at(mid, 'data: {"type":"content_block_delta","index":77,"delta":{"type":"text_delta","text":"ghost"}}\n\n'),
    ],
    ['a delta without its fields', at(mid, 'event: content_block_delta\ndata: {"type":"content_block_delta"}\n\n')],
    ['a line that is no field', at(mid, 'this is not server-sent events at all\n\n')],
    ['carriage returns', EVENTS.join('').replaceAll('\n', '\r\n')],
    ['no event names', EVENTS.join('').replaceAll(/^event: .*\n/gm, '')],
  ])('%s: read as if nothing were wrong', async (_, body) => {
    await expectUnharmed(raw(body), 1)
  })

  it.each([
    ['garbage instead of JSON', at(mid, 'event: content_block_delta\ndata: %%% not json %%%\n\n')],
    ['JSON that is cut', at(mid, `${EVENTS[mid]?.slice(0, 60)}\n\n`)],
    ['JSON that is no object', at(mid, 'data: null\n\n')],
    ['a start without its block', at(mid, 'data: {"type":"content_block_start","index":5}\n\n')],
    [
      'a message_start without its message',
      `event: message_start\ndata: {"type":"message_start"}\n\n${EVENTS.slice(1).join('')}`,
    ],
    [
      'an error event in the middle',
      at(mid, 'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"x"}}\n\n'),
    ],
    ['an error event that says nothing', at(mid, 'event: error\ndata: {}\n\n')],
    ['no stop reason and no end', without('message_delta').replace(EVENTS.at(-1) ?? '', '')],
    ['an empty body', ''],
    ['a page under the name of a stream', '<!doctype html><html><body><h1>502</h1></body></html>'],
  ])('%s: tried again, and the transcript is the same', async (_, body) => {
    await expectUnharmed(raw(body), 2)
  })

  it.each([
    ['the last event first', [EVENTS.at(-1), ...EVENTS.slice(0, -1)].join('')],
    ['every event in reverse', EVENTS.toReversed().join('')],
    ['deltas before their block', [...EVENTS.slice(0, 2), ...EVENTS.slice(mid), ...EVENTS.slice(2, mid)].join('')],
    ['everything twice', [...EVENTS, ...EVENTS].join('')],
    ['two starts of the message', [EVENTS[0], ...EVENTS].join('')],
    ['a reply that ends before its blocks do', [...EVENTS.slice(0, mid + 1), ...EVENTS.slice(-2)].join('')],
    ['no message_start', without('message_start')],
  ])('%s: the turn ends, what ran is recorded and ran at most once, and the next turn works', async (_, body) => {
    let broken = true
    const { engine } = await bench.start((request) => {
      if (!broken) return wasAnswered(request) ? text('Both done.') : text('Fine.')
      broken = false
      return raw(body)
    })
    const session = await engine.createSession({})
    const f = follow(session)
    await say(session, 'go')
    expectAtRest(session.state)
    expect(endsOf(f.events)).toHaveLength(1)
    const made = await readFile(join(bench.folder, 'made'), 'utf8').catch(() => '')
    const ran = toolItems(session.state).filter(({ state }) => state === 'ok')
    expect(made.split('\n').filter((line) => line !== '')).toHaveLength(ran.length)
    expect(new Set(made.split('\n').filter((line) => line !== '')).size).toBe(ran.length)
    await say(session, 'again')
    expect(session.state.last_outcome).toBe('finished')
    expectAtRest(session.state)
    await expectReplay(engine, session)
  })

  it('a login page: told as one, not tried again, and the session stays usable', async () => {
    const { server, engine } = await bench.start([
      raw('<!doctype html><title>Log in</title>', 'text/html; charset=utf-8'),
      text('Back.'),
    ])
    const session = await engine.createSession({})
    const f = follow(session)
    await say(session, 'go')
    expect(server.requests).toHaveLength(1)
    expect(JSON.stringify(f.events.at(-1))).toMatch(
      /answered with text\/html instead of a model's reply.*ANTHROPIC_BASE_URL/,
    )
    await say(session, 'again')
    expect(replies(session.state)).toEqual(['Back.'])
    await expectReplay(engine, session)
  })
})
