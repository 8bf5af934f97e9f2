import { execFileSync } from 'node:child_process'
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { type BridgeMethod, type BridgeReply, bridgeSchemas } from '@shared/bridge'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createCredentialStore } from '../../src/main/credentials/store'
import type { Engine } from '../../src/main/engine-types'
import { temporaryFolder, testEngine } from '../support/engine'
import { TestWindow } from '../support/window'

const SECRET = 'sk-ant-fuzz-0123456789abcdefghij'
let folder: string
let engine: Engine
let window: TestWindow
let remove: () => Promise<void>

beforeEach(async () => {
  const temporary = await temporaryFolder()
  folder = temporary.path
  remove = temporary.remove
  engine = await testEngine(folder, {
    key: SECRET,
    host: 'browser',
    save_settings: (patch) => Promise.resolve({ ...engine.settings, ...patch }),
  })
  window = new TestWindow(engine)
})
afterEach(async () => {
  window.close()
  await engine.close()
  await remove()
})

/** The same numbers in every run, so that a failure can be repeated. */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state % below
  }
}

const deep = JSON.parse(`${'['.repeat(5_000)}${']'.repeat(5_000)}`) as unknown
const withProto = JSON.parse('{"__proto__": {"id": "x"}, "constructor": {}, "id": "y"}') as unknown

/** Values that some program somewhere did not expect. */
const odd: unknown[] = [
  undefined,
  null,
  true,
  0,
  -1,
  0.5,
  Number.NaN,
  Number.MAX_SAFE_INTEGER,
  1e308,
  '',
  ' ',
  '\0',
  '\u202e\ud800',
  '../../../etc/passwd',
  '..',
  '.',
  '%2e%2e%2f',
  'C:\\',
  '~root',
  '__proto__',
  'toString',
  'x'.repeat(10_000),
  [],
  {},
  [null],
  deep,
  withProto,
  new Date(0),
  SECRET,
]

