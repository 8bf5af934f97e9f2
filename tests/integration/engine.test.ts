import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TRANSIENT_EVENTS } from '@shared/events'
import { foldEvents } from '@shared/reducer'
import { initialState } from '@shared/state'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Engine } from '../../src/main/engine-types'
import { follow, parseLog, TEST_KEY, temporaryFolder, testEngine } from '../support/engine'
import { createGate, type FakeAnthropic, type Script, startFakeAnthropic } from '../support/fake-anthropic'

let folder: string
let remove: () => Promise<void>
const servers: FakeAnthropic[] = []
const engines: Engine[] = []

beforeEach(async () => {
  const made = await temporaryFolder()
  folder = made.path
  remove = made.remove
})
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.close()
  const closed = await Promise.allSettled(servers.splice(0).map((server) => server.close()))
  await remove()
  for (const result of closed) if (result.status === 'rejected') throw result.reason
})

async function start(script: Script, options: Parameters<typeof testEngine>[1] = {}) {
  const server = await startFakeAnthropic(script, { apiKey: TEST_KEY })
  servers.push(server)
  const engine = await testEngine(folder, { base_url: server.url, ...options })
  engines.push(engine)
  return { server, engine }
}
const text = (value: string, chunks: number | string[] = 1) => ({
  blocks: [{ type: 'text' as const, text: value, chunks }],
})
const tool = (name: string, input: Record<string, unknown>) => ({ type: 'tool_use' as const, name, input })
const logOf = async (engine: Engine, id: string) =>
  parseLog(await readFile(join(engine.home, 'sessions', id, 'events.jsonl'), 'utf8'))

