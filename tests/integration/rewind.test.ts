import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Engine } from '../../src/main/engine-types'
import type { Session } from '../../src/main/session/types'
import { TEST_KEY, temporaryFolder, testEngine } from '../support/engine'
import { type FakeAnthropic, type Script, startFakeAnthropic } from '../support/fake-anthropic'

let folder: string
let work: string
let remove: () => Promise<void>
let server: FakeAnthropic
let engine: Engine

beforeEach(async () => {
  const made = await temporaryFolder()
  folder = made.path
  work = join(folder, 'work')
  remove = made.remove
  await mkdir(work)
})
afterEach(async () => {
  await engine.close()
  await server.close()
  await remove()
})

const text = (value: string) => ({ blocks: [{ type: 'text' as const, text: value }] })
const bash = (command: string) => ({ blocks: [{ type: 'tool_use' as const, name: 'bash', input: { command } }] })

async function start(script: Script, options: Parameters<typeof testEngine>[1] = {}): Promise<Session> {
  server = await startFakeAnthropic(script, { apiKey: TEST_KEY })
  engine = await testEngine(folder, { base_url: server.url, ...options })
  return engine.createSession({ cwd: 'work' })
}
async function say(session: Session, message: string): Promise<string> {
  await session.submit({ op: 'user_input', text: message })
  await session.idle()
  return session.state.items.findLast((item) => item.kind === 'user')?.key ?? ''
}
const content = (name: string) => readFile(join(work, name), 'utf8').catch(() => null)

describe('the files of a turn', () => {
  it('are recorded before its first change, listed, and rewound with and without the conversation', async () => {
    await writeFile(join(work, 'data.csv'), 'a,b\n1,2\n')
    const session = await start([
      bash('echo 3,4 >> data.csv; echo new > made.txt'),
      text('Done.'),
      bash('rm data.csv'),
      text('Gone.'),
      text('Nothing to do.'),
    ])
    const first = await say(session, 'add a row')
    const second = await say(session, 'delete it')
    await say(session, 'only talk')
    expect(session.state.checkpoints).toEqual([first, second])

    const window = engine.connect(() => undefined)
    const changes = await window.request('session.changes', { id: session.id, user_message_id: first })
    expect(changes).toMatchObject({
      ok: true,
      value: {
        files: [
          { path: 'data.csv', kind: 'changed', added: 1, removed: 0 },
          { path: 'made.txt', kind: 'added', added: 1, removed: 0 },
        ],
      },
    })
    const diff = await window.request('session.changeDiff', {
      id: session.id,
      user_message_id: first,
      path: 'data.csv',
    })
    expect(diff).toMatchObject({ ok: true, value: { patch: expect.stringContaining('+3,4') } })

    await session.submit({ op: 'rewind', user_message_id: second, target: 'files' })
    await session.idle()
    expect(await content('data.csv')).toBe('a,b\n1,2\n3,4\n')
    expect(session.state.status).toBe('idle')
    expect(session.state.items.findLast((item) => item.kind === 'notice')).toMatchObject({ code: 'rewound' })

    await session.submit({ op: 'rewind', user_message_id: first, target: 'both' })
    await session.idle()
    expect([await content('data.csv'), await content('made.txt')]).toEqual(['a,b\n1,2\n', null])
    expect(session.state.items.filter((item) => item.kind === 'user')).toEqual([])
    window.close()
  })

  it('come back when the rewind is taken back', async () => {
    const session = await start([bash('echo one > made.txt'), text('Done.')])
    const undo: string[] = []
    session.onEvent((event) => {
      if (event.type === 'rewound' && 'undo_id' in (event.data as object)) {
        undo.push(String((event.data as { undo_id: unknown }).undo_id))
      }
    })
    const first = await say(session, 'make it')
    await session.submit({ op: 'rewind', user_message_id: first, target: 'files' })
    await session.idle()
    expect(await content('made.txt')).toBeNull()
    await session.submit({ op: 'undo_rewind', undo_id: undo[0] ?? '' })
    await session.idle()
    expect(await content('made.txt')).toBe('one\n')
    expect(session.state.last_outcome).not.toBe('error')
  })

  it('that were not recorded cannot be rewound, and the session says so and goes on', async () => {
    const session = await start([text('Hello.'), text('Again.')], { settings: { mode: 'auto', checkpoints: false } })
    const first = await say(session, 'hello')
    await session.submit({ op: 'rewind', user_message_id: first, target: 'files' })
    await session.idle()
    expect(session.state.items.at(-1)).toMatchObject({ kind: 'notice', notice: 'error', code: 'invalid_operation' })
    await say(session, 'again')
    expect(session.state.last_outcome).toBe('finished')
  })
})

describe('terminals of the user', () => {
  it('open in the session’s folder, take what is typed, and show what comes back', async () => {
    const session = await start([])
    const shown: string[] = []
    let check = (): void => undefined
    const window = engine.connect((push) => {
      if (push.kind !== 'terminal') return
      shown.push(push.data)
      check()
    })
    const opened = await window.request('terminals.open', { session: session.id })
    expect(opened).toMatchObject({ ok: true, value: { kind: 'shell', state: 'running', cwd: work } })
    const { id } = (opened as { value: { id: string } }).value
    const at = { session: session.id, id }
    expect(await window.request('terminals.attach', { ...at, cols: 80, rows: 24 })).toMatchObject({ ok: true })
    const answered = new Promise<void>((resolve) => {
      check = () => shown.join('').includes('sum 42') && resolve()
    })
    await window.request('terminals.input', { ...at, data: 'echo sum $((40 + 2))\n' })
    await answered
    expect(await window.request('terminals.close', at)).toMatchObject({ ok: true })
    expect(await window.request('terminals.list', { session: session.id })).toEqual({ ok: true, value: [] })
    expect(await window.request('terminals.input', { ...at, data: 'x' })).toMatchObject({ ok: false })
    window.close()
  })
})
