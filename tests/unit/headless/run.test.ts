import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseEvent } from '@shared/events'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { runCli } from '../../../src/main/hosts/headless/run-cli'
import {
  command,
  FakeSession as Fake,
  type FakeIoOptions,
  type FakeSession,
  fakeIo,
  finish,
  ID,
  ID2,
  reply,
  say,
} from './fakes'

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

describe('formats', () => {
  test('stream-json: every event of the run, one a line, and nothing else on stdout', async () => {
    const io = make((session) => {
      command(session, 'c1', 'echo hi', 0, 'hi\n')
      reply(session, 'Done.')
    })
    expect(await runCli(['go', '--output-format', 'stream-json'], io)).toBe(0)
    const lines = io.out().trimEnd().split('\n')
    const events = lines.map((line) => parseEvent(JSON.parse(line)))
    expect(events.map((event) => event?.seq)).toEqual(lines.map((_line, i) => i + 1))
    expect(events.map((event) => event?.type)).toEqual([
      'session_update',
      'user_message',
      'tool_call',
      'tool_log',
      'tool_output',
      'assistant_chunk',
      'assistant_chunk',
      'llm_call',
      'assistant_message',
      'turn_complete',
    ])
    expect(Object.keys(JSON.parse(lines[0] ?? ''))).toEqual(['seq', 'time', 'session', 'type', 'data'])
    expect(io.err()).toBe('')
  })

  test('json: one object with exactly the fields of the contract', async () => {
    const io = make((session) => {
      session.emit('plan_update', { plan: [{ id: '1', content: 'look', status: 'completed' }] })
      for (const [id, created] of [
        ['w1', true],
        ['w2', false],
      ] as const) {
        session.emit('tool_call', { tool: 'write', arguments: {}, tool_call_id: id })
        session.emit('tool_output', {
          tool: 'write',
          tool_call_id: id,
          output: 'ok',
          success: true,
          duration_ms: 1,
          details: { kind: 'diff', path: '/x/train.py', patch: '', added: 3, removed: 1, created, truncated: false },
        })
      }
      reply(session, 'The accuracy is 0.98.')
    })
    expect(await runCli(['go', '--output-format', 'json'], io)).toBe(0)
    expect(JSON.parse(io.out())).toEqual({
      session: ID,
      status: 'finished',
      final_response: 'The accuracy is 0.98.',
      usage: {
        calls: 1,
        prompt_tokens: 100,
        completion_tokens: 20,
        total_tokens: 120,
        cache_read_tokens: 60,
        cache_creation_tokens: 10,
      },
      cost_usd: 0.0123,
      plan: [{ id: '1', content: 'look', status: 'completed' }],
      artifacts: [{ path: '/x/train.py', created: true, added: 6, removed: 2 }],
    })
  })

  test('json: a cost that is not known is null, never 0', async () => {
    const io = make((session) => reply(session, 'x', null))
    await runCli(['go', '--output-format', 'json'], io)
    expect(JSON.parse(io.out()).cost_usd).toBeNull()
  })

  test('json: why a run failed stands on stderr', async () => {
    const io = make((session) =>
      session.emit('error', { error: 'The key is wrong.', code: 'auth', remedy: 'Get one.' }),
    )
    expect(await runCli(['go', '--output-format', 'json'], io)).toBe(1)
    expect(JSON.parse(io.out())).toMatchObject({ status: 'error', final_response: '' })
    expect(io.err()).toBe('✗ The key is wrong.\n  Get one.\n')
  })

  test('an old session: only the events and the numbers of this run', async () => {
    const old = (session: FakeSession) => {
      say(session, 'm0', 'Old words.', 5)
      finish(session, 'Old words.')
    }
    for (const format of ['json', 'stream-json']) {
      const io = make(undefined, {
        setup: (engine) => {
          const session = new Fake(ID, { cwd, model: engine.settings.model, mode: 'auto' }, (s) => {
            say(s, 'm2', 'New words.', 0.5)
            finish(s, 'New words.')
          })
          old(session)
          engine.sessions.push(session)
        },
      })
      expect(await runCli(['go', '--session', ID, '--output-format', format], io)).toBe(0)
      expect(io.out()).not.toContain('Old')
      if (format === 'json') expect(JSON.parse(io.out())).toMatchObject({ cost_usd: 0.5, usage: { calls: 1 } })
    }
  })
})