describe('a session on the real engine', () => {
  it('runs plan, bash, write, edit and read for real, and the log replays to the same state', async () => {
    const { server, engine } = await start([
      {
        blocks: [
          { type: 'thinking', thinking: 'First look.', chunks: 3 },
          { type: 'text', text: 'Looking.' },
          tool('plan_tool', { todos: [{ id: '1', content: 'Look', status: 'in_progress' }] }),
          tool('write', { path: 'train.py', content: 'print("loss=0.5")\n' }),
          tool('bash', { command: 'python3 train.py', description: 'train' }),
        ],
      },
      { blocks: [tool('edit', { path: 'train.py', old_str: '0.5', new_str: '0.25' })] },
      {
        blocks: [
          tool('read', { path: 'train.py' }),
          tool('bash', { command: 'python3 train.py; exit 3' }),
          tool('plan_tool', { todos: [{ id: '1', content: 'Look', status: 'completed' }] }),
        ],
      },
      text('The loss is 0.25.', 4),
    ])
    const session = await engine.createSession({})
    const f = follow(session)
    await session.submit({ op: 'user_input', text: 'train a classifier' })
    await session.idle()

    expect(f.events.at(-1)).toMatchObject({ type: 'turn_complete', data: { final_response: 'The loss is 0.25.' } })
    const outputs = f.events.flatMap((e) =>
      e.type === 'tool_output' ? [e.data as { output: string; success: boolean }] : [],
    )
    expect(outputs.map((o) => o.success)).toEqual([true, true, true, true, true, false, true])
    expect(outputs[2]?.output).toContain('loss=0.5')
    expect(outputs[4]?.output).toContain('loss=0.25')
    expect(outputs[5]?.output).toContain('3')
    expect(session.state.plan).toEqual([{ id: '1', content: 'Look', status: 'completed' }])
    expect(server.requests).toHaveLength(4)

    const stored = await logOf(engine, session.id)
    for (const event of f.events.filter((e) => !TRANSIENT_EVENTS.has(e.type))) {
      expect(stored.find((s) => s.seq === event.seq)).toEqual(event)
    }
    expect(foldEvents(initialState(session.id), stored)).toEqual(session.state)
  })

  it('acknowledges a message only when it can be read back from disk', async () => {
    const gate = createGate()
    const { engine } = await start([{ ...text('Hello'), gate }])
    const session = await engine.createSession({})
    const { seq } = await session.submit({ op: 'user_input', text: 'hi' })
    expect((await logOf(engine, session.id)).find((e) => e.seq === seq)?.type).toBe('user_message')
    gate.open()
    await session.idle()
  })

  it('keeps partial output on interrupt, closes the connection, and the next turn works', async () => {
    const gate = createGate()
    const { server, engine } = await start([
      { ...text('Half a reply', ['Half ', 'a reply']), gate, afterChunks: 1 },
      text('Again.'),
    ])
    const session = await engine.createSession({})
    const f = follow(session)
    const chunk = f.next('assistant_chunk')
    await session.submit({ op: 'user_input', text: 'go' })
    await chunk
    await session.submit({ op: 'interrupt' })
    await session.idle()
    expect(f.types().slice(-4)).toEqual(['assistant_message', 'assistant_stream_end', 'llm_call', 'interrupted'])
    expect(await (await server.request(0)).closed).toBe(true)
    await session.submit({ op: 'user_input', text: 'go on' })
    await session.idle()
    expect(session.state.items.flatMap((i) => (i.kind === 'assistant' ? [[i.text, i.partial]] : []))).toEqual([
      ['Half ', true],
      ['Again.', false],
    ])
  })

  it('interrupts a running command: its process is gone and its output is kept', async () => {
    const { engine } = await start([{ blocks: [tool('bash', { command: 'echo $$; exec sleep 300' })] }])
    const session = await engine.createSession({})
    const f = follow(session)
    const log = f.next('tool_log', (data) => /^\d+\n/.test(data.log))
    await session.submit({ op: 'user_input', text: 'go' })
    const pid = Number((await log).log)
    await session.submit({ op: 'interrupt' })
    await session.idle()
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
    expect(session.state.items.find((i) => i.kind === 'tool')).toMatchObject({ has_output: true })
    expect(session.state.last_outcome).toBe('interrupted')
  })

  it('resumes by id with the whole conversation, in the same order of messages', async () => {
    const { server, engine } = await start([
      { blocks: [tool('bash', { command: 'echo one' })] },
      text('Done.'),
      text('Again.'),
    ])
    const session = await engine.createSession({})
    await session.submit({ op: 'user_input', text: 'first' })
    await session.idle()
    const before = session.state
    await engine.close()

    const second = await testEngine(folder, { base_url: server.url })
    engines.push(second)
    const resumed = await second.openSession(session.id)
    expect(resumed.state).toEqual(before)
    await resumed.submit({ op: 'user_input', text: 'second' })
    await resumed.idle()
    expect(server.requests[2]?.body.messages.map((m) => m.role)).toEqual([
      'user',
      'assistant',
      'user',
      'assistant',
      'user',
    ])
    expect(await second.latestSession(folder)).toBe(session.id)
  })

  it('refuses a second writer, shows the session read-only, and lets go when it is closed', async () => {
    const { engine } = await start([text('Hello')])
    const session = await engine.createSession({})
    const other = await testEngine(folder)
    engines.push(other)
    await expect(other.openSession(session.id)).rejects.toMatchObject({ code: 'session_busy' })
    await engine.close()
    const reopened = await other.openSession(session.id)
    expect(reopened.read_only).toBe(false)
  })

  it('takes a steering message into the running turn', async () => {
    const { server, engine } = await start([
      { blocks: [tool('bash', { command: 'read -t 20 x < fifo; echo got' })] },
      text('Both done.'),
    ])
    const session = await engine.createSession({})
    const f = follow(session)
    await run('mkfifo fifo', folder)
    const called = f.next('tool_call')
    await session.submit({ op: 'user_input', text: 'go' })
    await called
    await session.submit({ op: 'steer', text: 'and be quick' })
    await writeFile(join(folder, 'fifo'), 'x\n')
    await session.idle()
    expect(server.requests[1]?.body.messages.at(-1)?.content).toMatchObject([
      { type: 'tool_result' },
      { type: 'text', text: 'and be quick' },
    ])
  })

  it('asks in ask mode, remembers an approval for the session, and refuses a decision nobody waits for', async () => {
    const { engine } = await start(
      [
        { blocks: [tool('bash', { command: 'echo 1' })] },
        { blocks: [tool('bash', { command: 'echo 2' })] },
        text('Done.'),
      ],
      { settings: { mode: 'ask' } },
    )
    const session = await engine.createSession({})
    const f = follow(session)
    const asked = f.next('approval_required')
    await session.submit({ op: 'user_input', text: 'go' })
    const id = (await asked).tools[0]?.tool_call_id ?? ''
    const rules = [{ effect: 'allow' as const, tool: 'bash', pattern: 'echo *' }]
    await session.submit({
      op: 'exec_approval',
      approvals: [{ tool_call_id: id, approved: true, scope: 'session', rules }],
    })
    await session.idle()
    expect(f.types().filter((type) => type === 'approval_required')).toHaveLength(1)
    expect(session.state.rules).toEqual(rules)
    await expect(
      session.submit({ op: 'exec_approval', approvals: [{ tool_call_id: id, approved: true }] }),
    ).rejects.toMatchObject({ code: 'invalid_operation' })
  })

  it('treats a message instead of a decision as a no, and the model reads both', async () => {
    const { server, engine } = await start([{ blocks: [tool('bash', { command: 'echo 1' })] }, text('Fine.')], {
      settings: { mode: 'ask' },
    })
    const session = await engine.createSession({})
    const f = follow(session)
    const asked = f.next('approval_required')
    await session.submit({ op: 'user_input', text: 'go' })
    await asked
    await session.submit({ op: 'user_input', text: 'no, explain first' })
    await session.idle()
    expect(server.requests[1]?.body.messages.at(-1)?.content).toMatchObject([
      { type: 'tool_result', is_error: true },
      { type: 'text', text: 'no, explain first' },
    ])
  })

  it('takes back the last message, and the model no longer sees it', async () => {
    const { server, engine } = await start([text('One.'), text('Two.'), text('Three.')])
    const session = await engine.createSession({})
    for (const message of ['first', 'second']) {
      await session.submit({ op: 'user_input', text: message })
      await session.idle()
    }
    await session.submit({ op: 'undo' })
    await session.submit({ op: 'user_input', text: 'third' })
    await session.idle()
    expect(JSON.stringify(server.requests[2]?.body.messages)).not.toContain('second')
  })

  it('never lets the key reach the log, whatever a command prints', async () => {
    await writeFile(join(folder, 'notes.txt'), `key = ${TEST_KEY}\n`)
    const { server, engine } = await start([
      { blocks: [tool('bash', { command: 'cat notes.txt; env' }), tool('read', { path: 'notes.txt' })] },
      // Long enough to be kept in a file beside the log, with the key on a border between two reads.
      {
        blocks: [
          tool('bash', {
            command: 'head -c 65530 /dev/zero | tr "\\0" x; for i in $(seq 3000); do cat notes.txt; done',
          }),
        ],
      },
      text('Done.'),
    ])
    const session = await engine.createSession({})
    await session.submit({ op: 'user_input', text: 'go' })
    await session.idle()
    const raw = await readFile(join(engine.home, 'sessions', session.id, 'events.jsonl'), 'utf8')
    expect(raw).toContain('[REDACTED]')
    expect(raw).not.toContain(TEST_KEY)
    expect(JSON.stringify(server.requests.map((request) => request.body.messages))).not.toContain(TEST_KEY)
    const outputs = join(engine.home, 'sessions', session.id, 'outputs')
    const [file = ''] = await readdir(outputs)
    const kept = await readFile(join(outputs, file), 'utf8')
    expect(kept.match(/key = \[REDACTED\]\n/g)).toHaveLength(3000)
    expect(kept).not.toContain(TEST_KEY)
  })

  it('reports provider errors with what to do, and stays usable', async () => {
    const { engine } = await start([
      { error: { status: 401, type: 'authentication_error', message: 'invalid x' } },
      text('Now it works.'),
    ])
    const session = await engine.createSession({})
    const f = follow(session)
    await session.submit({ op: 'user_input', text: 'go' })
    await session.idle()
    expect(f.events.at(-1)).toMatchObject({ type: 'error', data: { code: 'auth' } })
    await session.submit({ op: 'user_input', text: 'again' })
    await session.idle()
    expect(session.state.last_outcome).toBe('finished')
  })

  it('survives overload and a dropped stream, and shows nothing twice', async () => {
    const { engine } = await start([
      { error: { status: 529, type: 'overloaded_error', message: 'Overloaded', headers: { 'retry-after-ms': '1' } } },
      { error: { status: 500, type: 'api_error', message: 'oops', headers: { 'retry-after-ms': '1' } } },
      { ...text('Half a reply that dies', 6), dropAfterChunks: 3 },
      text('The whole reply.'),
    ])
    const session = await engine.createSession({})
    await session.submit({ op: 'user_input', text: 'go' })
    await session.idle()
    const replies = session.state.items.flatMap((i) => (i.kind === 'assistant' ? [i.text] : []))
    expect(replies).toEqual(['The whole reply.'])
    expect(foldEvents(initialState(session.id), await logOf(engine, session.id))).toEqual(session.state)
  })

  it('says what is wrong with a folder, a model and a missing key before a session exists', async () => {
    const { engine } = await start([])
    await writeFile(join(folder, 'file'), '')
    await expect(engine.createSession({ cwd: 'nowhere' })).rejects.toMatchObject({ code: 'not_found' })
    await expect(engine.createSession({ cwd: 'file' })).rejects.toMatchObject({ code: 'not_a_directory' })
    await expect(engine.createSession({ model: 'gpt-2' })).rejects.toMatchObject({ code: 'unknown_model' })
    const keyless = await testEngine(join(folder), { key: null })
    engines.push(keyless)
    await expect(keyless.createSession({})).rejects.toMatchObject({ code: 'no_credentials' })
    expect(await engine.listSessions()).toEqual([])
  })

  it('does not delete a session that works', async () => {
    const gate = createGate()
    const { engine } = await start([{ ...text('Hello'), gate }])
    await mkdir(join(folder, 'work'))
    const session = await engine.createSession({ cwd: 'work' })
    await session.submit({ op: 'user_input', text: 'go' })
    await expect(engine.removeSession(session.id)).rejects.toMatchObject({ code: 'session_running' })
    gate.open()
    await session.idle()
    await engine.removeSession(session.id)
    await expect(engine.readSession(session.id)).rejects.toMatchObject({ code: 'session_not_found' })
  })
})

async function run(command: string, cwd: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    execFile('bash', ['-c', command], { cwd }, (error) => (error ? reject(error) : resolve()))
  })
}
