import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AnyEvent } from '@shared/events'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { Engine } from '../../../src/main/engine-types'
import type { Session } from '../../../src/main/session/types'
import { follow } from '../../support/engine'
import { createGate, type MessageReply, type Reply, type Script } from '../../support/fake-anthropic'
import {
  bash,
  endsOf,
  expectAtRest,
  expectReplay,
  faultBench,
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
const ask = { settings: { mode: 'ask' } } as const

/** After a stop: one end, nothing left over, the same on disk, and a turn that works. */
async function expectUsable(engine: Engine, session: Session, events: readonly AnyEvent[], ends = ['interrupted']) {
  expect(endsOf(events)).toEqual(ends)
  expectAtRest(session.state)
  await expectReplay(engine, session)
  await session.submit({ op: 'set_mode', mode: 'auto' })
  await say(session, 'go on')
  expect(session.state.last_outcome).toBe('finished')
  expect(replies(session.state).at(-1)).toBe('Back.')
  expectAtRest(session.state)
  await expectReplay(engine, session)
}

describe('a stop', () => {
  type Reached = (f: ReturnType<typeof follow>) => Promise<unknown>
  const chunk: Reached = (f) => f.next('assistant_chunk')
  const half = (blocks: MessageReply['blocks'], hangAfterChunks: number): MessageReply => {
    return { blocks, hangAfterChunks, unbatched: true }
  }
  const busy = (headers: Record<string, string>): Reply => {
    return { error: { status: 529, type: 'overloaded_error', message: 'Overloaded', headers } }
  }
  const words = { type: 'text' as const, text: 'Half a reply', chunks: ['Half ', 'a reply'] }
  const cut = (name: string, input: Record<string, unknown>) =>
    ({ ...tool(name, input), chunks: 4 }) as MessageReply['blocks'][0]

  const cases: [string, Reply, Reached, { kept?: string[] }][] = [
    ['before the request is answered', { hang: true }, (f) => f.next('processing'), {}],
    ['in the middle of the text', half([words], 1), chunk, { kept: ['Half '] }],
    [
      'in the middle of the thinking',
      half([{ type: 'thinking', thinking: 'Let me see.', chunks: 3 }, words], 2),
      (f) => f.next('reasoning_chunk'),
      {},
    ],
    [
      'between the thinking and the text',
      half([{ type: 'thinking', thinking: 'Let me see.', chunks: 1 }, words], 2),
      (f) => f.next('reasoning_chunk'),
      {},
    ],
    [
      'in the middle of the arguments of a call, after a whole one',
      half([words, tool('bash', { command: 'echo whole >> made' }), cut('bash', { command: 'echo half >> made' })], 5),
      (f) => f.next('assistant_chunk', ({ content }) => content.endsWith('a reply')),
      { kept: ['Half a reply'] },
    ],
    [
      'while it waits to try again',
      busy({ 'retry-after': '100' }),
      (f) => f.next('processing', ({ retry }) => retry !== undefined),
      {},
    ],
  ]
  it.each(cases)('%s', async (_, reply, reached, { kept = [] }) => {
    const { engine, server } = await bench.start([reply, text('Back.')])
    const session = await engine.createSession({})
    const f = follow(session)
    const there = reached(f)
    await session.submit({ op: 'user_input', text: 'go' })
    const request = await server.request(0)
    await there
    await session.submit({ op: 'interrupt' })
    await session.idle()
    await request.closed
    expect(replies(session.state)).toEqual(kept)
    expect(toolItems(session.state)).toEqual([])
    await expectUsable(engine, session, f.events)
    expect(await readFile(join(bench.folder, 'made'), 'utf8').catch(() => '')).toBe('')
  })

  it('while commands run and one waits behind them: all have one result, what had not begun never runs', async () => {
    const { engine } = await bench.start([
      {
        blocks: [
          tool('bash', { command: 'echo one; exec sleep 300' }),
          tool('bash', { command: 'echo two; exec sleep 300' }),
          tool('write', { path: 'made', content: 'never' }),
        ],
      },
      text('Back.'),
    ])
    const session = await engine.createSession({})
    const f = follow(session)
    const both = Promise.all(['one\n', 'two\n'].map((log) => f.next('tool_log', (data) => data.log === log)))
    await session.submit({ op: 'user_input', text: 'go' })
    await both
    await session.submit({ op: 'interrupt' })
    await session.idle()
    const items = toolItems(session.state)
    expect(items.map(({ has_output }) => has_output)).toEqual([true, true, true])
    expect(items.map(({ output }) => output.split('\n')[0])).toEqual([
      'one',
      'two',
      'Not run: the user stopped the turn.',
    ])
    await expect(readFile(join(bench.folder, 'made'))).rejects.toThrow('ENOENT')
    await expectUsable(engine, session, f.events)
  })

  it('while calls wait for the user: none of them runs, no decision waits, and a late one is refused', async () => {
    const calls = ['echo a >> made', 'echo b >> made'].map((command) => tool('bash', { command }))
    const { engine } = await bench.start([{ blocks: calls }, text('Back.')], ask)
    const session = await engine.createSession({})
    const f = follow(session)
    const asked = f.next('approval_required')
    await session.submit({ op: 'user_input', text: 'go' })
    const [first] = (await asked).tools
    await session.submit({ op: 'interrupt' })
    await session.idle()
    await expect(
      session.submit({ op: 'exec_approval', approvals: [{ tool_call_id: first?.tool_call_id ?? '', approved: true }] }),
    ).rejects.toMatchObject({ code: 'invalid_operation' })
    await expectUsable(engine, session, f.events)
    await expect(readFile(join(bench.folder, 'made'))).rejects.toThrow('ENOENT')
  })

  it('in the same moment as the approval: the call runs to a result or not at all', async () => {
    const { engine } = await bench.start([bash('echo a >> made; exec sleep 300'), text('Back.')], ask)
    const session = await engine.createSession({})
    const f = follow(session)
    const asked = f.next('approval_required')
    await session.submit({ op: 'user_input', text: 'go' })
    const { tool_call_id = '' } = (await asked).tools[0] ?? {}
    await Promise.all([
      session.submit({ op: 'exec_approval', approvals: [{ tool_call_id, approved: true }] }),
      session.submit({ op: 'interrupt' }),
    ])
    await session.idle()
    await expectUsable(engine, session, f.events)
  })

  it('while the conversation is summarised to make room, in the middle of a turn', async () => {
    let summaries = 0
    const hung = createGate()
    const { engine } = await bench.start(({ body }) => {
      if (JSON.stringify(body.messages.at(-1)).includes('go on')) return text('Back.')
      // A request without tools is one for a summary.
      if (body.tools) return text('A long answer. '.repeat(25_000))
      summaries += 1
      if (summaries > 1) return text('SUMMARY')
      void hung.arrive()
      return { hang: true }
    })
    // A window of 200,000 tokens.
    const session = await engine.createSession({ model: 'claude-haiku-4-5' })
    await say(session, 'one')
    await say(session, 'two')
    const f = follow(session)
    await session.submit({ op: 'user_input', text: 'three' })
    await hung.reached
    await session.submit({ op: 'interrupt' })
    await session.idle()
    expect(session.state.compaction).toBeNull()
    await expectUsable(engine, session, f.events)
    // The turn after it had to summarise again, and could.
    expect(session.state.compaction?.summary).toBe('SUMMARY')
  })

  it('twice, and three times, is one', async () => {
    const { engine, server } = await bench.start([{ hang: true }, text('Back.')])
    const session = await engine.createSession({})
    const f = follow(session)
    await session.submit({ op: 'user_input', text: 'go' })
    await server.request(0)
    await Promise.all([1, 2, 3].map(() => session.submit({ op: 'interrupt' })))
    await session.idle()
    await session.submit({ op: 'interrupt' })
    await expectUsable(engine, session, f.events)
  })

  it('when nothing runs changes nothing', async () => {
    const { engine } = await bench.start([text('One.'), text('Back.')])
    const session = await engine.createSession({})
    const f = follow(session)
    await say(session, 'go')
    const { last_seq } = session.state
    expect(await session.submit({ op: 'interrupt' })).toEqual({ seq: null })
    expect(session.state.last_seq).toBe(last_seq)
    await expectUsable(engine, session, f.events, ['turn_complete'])
  })
})

/** A turn with everything: thinking, text, a retry, calls of every kind, an approval, a message while it runs. */
const everything: Script = (request) => {
  const last = request.body.messages.at(-1)?.content ?? []
  const said = last.findLast(({ type }) => type === 'text')?.text
  if (said === 'go on') return text('Back.')
  const results = request.body.messages.flatMap(({ content }) => content.filter(({ type }) => type === 'tool_result'))
  if (results.length >= 4) return { ...text('All done.', 2), unbatched: true }
  if (results.length > 0) return { blocks: [tool('bash', { command: 'echo asked >> made; sed -n 1p made' })] }
  if (request.index === 0) return { ...text('Half', 2), dropAfterChunks: 1 }
  return {
    blocks: [
      { type: 'thinking', thinking: 'First this.', chunks: 2 },
      { type: 'text', text: 'Working.', chunks: 2 },
      tool('plan_tool', { todos: [{ id: '1', content: 'Work', status: 'completed' }] }),
      tool('read', { path: 'data.txt' }),
      tool('read', { path: 'missing.txt' }),
    ],
    unbatched: true,
  }
}
/** Runs it, answers what is asked, and stops at the `stopAt`th event. Returns how many events came. */
async function runEverything(stopAt: number | null, later: boolean): Promise<number> {
  await writeFile(join(bench.folder, 'data.txt'), 'x\n')
  const { engine } = await bench.start(everything, ask)
  const session = await engine.createSession({})
  const events: AnyEvent[] = []
  const operations: Promise<unknown>[] = []
  const stop = () => {
    operations.push(session.submit({ op: 'interrupt' }))
  }
  session.onEvent((event) => {
    events.push(event)
    if (event.type === 'approval_required') {
      const { tools } = event.data as { tools: { tool_call_id: string }[] }
      const approvals = tools.map(({ tool_call_id }) => ({ tool_call_id, approved: true }))
      // Refused when the stop came first.
      operations.push(session.submit({ op: 'exec_approval', approvals }).catch(() => undefined))
    }
    if (events.length !== stopAt) return
    // In the very step of the event, or when everything that was on its way has happened.
    if (later) setImmediate(stop)
    else stop()
  })
  await session.submit({ op: 'user_input', text: 'go' })
  await session.idle()
  await new Promise<void>((next) => setImmediate(next))
  await Promise.all(operations)
  await session.idle()
  const count = events.length
  const ends = endsOf(events)
  expect(ends).toHaveLength(1)
  if (stopAt === null) expect(ends).toEqual(['turn_complete'])
  await expectUsable(engine, session, [...events], ends)
  await engine.close()
  return count
}

describe('a stop at every event of a turn', () => {
  it.each([false, true])(
    'ends it once, leaves nothing pending, and the next turn works (a moment later: %s)',
    async (later) => {
      const count = await runEverything(null, later)
      expect(count).toBeGreaterThan(25)
      for (let at = 1; at <= count; at++) await runEverything(at, later)
    },
    60_000,
  )

  it('and an answer that comes with the stop is not lost', async () => {
    const gate = createGate()
    const { engine } = await bench.start([{ ...text('Whole.'), gate }, text('Back.')])
    const session = await engine.createSession({})
    const f = follow(session)
    const stopped: Promise<unknown>[] = []
    session.onEvent((event) => {
      if (event.type === 'assistant_message' && stopped.length === 0) stopped.push(session.submit({ op: 'interrupt' }))
    })
    await session.submit({ op: 'user_input', text: 'go' })
    gate.open()
    await session.idle()
    await Promise.all(stopped)
    expect(replies(session.state)).toEqual(['Whole.'])
    expect(session.state.items.find((item) => item.kind === 'assistant')).toMatchObject({ partial: false })
    expect(endsOf(f.events)).toHaveLength(1)
    await expectUsable(engine, session, f.events, endsOf(f.events))
  })
})
