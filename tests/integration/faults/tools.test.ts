import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { describe, expect, it, vi } from 'vitest'
import type { Tool } from '../../../src/main/tools/types'
import { follow, TEST_KEY } from '../../support/engine'
import type { FakeRequest } from '../../support/fake-anthropic'
import { callPiece, delta, startFakeOpenAi } from '../../support/fake-openai'
import {
  bash,
  brokenStrings,
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
import { testTool } from '../../support/turn'

const bench = faultBench()
/** Tools that misbehave, beside the real ones. */
const odd: Tool[] = []
vi.mock('../../../src/main/tools/registry', async (original) => {
  const real = await original<typeof import('../../../src/main/tools/registry')>()
  return { ...real, createTools: () => [...real.createTools(), ...odd] }
})
function withTools(...tools: Parameters<typeof testTool>[0][]): void {
  odd.splice(0, odd.length, ...tools.map(testTool))
}

const resultsOf = (request: FakeRequest | undefined) =>
  (request?.body.messages.at(-1)?.content ?? []).filter(({ type }) => type === 'tool_result')

describe('an output of 10 MB', () => {
  const BYTES = 10 * 1024 * 1024
  const LINE = 'epoch 12345 loss 0.123456789 \u{1f600} accuracy 0.987654321\n'

  it('costs bounded memory and never blocks: a small event, and the whole in a file', async () => {
    await writeFile(join(bench.folder, 'big.txt'), LINE.repeat(Math.ceil(BYTES / Buffer.byteLength(LINE))))
    const { size } = await stat(join(bench.folder, 'big.txt'))
    const run = bash('cat big.txt; echo the very end')
    const { server, engine } = await bench.start(({ index }) => (index % 2 === 0 ? run : text('Read.')))
    const session = await engine.createSession({})
    // What the first run of anything loads and compiles is not the cost of the output.
    await say(session, 'warm up')

    const delays: number[] = []
    const grown: number[] = []
    // Another process may take the core just then: a defect would show in every run.
    for (let run = 0; run < 5 && (run === 0 || Math.min(...delays) > 100); run++) {
      const before = memory()
      let peak = 0
      const stop = session.onEvent(() => {
        peak = Math.max(peak, memory())
      })
      const delay = monitorEventLoopDelay({ resolution: 5 })
      delay.enable()
      await say(session, 'go')
      delay.disable()
      stop()
      delays.push(delay.max / 1e6)
      grown.push((peak - before) / 1024 ** 2)
    }
    console.info(`10 MB output: event loop ${delays.map(Math.round)} ms, memory +${grown.map(Math.round)} MB`)
    expect(Math.min(...delays)).toBeLessThan(100)
    expect(Math.min(...grown)).toBeLessThan(100)

    const stored = await expectReplay(engine, session)
    const outputs = stored.filter(({ type }) => type === 'tool_output')
    for (const event of outputs) expect(JSON.stringify(event).length).toBeLessThan(40_000)
    const { output, spill } = toolItems(session.state).at(-1) ?? { output: '', spill: null }
    expect(output.startsWith(LINE)).toBe(true)
    expect(output).toContain('the very end')
    expect(spill?.bytes).toBe(size + 'the very end\n'.length)
    const kept = await readFile(join(engine.home, 'sessions', session.id, 'outputs', spill?.file ?? ''), 'utf8')
    expect(kept).toBe(`${LINE.repeat(size / Buffer.byteLength(LINE))}the very end\n`)
    // The log as a whole stays small, live output included, and the model gets no more than the event holds.
    expect((await stat(join(engine.home, 'sessions', session.id, 'events.jsonl'))).size).toBeLessThan(400_000 * 4)
    expect(JSON.stringify(server.requests.at(-1)?.body).length).toBeLessThan(60_000 * 4)
    expect(brokenStrings(server.requests.at(-1)?.body)).toEqual([])
  }, 60_000)

  it('by a tool that does not bound it: cut in the middle, redacted, whole in a file, never blocking', async () => {
    const whole = `begin \u{1f600} ${'result \u{1f600} '.repeat(1_000_000)} key ${TEST_KEY} end`
    withTools({ name: 'huge', run: () => Promise.resolve({ ok: true, output: whole }) })
    const { server, engine } = await bench.start(({ index }) =>
      index % 2 === 0 ? { blocks: [tool('huge', {})] } : text('Seen.'),
    )
    const session = await engine.createSession({})
    await say(session, 'warm up')
    const delays: number[] = []
    for (let run = 0; run < 5 && (run === 0 || Math.min(...delays) > 100); run++) {
      const delay = monitorEventLoopDelay({ resolution: 5 })
      delay.enable()
      await say(session, 'go')
      delay.disable()
      delays.push(delay.max / 1e6)
    }
    console.info(`10 MB result: event loop ${delays.map(Math.round)} ms`)
    expect(Math.min(...delays)).toBeLessThan(100)
    const { output, spill } = toolItems(session.state).at(-1) ?? { output: '', spill: null }
    expect(output.length).toBeLessThan(30_000)
    expect(output).toMatch(/^begin [\s\S]* key \[REDACTED\] end$/)
    const kept = await readFile(join(engine.home, 'sessions', session.id, 'outputs', spill?.file ?? ''), 'utf8')
    expect(kept).toBe(whole.replace(TEST_KEY, '[REDACTED]'))
    expect(brokenStrings(server.requests.at(-1)?.body)).toEqual([])
    expect((await stat(join(engine.home, 'sessions', session.id, 'events.jsonl'))).size).toBeLessThan(400_000)
    await expectReplay(engine, session)
  }, 60_000)

  const memory = () => {
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  }
})

describe('a tool that misbehaves', () => {
  it('throws, in every way: each call has one error result, and the turn goes on', async () => {
    withTools(
      { name: 'rejects', run: () => Promise.reject(new Error(`boom with ${TEST_KEY}`)) },
      {
        name: 'throws',
        run: () => {
          throw new TypeError('at once')
        },
      },
      // What libraries throw is not always an Error.
      { name: 'strange', run: () => Promise.reject('a mere string') },
      { name: 'nothing', run: () => Promise.reject(undefined) },
    )
    const { server, engine } = await bench.start([
      { blocks: ['rejects', 'throws', 'strange', 'nothing'].map((name) => tool(name, {})) },
      text('All failed.'),
    ])
    const session = await engine.createSession({})
    await say(session, 'go')
    expect(replies(session.state).at(-1)).toBe('All failed.')
    const results = resultsOf(server.requests[1])
    expect(results.map(({ is_error }) => is_error)).toEqual([true, true, true, true])
    expect(results.map(({ content }) => content)).toEqual([
      'The tool failed: boom with [REDACTED]',
      'The tool failed: at once',
      'The tool failed: a mere string',
      expect.stringContaining('The tool failed'),
    ])
    await expectReplay(engine, session)
  })

  it('never ends: a stop comes back after the grace time with one result each, and the next turn works', async () => {
    const started: string[] = []
    let bothRun = (): void => undefined
    const running = new Promise<void>((resolve) => {
      bothRun = resolve
    })
    withTools({
      name: 'endless',
      run: ({ value = '' }) => {
        started.push(value)
        if (started.length === 2) bothRun()
        return new Promise(() => undefined)
      },
    })
    const { engine } = await bench.start([
      { blocks: [tool('endless', { value: 'a' }), tool('endless', { value: 'b' })] },
      text('Back.'),
    ])
    const session = await engine.createSession({})
    const f = follow(session)
    await session.submit({ op: 'user_input', text: 'go' })
    await running
    const begun = performance.now()
    await session.submit({ op: 'interrupt' })
    await session.idle()
    const took = performance.now() - begun
    // Five seconds of grace for all of them together, not for each.
    expect(took).toBeGreaterThan(4_000)
    expect(took).toBeLessThan(8_000)
    expect(endsOf(f.events)).toEqual(['interrupted'])
    expectAtRest(session.state)
    for (const { output } of toolItems(session.state)) expect(output).toContain('left behind')
    expect(started).toEqual(['a', 'b'])
    await say(session, 'again')
    expect(replies(session.state).at(-1)).toBe('Back.')
    await expectReplay(engine, session)
  })

  it('ends after it was left behind: its late result, log and plan change nothing any more', async () => {
    let finish = (): void => undefined
    withTools({
      name: 'late',
      run: (_, context) =>
        new Promise((resolve) => {
          finish = () => {
            context.log('a late line\n', 'stdout')
            context.set_plan([{ id: '1', content: 'a late plan', status: 'pending' }])
            resolve({ ok: true, output: 'a late result' })
          }
        }),
    })
    const { engine } = await bench.start([{ blocks: [tool('late', {})] }, text('Back.')])
    const session = await engine.createSession({})
    const f = follow(session)
    const called = f.next('tool_call')
    await session.submit({ op: 'user_input', text: 'go' })
    await called
    await session.durable()
    await session.submit({ op: 'interrupt' })
    await session.idle()
    const { state } = session
    finish()
    await new Promise<void>((next) => setImmediate(next))
    expect(session.state).toBe(state)
    await say(session, 'again')
    expect(JSON.stringify(session.state.items)).not.toContain('a late result')
    expectAtRest(session.state)
    await expectReplay(engine, session)
  })

  it('returns bytes that are no text: the log is valid, the request too, and what is text is kept', async () => {
    const bytes = Array.from({ length: 256 }, (_, i) => `\\x${i.toString(16).padStart(2, '0')}`).join('')
    const { server, engine } = await bench.start([
      {
        blocks: [
          tool('bash', { command: `printf 'before${bytes}after'` }),
          tool('bash', { command: 'head -c 300000 /dev/urandom' }),
          // The first bytes of an emoji and of a three-byte character at the very end.
          tool('bash', { command: "printf 'cut \\xf0\\x9f\\x98'" }),
          tool('bash', { command: "printf 'cut \\xe2\\x82' >&2; exit 3" }),
        ],
      },
      text('Strange.'),
    ])
    const session = await engine.createSession({})
    await say(session, 'go')
    expect(replies(session.state).at(-1)).toBe('Strange.')
    const [all, random, emoji, three] = toolItems(session.state).map(({ output }) => output)
    expect(all).toMatch(/^before/)
    expect(all).toMatch(/ABCDEFG[\s\S]*after$/)
    expect(random?.length).toBeLessThan(30_000)
    expect(emoji).toBe('cut \ufffd')
    expect(three).toContain('cut \ufffd')
    expect(brokenStrings(session.state.items)).toEqual([])
    expect(brokenStrings(server.requests[1]?.body)).toEqual([])
    expect(JSON.stringify(all)).not.toMatch(/\\u0000|\\u001b/)
    await expectReplay(engine, session)
    // The bytes themselves are all in the file.
    const outputs = join(engine.home, 'sessions', session.id, 'outputs')
    const sizes = await Promise.all(
      (await readdir(outputs)).map(async (name) => (await stat(join(outputs, name))).size),
    )
    expect(Math.max(...sizes)).toBeGreaterThanOrEqual(300_000)
  })
})

describe('50 calls in one reply', () => {
  it('that only read run together, and their results keep the order of the calls', async () => {
    const names = Array.from({ length: 50 }, (_, i) => `n${String(i).padStart(2, '0')}`)
    let running = 0
    let most = 0
    const waiting: (() => void)[] = []
    withTools({
      name: 'look',
      run: async ({ value = '' }) => {
        running += 1
        most = Math.max(most, running)
        const all = new Promise<void>((resolve) => waiting.push(resolve))
        // The last to come lets all go, in reverse.
        if (waiting.length === 50) for (const go of waiting.toReversed()) go()
        await all
        running -= 1
        return { ok: true, output: `seen ${value}` }
      },
    })
    const { server, engine } = await bench.start([
      { blocks: names.map((value) => tool('look', { value })) },
      text('All seen.'),
    ])
    const session = await engine.createSession({})
    await say(session, 'go')
    expect(most).toBe(50)
    expect(resultsOf(server.requests[1]).map(({ content }) => content)).toEqual(names.map((name) => `seen ${name}`))
    expect(toolItems(session.state).map(({ output }) => output)).toEqual(names.map((name) => `seen ${name}`))
    await expectReplay(engine, session)
  })

  it('on real files: 40 reads, 9 commands and a write between them', async () => {
    const names = Array.from({ length: 40 }, (_, i) => `f${i}.txt`)
    await Promise.all(names.map((name) => writeFile(join(bench.folder, name), `content of ${name}\n`)))
    const calls = [
      ...names.slice(0, 20).map((path) => tool('read', { path })),
      ...Array.from({ length: 4 }, (_, i) => tool('bash', { command: `test ! -e made && echo before ${i}` })),
      tool('write', { path: 'made', content: 'x' }),
      ...Array.from({ length: 5 }, (_, i) => tool('bash', { command: `test -e made && echo after ${i}` })),
      ...names.slice(20).map((path) => tool('read', { path })),
    ]
    const { server, engine } = await bench.start([{ blocks: calls }, text('Done.')])
    const session = await engine.createSession({})
    await say(session, 'go')
    const items = toolItems(session.state)
    expect(items).toHaveLength(50)
    expect(items.map(({ state }) => state)).toEqual(Array(50).fill('ok'))
    expect(items.map(({ tool: name }) => name)).toEqual(calls.map((call) => ('name' in call ? call.name : '')))
    expect(items[7]?.output).toContain('content of f7.txt')
    expect(items[28]?.output).toBe('after 3')
    const order = server.requests[1]?.body.messages.at(-2)?.content.map(({ id }) => id)
    expect(resultsOf(server.requests[1]).map(({ tool_use_id }) => tool_use_id)).toEqual(order)
    await expectReplay(engine, session)
  })
})

describe('ids of calls', () => {
  it('that are empty, repeated in a reply, repeated in a session or impossible: one call, one result each', async () => {
    const odd = 'has spaces / slashes, and an emoji \u{1f600}'
    const ids = ['same', 'same', '', '', odd, 'x'.repeat(300)]
    const calls = (from: number) => ids.map((id, i) => tool('bash', { command: `echo ${from + i}` }, id))
    const { server, engine } = await bench.start([
      { blocks: calls(0) },
      { blocks: calls(10) },
      text('Once more.'),
      { blocks: calls(20) },
      text('Done.'),
    ])
    const session = await engine.createSession({})
    await say(session, 'go')
    await say(session, 'again')
    const outputs = [0, 10, 20].flatMap((from) => ids.map((_, i) => String(from + i)))
    expect(toolItems(session.state).map(({ output }) => output)).toEqual(outputs)
    expect(new Set(toolItems(session.state).map(({ call_id }) => call_id)).size).toBe(18)
    // The strict server has checked that every result answers the call before it.
    expect(resultsOf(server.requests[4]).map(({ content }) => content)).toEqual(outputs.slice(12))
    await expectReplay(engine, session)
  })

  it('that a chat completions server leaves out or repeats', async () => {
    const server = bench.keep(
      await startFakeOpenAi(
        [
          {
            chunks: [
              callPiece(0, '', 'bash', '{"command":"echo a"}'),
              callPiece(1, undefined, 'bash', '{"command":"echo b"}'),
              callPiece(2, 'twice', 'bash', '{"command":"echo c"}'),
              callPiece(3, 'twice', 'bash', '{"command":"echo d"}'),
              delta({}, 'tool_calls'),
            ],
          },
          { chunks: [delta({ content: 'Done.' }), delta({}, 'stop')] },
        ],
        { answers: { '/v1/models': { data: [{ id: 'm' }] } } },
      ),
    )
    const env = { PATH: process.env.PATH, VLLM_BASE_URL: server.url }
    const engine = await bench.engineOn({ url: 'http://127.0.0.1:9' }, { env })
    const session = await engine.createSession({ model: 'vllm/m' })
    await say(session, 'go')
    expect(toolItems(session.state).map(({ output }) => output)).toEqual(['a', 'b', 'c', 'd'])
    expect(replies(session.state).at(-1)).toBe('Done.')
    await expectReplay(engine, session)
  })
})
