import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { describeRequest } from '../../../src/main/hosts/headless/approvals'
import { approvalPolicy } from '../../../src/main/hosts/headless/run'
import { runCli } from '../../../src/main/hosts/headless/run-cli'
import { styleFor } from '../../../src/main/hosts/headless/style'
import { type FakeIoOptions, type FakeSession, fakeIo, finish, reply } from './fakes'

let cwd: string
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'ml-intern-headless-'))
})
afterEach(() => rm(cwd, { recursive: true, force: true }))

type Turn = (session: FakeSession) => Promise<void> | void
const make = (turn?: Turn, options: Partial<FakeIoOptions> = {}) =>
  fakeIo({
    cwd,
    ...options,
    setup: (engine) => {
      if (turn) engine.turn = turn
      options.setup?.(engine)
    },
  })

describe('modes and approvals come together', () => {
  test.each([
    // given, configured, terminal -> mode, ask
    [{}, 'ask', true, 'auto', false],
    [{}, 'plan', true, 'plan', false],
    [{}, 'full', true, 'full', false],
    [{ approve: 'auto' }, 'ask', false, 'auto', false],
    [{ approve: 'ask' }, 'ask', true, 'ask', true],
    [{ approve: 'ask' }, 'full', true, 'ask', true],
    [{ approve: 'ask' }, 'ask', false, 'ask', false],
    [{ approve: 'deny' }, 'auto', true, 'ask', false],
    [{ approve: 'deny' }, 'plan', true, 'plan', false],
    [{ mode: 'ask' }, 'ask', true, 'ask', true],
    [{ mode: 'ask' }, 'auto', false, 'ask', false],
    [{ mode: 'full' }, 'ask', true, 'full', false],
    [{ mode: 'plan', approve: 'deny' }, 'ask', true, 'plan', false],
  ] as const)('%j configured %s terminal %s', (given, configured, terminal, mode, ask) => {
    expect(approvalPolicy(given, configured, terminal)).toEqual({ mode, ask })
  })

  const asking = (session: FakeSession): Promise<void> => {
    const tools = [
      {
        tool: 'bash',
        arguments: { command: 'rm x' },
        tool_call_id: 'c1',
        intent: 'rm x',
        block_reason: 'Runs outside',
      },
      { tool: 'write', arguments: { path: 'a.py', content: 'one\ntwo' }, tool_call_id: 'c2', intent: 'Write a.py' },
    ]
    const interrupted = session.interrupt.then(() => session.emit('interrupted', {}))
    session.emit('approval_required', { tools, count: 2 })
    const decided = session.next('approval_resolved').then(async () => {
      if (session.state.pending_approvals.length > 0) await session.next('approval_resolved')
      reply(session, 'Went on.')
    })
    return Promise.race([interrupted, decided])
  }
  const tty: FakeIoOptions['tty'] = ['stdin', 'stderr']

  test('--approve ask on a terminal: each call is shown and asked, an odd answer is a reason', async () => {
    const io = make(asking, { tty, env: { NO_COLOR: '1' } })
    const done = runCli(['go', '--approve', 'ask'], io)
    await io.seen('stderr', /Run it\?.*refuse: $/)
    expect(io.err()).toContain('? bash  rm x\n  Runs outside\n  command: rm x\n')
    io.type('y\n')
    await io.seen('stderr', /a\.py[\s\S]*refuse: $/)
    expect(io.err()).toContain('  content:\n    one\n    two\n')
    io.type('Use another name\n')
    expect(await done).toBe(0)
    expect(io.engine?.sessions[0]?.operations.slice(1)).toEqual([
      { op: 'exec_approval', approvals: [{ tool_call_id: 'c1', approved: true, scope: 'once' }] },
      { op: 'exec_approval', approvals: [{ tool_call_id: 'c2', approved: false, feedback: 'Use another name' }] },
    ])
    expect(io.engine?.created[0]).toMatchObject({ options: { mode: 'ask' }, run: { approvals: 'wait' } })
  })

  test('the end of the input stops the turn instead of waiting for ever', async () => {
    const io = make(asking, { tty })
    const done = runCli(['go', '--approve', 'ask'], io)
    await io.seen('stderr', /refuse: /)
    io.stdin.push(null)
    expect(await done).toBe(130)
  })

  test('Ctrl+C at a question stops the turn', async () => {
    const io = make(asking, { tty })
    const done = runCli(['go', '--approve', 'ask'], io)
    await io.seen('stderr', /refuse: /)
    io.signal('SIGINT')
    expect(await done).toBe(130)
  })

  test('without a terminal nobody can answer: 5', async () => {
    const io = make((session) => finish(session, '', 'approval_unavailable'))
    expect(await runCli(['go', '--approve', 'ask'], io)).toBe(5)
    expect(io.engine?.created[0]).toMatchObject({ options: { mode: 'ask' }, run: { approvals: 'unavailable' } })
  })
})

describe('ending early', () => {
  const working = async (session: FakeSession): Promise<void> => {
    session.emit('assistant_chunk', { id: 'm1', content: 'Half an ans' })
    await session.interrupt
    const blocks = [{ type: 'text' as const, text: 'Half an ans' }]
    const message = { id: 'm1', content: 'Half an ans', blocks, model: 'm', stop_reason: 'interrupted', partial: true }
    session.emit('assistant_message', message)
    session.emit('interrupted', {})
  }

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    '%s stops the turn, keeps what arrived, and is 130',
    async (name) => {
      let begin = (): void => undefined
      const started = new Promise<void>((resolve) => {
        begin = resolve
      })
      const io = make((session) => {
        begin()
        return working(session)
      })
      const done = runCli(['go', '--output-format', 'json'], io)
      await started
      io.signal(name)
      expect(await done).toBe(130)
      expect(JSON.parse(io.out())).toMatchObject({ status: 'interrupted', final_response: 'Half an ans' })
      expect(io.engine?.closed).toBe(true)
      expect(io.listening()).toBe(false)
    },
  )

  test('a second signal waits for nothing', async () => {
    const io = make((session) => {
      session.emit('assistant_chunk', { id: 'm1', content: 'x' })
      return new Promise(() => undefined)
    })
    const done = runCli(['go'], io)
    await io.seen('stdout', /x/)
    io.signal('SIGINT')
    io.signal('SIGINT')
    expect(await done).toBe(130)
  })

  test('a reader of stdout that has gone stops the turn quietly', async () => {
    const io = make(working)
    const done = runCli(['go'], io)
    await io.seen('stdout', /Half/)
    const before = io.err()
    io.stdout.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
    expect(await done).toBe(130)
    expect(io.err()).toBe(before)
  })
})

describe('what is decided on', () => {
  test('shows every character of a command: an escape sequence hides nothing that the shell would run', () => {
    const command = 'echo ok \u001b]0;\nrm -rf data\n\u0007\r\u009b2K'
    const shown = describeRequest(
      { tool: 'bash', arguments: { command }, tool_call_id: 'c1', intent: command },
      styleFor(Object.assign(new PassThrough(), { isTTY: false }), {}),
    )
    expect(shown).toContain('rm -rf data')
    expect(shown).toContain('\\x1b]0;')
    expect(shown).toContain('\\x07\\x0d\\x9b2K')
    expect(shown.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u)
  })
})
