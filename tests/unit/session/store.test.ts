import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type SessionEvent, serializeEvent } from '@shared/events'
import { isSessionId } from '@shared/ids'
import { foldEvents } from '@shared/reducer'
import { initialState } from '@shared/state'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { acquireWriterLock } from '../../../src/main/session/lock'
import { EventLog } from '../../../src/main/session/log'
import { SessionStore } from '../../../src/main/session/store'
import { makeEvent, SESSION, userMessage } from '../../support/log-events'
import { bundleHelper, LineProcess } from '../../support/log-process'

let work: string
let racer: string
let home: string
let store: SessionStore

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'ml-intern-store-'))
  racer = await bundleHelper('log-racer.ts', work)
})
afterAll(() => rm(work, { recursive: true, force: true }))
beforeEach(async () => {
  home = await mkdtemp(join(work, 'home-'))
  store = new SessionStore(home)
})

const ended = (seq: number) =>
  makeEvent(seq, 'turn_complete', { history_size: 2, final_response: 'ok', reason: 'finished', iterations: 1 })

async function session(...events: SessionEvent[]): Promise<string> {
  const id = await store.create()
  await writeFile(store.logFile(id), events.map((event) => `${serializeEvent(event)}\n`).join(''))
  return id
}

async function summaryFile(id: string): Promise<{ log: { size: number }; summary: Record<string, unknown> }> {
  return JSON.parse(await readFile(join(store.dir(id), 'summary.json'), 'utf8'))
}

describe('folders', () => {
  it('makes private folders with ids that are accepted again', async () => {
    const id = await store.create()
    expect(isSessionId(id)).toBe(true)
    expect(await store.exists(id)).toBe(true)
    expect((await stat(store.dir(id))).mode & 0o077).toBe(0)
  })

  it.each(['', '..', '../../etc', 'abc', `${SESSION}/..`, SESSION.toUpperCase()])('refuses %j as an id', async (id) => {
    expect(() => store.dir(id)).toThrow(expect.objectContaining({ code: 'session_not_found' }))
    expect(await store.exists(id)).toBe(false)
    await expect(store.fold(id)).rejects.toMatchObject({ code: 'session_not_found' })
  })

  it('says so when a session is not there', async () => {
    await expect(store.fold(SESSION)).rejects.toMatchObject({ code: 'session_not_found' })
    await expect(store.remove(SESSION)).rejects.toMatchObject({ code: 'session_not_found' })
    await expect(store.resolve(SESSION)).rejects.toMatchObject({ code: 'session_not_found' })
  })

  it('names the folder when the data folder is a file', async () => {
    await writeFile(join(home, 'sessions'), '')
    await expect(store.create()).rejects.toMatchObject({ name: 'UserError' })
    await expect(store.create()).rejects.toThrow(join(home, 'sessions'))
  })

  it('finds a session by the beginning of its id, and lists the candidates when there are several', async () => {
    const ids = ['aaaa1111', 'aaaa2222', 'bbbb3333'].map((start) => `${start}-8b86-4d01-b42d-00cf4fc964ff`)
    for (const id of ids) await mkdir(join(home, 'sessions', id), { recursive: true })
    expect(await store.resolve('bbbb')).toBe(ids[2])
    expect(await store.resolve(' AAAA1 ')).toBe(ids[0])
    expect(await store.resolve(ids[1] ?? '')).toBe(ids[1])
    const several = store.resolve('aaaa')
    await expect(several).rejects.toMatchObject({ code: 'usage', message: expect.stringContaining(ids[0] ?? '') })
    await expect(several).rejects.toThrow(ids[1])
    await expect(store.resolve('bbb')).rejects.toThrow('too short')
    await expect(store.resolve('cccc')).rejects.toMatchObject({ code: 'session_not_found' })
    await expect(store.resolve('../.')).rejects.toMatchObject({ code: 'session_not_found' })
  })
})

