import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { acquireWriterLock, lockHolder } from '../../src/main/session/lock'
import { SessionSearch, type SessionSearchOptions } from '../../src/main/session/search'
import { runCli } from '../support/cli'
import { temporaryFolder } from '../support/engine'
import { bundleWorker } from '../support/module-path.mjs'
import { LogWriter, logOf, sessionId } from '../support/search-home'

const WORKER = join(import.meta.dirname, '../../src/main/session/search/worker.ts')
/** Measured: 5 to 36 ms a query, 14 in the middle (2 cores, not idle); reading all logs again takes a second and more. */
const QUICK_MS = 300
const SECRET = 'hunter2-hunter2'
let home: string
let remove: () => Promise<void>
const open: SessionSearch[] = []

beforeEach(async () => {
  const made = await temporaryFolder()
  home = made.path
  remove = made.remove
})
afterEach(async () => {
  await Promise.all(open.splice(0).map((search) => search.close()))
  await remove()
})

function start(options: Partial<SessionSearchOptions> = {}): SessionSearch {
  const search = new SessionSearch({ home, secrets: () => [SECRET], ...options })
  open.push(search)
  return search
}

async function session(n: number, text: string): Promise<LogWriter> {
  const log = new LogWriter(home, sessionId(n), n)
  log.created()
  log.user(text)
  await log.write()
  return log
}

/** A worker of a test's own, beside the real one. */
async function workerFile(code: (real: string) => string): Promise<string> {
  const file = join(home, `worker-${Math.random()}.mjs`)
  await writeFile(file, code(JSON.stringify(await bundleWorker(WORKER))))
  return file
}

const STEMS =
  'loss accuracy penguins optimizer gradient batch tokenizer dataset epoch schedule warmup checkpoint'.split(' ')
/** As many words as a person's sessions share: of few words every query would find everything. */
const WORDS = Array.from({ length: 25 }, (_, i) => STEMS.map((stem) => (i === 0 ? stem : `${stem}${i}`))).flat()

describe('search over 1,000 sessions', () => {
  it('answers and follows a change far faster than the logs could be read again, and leaves the main thread alone', async () => {
    for (let n = 0; n < 1_000; n++) {
      const log = new LogWriter(home, sessionId(n), n)
      log.created()
      for (let i = 0; i < 4; i++) {
        const word = (k: number) => WORDS[(n * 7 + i * 31 + k * 11) % WORDS.length]
        log.user(`Please look at ${word(1)} and ${word(2)} of run ${n}`)
        log.tool(
          `python3 train_${word(3)}.py --seed ${n}`,
          Array.from({ length: 40 }, (_, k) => `${word(k)}=${n / (k + 1)}`).join('\n'),
        )
        log.assistant(`The ${word(4)} of run ${n} depends on ${word(5)}. `.repeat(10))
      }
      await log.write()
    }
    const search = start()
    const before = performance.eventLoopUtilization()
    const early = await search.search('penguins')
    expect(early.pending).toBeLessThanOrEqual(1_000)
    const whole = await search.search('"run 512"', { wait: true })
    const { utilization } = performance.eventLoopUtilization(before)
    expect(whole.pending).toBe(0)
    expect(whole.hits.length).toBeGreaterThan(0)
    expect(new Set(whole.hits.map((hit) => hit.session))).toEqual(new Set([sessionId(512)]))
    // Were anything of it done here, the main thread would be busy all the time. (Its longest pause says nothing on a
    // machine that runs other tests too.)
    expect(utilization).toBeLessThan(0.25)

    const times: number[] = []
    for (const query of ['optimizer', 'gradient warm', 'please look', '"depends on"', 'acuracy', 'run 77', 'check']) {
      const tries: number[] = []
      for (let i = 0; i < 3; i++) {
        const from = performance.now()
        const { hits } = await search.search(query)
        tries.push(performance.now() - from)
        expect(hits.length, query).toBeGreaterThan(0)
      }
      // The best of three: the machine may be busy with other tests.
      times.push(Math.min(...tries))
    }
    console.info(`search: 1,000 sessions, milliseconds a query: ${times.map(Math.round).join(' ')}`)
    expect(median(times), times.map(Math.round).join(' ')).toBeLessThan(QUICK_MS)

    const log = new LogWriter(home, sessionId(2_000), 2_000)
    log.user('a walrus')
    await log.write()
    const from = performance.now()
    // A change that was not read in time would be pending.
    expect(await search.search('walrus')).toMatchObject({ pending: 0, hits: [{}, {}] })
    expect(performance.now() - from).toBeLessThan(2 * QUICK_MS)
    await search.close()

    // The next start reads the stored index instead of the logs.
    const again = start()
    const loaded = performance.now()
    expect((await again.search('walrus', { wait: true })).hits).toHaveLength(2)
    expect(performance.now() - loaded).toBeLessThan(5_000)
  }, 60_000)
})

