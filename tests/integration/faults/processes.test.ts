import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AnyEvent } from '@shared/events'
import type { Operation } from '@shared/operations'
import { foldEvents } from '@shared/reducer'
import { initialState } from '@shared/state'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { parseLog, TEST_KEY } from '../../support/engine'
import { bundleAgent } from '../../support/faults-process'
import { bash, faultBench, replies, say, text, toolItems } from '../../support/faults-session'
import { LineProcess } from '../../support/log-process'

const bench = faultBench()
let work: string
let agent: string
const running: LineProcess[] = []

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'ml-intern-processes-'))
  agent = await bundleAgent(work)
})
afterEach(async () => {
  await Promise.all(running.splice(0).map((child) => child.kill()))
})
afterAll(() => rm(work, { recursive: true, force: true }))

/** The real engine in a process of its own. `limit`: of the size of a file, in KiB, as the system enforces it. */
function startAgent(base_url: string, session: string | null, limit?: number): LineProcess {
  const task = JSON.stringify({ folder: bench.folder, base_url, key: TEST_KEY, session, mode: 'auto', seed: null })
  const [command, args]: [string, string[]] =
    limit === undefined
      ? [process.execPath, [agent, task]]
      : // POSIX counts in blocks of 512 bytes.
        ['sh', ['-c', `ulimit -f ${limit * 2}; exec "$0" "$1" "$2"`, process.execPath, agent, task]]
  const child = new LineProcess(command, args)
  running.push(child)
  return child
}
const send = (child: LineProcess, operation: Operation) => child.send(`${JSON.stringify(operation)}\n`)
async function opened(child: LineProcess): Promise<string> {
  return (await child.line(/^opened /)).split(' ')[1] ?? ''
}
const told = (child: LineProcess): AnyEvent[] =>
  parseLog(child.lines.flatMap((line) => (line.startsWith('ev ') ? [line.slice(3)] : [])).join('\n'))
const stored = async (id: string) => readFile(join(bench.folder, 'home/sessions', id, 'events.jsonl'), 'utf8')

describe('two processes on one session', () => {
  it('the second reads and is refused, and takes over at once when the first is killed', async () => {
    const { server, engine } = await bench.start([bash('echo $$ > pid; exec sleep 300'), text('Mine now.')])
    const first = startAgent(server.url, null)
    const id = await opened(first)
    send(first, { op: 'user_input', text: 'go' })
    await first.line(/"type":"tool_call"/)

    // This process: it can look, and everything that would write is refused with the other's number.
    await expect(engine.openSession(id)).rejects.toMatchObject({ code: 'session_busy' })
    await expect(engine.openSession(id)).rejects.toThrow(String(first.child.pid))
    await expect(engine.removeSession(id)).rejects.toMatchObject({ code: 'session_busy' })
    const client = engine.connect(() => undefined)
    const operation = { op: 'user_input', text: 'me too' }
    const reply = await client.request('session.submit', { id, operation })
    client.close()
    expect(reply).toMatchObject({ ok: false, error: { code: 'session_busy' } })
    expect((await engine.readSession(id)).status).toBe('running')
    expect((await engine.listSessions()).find((session) => session.id === id)).toMatchObject({ locked: true })
    // A third is refused in the same way, and ends.
    const third = startAgent(server.url, id)
    expect(await third.line(/^failed /)).toContain('session_busy')
    await third.closed
    expect(third.child.exitCode).toBe(1)

    const before = told(first)
    const pid = await filled(join(bench.folder, 'pid'))
    await first.kill()
    const begun = performance.now()
    const session = await engine.openSession(id)
    expect(performance.now() - begun).toBeLessThan(2_000)
    const lines = parseLog(await stored(id))
    for (const event of before) expect(lines).toContainEqual(event)
    expect(toolItems(session.state)[0]?.output).toContain('whether it finished is not known')
    await say(session, 'and now?')
    expect(replies(session.state).at(-1)).toBe('Mine now.')
    // What the killed process had started is nobody's any more.
    process.kill(pid, 'SIGKILL')
  })

  it('while the first ends in order, the second gets the session and everything in it', async () => {
    const { server, engine } = await bench.start([text('One.'), text('Two.')])
    const first = startAgent(server.url, null)
    const id = await opened(first)
    send(first, { op: 'user_input', text: 'go' })
    first.send('idle\nclose\n')
    await first.line(/^closed/)
    await first.closed
    const session = await engine.openSession(id)
    expect(session.state.last_seq).toBe(told(first).at(-1)?.seq)
    await say(session, 'more')
    expect(replies(session.state)).toEqual(['One.', 'Two.'])
  })

  it('of ten that want a killed one’s session, one gets it', async () => {
    const { server } = await bench.start(() => text('Fine.'))
    const first = startAgent(server.url, null)
    const id = await opened(first)
    await first.kill()
    const all = Array.from({ length: 10 }, () => startAgent(server.url, id))
    const answers = await Promise.all(all.map((child) => child.line(/^(opened|failed) /)))
    expect(answers.filter((line) => line.startsWith('opened'))).toHaveLength(1)
    for (const line of answers) expect(line).toMatch(/^opened|^failed session_busy/)
  }, 40_000)
})