describe('list', () => {
  it('is empty where nothing was ever stored', async () => {
    expect(await store.list()).toEqual([])
  })

  it('shows the newest change first and leaves broken folders out', async () => {
    const old = await session(userMessage(1, 'old'), ended(2))
    const newer = await session(userMessage(1, 'newer'), ended(9))
    await store.create()
    await session()
    const garbage = await session()
    await writeFile(store.logFile(garbage), 'not a log\n')
    const folderAsLog = await session()
    await rm(store.logFile(folderAsLog))
    await mkdir(store.logFile(folderAsLog))
    await mkdir(join(home, 'sessions', 'no-session'))
    await writeFile(join(home, 'sessions', SESSION), 'a file')
    expect((await store.list()).map(({ id, title }) => [id, title])).toEqual([
      [newer, 'newer'],
      [old, 'old'],
    ])
  })

  it('uses the stored line as long as the log is the same, and folds again when it is not', async () => {
    const id = await session(userMessage(1, 'first'), ended(2))
    const [folded] = await store.list()
    const cached = await summaryFile(id)
    expect(cached.summary).toMatchObject({ title: 'first', turns: 1, status: 'idle', last_outcome: 'finished' })
    cached.summary.title = 'from the cache'
    await writeFile(join(store.dir(id), 'summary.json'), JSON.stringify(cached))
    expect(await store.list()).toEqual([{ ...folded, title: 'from the cache' }])
    await appendFile(store.logFile(id), `${serializeEvent(userMessage(3))}\n${serializeEvent(ended(4))}\n`)
    expect(await store.list()).toMatchObject([{ title: 'first', turns: 2 }])
    expect((await summaryFile(id)).summary).toMatchObject({ turns: 2 })
  })

  it.each(['', '{', '{"version":2}', 'null'])('folds the log when the stored line is damaged (%j)', async (content) => {
    const id = await session(userMessage(1), ended(2))
    await writeFile(join(store.dir(id), 'summary.json'), content)
    expect(await store.list()).toMatchObject([{ id, title: 'message 1' }])
  })

  it('shows a session whose process crashed as interrupted, and not one that still runs', async () => {
    const id = await session(userMessage(1))
    const crashed = [{ id, status: 'idle', last_outcome: 'interrupted', locked: false }]
    expect(await store.list()).toMatchObject(crashed)
    // Once folded, once from the cache.
    expect(await store.list()).toMatchObject(crashed)
    const lock = await acquireWriterLock(store.dir(id))
    expect(await store.list()).toMatchObject([{ id, status: 'running', last_outcome: null, locked: false }])
    await lock.release()
  })

  it('lists many sessions, each once', async () => {
    const ids = await Promise.all(Array.from({ length: 30 }, (_, i) => session(userMessage(1), ended(i + 2))))
    expect((await store.list()).map(({ id }) => id)).toEqual(ids.reverse())
  })
})

describe('saveSummary', () => {
  it('stores the line of a state that the log has exactly, and no other', async () => {
    const id = await store.create()
    const log = await EventLog.open(store.logFile(id))
    const events = [userMessage(1), ended(2)]
    for (const event of events) log.append(event)
    await log.durable()
    const state = foldEvents(initialState(id), events)
    await store.saveSummary(foldEvents(initialState(id), events.slice(0, 1)))
    await expect(summaryFile(id)).rejects.toMatchObject({ code: 'ENOENT' })
    await store.saveSummary(state)
    expect(await summaryFile(id)).toMatchObject({
      log: { size: (await stat(store.logFile(id))).size },
      summary: { id },
    })
    log.append(userMessage(3))
    await log.durable()
    await store.saveSummary(state)
    expect(await store.list()).toMatchObject([{ turns: 2 }])
    await log.close()
  })
})

