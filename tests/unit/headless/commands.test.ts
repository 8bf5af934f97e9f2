import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openUrl } from '../../../src/main/hosts/headless/open-url'
import { runCli } from '../../../src/main/hosts/headless/run-cli'
import { Writer } from '../../../src/main/hosts/headless/writer'
import { command, type FakeIoOptions, FakeSession, fakeIo, ID, ID2, reply } from './fakes'

let cwd: string
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'ml-intern-commands-'))
})
afterEach(() => rm(cwd, { recursive: true, force: true }))

const io = (options: Partial<FakeIoOptions> = {}) => fakeIo({ cwd, ...options })
const twoSessions: FakeIoOptions['setup'] = (engine) => {
  for (const id of [ID, ID2]) {
    const title = `Train ${id.slice(0, 8)}`
    const session = new FakeSession(
      id,
      { cwd: '/work/penguins', model: 'anthropic/m', title, turns: 1 },
      () => undefined,
    )
    session.emit('user_message', { id: 'u', content: 'Train ``` it', source: 'user' })
    command(session, 'c1', 'cat x', 0, 'a\n````\nb\n')
    reply(session, 'Accuracy 0.98.')
    engine.sessions.push(session)
  }
}

describe('start-up', () => {
  test('--version and --help make no engine and read no settings', async () => {
    await writeFile(join(cwd, 'home'), 'not a folder')
    const version = io()
    expect(await runCli(['--version'], version)).toBe(0)
    expect(version.out()).toBe('9.9.9\n')
    const help = io()
    expect(await runCli(['serve', '--help'], help)).toBe(0)
    expect(help.out()).toContain('ml-intern doctor')
    expect([version.engine, help.engine]).toEqual([null, null])
  })

  test('a mistake is told in two lines with exit code 2', async () => {
    const mistake = io()
    expect(await runCli(['--modle', 'x'], mistake)).toBe(2)
    expect(mistake.err()).toMatch(/^ml-intern: Unknown option --modle\.\n {2}Did you mean --model\?.*\n$/)
    expect(mistake.out()).toBe('')
  })

  test('ML_INTERN_LOG=debug adds where an error comes from', async () => {
    const debug = io({ env: { ML_INTERN_LOG: 'debug' } })
    expect(await runCli(['go', '--cwd', 'none'], debug)).toBe(2)
    expect(debug.err()).toContain('UserError')
  })

  test('warnings of the configuration go to stderr, not into the output', async () => {
    await mkdir(join(cwd, 'home'))
    await writeFile(join(cwd, 'home', 'config.json'), '{"modle": "x"}')
    const warned = io()
    await runCli(['go', '--output-format', 'json'], warned)
    expect(warned.err()).toContain('unknown key "modle" is ignored')
    expect(() => JSON.parse(warned.out())).not.toThrow()
  })
})

describe('sessions', () => {
  test('list: one line a session, whose beginning is enough to name it', async () => {
    const list = io({ setup: twoSessions })
    expect(await runCli(['sessions', 'list'], list)).toBe(0)
    const lines = list.out().trimEnd().split('\n')
    expect(lines).toHaveLength(2)
    expect(lines[0]).toMatch(
      /^11111111 {2}\d{4}-\d\d-\d\d \d\d:\d\d {2}finished {5}2 turns {2}Train 11111111 {2}\/work\/penguins$/,
    )
    const json = io({ setup: twoSessions })
    await runCli(['sessions', 'list', '--json'], json)
    expect(JSON.parse(json.out()).map(({ id }: { id: string }) => id)).toEqual([ID, ID2])
  })

  test('list: none is no error, and --json is then an empty list', async () => {
    const none = io()
    expect(await runCli(['sessions', 'list'], none)).toBe(0)
    expect(none.out()).toBe('')
    expect(none.err()).toContain('No sessions yet')
    const json = io()
    await runCli(['sessions', 'list', '--json'], json)
    expect(json.out()).toBe('[]\n')
  })

  test('show', async () => {
    const show = io({ setup: twoSessions })
    expect(await runCli(['sessions', 'show', '11111'], show)).toBe(0)
    expect(show.out()).toContain(`session  ${ID}`)
    expect(show.out()).toContain('> Train ``` it')
    expect(show.out()).toContain('✓ bash  cat x  2.1 s\n    a\n')
    expect(show.out()).toContain('Accuracy 0.98.')
  })

  test('rm needs a yes', async () => {
    const refused = io({ setup: twoSessions })
    expect(await runCli(['sessions', 'rm', '11111'], refused)).toBe(2)
    expect(refused.engine?.removed).toEqual([])
    const yes = io({ setup: twoSessions })
    expect(await runCli(['sessions', 'rm', '11111', ID2, ID, '--yes'], yes)).toBe(0)
    expect(yes.engine?.removed).toEqual([ID, ID2])
  })

  test('rm on a terminal asks, and anything but yes is no', async () => {
    for (const [answer, removed, code] of [
      ['y\n', [ID], 0],
      ['\n', [], 1],
      ['nein\n', [], 1],
    ] as const) {
      const asked = io({ setup: twoSessions, tty: ['stdin', 'stderr'] })
      const done = runCli(['sessions', 'rm', ID], asked)
      await asked.seen('stderr', /\[y\/N\] $/)
      asked.type(answer)
      expect(await done).toBe(code)
      expect(asked.engine?.removed).toEqual(removed)
    }
  })

  test('rm of several, one of which does not exist, deletes none', async () => {
    const rm = io({ setup: twoSessions })
    const missing = '33333333-3333-4333-8333-333333333333'
    expect(await runCli(['sessions', 'rm', ID, missing, '--yes'], rm)).toBe(2)
    expect(rm.engine?.removed).toEqual([])
  })
})

