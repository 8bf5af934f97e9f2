import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { follow, TEST_KEY } from '../../support/engine'
import { startFakeAnthropic } from '../../support/fake-anthropic'
import {
  brokenStrings,
  expectReplay,
  faultBench,
  replies,
  say,
  storedEvents,
  text,
  tool,
  toolItems,
} from '../../support/faults-session'
import { testTool } from '../../support/turn'

const bench = faultBench()
vi.mock('../../../src/main/tools/registry', async (original) => {
  const real = await original<typeof import('../../../src/main/tools/registry')>()
  const run = () => Promise.resolve({ ok: true, output: 'a\ud83d and \ude00b' })
  return { ...real, createTools: () => [...real.createTools(), testTool({ name: 'cut', run })] }
})

describe('half a surrogate pair', () => {
  const HIGH = '\ud83d'
  const LOW = '\ude00'

  /** Valid lines, no escape of half a pair on disk unless it is one, and requests that a strict server takes. */
  it('in the user’s words, the reply, arguments and results: the log is valid JSON, the request valid UTF-8', async () => {
    const broken = `half ${HIGH} and ${LOW}.`
    const { server, engine } = await bench.start([
      {
        blocks: [
          { type: 'text', text: broken },
          tool('cut', { value: `v${HIGH}` }),
          tool('write', { path: 'note.txt', content: `written ${LOW}${HIGH}!` }),
          tool('bash', { command: `printf '%s' "x${HIGH}y\\\\ud83d"`, description: `d${LOW}` }),
          tool('plan_tool', { todos: [{ id: '1', content: `step ${HIGH}`, status: 'completed' }] }),
          tool('cut', { [`key ${LOW}`]: 'a name of an argument' }),
        ],
      },
      text('Fine.'),
      text('And on.'),
    ])
    const session = await engine.createSession({ title: undefined })
    await say(session, `train ${HIGH} please`)
    await say(session, `${LOW} and more`)
    expect(session.state.last_outcome).toBe('finished')
    expect(toolItems(session.state).map(({ state }) => state)).toEqual(['ok', 'ok', 'ok', 'ok', 'error'])
    await expectReplay(engine, session)
    const file = await readFile(join(engine.home, 'sessions', session.id, 'events.jsonl'))
    expect(new TextDecoder('utf-8', { fatal: true }).decode(file)).toContain('and more')
    for (const request of server.requests) expect(brokenStrings(request.body.messages)).toEqual([])
    // What only looks like an escape stays.
    const [, written] = server.requests
    expect(written?.body.messages.at(-2)?.content[3]?.input).toMatchObject({
      command: `printf '%s' "x\ufffdy\\\\ud83d"`,
    })
    expect(server.requests).toHaveLength(3)
  })

  it('cut by the border between two pieces of a reply is whole again', async () => {
    const { engine } = await bench.start([text(`a${HIGH}${LOW}b`, [`a${HIGH}`, `${LOW}b`])])
    const session = await engine.createSession({})
    const f = follow(session)
    await say(session, 'go')
    expect(replies(session.state)).toEqual(['a\u{1f600}b'])
    expect(f.types().filter((type) => type === 'assistant_chunk').length).toBeGreaterThan(0)
    await expectReplay(engine, session)
  })

  it('survives a restart: the resumed session sends what a strict server takes', async () => {
    const server = bench.keep(await startFakeAnthropic([text(`bad ${HIGH}`), text('Fine.')], { apiKey: TEST_KEY }))
    const first = await bench.engineOn(server)
    const session = await first.createSession({})
    await say(session, `go ${LOW}`)
    const stored = await storedEvents(first, session)
    await first.close()
    const again = await (await bench.engineOn(server)).openSession(session.id)
    expect(again.state.last_seq).toBe(stored.at(-1)?.seq)
    await say(again, 'and now')
    expect(again.state.last_outcome).toBe('finished')
    expect(brokenStrings(server.requests[1]?.body)).toEqual([])
  })
})
