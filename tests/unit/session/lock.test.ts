import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { link, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { acquireWriterLock, lockHolder } from '../../../src/main/session/lock'
import { bundleHelper, LineProcess } from '../../support/log-process'

let work: string
let racer: string
let folder: string
const started: LineProcess[] = []

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'ml-intern-lock-'))
  racer = await bundleHelper('log-racer.ts', work)
})
afterAll(() => rm(work, { recursive: true, force: true }))

beforeEach(async () => {
  folder = await mkdtemp(join(work, 'session-'))
})
afterEach(async () => {
  await Promise.all(started.splice(0).map((racer) => racer.kill()))
})

function start(): LineProcess {
  const child = new LineProcess(process.execPath, [racer, folder])
  started.push(child)
  return child
}

/** A process that holds the lock of `folder`. */
async function holder(): Promise<LineProcess> {
  const child = start()
  await child.line(/^ready/)
  child.send('go\n')
  expect(await child.line(/^(won|lost)/)).toBe('won')
  return child
}

/** A process id that was in use a moment ago and is free now. */
async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' })
  await once(child, 'exit')
  return child.pid ?? 0
}

async function plant(name: string, record: object | string): Promise<void> {
  await writeFile(join(folder, name), typeof record === 'string' ? record : JSON.stringify(record))
}

async function lockRecord(): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(join(folder, 'writer.lock'), 'utf8'))
}