describe('whatever a window sends', () => {
  it('is answered with a value, and never with a secret', { timeout: 60_000 }, async () => {
    const { id } = await window.call('sessions.create', {})
    await window.call('sessions.subscribe', { id, after: 0 })
    const below = numbers(20_261_120)
    const pick = <T>(values: readonly T[]): T => values[below(values.length)] as T
    // Near misses get further than rubbish: right names with some wrong values.
    const near: Record<string, readonly unknown[]> = {
      id: [id, id.toUpperCase(), `${id}\n`, `../${id}`, '00000000-0000-4000-8000-000000000000', ...odd],
      after: [0, 1, -1, 1e15, ...odd],
      offset: [0, 5, Number.MAX_SAFE_INTEGER, ...odd],
      length: [1, 1_000_000, 1_000_001, ...odd],
      file: ['a.log', '..', '.', 'events.jsonl', '...', '..-', ...odd],
      path: ['/', folder, '/proc/self/fd', '/dev/null', '~', 'a'.repeat(4_096), '/proc/1/root', ...odd],
      cwd: [folder, '/proc/self/mem', '/dev/null', ...odd],
      model: ['anthropic/x', 'demo/scripted', 'anthropic/../x', 'ollama/x', ...odd],
      mode: ['ask', 'root', ...odd],
      effort: ['low', 'none', null, ...odd],
      theme: ['dark', 'red', ...odd],
      default_cwd: [folder, '/nowhere', ...odd],
      title: ['A title', '\n', 'x'.repeat(201), ...odd],
      provider: ['anthropic', 'openai', ...odd],
      secret: ['short', `${SECRET}\nX-Evil: 1`, `${SECRET} ${SECRET}`, 'ключ-ключ-ключ', ...odd],
      operation: [
        { op: 'undo' },
        { op: 'interrupt' },
        { op: 'compact' },
        { op: 'fork', at_seq: 1 },
        { op: 'new' },
        { op: 'resume', session: '../..' },
        { op: 'set_mode', mode: 'plan' },
        { op: 'set_model', model: 'ollama/none' },
        { op: 'exec_approval', approvals: [{ tool_call_id: '__proto__', approved: true }] },
        { op: 'shutdown' },
        { op: 'nothing' },
        ...odd,
      ],
    }
    const methods = [...Object.keys(bridgeSchemas), 'nothing', '__proto__', 'constructor', '', 'x'.repeat(100_000)]
    // A thousand sessions would only test the disk.
    const expensive = new Set<string>(['demo.start', 'sessions.create'] satisfies BridgeMethod[])

    const input = (): unknown => {
      if (below(8) === 0) return pick(odd)
      const given: Record<string, unknown> = {}
      for (const [name, values] of Object.entries(near)) if (below(5) < 2) given[name] = pick(values)
      return given
    }
    /** Only the fields that the method knows, so that the strict schemas let more of them pass. */
    const fitting = (method: string): unknown => {
      const schema = Object.hasOwn(bridgeSchemas, method) ? bridgeSchemas[method as BridgeMethod] : null
      const names = Object.keys(schema?.shape ?? {})
      return Object.fromEntries(names.map((name) => [name, pick(near[name] ?? odd)]))
    }

    let accepted = 0
    for (let round = 0; round < 150; round++) {
      const calls = Array.from({ length: 40 }, () => {
        const method = pick(methods)
        if (expensive.has(method) && below(40) !== 0) return null
        return { method, input: below(3) === 0 ? input() : fitting(method) }
      }).filter((call) => call !== null)
      const replies = await Promise.all(calls.map((call) => window.request(call.method, call.input)))
      for (const [at, reply] of replies.entries()) {
        const { method, input: sent } = calls[at] ?? {}
        const text = JSON.stringify(reply)
        const shown = `${method} ${inspect(sent, { maxStringLength: 80 }).slice(0, 500)} -> ${text.slice(0, 300)}`
        expect(text.includes(SECRET), shown).toBe(false)
        if (reply.ok) accepted++
        else {
          // `internal` is what nobody thought of.
          expect(reply.error.code, shown).not.toBe('internal')
          expect(text.length, shown).toBeLessThan(20_000)
        }
      }
    }
    expect(accepted).toBeGreaterThan(100)
    expect((await window.call('app.info', {})).host).toBe('browser')
  })

  it('session ids are ids, and never paths', async () => {
    await mkdir(join(folder, 'home/sessions'), { recursive: true })
    await writeFile(join(folder, 'home/events.jsonl'), '')
    const ids = ['..', '.', '', '/etc', '../../home', '..\\..', 'a/../b', '%2e%2e', '\0', 'events.jsonl']
    for (const id of ids) {
      for (const [method, more] of [
        ['sessions.subscribe', { after: 0 }],
        ['sessions.unsubscribe', {}],
        ['sessions.remove', {}],
        ['sessions.rename', { title: 'x' }],
        ['session.submit', { operation: { op: 'undo' } }],
        ['session.readOutput', { file: 'events.jsonl', offset: 0, length: 10 }],
      ] as const) {
        expect(await window.failure(method, { id, ...more })).toBe('invalid_request')
      }
    }
  })

  it('reads outputs, and nothing else of a session', async () => {
    const { id } = await window.call('sessions.create', {})
    const outputs = join(folder, 'home/sessions', id, 'outputs')
    await mkdir(outputs, { recursive: true })
    await writeFile(join(outputs, 'a.log'), 'output')
    await symlink('/etc/passwd', join(outputs, 'link.log'))
    await mkdir(join(outputs, 'folder'))
    execFileSync('mkfifo', [join(outputs, 'pipe.log')])
    const read = (file: string, offset = 0) => ({ id, file, offset, length: 100 })
    expect(await window.call('session.readOutput', read('a.log', 3))).toEqual({
      text: 'put',
      next_offset: 6,
      total_bytes: 6,
    })
    for (const file of ['link.log', 'folder', 'pipe.log', 'none.log']) {
      expect(await window.failure('session.readOutput', read(file))).toBe('not_found')
    }
    for (const file of ['..', '.'])
      expect(await window.failure('session.readOutput', read(file))).toBe('invalid_request')
    for (const file of ['../events.jsonl', '', 'a\0']) {
      expect(await window.failure('session.readOutput', read(file))).toBe('invalid_request')
    }
  })
})