describe('exit codes', () => {
  test.each([
    ['finished', 0],
    ['max_iterations', 3],
    ['budget', 4],
    ['approval_unavailable', 5],
    ['refusal', 1],
    ['guard', 1],
  ] as const)('%s is %i', async (reason, code) => {
    expect(
      await runCli(
        ['go'],
        make((session) => finish(session, '', reason)),
      ),
    ).toBe(code)
  })

  test.each([
    ['network', 1],
    ['auth', 1],
    ['model_not_found', 2],
    ['no_credentials', 2],
  ])('the error %s is %i', async (code, expected) => {
    expect(
      await runCli(
        ['go'],
        make((session) => session.emit('error', { error: 'x', code })),
      ),
    ).toBe(expected)
  })

  test('a turn that leaves no outcome is a failure, not a success', async () => {
    expect(
      await runCli(
        ['go'],
        make(() => undefined),
      ),
    ).toBe(1)
  })

  test('an unknown model: 2, and no empty session is left behind', async () => {
    const io = make()
    expect(await runCli(['go', '--model', 'anthropic/nope'], io)).toBe(2)
    expect(io.err()).toContain('There is no model anthropic/nope.\n  Try another.')
    expect(io.engine?.created).toEqual([])
    expect(io.engine?.closed).toBe(true)
  })

  test('a folder that is a file, or is not there, or a broken configuration: 2, and no engine is made', async () => {
    await writeFile(join(cwd, 'file'), '')
    await mkdir(join(cwd, 'home'))
    for (const [args, text] of [
      [['--cwd', 'file'], 'is not a folder'],
      [['--cwd', 'file/below'], 'is not a folder'],
      [['--cwd', 'none'], 'does not exist'],
      [['--config', 'file.json'], 'file.json does not exist'],
    ] as const) {
      const io = make()
      expect(await runCli(['go', ...args], io), text).toBe(2)
      expect(io.err()).toContain(text)
      expect(io.engine).toBeNull()
    }
    await writeFile(join(cwd, 'home', 'config.json'), '{"mode": 1}')
    const io = make()
    expect(await runCli(['go'], io)).toBe(2)
    expect(io.err()).toContain('"mode" must be "plan", "ask", "auto" or "full", but it is 1.')
  })

  test('a defect is named as one, without a stack unless it is asked for', async () => {
    const io = make(() => Promise.reject(new TypeError('x is undefined')))
    expect(await runCli(['go'], io)).toBe(1)
    expect(io.err()).toContain('internal error: x is undefined')
    expect(io.err()).not.toContain('at ')
  })
})

describe('prompt', () => {
  test('comes from stdin when it is piped, or asked for with -', async () => {
    for (const argv of [[], ['-'], ['--output-format', 'json']]) {
      const io = make(undefined, { stdin: '  train\nit \n' })
      expect(await runCli(argv, io)).toBe(0)
      expect(io.engine?.sessions[0]?.operations[0]).toEqual({ op: 'user_input', text: 'train\nit' })
    }
  })

  test('an empty one is refused before anything is loaded', async () => {
    for (const argv of [[''], ['-'], []]) {
      const io = make(undefined, { stdin: ' \n' })
      expect(await runCli(argv, io)).toBe(2)
      expect(io.engine).toBeNull()
    }
  })

  test('what is no text is refused before it becomes a prompt', async () => {
    for (const stdin of ['a\0b', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0xff]), Buffer.from('train', 'utf16le')]) {
      const io = make(undefined, { stdin })
      expect(await runCli(['-'], io)).toBe(2)
      expect(io.err()).toContain('not UTF-8 text')
      expect(io.engine).toBeNull()
    }
  })

  test('one that is too long is refused with a way out', async () => {
    const io = make(undefined, { stdin: 'x'.repeat(700_000) })
    expect(await runCli(['-'], io)).toBe(2)
    expect(io.err()).toContain('longer than 200,000 characters')
  })
})