describe('the search worker', () => {
  it('is not started by hints, and takes them once it runs', async () => {
    const search = start({ worker: join(home, 'no-such-worker.mjs') })
    search.changed(sessionId(1))
    search.removed(sessionId(1))
    const real = start()
    const log = await session(1, 'a walrus')
    expect((await real.search('walrus')).hits).toHaveLength(2)
    log.user('a hippo')
    await log.write()
    real.changed(sessionId(1))
    expect((await real.search('hippo')).hits).toHaveLength(1)
    await rm(join(home, 'sessions', sessionId(1)), { recursive: true })
    real.removed(sessionId(1))
    expect((await real.search('hippo')).hits).toEqual([])
  })

  it('that dies is started once more, without the stored index, and answers', async () => {
    await session(1, 'a walrus')
    await mkdir(join(home, 'search'), { recursive: true })
    const worker = await workerFile(
      (real) => `import { workerData } from 'node:worker_threads'
if (!workerData.fresh) process.exit(3)
await import(${real})`,
    )
    const search = start({ worker })
    expect((await search.search('walrus')).hits).toHaveLength(2)
    expect((await search.search('walrus')).hits).toHaveLength(2)
  })

  it('that dies again says so, in words for the user, and the next query tries anew', async () => {
    await session(1, 'a walrus')
    const marker = join(home, 'healthy')
    const worker = await workerFile(
      (real) => `import { existsSync } from 'node:fs'
if (!existsSync(${JSON.stringify(marker)})) throw new Error('out of luck')
await import(${real})`,
    )
    const search = start({ worker })
    const two = await Promise.allSettled([search.search('walrus'), search.search('hippo')])
    for (const result of two) {
      expect(result).toMatchObject({
        status: 'rejected',
        reason: { code: 'internal', message: expect.stringContaining('out of luck') },
      })
    }
    await writeFile(marker, '')
    expect((await search.search('walrus')).hits).toHaveLength(2)
  })

  it('that dies while it works loses no query that waits', async () => {
    await session(1, 'a walrus')
    const worker = await workerFile(
      (real) => `import { parentPort, workerData } from 'node:worker_threads'
if (workerData.fresh) await import(${real})
else parentPort.on('message', () => process.exit(1))`,
    )
    const search = start({ worker })
    const [walrus, hippo] = await Promise.all([search.search('walrus'), search.search('hippo')])
    expect(walrus.hits).toHaveLength(2)
    expect(hippo.hits).toEqual([])
  })

  it('lets a query be taken back at once, before and while it runs', async () => {
    await session(1, 'a walrus')
    const worker = await workerFile(
      () => `import { parentPort } from 'node:worker_threads'
parentPort.on('message', ({ kind }) => kind === 'close' && process.exit(0))`,
    )
    const silent = new SessionSearch({ home, secrets: () => [], worker })
    const controller = new AbortController()
    const waiting = silent.search('walrus', { signal: controller.signal, wait: true })
    controller.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    await expect(silent.search('walrus', { signal: controller.signal })).rejects.toThrow('enough')
    const last = silent.search('walrus')
    const closed = silent.close()
    await expect(last).rejects.toMatchObject({ code: 'invalid_operation' })
    await expect(silent.search('walrus')).rejects.toMatchObject({ code: 'invalid_operation' })
    await closed
  })

  it('shows no secret that the log holds, and does not mark a text that was changed', async () => {
    await session(1, `the walrus knows ${SECRET} by heart`)
    const { hits } = await start().search('walrus')
    expect(hits.length).toBeGreaterThan(0)
    expect(JSON.stringify(hits)).not.toContain(SECRET)
    for (const { snippet, marks } of hits) expect([snippet.includes('[REDACTED]'), marks]).toEqual([true, []])
  })

  it('reads a session that is being written, takes no lock and changes nothing of it', async () => {
    const log = await session(1, 'a walrus')
    const dir = join(home, 'sessions', sessionId(1))
    const lock = await acquireWriterLock(dir)
    const search = start()
    expect((await search.search('walrus')).hits).toHaveLength(2)
    log.user('a hippo')
    await log.write('{"seq":3,"half')
    expect((await search.search('hippo')).hits).toHaveLength(1)
    expect(await lockHolder(dir)).toMatchObject({ own: true })
    await lock.release()
    await search.close()
    expect(await readdir(dir)).toEqual(['events.jsonl'])
    expect(await readFile(logOf(home, sessionId(1)), 'utf8')).toMatch(/\{"seq":3,"half$/)
  })

  it('two of them at once on one data folder both find what is there', async () => {
    await session(1, 'a walrus')
    const both = [start(), start()]
    const results = await Promise.all(both.map((search) => search.search('walrus', { wait: true })))
    for (const { hits } of results) expect(hits).toHaveLength(2)
    await Promise.all(both.map((search) => search.close()))
    expect((await start().search('walrus')).hits).toHaveLength(2)
  })

  it('finds nothing, and does not fail, where there are no sessions', async () => {
    expect(await start().search('walrus')).toEqual({ hits: [], pending: 0, left_out: 0 })
    expect(await start().search('')).toEqual({ hits: [], pending: 0, left_out: 0 })
  })
})

describe('ml-intern sessions search, import and config import, as built', () => {
  it('finds in text and JSON, and says with its exit code that there is nothing', async () => {
    home = join(home, 'home')
    const log = await session(1, 'look for the walrus')
    log.tool('ls', 'walrus.csv')
    await log.write()
    const cwd = join(home, '..')
    const plain = runCli(['sessions', 'search', 'walrus', '--limit', '3'], { cwd })
    expect(await plain.done, plain.stderr()).toBe(0)
    expect(plain.stdout()).toContain(`${sessionId(1).slice(0, 8)}  look for the walrus`)
    expect(plain.stdout()).toMatch(/user +look for the walrus/)
    const json = runCli(['sessions', 'search', 'walrus.csv', '--json'], { cwd })
    expect(await json.done, json.stderr()).toBe(0)
    expect(JSON.parse(json.stdout())).toMatchObject([{ session: sessionId(1), seq: 3, kind: 'tool' }])
    const none = runCli(['sessions', 'search', 'zebra'], { cwd })
    expect(await none.done).toBe(1)
    expect(none.stderr()).toContain('Nothing was found')
    const wrong = runCli(['sessions', 'search', 'x', '--limit', '0'], { cwd })
    expect(await wrong.done).toBe(2)
  })

  it('imports a session that can be listed and found, and says what it left out', async () => {
    const cwd = home
    const file = (name: string, value: unknown) => writeFile(join(cwd, name), JSON.stringify(value))
    await file('session_1.json', { session_id: 'x', messages: [{ role: 'user', content: 'the walrus of old' }] })
    await file('config.json', { model_name: 'org/m', mcpServers: {} })
    const first = runCli(['sessions', 'import', '.'], { cwd })
    expect(await first.done, first.stderr()).toBe(0)
    expect(first.stdout()).toContain('the walrus of old')
    expect(first.stderr()).toContain('Left out config.json: It is a configuration')
    const again = runCli(['sessions', 'import', 'session_1.json'], { cwd })
    expect(await again.done).toBe(1)
    expect(again.stderr()).toContain('It is here already')
    const found = runCli(['sessions', 'search', '"walrus of old"'], { cwd })
    expect(await found.done, found.stderr()).toBe(0)
    const config = runCli(['config', 'import', 'config.json'], { cwd })
    expect(await config.done, config.stderr()).toBe(0)
    expect(JSON.parse(await readFile(join(cwd, 'home/config.json'), 'utf8'))).toEqual({ model: 'hf/org/m' })
    const nothing = runCli(['sessions', 'import', 'nowhere'], { cwd })
    expect(await nothing.done).toBe(2)
  })
})

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
