import { appendFile, mkdtemp, open, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AnyEvent, type SessionEvent, serializeEvent } from '@shared/events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { UserError } from '../../../src/main/errors'
import { EventLog, readLog, readLogEnd } from '../../../src/main/session/log'
import { makeEvent, SESSION, userMessage } from '../../support/log-events'

let folder: string
let file: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ml-intern-log-'))
  file = join(folder, 'events.jsonl')
})
afterEach(async () => {
  vi.restoreAllMocks()
  vi.useRealTimers()
  await rm(folder, { recursive: true, force: true })
})

async function events(path = file): Promise<AnyEvent[]> {
  const all: AnyEvent[] = []
  for await (const event of readLog(path)) all.push(event)
  return all
}

async function seqs(): Promise<number[]> {
  return (await events()).map((event) => event.seq)
}

function chunk(seq: number, id: string, content: string): SessionEvent {
  return makeEvent(seq, 'assistant_chunk', { id, content })
}

/** The prototype that every FileHandle shares: faults are injected into the real calls. */
async function handlePrototype(): Promise<{ datasync: () => Promise<void>; write: (...args: unknown[]) => unknown }> {
  const handle = await open(join(folder, 'probe'), 'w')
  await handle.close()
  return Object.getPrototypeOf(handle)
}

function diskError(code: string): Error {
  return Object.assign(new Error(`${code}: injected`), { code })
}

describe('storing', () => {
  it('has every event on the disk when durable() resolves, in order', async () => {
    const log = await EventLog.open(file)
    for (let seq = 1; seq <= 50; seq++) {
      log.append(userMessage(seq))
      if (seq % 7 === 0) {
        await log.durable()
        expect(await seqs()).toEqual(Array.from({ length: seq }, (_, i) => i + 1))
      }
    }
    await log.durable()
    expect(await seqs()).toHaveLength(50)
    await log.close()
  })

  it('syncs many events with few fdatasync calls, and one that waits alone at once', async () => {
    const log = await EventLog.open(file)
    const sync = vi.spyOn(await handlePrototype(), 'datasync')
    for (let seq = 1; seq <= 500; seq++) log.append(userMessage(seq))
    await log.durable()
    expect(sync).toHaveBeenCalledTimes(1)
    log.append(userMessage(501))
    await log.durable()
    expect(sync).toHaveBeenCalledTimes(2)
    await log.close()
  })

  it('goes on when an event is appended in the very moment the queue ran empty', async () => {
    const log = await EventLog.open(file)
    let seq = 0
    const chain = async () => {
      for (let i = 0; i < 200; i++) {
        log.append(userMessage(++seq))
        await log.durable()
      }
    }
    await Promise.all([chain(), chain(), chain()])
    expect(await seqs()).toHaveLength(600)
    await log.close()
  })

  it('writes lines larger than a batch and text of every script unchanged', async () => {
    const log = await EventLog.open(file)
    const texts = ['x'.repeat(3_000_000), 'naïve 学习 🤖', 'a lone \ud83e surrogate', 'line\nfeed\u2028end']
    texts.forEach((text, i) => {
      log.append(userMessage(i + 1, text))
    })
    await log.close()
    expect((await events()).map((event) => (event.type === 'user_message' ? event.data : null))).toEqual(
      texts.map((content, i) => ({ id: `u${i + 1}`, content, source: 'user' })),
    )
  })

  it('refuses a number that does not ascend and a durable event after close', async () => {
    const log = await EventLog.open(file)
    log.append(userMessage(2))
    expect(() => log.append(userMessage(2))).toThrow('after number 2')
    await log.close()
    expect(() => log.append(userMessage(3))).toThrow('closed')
    expect(() => log.append(chunk(3, 'a', 'late'))).not.toThrow()
    expect(await seqs()).toEqual([2])
  })

  it('makes the file readable for its owner only', async () => {
    await (await EventLog.open(file)).close()
    expect((await stat(file)).mode & 0o077).toBe(0)
  })
})

describe('opening', () => {
  it('cuts a torn last line off, says how long it was, and goes on after it', async () => {
    const whole = `${serializeEvent(userMessage(1))}\n`
    const torn = serializeEvent(userMessage(2)).slice(0, 30)
    await writeFile(file, whole + torn)
    const log = await EventLog.open(file)
    expect(log.torn_bytes).toBe(torn.length)
    log.append(userMessage(3))
    await log.close()
    expect(await readFile(file, 'utf8')).toBe(`${whole}${serializeEvent(userMessage(3))}\n`)
  })

  it('finds the last newline far before the end, and none at all', async () => {
    const whole = `${serializeEvent(userMessage(1))}\n`
    await writeFile(file, whole + 'y'.repeat(300_000))
    const log = await EventLog.open(file)
    expect(log.torn_bytes).toBe(300_000)
    await log.close()
    expect((await stat(file)).size).toBe(whole.length)

    await writeFile(file, 'z'.repeat(200_000))
    const other = await EventLog.open(file)
    expect(other.torn_bytes).toBe(200_000)
    await other.close()
    expect((await stat(file)).size).toBe(0)
  })

  it('opens a log cut at every byte of its last two lines', async () => {
    const lines = [1, 2, 3].map((seq) => `${serializeEvent(userMessage(seq, 'ä🤖'))}\n`)
    const bytes = Buffer.from(lines.join(''))
    const first = Buffer.byteLength(lines[0] ?? '')
    for (let size = first; size <= bytes.length; size++) {
      await writeFile(file, bytes.subarray(0, size))
      const kept = await seqs()
      const log = await EventLog.open(file)
      log.append(userMessage(9))
      await log.close()
      expect(await seqs()).toEqual([...kept, 9])
    }
  })

  it('names the file when the folder does not exist', async () => {
    const missing = join(folder, 'gone', 'events.jsonl')
    await expect(EventLog.open(missing)).rejects.toMatchObject({ name: 'UserError', code: 'log_write' })
    await expect(EventLog.open(missing)).rejects.toThrow(missing)
  })
})