describe('options reach the engine', () => {
  test('model, effort, limits, streaming', async () => {
    const io = make()
    const argv = ['go', '-m', 'anthropic/other', '--effort', 'high', '--max-iterations', '7', '--no-stream']
    expect(await runCli(argv, io)).toBe(0)
    expect(io.engine?.created).toEqual([
      {
        options: { cwd, model: 'anthropic/other', effort: 'high', mode: 'auto' },
        run: { max_iterations: 7, streaming: false, approvals: 'unavailable' },
      },
    ])
  })

  test('a session by the beginning of its id; one that fits several is refused', async () => {
    const setup: FakeIoOptions['setup'] = (engine) => {
      for (const id of [ID, ID2]) {
        const mode = 'ask'
        engine.sessions.push(new Fake(id, { cwd, model: engine.settings.model, mode, title: 'T' }, engine.turn))
      }
    }
    const io = make(undefined, { setup })
    expect(await runCli(['go', '--session', '11112'], io)).toBe(0)
    expect(io.engine?.sessions[1]?.operations.map(({ op }) => op)).toEqual(['set_mode', 'user_input', 'set_mode'])
    expect(io.engine?.sessions[1]?.state.mode).toBe('ask')
    const two = make(undefined, { setup })
    expect(await runCli(['go', '--session', '1111'], two)).toBe(2)
    expect(two.err()).toContain('2 sessions begin with 1111')
    expect(await runCli(['go', '--session', 'ffff'], make(undefined, { setup }))).toBe(2)
    expect(await runCli(['go', '--session', '../../etc'], make(undefined, { setup }))).toBe(2)
  })

  test('--mode and --effort reach an old session; another folder is refused', async () => {
    const setup: FakeIoOptions['setup'] = (engine) => {
      engine.latest = ID
      engine.sessions.push(new Fake(ID, { cwd, model: engine.settings.model, mode: 'ask' }, engine.turn))
    }
    const io = make(undefined, { setup })
    expect(await runCli(['go', '-c', '--mode', 'full', '-m', 'anthropic/other'], io)).toBe(0)
    expect(io.engine?.sessions[0]?.state).toMatchObject({ mode: 'full', model: 'anthropic/other' })
    await mkdir(join(cwd, 'other'))
    expect(await runCli(['go', '--session', ID, '--cwd', 'other'], make(undefined, { setup }))).toBe(2)
    expect(await runCli(['go', '--session', ID, '--cwd', '.'], make(undefined, { setup }))).toBe(0)
    const other = make(undefined, { setup })
    expect(await runCli(['go', '--session', ID, '--effort', 'low'], other)).toBe(0)
    expect(other.engine?.sessions[0]?.operations).toContainEqual({ op: 'set_effort', effort: 'low' })
  })

  test('--continue without a session of this folder: 2', async () => {
    const io = make()
    expect(await runCli(['go', '--continue'], io)).toBe(2)
    expect(io.err()).toContain(`No session has worked in ${cwd} yet.`)
  })

  test('a session that another process writes: 1, and it is not touched', async () => {
    const io = make(undefined, {
      setup: (engine) => {
        const session = new Fake(ID, { cwd, model: engine.settings.model }, engine.turn)
        session.read_only = true
        engine.sessions.push(session)
      },
    })
    expect(await runCli(['go', '--session', ID], io)).toBe(1)
    expect(io.err()).toContain('in use by another process')
    expect(io.engine?.sessions[0]?.operations).toEqual([])
  })

  test('the demo runs its own prompt and names its model as what it is', async () => {
    const io = make((session) => reply(session, 'Trained.', 0))
    expect(await runCli(['demo'], io)).toBe(0)
    expect(io.engine?.sessions[0]?.operations).toEqual([{ op: 'user_input', text: 'the demo prompt' }])
    expect(io.err()).toContain('model scripted demo model (demo/scripted)')
    expect(io.err()).toContain('no cost: scripted demo model')
  })
})
