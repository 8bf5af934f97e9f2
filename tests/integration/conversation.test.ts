import { appendFile, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { foldEvents } from '@shared/reducer'
import { DEFAULT_SETTINGS, type SettingsPatch } from '@shared/settings'
import { initialState } from '@shared/state'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Engine } from '../../src/main/engine-types'
import type { Session } from '../../src/main/session/types'
import { follow, TEST_KEY, temporaryFolder, testEngine } from '../support/engine'
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
  return { server, engine: await engineOn(server, options) }
}
async function engineOn(server: FakeAnthropic, options: Parameters<typeof testEngine>[1] = {}) {
  const engine = await testEngine(folder, { base_url: server.url, ...options })
  engines.push(engine)
  return engine
}
const text = (value: string) => ({ blocks: [{ type: 'text' as const, text: value }] })
const tool = (name: string, input: Record<string, unknown>) => ({ type: 'tool_use' as const, name, input })
const bash = (command: string) => ({ blocks: [tool('bash', { command })] })

async function say(session: Session, message: string): Promise<void> {
  await session.submit({ op: 'user_input', text: message })
  await session.idle()
}
const users = (session: Session) => session.state.items.flatMap((i) => (i.kind === 'user' ? [i.text] : []))
const replies = (session: Session) => session.state.items.flatMap((i) => (i.kind === 'assistant' ? [i.text] : []))
const userKey = (session: Session, message: string) =>
  session.state.items.find((item) => item.kind === 'user' && item.text === message)?.key ?? ''
/** The fold of what lies on disk is what the session shows. */
async function expectOnDisk(engine: Engine, session: Session): Promise<void> {
  await session.durable()
  const { readFile } = await import('node:fs/promises')
  const { parseLog } = await import('../support/engine')
  const log = parseLog(await readFile(join(engine.home, 'sessions', session.id, 'events.jsonl'), 'utf8'))
  expect(foldEvents(initialState(session.id), log)).toEqual(session.state)
}