describe('failure', () => {
  it.each([
    ['ENOSPC', 'Free some space'],
    ['EDQUOT', 'Free some space'],
    ['EIO', 'Check the disk'],
    ['EFBIG', 'ulimit'],
  ])('%s: says so once, cuts the log back, ignores what comes later', async (code, remedy) => {
    const onFailure = vi.fn<(error: UserError) => void>()
    const log = await EventLog.open(file, { onFailure })
    log.append(userMessage(1))
    await log.durable()
    vi.spyOn(await handlePrototype(), 'datasync').mockRejectedValueOnce(diskError(code))
    log.append(userMessage(2))
    log.append(chunk(3, 'a', 'pending'))
    const [one, two] = await Promise.allSettled([log.durable(), log.durable()])
    expect([one.status, two.status]).toEqual(['rejected', 'rejected'])
    expect(log.failure).toMatchObject({ code: 'log_write' })
    expect(log.failure?.message).toContain(file)
    expect(log.failure?.remedy).toContain(remedy)
    log.append(userMessage(4))
    await expect(log.durable()).rejects.toBe(log.failure)
    expect(onFailure.mock.calls).toEqual([[log.failure]])
    await log.close()
    expect(await seqs()).toEqual([1])
    expect(await readFile(file, 'utf8')).toBe(`${serializeEvent(userMessage(1))}\n`)
  })

  it('cuts half-written lines off and can be opened again', async () => {
    const log = await EventLog.open(file)
    log.append(userMessage(1))
    await log.durable()
    const prototype = await handlePrototype()
    const write = prototype.write
    let calls = 0
    vi.spyOn(prototype, 'write').mockImplementation(function (this: unknown, ...args: unknown[]) {
      const [bytes, from, , position] = args
      // A disk that takes 10 bytes more, as a write to a nearly full one does.
      if (calls++ === 0) return write.call(this, bytes, from, 10, position)
      return Promise.reject(diskError('ENOSPC'))
    })
    log.append(userMessage(2))
    await expect(log.durable()).rejects.toThrow('disk is full')
    await log.close()
    vi.restoreAllMocks()
    const again = await EventLog.open(file)
    expect(again.torn_bytes).toBe(0)
    again.append(userMessage(2))
    await again.close()
    expect(await seqs()).toEqual([1, 2])
  })
})

describe('reading', () => {
  it('skips and counts unreadable lines, keeps unknown events, leaves a torn line out', async () => {
    const newer = { seq: 3, time: '2026-11-20T00:00:00.000Z', session: SESSION, type: 'hologram', data: { x: [1] } }
    const lines = [
      serializeEvent(userMessage(1)),
      '{"seq":2,',
      JSON.stringify(newer),
      '\u0000\u0000',
      '"text"',
      serializeEvent(userMessage(2)),
      serializeEvent(userMessage(4)),
    ]
    await writeFile(file, `${lines.join('\n')}\n`)
    await appendFile(file, serializeEvent(userMessage(5)))
    const reader = readLog(file)
    const read: AnyEvent[] = []
    for await (const event of reader) read.push(event)
    expect(read).toEqual([userMessage(1), { ...newer, unknown: true }, userMessage(4)])
    // The two broken lines, the text that is no event, and the number that went back.
    expect(reader.skipped).toBe(4)
  })

  it('rejects for a file that is not there', async () => {
    await expect(events(join(folder, 'none'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('never holds the event loop for long while it reads a large log', async () => {
    const count = 20_000
    const lines: string[] = []
    for (let seq = 1; seq <= count; seq++) lines.push(serializeEvent(userMessage(seq, `text ${seq} `.repeat(20))))
    await writeFile(file, `${lines.join('\n')}\n`)
    let turns = 0
    let reading = true
    const turn = () => {
      turns++
      if (reading) setImmediate(turn)
    }
    setImmediate(turn)
    const start = performance.now()
    let read = 0
    for await (const event of readLog(file)) read = event.seq
    reading = false
    const elapsed = performance.now() - start
    expect(read).toBe(count)
    // Other work got its turn at least every 10 ms on average; a reader that blocks gets a handful in all.
    expect(turns).toBeGreaterThan(elapsed / 10)
  })

  it('knows where a log ends without reading all of it', async () => {
    await writeFile(file, '')
    expect(await readLogEnd(file)).toMatchObject({ size: 0, last_seq: null })
    const long = `${serializeEvent(userMessage(7, 'w'.repeat(200_000)))}\n`
    await writeFile(file, `${serializeEvent(userMessage(1))}\n${long}{"seq":8`)
    expect(await readLogEnd(file)).toMatchObject({ last_seq: 7 })
    await truncate(file, 10)
    expect(await readLogEnd(file)).toMatchObject({ size: 10, last_seq: null })
  })
})