describe('settings and keys', () => {
  it('a model without a key, or that does not exist, is refused before it is set', async () => {
    const keyless = await testEngine(join(folder), { key: null, host: 'browser' })
    try {
      const other = new TestWindow(keyless)
      expect(await other.failure('sessions.create', { model: 'anthropic/claude-opus-5-5' })).toBe('no_credentials')
      const { id } = await other.call('sessions.create', { model: 'demo/scripted' })
      const setModel = (model: string) => other.failure('session.submit', { id, operation: { op: 'set_model', model } })
      expect(await setModel('anthropic/claude-opus-5-5')).toBe('no_credentials')
      expect(await setModel('gpt-9')).toBe('unknown_model')
      const snapshot = await other.call('sessions.subscribe', { id, after: 999 })
      expect(snapshot).toMatchObject({ kind: 'snapshot', state: { model: 'demo/scripted' } })
      other.close()
    } finally {
      await keyless.close()
    }
  })

  it('what is no key is refused without being quoted, and a keychain that fails is told without it', async () => {
    const failing = {
      getPassword: () => Promise.resolve(null),
      setPassword: (_service: string, _account: string, secret: string) =>
        Promise.reject(new Error(`cannot store ${secret}`)),
      deletePassword: () => Promise.resolve(false),
    }
    const credentials = createCredentialStore({ env: {}, load: () => Promise.resolve(failing) })
    const other = await testEngine(folder, { credentials, host: 'browser' })
    const replies: BridgeReply[] = []
    try {
      const view = new TestWindow(other)
      const set = (secret: string) => view.request('credentials.set', { provider: 'anthropic', secret })
      for (const secret of [`${SECRET}\r\nHost: evil`, `${SECRET} x`, 'ключключключ', 'a\u0000bcdefghijk']) {
        const reply = await set(secret)
        expect(reply).toMatchObject({ ok: false, error: { code: 'invalid_request' } })
        replies.push(reply)
      }
      const kept = await set(` ${SECRET}\n`)
      expect(kept).toMatchObject({ ok: true, value: { present: true, source: 'memory', hint: 'ghij' } })
      replies.push(kept)
      expect(JSON.stringify([replies, view.pushes])).not.toContain(SECRET)
      view.close()
    } finally {
      await other.close()
    }
  })
})

describe('the folder chooser', () => {
  const names = async (path: string) => (await window.call('folders.list', { path })).folders

  it('shows folders and links to folders, and no loop, file or hidden one', async () => {
    const base = join(folder, 'tree')
    await mkdir(join(base, 'b folder'), { recursive: true })
    await mkdir(join(base, '.hidden'))
    await writeFile(join(base, 'file'), '')
    await symlink(join(base, 'b folder'), join(base, 'a link'))
    await symlink(join(base, 'file'), join(base, 'file link'))
    await symlink('loop', join(base, 'loop'))
    await symlink('nowhere', join(base, 'dangling'))
    await symlink('.', join(base, 'self'))
    execFileSync('mkfifo', [join(base, 'pipe')])
    expect(await names(base)).toEqual(['a link', 'b folder', 'self'])
    expect(await names(`${base}/${'self/'.repeat(30)}`)).toHaveLength(3)
    expect(await names(`  ${base}/./b folder/.. `)).toHaveLength(3)
    expect((await window.call('folders.list', { path: '' })).path).toBe(folder)
    expect((await window.call('folders.list', { path: '~' })).path).toBe(homedir())
    expect(await window.call('folders.list', { path: '/' })).toMatchObject({ path: '/', parent: null })
    await rm(base, { recursive: true })
  })

  it.each([
    ['pipe', 'not_a_directory'],
    ['loop', 'permission'],
    ['nowhere', 'not_found'],
    ['a\0b', 'not_found'],
    ['x'.repeat(300), 'not_found'],
    ['/dev/zero', 'not_a_directory'],
    ['/proc/self/mem', 'not_a_directory'],
    ['~nobody', 'not_found'],
  ])('%j is refused as %s, and does not hang', async (path, code) => {
    execFileSync('mkfifo', [join(folder, 'pipe')])
    await symlink('loop', join(folder, 'loop'))
    expect(await window.failure('folders.list', { path })).toBe(code)
  })

  it('cuts a folder of very many at once', async () => {
    const base = join(folder, 'many')
    await mkdir(base)
    for (let i = 0; i < 600; i++) await mkdir(join(base, `f${String(i).padStart(4, '0')}`))
    const list = await window.call('folders.list', { path: base })
    expect(list.truncated).toBe(true)
    expect(list.folders).toHaveLength(500)
    expect(list.folders.at(-1)).toBe('f0499')
  })
})