describe('the history of a conversation', () => {
  it('puts another text in the place of a message: the model never sees the old one or what followed', async () => {
    const { server, engine } = await start([text('One.'), text('Two.'), text('Three.')])
    const session = await engine.createSession({})
    await say(session, 'first')
    await say(session, 'second')
    await session.submit({ op: 'edit', user_message_id: userKey(session, 'first'), text: 'better first' })
    await session.idle()
    expect(users(session)).toEqual(['better first'])
    expect(replies(session)).toEqual(['Three.'])
    const sent = JSON.stringify(server.requests[2]?.body.messages)
    expect(sent).toContain('better first')
    expect(sent).not.toMatch(/second|One\.|Two\./)
    expect(session.state.turns).toBe(1)
    await expectOnDisk(engine, session)
    await expect(session.submit({ op: 'edit', user_message_id: 'gone', text: 'x' })).rejects.toMatchObject({
      code: 'invalid_operation',
    })
  })

  it('asks again for a reply, and keeps what stands before it', async () => {
    const { server, engine } = await start([text('One.'), text('Two.'), text('Two, better.')])
    const session = await engine.createSession({})
    await say(session, 'first')
    await say(session, 'second')
    await session.submit({ op: 'regenerate' })
    await session.idle()
    expect(replies(session)).toEqual(['One.', 'Two, better.'])
    expect(server.requests[2]?.body.messages).toEqual(server.requests[1]?.body.messages)
    await expectOnDisk(engine, session)
  })

  it('takes back a message in the middle, and refuses while a turn runs', async () => {
    const gate = createGate()
    const { engine } = await start([text('One.'), text('Two.'), { ...text('Three.'), gate }])
    const session = await engine.createSession({})
    await say(session, 'first')
    await say(session, 'second')
    await session.submit({ op: 'undo', user_message_id: userKey(session, 'first') })
    expect(session.state.items).toEqual([])
    await session.submit({ op: 'user_input', text: 'third' })
    for (const operation of [
      { op: 'undo' },
      { op: 'regenerate' },
      { op: 'edit', user_message_id: userKey(session, 'third'), text: 'x' },
    ] as const) {
      await expect(session.submit(operation)).rejects.toMatchObject({ code: 'session_running' })
    }
    gate.open()
    await session.idle()
  })

  it('holds messages back until the turn has ended, and sends them one by one', async () => {
    const gate = createGate()
    const { server, engine } = await start([{ ...text('One.'), gate }, text('Two.'), text('Three.')])
    const session = await engine.createSession({})
    await session.submit({ op: 'user_input', text: 'first' })
    await server.request(0)
    await session.submit({ op: 'enqueue', text: 'second' })
    await session.submit({ op: 'enqueue', text: 'not this' })
    await session.submit({ op: 'enqueue', text: 'third' })
    const dropped = session.state.queue[1]?.id ?? ''
    await session.submit({ op: 'dequeue', id: dropped })
    await expect(session.submit({ op: 'dequeue', id: dropped })).rejects.toMatchObject({ code: 'invalid_operation' })
    expect(session.state.queue.map(({ content }) => content)).toEqual(['second', 'third'])
    gate.open()
    await session.idle()
    expect(users(session)).toEqual(['first', 'second', 'third'])
    expect(replies(session)).toEqual(['One.', 'Two.', 'Three.'])
    expect(session.state.queue).toEqual([])
    await expectOnDisk(engine, session)
  })

  it('does not send a waiting message after a stop, until the user says so', async () => {
    const gate = createGate()
    const { server, engine } = await start([{ ...text('One.'), gate }, text('Two.')])
    const session = await engine.createSession({})
    await session.submit({ op: 'user_input', text: 'first' })
    await server.request(0)
    await session.submit({ op: 'enqueue', text: 'second' })
    await session.submit({ op: 'interrupt' })
    await session.idle()
    expect(session.state.last_outcome).toBe('interrupted')
    const [waiting] = session.state.queue
    expect(waiting?.content).toBe('second')
    await session.submit({ op: 'send_queued', id: waiting?.id ?? '' })
    await session.idle()
    expect(replies(session)).toEqual(['Two.'])
    gate.open()
  })

  it('sends a queued message at once when nothing runs', async () => {
    const { engine } = await start([text('One.')])
    const session = await engine.createSession({})
    await session.submit({ op: 'enqueue', text: 'first' })
    await session.idle()
    expect(replies(session)).toEqual(['One.'])
  })

  it('changes the effort for the calls that follow', async () => {
    const { server, engine } = await start([text('One.'), text('Two.')])
    const session = await engine.createSession({})
    await say(session, 'first')
    await session.submit({ op: 'set_effort', effort: 'max' })
    await say(session, 'second')
    expect(server.requests[0]?.body.output_config).not.toMatchObject({ effort: 'max' })
    expect(server.requests[1]?.body.output_config).toMatchObject({ effort: 'max' })
  })
})

describe('a title', () => {
  const names = { host: 'browser', settings: { mode: 'auto', auto_titles: true } } as const

  it('is made by a small model after the first turn, counted as its own kind, and never over the user’s name', async () => {
    const { server, engine } = await start(
      [text('Done.'), text('“Penguin Species Classifier.”'), text('Again.')],
      names,
    )
    const session = await engine.createSession({})
    const f = follow(session)
    const named = f.next('session_update', ({ title }) => title !== undefined)
    await session.submit({ op: 'user_input', text: 'train a classifier on penguins.csv' })
    expect(await named).toMatchObject({ title: 'Penguin Species Classifier', title_by: 'model' })
    expect(server.requests[1]?.body.model).toBe('claude-haiku-5-5')
    expect(session.state.usage.parts.map(({ kind }) => kind)).toEqual(['main', 'title'])
    await session.idle()
    await say(session, 'more')
    expect(server.requests).toHaveLength(3)
  })

  it('that fails leaves the first line of the first message, and the session usable', async () => {
    const { server, engine } = await start(
      [text('Done.'), { error: { status: 400, type: 'invalid_request_error', message: 'no such thing' } }],
      names,
    )
    const session = await engine.createSession({})
    await session.submit({ op: 'user_input', text: 'train' })
    await (await server.request(1)).closed
    await session.idle()
    expect(session.state.title).toBe('train')
    expect(session.state.last_outcome).toBe('finished')
    expect(session.state.items.filter((item) => item.kind === 'notice')).toEqual([])
  })
})