const nonce = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`

describe('one writer', () => {
  it('refuses a second one, in this process too, and says who has it', async () => {
    const lock = await acquireWriterLock(folder)
    const second = acquireWriterLock(folder)
    await expect(second).rejects.toMatchObject({ code: 'session_busy' })
    await expect(second).rejects.toThrow(String(process.pid))
    expect(await lockHolder(folder)).toMatchObject({ pid: process.pid, own: true })
    await lock.release()
    expect(await lockHolder(folder)).toBeNull()
    expect(await readdir(folder)).toEqual([])
  })

  it('lets exactly one of many attempts in one process win', async () => {
    const attempts = await Promise.allSettled(Array.from({ length: 20 }, () => acquireWriterLock(folder)))
    const won = attempts.filter((attempt) => attempt.status === 'fulfilled')
    expect(won).toHaveLength(1)
    await won[0]?.value.release()
    const again = await acquireWriterLock(folder)
    await again.release()
  })

  it('releases once: a lock that somebody else took since then stays', async () => {
    const first = await acquireWriterLock(folder)
    await first.release()
    const second = await acquireWriterLock(folder)
    await first.release()
    expect(await lockHolder(folder)).toMatchObject({ pid: process.pid })
    await rm(join(folder, 'writer.lock'))
    const third = await acquireWriterLock(folder)
    await second.release()
    expect(await lockHolder(folder)).not.toBeNull()
    await third.release()
  })

  it('names another living process, and is free the moment that one is killed', async () => {
    const other = await holder()
    const attempt = acquireWriterLock(folder)
    await expect(attempt).rejects.toMatchObject({ code: 'session_busy' })
    await expect(attempt).rejects.toThrow(String(other.child.pid))
    expect(await lockHolder(folder)).toMatchObject({ pid: other.child.pid, own: false })
    await other.kill()
    expect(await lockHolder(folder)).toBeNull()
    const lock = await acquireWriterLock(folder)
    await lock.release()
  })

  it('says that the session is gone when its folder is', async () => {
    await expect(acquireWriterLock(join(folder, 'none'))).rejects.toMatchObject({ code: 'session_not_found' })
    await writeFile(join(folder, 'file'), '')
    await expect(acquireWriterLock(join(folder, 'file'))).rejects.toMatchObject({ code: 'session_not_found' })
  })
})

describe('stale locks', () => {
  it('takes over from a process whose number belongs to another one now', async () => {
    await plant('writer.lock', { pid: process.pid, start_time: 'long ago', host: hostname(), nonce: nonce(1) })
    expect(await lockHolder(folder)).toBeNull()
    const lock = await acquireWriterLock(folder)
    expect(await lockRecord()).toMatchObject({ pid: process.pid })
    await lock.release()
    expect(await readdir(folder)).toEqual([])
  })

  it('trusts the number alone where no start time is known', async () => {
    await plant('writer.lock', { pid: process.pid, start_time: null, host: hostname(), nonce: nonce(1) })
    await expect(acquireWriterLock(folder)).rejects.toMatchObject({ code: 'session_busy' })
    await plant('writer.lock', { pid: await deadPid(), start_time: null, host: hostname(), nonce: nonce(1) })
    const lock = await acquireWriterLock(folder)
    await lock.release()
  })

  it('never takes over from another computer, and says how to get out of that', async () => {
    await plant('writer.lock', { pid: await deadPid(), start_time: null, host: 'elsewhere', nonce: nonce(1) })
    await expect(acquireWriterLock(folder)).rejects.toMatchObject({
      code: 'session_busy',
      message: expect.stringContaining('elsewhere'),
      remedy: expect.stringContaining(join(folder, 'writer.lock')),
    })
  })

  it.each(['', '\0\0\0\0', '{"pid":', '{"pid":1,"nonce":"../../x","host":"h","start_time":null}'])(
    'takes over from what a power cut left (%j)',
    async (content) => {
      await plant('writer.lock', content)
      const lock = await acquireWriterLock(folder)
      await lock.release()
      expect(await readdir(folder)).toEqual([])
    },
  )

  it.skipIf(process.platform === 'win32')(
    'takes over from a killed process that its parent has not collected',
    async () => {
      // The shell becomes `sleep`, which never collects the child that the shell had started.
      const script = 'sleep 1000 & echo $!; exec sleep 1000'
      const parent = new LineProcess('/bin/sh', ['-c', script])
      started.push(parent)
      const zombie = Number(await parent.line(/^\d+$/))
      const { start_time } = await recordOf(zombie)
      await plant('writer.lock', { pid: zombie, start_time, host: hostname(), nonce: nonce(1) })
      if (start_time !== null) await expect(acquireWriterLock(folder)).rejects.toMatchObject({ code: 'session_busy' })
      process.kill(zombie, 'SIGKILL')
      const lock = await retryWhileBusy(() => acquireWriterLock(folder))
      // It still answers signals, so this was not simply a process that is gone.
      expect(() => process.kill(zombie, 0)).not.toThrow()
      await lock.release()
    },
  )

  it('takes over although the process that was taking over was killed, twice', async () => {
    const pid = await deadPid()
    const record = (n: number) => ({ pid, start_time: null, host: hostname(), nonce: nonce(n) })
    await plant('writer.lock', record(1))
    await plant(`writer.lock.claim-${nonce(1)}`, record(2))
    await plant(`writer.lock.claim-${nonce(2)}`, record(3))
    await plant(`writer.lock.new-${nonce(3)}`, record(3))
    const lock = await acquireWriterLock(folder)
    expect(await readdir(folder)).toEqual(['writer.lock'])
    await lock.release()
  })

  it('waits for a living process that is taking over, and names it when that does not end', async () => {
    const other = await holder()
    // What the other one would leave for a moment: a dead lock that it has claimed.
    await plant('dead', { pid: await deadPid(), start_time: null, host: hostname(), nonce: nonce(1) })
    await link(join(folder, 'writer.lock'), join(folder, `writer.lock.claim-${nonce(1)}`))
    await rm(join(folder, 'writer.lock'))
    await link(join(folder, 'dead'), join(folder, 'writer.lock'))
    await expect(acquireWriterLock(folder)).rejects.toThrow(String(other.child.pid))
    await other.kill()
    const lock = await acquireWriterLock(folder)
    await lock.release()
  })

  it('lets exactly one of many attempts in one process take a stale lock over', async () => {
    const pid = await deadPid()
    const record = (n: number) => ({ pid, start_time: null, host: hostname(), nonce: nonce(n) })
    for (let round = 0; round < 20; round++) {
      await plant('writer.lock', record(1))
      if (round % 2 === 1) await plant(`writer.lock.claim-${nonce(1)}`, record(2))
      const attempts = await Promise.allSettled(Array.from({ length: 12 }, () => acquireWriterLock(folder)))
      const won = attempts.filter((attempt) => attempt.status === 'fulfilled')
      expect(won).toHaveLength(1)
      await won[0]?.value.release()
      expect(await readdir(folder)).toEqual([])
    }
  })

  it('lets exactly one of many processes take a stale lock over, every time', async () => {
    const processes = 10
    for (let round = 0; round < 3; round++) {
      folder = await mkdtemp(join(work, 'race-'))
      const first = await holder()
      await first.kill()
      // Rounds differ in what a killed take-over left behind.
      if (round > 0) {
        const stale = String((await lockRecord()).nonce)
        const dead = { pid: await deadPid(), start_time: null, host: hostname(), nonce: nonce(round) }
        await plant(`writer.lock.claim-${stale}`, dead)
      }
      const racers = Array.from({ length: processes }, start)
      await Promise.all(racers.map((racer) => racer.line(/^ready/)))
      for (const racer of racers) racer.send('go\n')
      const results = await Promise.all(racers.map((racer) => racer.line(/^(won|lost)/)))
      const winner = racers[results.indexOf('won')]
      expect(results.filter((result) => result === 'won')).toHaveLength(1)
      expect(results.filter((result) => result.includes('is writing this session'))).toHaveLength(processes - 1)
      expect(await lockHolder(folder)).toMatchObject({ pid: winner?.child.pid })
      await Promise.all(racers.map((racer) => racer.kill()))
    }
  })
})

/** The lock record as the process `pid` would have written it, made by asking for a lock in its name. */
async function recordOf(pid: number): Promise<{ start_time: string | null }> {
  if (process.platform !== 'linux') return { start_time: null }
  const own = join(folder, 'own')
  await mkdir(own)
  const lock = await acquireWriterLock(own)
  const { start_time } = JSON.parse(await readFile(join(own, 'writer.lock'), 'utf8'))
  await lock.release()
  await rm(own, { recursive: true })
  const ticks = async (id: number | string) =>
    (await readFile(`/proc/${id}/stat`, 'utf8')).split(') ')[1]?.split(' ')[19]
  return { start_time: String(start_time).replace(String(await ticks('self')), String(await ticks(pid))) }
}

/** A signal needs a moment to arrive; until then the process lives and the lock is rightly refused. */
async function retryWhileBusy<T>(attempt: () => Promise<T>): Promise<T> {
  for (let i = 0; ; i++) {
    try {
      return await attempt()
    } catch (error) {
      if (i > 500) throw error
      await new Promise<void>((next) => setImmediate(next))
    }
  }
}