/** The number in a file that a command is about to write. */
async function filled(file: string): Promise<number> {
  for (;;) {
    const found = await readFile(file, 'utf8').catch(() => '')
    if (found.endsWith('\n')) return Number(found)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

describe('a full disk in the middle of a turn', () => {
  // A limit for the size of a file fails where a full disk does, and holds for every user; cli.test.ts has a real one.
  it.each([64, 91, 128])(
    '(%i KiB): the error is shown, nothing acknowledged is lost, and it goes on with room',
    async (limit) => {
      const filler = 'head -c 3000 /dev/zero | tr "\\0" x'
      let full = true
      const { server, engine } = await bench.start(({ index }) => {
        return full ? bash(`echo ${index}; ${filler}`) : text('Room again.')
      })
      const child = startAgent(server.url, null, limit)
      const id = await opened(child)
      send(child, { op: 'user_input', text: 'go' })
      const shown = await child.line(/^told error/)
      expect(shown).toContain('log_write')
      expect(shown).toContain('ulimit')
      await child.line(/^broken log_write/)
      // It does not take what it cannot keep, and ends in order.
      child.send('idle\n')
      await child.line(/^idle error/)
      send(child, { op: 'user_input', text: 'are you there?' })
      await child.line(/^refused log_write user_input/)
      child.send('close\n')
      await child.line(/^closed/)
      await child.closed
      expect(child.child.exitCode).toBe(0)

      const raw = await stored(id)
      expect(Buffer.byteLength(raw)).toBeLessThanOrEqual(limit * 1024)
      expect(raw.endsWith('\n')).toBe(true)
      const lines = raw.split('\n')
      for (const line of child.lines) if (line.startsWith('ev ')) expect(lines).toContain(line.slice(3))
      const events = parseLog(raw)
      expect(events.length).toBeGreaterThan(15)
      expect(raw).not.toContain('are you there?')
      expect(foldEvents(initialState(id), events).turns).toBe(1)
      expect((await stat(join(bench.folder, 'home/sessions', id))).isDirectory()).toBe(true)

      full = false
      const session = await engine.openSession(id)
      expect(session.state.status).toBe('idle')
      await say(session, 'and now?')
      expect(replies(session.state).at(-1)).toBe('Room again.')
      expect(session.state.last_outcome).toBe('finished')
    },
  )

  it('when a long output cannot be kept: its head and tail still reach the model, and it says why', async () => {
    const { server, engine } = await bench.start([bash('seq 1 100000'), text('Seen.'), text('More.')])
    const child = startAgent(server.url, null, 200)
    const id = await opened(child)
    send(child, { op: 'user_input', text: 'go' })
    child.send('idle\nclose\n')
    expect(await child.line(/^idle/)).toBe('idle finished')
    await child.closed
    const content = String(server.requests[1]?.body.messages.at(-1)?.content[0]?.content)
    expect(content).toMatch(/^1\n2\n3\n/)
    expect(content).toContain('99999\n100000')
    expect(content).toMatch(/could not be kept: .*EFBIG/)
    const session = await engine.openSession(id)
    expect(toolItems(session.state)[0]?.spill).toBeNull()
    await say(session, 'more')
    expect(session.state.last_outcome).toBe('finished')
  })
})

describe('a data folder that misbehaves', () => {
  it('a summary that cannot be written costs nothing but the cache', async () => {
    const { engine, server } = await bench.start([text('One.'), text('Two.')])
    const session = await engine.createSession({})
    const summary = join(engine.home, 'sessions', session.id, 'summary.json')
    await rm(summary, { force: true })
    await mkdir(summary)
    await writeFile(join(summary, 'in-the-way'), '')
    await say(session, 'go')
    expect(session.state.last_outcome).toBe('finished')
    await engine.close()
    const again = await (await bench.engineOn(server)).openSession(session.id)
    await say(again, 'more')
    expect(replies(again.state)).toEqual(['One.', 'Two.'])
  })
})
