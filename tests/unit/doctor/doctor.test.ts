import { execFile } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DoctorCheck } from '@shared/bridge'
import { DEFAULT_SETTINGS } from '@shared/settings'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createCredentialStore } from '../../../src/main/credentials/store'
import { type DoctorDeps, inspectPython, runDoctor } from '../../../src/main/doctor'
import { runProgram } from '../../../src/main/doctor/program'
import { probeSandbox } from '../../../src/main/doctor/sandbox'
import type { ProgramResult, RunProgram } from '../../../src/main/doctor/types'

const KEY = 'sk-ant-test-0123456789abcd'
const signal = new AbortController().signal
const keychain = {
  load: async () => {
    const entries = new Map<string, string>()
    return {
      getPassword: async (_service: string, account: string) => entries.get(account) ?? null,
      setPassword: async (_service: string, account: string, secret: string) => {
        entries.set(account, secret)
      },
      deletePassword: async (_service: string, account: string) => entries.delete(account),
    }
  },
}

let root: string
let server: Server
let url: string

beforeAll(async () => {
  server = createServer((_request, response) => response.writeHead(404).end())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  url = `http://127.0.0.1:${address.port}`
})
afterAll(() => new Promise((resolve) => server.close(resolve)))
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'ml-intern-doctor-'))
})
afterEach(() => rm(root, { recursive: true, force: true }))

const result = (part: Partial<ProgramResult>): ProgramResult => ({
  exit_code: 0,
  stdout: '',
  stderr: '',
  error: '',
  ...part,
})
const missing: RunProgram = async () => result({ exit_code: null, error: 'ENOENT' })
const python = JSON.stringify({ path: '/usr/bin/python3.11', version: '3.11.2', sklearn: true })
const everything: RunProgram = async (file, args) => {
  if (file.startsWith('python')) return result({ stdout: `hello from a start-up file\n${python}\n` })
  return result({ stdout: args.includes('--version') ? 'bubblewrap 0.8.0\n' : '' })
}

function deps(part: Partial<DoctorDeps> = {}): DoctorDeps {
  const env = { ANTHROPIC_API_KEY: KEY, HF_ENDPOINT: url }
  return {
    settings: { ...DEFAULT_SETTINGS, anthropic_base_url: url },
    home: join(root, 'home'),
    env,
    credentials: createCredentialStore({ env, ...keychain }),
    files: [],
    notes: [],
    platform: 'linux',
    keychain,
    run: everything,
    electron_dir: null,
    ...part,
  }
}

async function check(id: string, part: Partial<DoctorDeps> = {}): Promise<DoctorCheck> {
  const found = (await runDoctor(deps(part))).find((entry) => entry.id === id)
  if (!found) throw new Error(`no check ${id}`)
  return found
}

describe('the whole report', () => {
  test('every check has an id of its own, a title and a detail; whatever is not ok has a remedy', async () => {
    for (const part of [
      {},
      { run: missing, settings: { ...DEFAULT_SETTINGS, anthropic_base_url: 'http://127.0.0.1:1' } },
    ]) {
      const checks = await runDoctor(deps(part))
      expect(new Set(checks.map(({ id }) => id)).size).toBe(checks.length)
      for (const { title, detail, state, remedy, id } of checks) {
        expect(title, id).not.toBe('')
        expect(detail, id).not.toBe('')
        if (state !== 'ok') expect(remedy, id).not.toBe('')
      }
    }
  })

  test('one check that throws and one that hangs do not take the others with them', async () => {
    const checks = await runDoctor(deps({ timeout_ms: 50 }), undefined, [
      { id: 'a', title: 'A', run: async () => ({ state: 'ok', detail: 'fine', remedy: '' }) },
      { id: 'b', title: 'B', run: () => Promise.reject(new Error('broken')) },
      { id: 'c', title: 'C', run: () => new Promise(() => undefined) },
      {
        id: 'd',
        title: 'D',
        run: () => {
          throw new Error('at once')
        },
      },
    ])
    expect(checks.map(({ state }) => state)).toEqual(['ok', 'warning', 'warning', 'warning'])
    expect(checks.map(({ detail }) => detail).join()).toMatch(/broken.*No result within 0.05 s.*at once/)
  })

  test('the key is not in it', async () => {
    expect(JSON.stringify(await runDoctor(deps()))).not.toContain(KEY.slice(0, -4))
  })
})

describe('Node.js', () => {
  test.each([
    ['20.19.0', 'ok'],
    ['24.1.0', 'ok'],
    ['20.18.9', 'failed'],
    ['18.20.0', 'failed'],
  ])('%s is %s', async (node, state) => {
    expect((await check('node', { versions: { node } })).state).toBe(state)
  })
})

describe('Python', () => {
  test('is named with its version, whatever it prints before', async () => {
    expect(await check('python')).toMatchObject({
      state: 'ok',
      detail: '3.11.2 at /usr/bin/python3.11, with scikit-learn.',
    })
  })

  test('missing, or version 2 only, fails', async () => {
    expect((await check('python', { run: missing })).state).toBe('failed')
    const two: RunProgram = async () => result({ exit_code: 1, stderr: 'SyntaxError' })
    expect((await check('python', { run: two })).state).toBe('failed')
  })

  test('the real one is found, and a module in the working directory is not run', async () => {
    await writeFile(join(root, 'json.py'), 'raise SystemExit("hijacked")')
    const there: RunProgram = (file, args, options) =>
      new Promise((resolve) => {
        execFile(file, [...args], { ...options, cwd: root }, (error, stdout, stderr) =>
          resolve(result({ exit_code: error ? 1 : 0, stdout, stderr })),
        )
      })
    const found = await inspectPython(process.env, signal, there)
    expect(found?.version).toMatch(/^3\.\d+\.\d+$/)
  })
})

