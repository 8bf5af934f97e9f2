import { lstat, mkdir, readdir, readFile, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseEvent, type SessionEvent, serializeEvent } from '@shared/events'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { forkSession, forkTitle } from '../../../src/main/session/fork'
import { SessionStore } from '../../../src/main/session/store'
import { temporaryFolder } from '../../support/engine'
import { makeEvent, userMessage } from '../../support/log-events'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let store: SessionStore
let id: string
const now = new Date('2026-11-21T08:00:00.000Z')

beforeEach(async () => {
  folder = await temporaryFolder()
  store = new SessionStore(folder.path)
  id = await store.create()
})
afterEach(() => folder.remove())

const spilled = (seq: number, file: string): SessionEvent =>
  makeEvent(seq, 'tool_output', {
    tool: 'bash',
    tool_call_id: `c${seq}`,
    output: 'head',
    success: true,
    duration_ms: 1,
    spill: { file, bytes: 4, omitted_chars: 10 },
  })

function conversation(): SessionEvent[] {
  const reply = { content: 'ok', blocks: [], model: 'm', stop_reason: 'end_turn' }
  return [
    makeEvent(1, 'session_update', { cwd: '/work', model: 'm', mode: 'ask' }, id),
    userMessage(2, 'First task'),
    makeEvent(4, 'assistant_message', { id: 'a', ...reply }),
    makeEvent(5, 'turn_complete', { history_size: 2, final_response: 'ok', reason: 'finished', iterations: 1 }),
    makeEvent(6, 'session_update', { title: 'A better name', title_by: 'model' }),
    userMessage(9, 'Second task'),
    makeEvent(10, 'tool_call', { tool: 'bash', tool_call_id: 'c11', arguments: { command: 'x' } }),
    spilled(11, 'c11.txt'),
    makeEvent(12, 'assistant_message', { id: 'b', ...reply }),
    makeEvent(13, 'turn_complete', { history_size: 4, final_response: 'ok', reason: 'finished', iterations: 2 }),
  ].map((event) => ({ ...event, session: id }))
}

async function write(lines: (SessionEvent | string)[], tail = ''): Promise<string> {
  const text = lines.map((line) => `${typeof line === 'string' ? line : serializeEvent(line)}\n`).join('') + tail
  await writeFile(store.logFile(id), text)
  return text
}