describe('a call that waits for the user', () => {
  const ask = { settings: { mode: 'ask' } } as const

  it('waits on after a restart of the program, and runs when it is approved then', async () => {
    const { server, engine } = await start([bash('echo $((20 + 22)) > answer; cat answer'), text('42 it is.')], ask)
    const session = await engine.createSession({})
    const asked = follow(session).next('approval_required')
    await session.submit({ op: 'user_input', text: 'go' })
    const { tool_call_id } = (await asked).tools[0] ?? { tool_call_id: '' }
    await engine.close()

    const second = await engineOn(server, ask)
    const again = await second.openSession(session.id)
    expect(again.state.status).toBe('waiting_approval')
    expect(again.state.pending_approvals).toMatchObject([{ tool_call_id, tool: 'bash' }])
    await again.submit({ op: 'exec_approval', approvals: [{ tool_call_id, approved: true }] })
    await again.idle()
    expect(replies(again)).toEqual(['', '42 it is.'])
    expect(again.state.items.find((item) => item.kind === 'tool')).toMatchObject({ state: 'ok', output: '42' })
    await expectOnDisk(second, again)
  })

  it('can be decided one by one after a restart: the turn goes on when all are decided', async () => {
    const calls = ['echo a > a', 'echo b > b'].map((command) => tool('bash', { command }))
    const { server, engine } = await start([{ blocks: calls }, text('Both seen.')], ask)
    const session = await engine.createSession({})
    const asked = follow(session).next('approval_required')
    await session.submit({ op: 'user_input', text: 'go' })
    const [first = '', second = ''] = (await asked).tools.map((request) => request.tool_call_id)
    await engine.close()

    const again = await (await engineOn(server, ask)).openSession(session.id)
    await again.submit({ op: 'exec_approval', approvals: [{ tool_call_id: second, approved: true }] })
    expect(again.state.pending_approvals.map((request) => request.tool_call_id)).toEqual([first])
    await again.submit({
      op: 'exec_approval',
      approvals: [{ tool_call_id: first, approved: false, feedback: 'not a' }],
    })
    await again.idle()
    const results = server.requests[1]?.body.messages.at(-1)?.content
    expect(results).toMatchObject([
      { type: 'tool_result', is_error: true, content: expect.stringContaining('not a') },
      { type: 'tool_result' },
    ])
    expect(JSON.stringify(results?.[1])).not.toContain('is_error":true')
  })

  it('is abandoned, visibly, by a new message after a restart', async () => {
    const { server, engine } = await start([bash('echo 1'), text('Fine.')], ask)
    const session = await engine.createSession({})
    const asked = follow(session).next('approval_required')
    await session.submit({ op: 'user_input', text: 'go' })
    await asked
    await engine.close()

    const second = await engineOn(server, ask)
    const again = await second.openSession(session.id)
    await say(again, 'no, something else')
    expect(again.state.items.find((item) => item.kind === 'tool')).toMatchObject({ state: 'abandoned' })
    expect(server.requests[1]?.body.messages.at(-1)?.content).toMatchObject([
      { type: 'tool_result', is_error: true },
      { type: 'text', text: 'no, something else' },
    ])
    await expectOnDisk(second, again)
  })

  it('leaves no trace of waiting when it is stopped, before or after a restart', async () => {
    const { server, engine } = await start([bash('echo 1'), bash('echo 2'), text('Fine.')], ask)
    const session = await engine.createSession({})
    const f = follow(session)
    const asked = f.next('approval_required')
    await session.submit({ op: 'user_input', text: 'go' })
    await asked
    await session.submit({ op: 'interrupt' })
    await session.idle()
    expect(session.state).toMatchObject({ status: 'idle', pending_approvals: [], last_outcome: 'interrupted' })
    const askedAgain = f.next('approval_required')
    await session.submit({ op: 'user_input', text: 'again' })
    await askedAgain
    await engine.close()

    const again = await (await engineOn(server, ask)).openSession(session.id)
    await again.submit({ op: 'interrupt' })
    expect(again.state).toMatchObject({ status: 'idle', pending_approvals: [], last_outcome: 'interrupted' })
    await again.submit({ op: 'set_mode', mode: 'auto' })
    await say(again, 'and now')
    expect(again.state.last_outcome).toBe('finished')
  })

  it('runs with the arguments that the user wrote, and the model is told', async () => {
    const { server, engine } = await start([bash('rm -rf data'), text('Ah.')], ask)
    const session = await engine.createSession({})
    const asked = follow(session).next('approval_required')
    await session.submit({ op: 'user_input', text: 'go' })
    const { tool_call_id } = (await asked).tools[0] ?? { tool_call_id: '' }
    const edited = { tool_call_id, approved: true, arguments: { command: 'echo kept' } }
    await session.submit({ op: 'exec_approval', approvals: [edited] })
    await session.idle()
    expect(session.state.items.find((item) => item.kind === 'tool')).toMatchObject({
      arguments: { command: 'echo kept' },
      state: 'ok',
    })
    const seen = JSON.stringify(server.requests[1]?.body.messages)
    expect(seen).toContain('The user changed command before approving')
    expect(seen).toContain('kept')
    // What the model wrote stays in its own words: a provider wants its reply back as it was.
    expect(seen).toContain('rm -rf data')
    await expectOnDisk(engine, session)
  })

  it('refuses arguments that do not fit the tool, and a deny rule holds for what the user writes too', async () => {
    const { engine } = await start([bash('echo 1'), bash('echo 2'), text('Ah.')], {
      settings: { mode: 'ask', approval_rules: [{ effect: 'deny', tool: 'bash', pattern: 'rm *' }] },
    })
    const session = await engine.createSession({})
    const f = follow(session)
    for (const args of [{ command: 7 }, { command: 'rm x' }]) {
      const asked = f.next('approval_required')
      if (session.state.items.length === 0) await session.submit({ op: 'user_input', text: 'go' })
      const { tool_call_id } = (await asked).tools[0] ?? { tool_call_id: '' }
      await session.submit({ op: 'exec_approval', approvals: [{ tool_call_id, approved: true, arguments: args }] })
    }
    await session.idle()
    const outputs = session.state.items.flatMap((i) => (i.kind === 'tool' ? [i.output] : []))
    expect(outputs[0]).toContain("do not fit the tool's schema")
    expect(outputs[1]).toContain('rm *')
  })

  it('is explained by the model on request, and goes on waiting', async () => {
    const { engine } = await start([bash('nvidia-smi'), text('It lists the GPUs.'), text('Fine.')], ask)
    const session = await engine.createSession({})
    const f = follow(session)
    const asked = f.next('approval_required')
    await session.submit({ op: 'user_input', text: 'go' })
    const { tool_call_id } = (await asked).tools[0] ?? { tool_call_id: '' }
    const explained = f.next('approval_explained')
    await session.submit({ op: 'explain', tool_call_id })
    await explained
    expect(session.state.status).toBe('waiting_approval')
    expect(session.state.explanations).toEqual({ [tool_call_id]: 'It lists the GPUs.' })
    expect(session.state.usage.parts.map(({ kind }) => kind)).toEqual(['main', 'explain'])
    await session.submit({ op: 'exec_approval', approvals: [{ tool_call_id, approved: false }] })
    await session.idle()
    expect(session.state.explanations).toEqual({})
    await expect(session.submit({ op: 'explain', tool_call_id })).rejects.toMatchObject({ code: 'invalid_operation' })
    await expectOnDisk(engine, session)
  })

  it('is needed in every mode to change what the program may do, and a rule does not give it', async () => {
    const { engine } = await start([
      { blocks: [tool('write', { path: join(folder, 'home', 'config.json'), content: '{"mode":"full"}' })] },
    ])
    const session = await engine.createSession({ mode: 'full' })
    const seen = follow(session)
    const asked = seen.next('approval_required')
    await session.submit({ op: 'set_rules', rules: [{ effect: 'allow', tool: '*' }] })
    await session.submit({ op: 'user_input', text: 'go' })
    expect((await asked).tools).toMatchObject([{ tool: 'write', risk: 'rights', max_scope: 'once' }])
    await session.submit({ op: 'interrupt' })
    await session.idle()
  })

  it('is kept for the turn, for the project and for always, and each is where it belongs', async () => {
    const saved: SettingsPatch[] = []
    let settings = { ...DEFAULT_SETTINGS, mode: 'ask' as const, auto_titles: false }
    const { engine } = await start(
      [
        { blocks: ['echo 1', 'printf 2', 'true 3'].map((command) => tool('bash', { command })) },
        { blocks: [tool('bash', { command: 'echo 4' }), tool('bash', { command: 'printf 5' })] },
        text('Done.'),
        { blocks: [tool('bash', { command: 'true 6' }), tool('bash', { command: 'echo 7' })] },
        text('Done again.'),
      ],
      {
        settings: { mode: 'ask' },
        save_settings: (patch) => {
          saved.push(patch)
          settings = { ...settings, ...patch } as typeof settings
          return Promise.resolve(settings)
        },
      },
    )
    const session = await engine.createSession({})
    const f = follow(session)
    const asked = f.next('approval_required')
    await session.submit({ op: 'user_input', text: 'go' })
    const [one = '', two = '', three = ''] = (await asked).tools.map((request) => request.tool_call_id)
    const rule = (pattern: string) => [{ effect: 'allow' as const, tool: 'bash', pattern }]
    await session.submit({
      op: 'exec_approval',
      approvals: [
        { tool_call_id: one, approved: true, scope: 'turn', rules: rule('echo *') },
        { tool_call_id: two, approved: true, scope: 'project', rules: rule('printf *') },
        { tool_call_id: three, approved: true, scope: 'always', rules: rule('true *') },
      ],
    })
    await session.idle()
    expect(f.types().filter((type) => type === 'approval_required')).toHaveLength(1)
    expect(saved).toEqual([{ project_rules: { [folder]: rule('printf *') } }, { approval_rules: rule('true *') }])
    expect(session.state.turn_rules).toEqual([])
    // The next turn: what was for the turn asks again, what is for always does not.
    const askedAgain = f.next('approval_required')
    await session.submit({ op: 'user_input', text: 'more' })
    const again = (await askedAgain).tools
    expect(again.map((request) => request.arguments.command)).toEqual(['echo 7'])
    await session.submit({
      op: 'exec_approval',
      approvals: again.map(({ tool_call_id }) => ({ tool_call_id, approved: true })),
    })
    await session.idle()
  })

  it('cannot be allowed for longer than the request says, nor for another tool', async () => {
    const { engine } = await start([bash('hf repo delete me/model'), text('Ah.')], ask)
    const session = await engine.createSession({})
    const asked = follow(session).next('approval_required')
    await session.submit({ op: 'user_input', text: 'go' })
    const { tool_call_id } = (await asked).tools[0] ?? { tool_call_id: '' }
    const approve = (more: object) =>
      session.submit({ op: 'exec_approval', approvals: [{ tool_call_id, approved: true, ...more }] })
    await expect(approve({ scope: 'always' })).rejects.toMatchObject({ code: 'invalid_operation' })
    await expect(approve({ scope: 'session', rules: [{ effect: 'allow', tool: '*' }] })).rejects.toMatchObject({
      code: 'invalid_operation',
    })
    expect(session.state.status).toBe('waiting_approval')
    await session.submit({ op: 'exec_approval', approvals: [{ tool_call_id, approved: false }] })
    await session.idle()
  })
})

describe('the summary of a session', () => {
  it('is only a cache: one that cannot be written keeps no session from being opened or renamed', async () => {
    const { server, engine } = await start([text('One.'), text('Two.')])
    const session = await engine.createSession({})
    await say(session, 'first')
    await engine.close()
    const dir = join(engine.home, 'sessions', session.id)
    await rm(join(dir, 'summary.json'), { force: true })
    await mkdir(join(dir, 'summary.json', 'in the way'), { recursive: true })
    await appendFile(join(dir, 'events.jsonl'), '{"seq":')

    const second = await engineOn(server)
    const again = await second.openSession(session.id)
    expect(again.state.items.length).toBeGreaterThan(1)
    await say(again, 'second')
    expect(replies(again)).toEqual(['One.', 'Two.'])
  })
})