describe('programs', () => {
  test('are run without the secrets of the environment, and end with the signal', async () => {
    const env = { PATH: process.env.PATH, ANTHROPIC_API_KEY: KEY, HF_TOKEN: 'hf_secret', KEPT: 'yes' }
    const { stdout } = await runProgram('env', [], { env, signal })
    expect(stdout).toContain('KEPT=yes')
    expect(stdout).not.toMatch(/sk-ant|hf_secret/)
    const stop = new AbortController()
    const sleeping = runProgram('sleep', ['60'], { env, signal: stop.signal })
    stop.abort()
    expect((await sleeping).exit_code).toBeNull()
  })
})

describe('sandbox', () => {
  test('says what works, and whether commands run in it', async () => {
    const { state, detail } = await check('sandbox')
    expect(state).toBe('warning')
    expect(detail).toContain('bubblewrap 0.8.0 works here')
    expect(detail).toContain('switched off')
    const on = { ...DEFAULT_SETTINGS, sandbox: 'workspace-write' as const }
    expect(await check('sandbox', { settings: on })).toMatchObject({
      state: 'ok',
      detail: expect.stringContaining('commands run in it'),
    })
    expect(await check('sandbox', { settings: on, run: missing })).toMatchObject({ state: 'failed' })
  })

  test('tells "not installed" from "forbidden"', async () => {
    expect(await check('sandbox', { run: missing })).toMatchObject({
      remedy: expect.stringContaining('apt-get install bubblewrap'),
    })
    const forbidden: RunProgram = async () =>
      result({ exit_code: 1, stderr: 'bwrap: No permissions to create new namespace\n' })
    const info = await probeSandbox({}, signal, 'linux', forbidden)
    expect(info.kind).toBe('none')
    expect(info.reason).toContain('No permissions to create new namespace')
    expect(info.remedy).toContain('user namespaces')
  })

  test('other systems', async () => {
    expect((await probeSandbox({}, signal, 'darwin', everything)).kind).toBe('seatbelt')
    expect((await probeSandbox({}, signal, 'darwin', missing)).kind).toBe('none')
    expect((await probeSandbox({}, signal, 'win32', everything)).kind).toBe('none')
  })
})

describe('network', () => {
  test('any answer of a server is an answer', async () => {
    expect(await check('network_anthropic')).toMatchObject({ state: 'ok' })
    expect((await check('network_huggingface')).detail).toContain('HTTP 404')
  })

  test('a refused connection is a warning with the reason', async () => {
    const settings = { ...DEFAULT_SETTINGS, anthropic_base_url: 'http://127.0.0.1:1' }
    expect(await check('network_anthropic', { settings })).toMatchObject({
      state: 'warning',
      detail: expect.stringMatching(/127\.0\.0\.1:1 cannot be reached: (the connection is refused|bad port)/),
    })
  })

  test('no key is sent', async () => {
    let sent: RequestInit | undefined
    const fetcher: typeof fetch = async (_input, init) => {
      sent = init
      return new Response(null, { status: 200 })
    }
    await check('network_anthropic', { fetch: fetcher })
    expect(sent).toMatchObject({ method: 'HEAD', redirect: 'manual' })
    expect(sent?.headers).toBeUndefined()
  })
})

describe('key and keychain', () => {
  test('a missing key is a warning: the demo works without', async () => {
    const credentials = createCredentialStore({ env: {}, ...keychain })
    expect(await check('api_key', { credentials })).toMatchObject({ state: 'warning' })
    expect((await check('api_key')).detail).toBe('From the environment (ends in abcd).')
  })

  test('a keychain is really used, and its fault has a remedy', async () => {
    expect((await check('keychain')).state).toBe('ok')
    const noBus = { load: () => Promise.reject(new Error('Cannot autolaunch D-Bus without X11 $DISPLAY')) }
    expect(await check('keychain', { keychain: noBus })).toMatchObject({
      state: 'warning',
      detail: expect.stringContaining('no D-Bus session'),
      remedy: expect.stringContaining('dbus-run-session'),
    })
  })
})

describe('data folder', () => {
  test('is made when it is missing, and its free space is told', async () => {
    expect((await check('data_folder')).detail).toMatch(/home, \d+\.\d GB free\.$/)
  })

  test('a file in its place fails', async () => {
    await writeFile(join(root, 'home'), '')
    expect(await check('data_folder')).toMatchObject({ state: 'failed' })
  })
})

describe('Electron', () => {
  test('not installed, not downloaded, there', async () => {
    expect((await check('electron')).detail).toContain('not installed')
    const electron_dir = join(root, 'electron')
    await mkdir(join(electron_dir, 'dist'), { recursive: true })
    expect((await check('electron', { electron_dir })).detail).toContain('not been downloaded')
    await writeFile(join(electron_dir, 'path.txt'), 'electron')
    expect((await check('electron', { electron_dir })).state).toBe('warning')
    await writeFile(join(electron_dir, 'dist', 'electron'), '')
    await chmod(join(electron_dir, 'dist', 'electron'), 0o755)
    expect((await check('electron', { electron_dir })).state).toBe('ok')
  })
})

test('what was ignored in a configuration file is shown', async () => {
  const { detail } = await check('settings', { files: ['/a.json'], notes: ['/a.json: "mcpServers" belongs to later.'] })
  expect(detail).toContain('/a.json')
  expect(detail).toContain('mcpServers')
})