describe('serve', () => {
  test('prints exactly one line, the address, and ends with the signal', async () => {
    const serve = io()
    const done = runCli(['serve', '--port', '8123'], serve)
    await serve.seen('stdout', /\n/)
    await serve.seen('stderr', /Ctrl\+C/)
    serve.signal('SIGTERM')
    expect(await done).toBe(0)
    expect(serve.out()).toBe('http://127.0.0.1:8123/?token=t\n')
    expect(serve.engine?.closed).toBe(true)
    expect(serve.listening()).toBe(false)
  })

  test('without a command the window opens in the browser, unless it must not', async () => {
    for (const [argv, expected] of [
      [[], 1],
      [['--no-open'], 0],
    ] as const) {
      let opened = 0
      const window = Object.assign(io({ tty: ['stdin'] }), {
        openUrl: async () => {
          opened++
          return true
        },
      })
      const done = runCli(argv, window)
      await window.seen('stderr', /Ctrl\+C/)
      window.signal('SIGINT')
      expect(await done).toBe(0)
      expect(opened).toBe(expected)
    }
  })

  test('a host that cannot start leaves no engine open', async () => {
    const serve = Object.assign(io(), { startBrowserHost: () => Promise.reject(new Error('EADDRINUSE')) })
    expect(await runCli(['serve'], serve)).toBe(1)
    expect(serve.engine?.closed).toBe(true)
  })

  test('no browser is opened where there is no screen', async () => {
    expect(await openUrl('http://127.0.0.1', {}, 'linux')).toBe(false)
    expect(await openUrl('http://127.0.0.1', { DISPLAY: ':0', PATH: cwd }, 'linux')).toBe(false)
  })
})

describe('the writer', () => {
  test('waits for a slow reader and loses nothing', async () => {
    const stream = new PassThrough()
    const chunks: string[] = []
    const writer = new Writer(stream)
    for (let i = 0; i < 20_000; i++) writer.write(`line ${i}\n`)
    const flushed = writer.flush()
    stream.on('data', (chunk: Buffer) => chunks.push(chunk.toString()))
    await flushed
    expect(chunks.join('').split('\n')).toHaveLength(20_001)
  })

  test('a stream that dies while it is full ends the wait', async () => {
    const stream = new PassThrough()
    let closed = 0
    const writer = new Writer(stream, () => {
      closed++
    })
    writer.write('x'.repeat(1_000_000))
    const flushed = writer.finish()
    stream.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
    await flushed
    expect(closed).toBe(1)
    writer.write('more')
    await writer.flush()
  })

  test('a full disk is not a reader that has gone: the run failed', async () => {
    const full = io()
    full.stdout._write = (_chunk, _encoding, callback) => {
      callback(Object.assign(new Error('write ENOSPC'), { code: 'ENOSPC' }))
    }
    expect(await runCli(['go', '--output-format', 'json'], full)).toBe(1)
    expect(full.err()).toContain('The output cannot be written: ENOSPC.')
  })
})
