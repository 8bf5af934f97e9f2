import { join } from 'node:path'
import { DEFAULT_SETTINGS, type SettingsPatch } from '@shared/settings'
import { describe, expect, it } from 'vitest'
import { bash, engineOn, expectOnDisk, folder, replies, say, start, text, tool } from '../support/conversation'
import { follow } from '../support/engine'

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