async function linesOf(session: string): Promise<Record<string, unknown>[]> {
  const text = await readFile(store.logFile(session), 'utf8')
  expect(text.endsWith('\n')).toBe(true)
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

const names = (): Promise<string[]> => readdir(join(folder.path, 'sessions'))

describe('a fork', () => {
  it('has the events of the source under its own id, and says where it comes from', async () => {
    const before = await write(conversation())
    const fork = await forkSession(store, id, { now })
    const lines = await linesOf(fork)
    expect(lines.every(({ session }) => session === fork)).toBe(true)
    expect(lines.slice(0, 10)).toEqual(conversation().map((event) => ({ ...event, session: fork })))
    expect(lines.slice(10)).toEqual([
      { seq: 14, time: now.toISOString(), session: fork, type: 'forked', data: { from_session: id, from_seq: 13 } },
      {
        seq: 15,
        time: now.toISOString(),
        session: fork,
        type: 'session_update',
        data: { title: 'A better name (fork)', title_by: 'model' },
      },
    ])
    for (const line of lines) expect(parseEvent(line)).not.toBeNull()
    expect(await readFile(store.logFile(id), 'utf8')).toBe(before)
    expect((await readdir(store.dir(id))).sort()).toEqual(['events.jsonl'])
  })

  it('is listed at once, idle, from a summary that fits its log', async () => {
    await write(conversation())
    const fork = await forkSession(store, id, { now, at_seq: 10 })
    expect((await readdir(store.dir(fork))).sort()).toEqual(['events.jsonl', 'summary.json'])
    const listed = (await store.list()).find((session) => session.id === fork)
    expect(listed).toMatchObject({ title: 'A better name (fork)', turns: 2, cwd: '/work' })
    const { mtimeMs, size } = await stat(store.logFile(fork))
    expect(JSON.parse(await readFile(join(store.dir(fork), 'summary.json'), 'utf8'))).toMatchObject({
      log: { size, mtime_ms: mtimeMs },
      summary: { id: fork },
    })
  })

  it('ends with the event it was asked for, and has the name that the source has today', async () => {
    await write(conversation())
    const fork = await forkSession(store, id, { now, at_seq: 5 })
    const state = await store.fold(fork)
    expect(state.items.filter(({ kind }) => kind === 'user')).toHaveLength(1)
    expect(state).toMatchObject({ title: 'A better name (fork)', title_by: 'model', last_seq: 7 })
    // Between two numbers: the log has gaps where chunks were merged.
    expect((await linesOf(await forkSession(store, id, { now, at_seq: 8 }))).map(({ seq }) => seq)).toEqual([
      1, 2, 4, 5, 6, 7, 8,
    ])
  })

  it('keeps a name that the user gave as the user’s, and one that nobody gave open for a better one', async () => {
    await write([...conversation(), makeEvent(14, 'session_update', { title: 'Mine' }, id)])
    expect(await store.fold(await forkSession(store, id, { now }))).toMatchObject({
      title: 'Mine (fork)',
      title_by: 'user',
    })
    await write(conversation().slice(0, 4))
    expect(await store.fold(await forkSession(store, id, { now }))).toMatchObject({
      title: 'First task (fork)',
      title_by: 'model',
    })
    const named = await forkSession(store, id, { now, title: 'Other' })
    expect(await store.fold(named)).toMatchObject({ title: 'Other', title_by: 'user' })
  })

  it('keeps what a newer version wrote, and leaves out what is no event and the torn end', async () => {
    const newer = `{"seq":14,"time":"2027-01-01T00:00:00.000Z","session":"${id}","type":"of_2027","data":{"a":[1]},"more":"x"}`
    const unreadable = `{"seq":15,"time":"2027-01-01T00:00:00.000Z","session":"${id}","type":"guard","data":{"kind":7}}`
    await write([...conversation(), '{damaged', '[]', newer, unreadable], '{"seq":16,"time":"20')
    const lines = await linesOf(await forkSession(store, id, { now }))
    expect(lines.find(({ type }) => type === 'of_2027')).toMatchObject({ data: { a: [1] }, more: 'x' })
    expect(lines.find(({ seq }) => seq === 15)).toMatchObject({ type: 'guard', data: { kind: 7 } })
    expect(lines.map(({ seq }) => seq).slice(-4)).toEqual([14, 15, 16, 17])
  })

  it('names repeated forks apart', () => {
    expect(['', 'A', 'A (fork)', 'A (fork 2)', 'A\nb (fork 99)'].map(forkTitle)).toEqual([
      '',
      'A (fork)',
      'A (fork 2)',
      'A (fork 3)',
      'A\nb (fork 100)',
    ])
  })
})

describe('outputs', () => {
  it('go along when the copied events name them, and outlive the source', async () => {
    const outputs = join(store.dir(id), 'outputs')
    await mkdir(outputs)
    await writeFile(join(outputs, 'c11.txt'), 'whole output')
    await writeFile(join(outputs, 'other.txt'), 'of no event')
    await write(conversation())
    const early = await forkSession(store, id, { now, at_seq: 5 })
    const whole = await forkSession(store, id, { now })
    await store.remove(id)
    expect(await readdir(store.dir(early))).not.toContain('outputs')
    expect(await readdir(join(store.dir(whole), 'outputs'))).toEqual(['c11.txt'])
    expect((await store.readOutput(whole, 'c11.txt', 0, 100)).text).toBe('whole output')
  })

  it('lead nowhere else: links, folders and names with a path stay behind', async () => {
    const outputs = join(store.dir(id), 'outputs')
    await mkdir(outputs)
    await writeFile(join(folder.path, 'secret'), 'secret')
    await symlink(join(folder.path, 'secret'), join(outputs, 'link.txt'))
    await mkdir(join(outputs, 'folder'))
    const files = ['link.txt', 'folder', '../events.jsonl', '..', 'missing.txt']
    await write([...conversation(), ...files.map((file, i) => ({ ...spilled(20 + i, file), session: id }))])
    const fork = await forkSession(store, id, { now })
    expect(await readdir(join(store.dir(fork), 'outputs'))).toEqual([])
  })
})

describe('a fork that cannot be made', () => {
  it('is told, and leaves nothing behind', async () => {
    await write(conversation())
    await expect(forkSession(store, id, { now, at_seq: 14 })).rejects.toMatchObject({ code: 'invalid_request' })
    await expect(forkSession(store, '6f9619ff-8b86-4d01-b42d-00cf4fc964ff', { now })).rejects.toMatchObject({
      code: 'session_not_found',
    })
    await expect(forkSession(store, '../x', { now })).rejects.toMatchObject({ code: 'session_not_found' })
    await writeFile(store.logFile(id), '')
    await expect(forkSession(store, id, { now })).rejects.toMatchObject({ code: 'invalid_request' })
    expect(await names()).toEqual([id])
  })

  it('stops when it is told to', async () => {
    await write(conversation())
    const stop = new AbortController()
    stop.abort(new Error('no more'))
    await expect(forkSession(store, id, { now, signal: stop.signal })).rejects.toThrow('no more')
    expect(await names()).toEqual([id])
  })

  it('clears away what a crash left a day ago, and not what is being made now', async () => {
    await write(conversation())
    const root = join(folder.path, 'sessions')
    const old = join(root, '.forking-old')
    const young = join(root, '.forking-young')
    await mkdir(old)
    await mkdir(young)
    await utimes(old, now, new Date(now.getTime() - 25 * 3600_000))
    await utimes(young, now, now)
    await forkSession(store, id, { now })
    expect((await names()).filter((name) => name.startsWith('.'))).toEqual(['.forking-young'])
    expect((await store.list()).map((session) => session.id)).not.toContain('.forking-young')
    await expect(lstat(old)).rejects.toThrow('ENOENT')
  })
})