describe('remove', () => {
  it('deletes the folder with everything in it, and what an interrupted deletion left', async () => {
    const id = await session(userMessage(1))
    await mkdir(join(store.dir(id), 'outputs'))
    await writeFile(join(store.dir(id), 'outputs', 'x.txt'), 'x')
    await mkdir(join(home, 'sessions', '.removed-before', 'outputs'), { recursive: true })
    await store.remove(id)
    expect(await readdir(join(home, 'sessions'))).toEqual([])
    expect(await store.exists(id)).toBe(false)
  })

  describe('with another process', () => {
    let other: LineProcess | null = null
    afterEach(() => other?.kill())

    it('refuses while a living process writes the session, and lists it as locked', async () => {
      const id = await session(userMessage(1))
      other = new LineProcess(process.execPath, [racer, store.dir(id)])
      await other.line(/^ready/)
      other.send('go\n')
      await other.line(/^won/)
      await expect(store.remove(id)).rejects.toMatchObject({ code: 'session_busy' })
      expect(await store.list()).toMatchObject([{ id, status: 'running', locked: true }])
      expect(await readdir(store.dir(id))).toEqual(['events.jsonl', 'writer.lock'])
      await other.kill()
      await store.remove(id)
      expect(await store.exists(id)).toBe(false)
    })
  })
})

describe('readOutput', () => {
  const text = 'aä学🤖z'.repeat(50)
  let id: string

  beforeEach(async () => {
    id = await session(userMessage(1))
    await mkdir(join(store.dir(id), 'outputs'))
    await writeFile(join(store.dir(id), 'outputs', 'out.txt'), text)
  })

  it.each([1, 2, 3, 4, 5, 7, 64, 1_000_000])('gives the whole text in pieces of %i bytes', async (length) => {
    let offset = 0
    let read = ''
    for (let pieces = 0; pieces < 1000; pieces++) {
      const piece = await store.readOutput(id, 'out.txt', offset, length)
      expect(piece.text).not.toContain('\ufffd')
      expect(piece.next_offset).toBeGreaterThan(offset)
      expect(piece.next_offset - offset).toBeLessThanOrEqual(Math.max(length, 4))
      read += piece.text
      offset = piece.next_offset
      if (offset === piece.total_bytes) break
    }
    expect(read).toBe(text)
  })

  it('never splits a character, wherever a piece begins and ends', async () => {
    const total = Buffer.byteLength(text)
    for (let offset = 0; offset < 24; offset++) {
      for (let length = 1; length < 14; length++) {
        const piece = await store.readOutput(id, 'out.txt', offset, length)
        expect(piece.text).not.toContain('\ufffd')
        expect(text).toContain(piece.text)
        expect(piece.total_bytes).toBe(total)
      }
    }
    expect(await store.readOutput(id, 'out.txt', total + 9, 5)).toEqual({
      text: '',
      next_offset: total,
      total_bytes: total,
    })
  })

  it('reads through bytes that are no text', async () => {
    const bytes = Buffer.from([0x80, 0x80, 0x80, 0x80, 0x80, 0xff, 0x41, 0xf0, 0x9f])
    await writeFile(join(store.dir(id), 'outputs', 'raw'), bytes)
    for (const length of [1, 2, 3, 5]) {
      let offset = 0
      let read = ''
      while (offset < bytes.length) {
        const piece = await store.readOutput(id, 'raw', offset, length)
        expect(piece.next_offset).toBeGreaterThan(offset)
        offset = piece.next_offset
        read += piece.text
      }
      expect(read).toContain('A')
    }
  })

  it.each(['..', '.', '../events.jsonl', '/etc/passwd', 'a/b', '', 'a\0b'])('refuses the name %j', async (file) => {
    await expect(store.readOutput(id, file, 0, 10)).rejects.toMatchObject({ code: 'invalid_request' })
  })

  it('follows no link, neither of the file nor of the folder, and reads no folder', async () => {
    const secret = join(home, 'secret.txt')
    await writeFile(secret, 'secret')
    const outputs = join(store.dir(id), 'outputs')
    await symlink(secret, join(outputs, 'link.txt'))
    await mkdir(join(outputs, 'folder'))
    for (const file of ['link.txt', 'folder', 'missing']) {
      await expect(store.readOutput(id, file, 0, 10)).rejects.toMatchObject({ code: 'not_found' })
    }
    await rm(outputs, { recursive: true })
    await symlink(home, outputs)
    await expect(store.readOutput(id, 'secret.txt', 0, 10)).rejects.toMatchObject({ code: 'not_found' })
  })
})
