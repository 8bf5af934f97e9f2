import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AnyEvent } from '@shared/events'
import { applyEvent } from '@shared/reducer'
import { initialState } from '@shared/state'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { acquireWriterLock } from '../../src/main/session/lock'
import { EventLog, readLog } from '../../src/main/session/log'
import { Random, userMessage } from '../support/log-events'
import { bundleHelper, LineProcess } from '../support/log-process'

/** Design part 9: kill -9 at 200 random moments, 0 acknowledged events lost, 200 resumes. */
const SESSIONS = 40
const KILLS_PER_SESSION = 5
/** Two cores: more writers at once only wait for each other. */
const PARALLEL = 4

let work: string
const running = new Set<LineProcess>()

function start(command: string, args: string[]): LineProcess {
  const child = new LineProcess(command, args)
  running.add(child)
  return child
}

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'ml-intern-crash-'))
})
afterEach(async () => {
  await Promise.all([...running].map((child) => child.kill()))
  running.clear()
})
afterAll(() => rm(work, { recursive: true, force: true }))

interface Tally {
  kills: number
  acknowledged: number
  torn: number
  /** Kills before the writer had the lock, before the log was open, and after. */
  phases: { starting: number; opening: number; writing: number }
}

describe('kill -9', () => {
  it('at 200 random moments loses no acknowledged event, and the next writer goes on at once', async () => {
    const writer = await bundleHelper('log-writer.ts', work)
    const tally: Tally = { kills: 0, acknowledged: 0, torn: 0, phases: { starting: 0, opening: 0, writing: 0 } }
    const sessions = Array.from({ length: SESSIONS }, (_, i) => i + 1).values()
    const worker = async () => {
      for (const seed of sessions) await crashSession(writer, seed, tally)
    }
    await Promise.all(Array.from({ length: PARALLEL }, worker))
    console.info(`crash-log: ${JSON.stringify(tally)}`)
    expect(tally.kills).toBe(SESSIONS * KILLS_PER_SESSION)
    // The moments are spread: else the test would say little.
    expect(tally.phases.writing).toBeGreaterThan(tally.kills / 2)
    expect(tally.acknowledged).toBeGreaterThan(tally.kills)
  }, 120_000)
})

/** Kills one writer after another in one session, and checks the log after each. */
async function crashSession(writer: string, seed: number, tally: Tally): Promise<void> {
  const random = new Random(seed)
  const dir = join(work, `session-${seed}`)
  await mkdir(dir)
  const acknowledged = new Set<number>()
  for (let kill = 0; kill < KILLS_PER_SESSION; kill++) {
    const child = start(process.execPath, [writer, dir, String(seed * 1000 + kill)])
    await moment(child, random)
    await child.kill()
    running.delete(child)
    tally.kills++
    const open = child.lines.some((line) => line.startsWith('open'))
    const locked = child.lines.includes('locked')
    tally.phases[open ? 'writing' : locked ? 'opening' : 'starting']++
    for (const line of child.lines) {
      const seq = /^ack (\d+)$/.exec(line)?.[1]
      if (seq !== undefined) acknowledged.add(Number(seq))
    }
    tally.torn += await checkLog(dir, acknowledged)
  }
  tally.acknowledged += acknowledged.size
}

/** A random moment in the life of a writer: in its start-up, or some steps after some number of lines it printed. */
async function moment(child: LineProcess, random: Random): Promise<void> {
  await child.count(random.below(8) === 0 ? 0 : random.below(4) === 0 ? 1 + random.below(3) : 3 + random.below(30))
  // Between two lines of the writer this process goes round its event loop a few hundred times.
  for (let turns = random.below(300); turns > 0; turns--) await new Promise<void>((next) => setImmediate(next))
}

/** What must hold after every kill; appends one event, as the session that is resumed would. Returns 1 for a torn line. */
async function checkLog(dir: string, acknowledged: Set<number>): Promise<number> {
  const file = join(dir, 'events.jsonl')
  const lock = await acquireWriterLock(dir)
  const log = await EventLog.open(file)
  const reader = readLog(file)
  const stored = new Map<number, AnyEvent>()
  let state = initialState('')
  for await (const event of reader) {
    stored.set(event.seq, event)
    state = applyEvent(state, event)
  }
  expect(reader.skipped).toBe(0)
  expect([...acknowledged].filter((seq) => stored.get(seq)?.type !== 'user_message')).toEqual([])
  const messages = [...stored.values()].filter((event) => event.type === 'user_message').length
  expect(state.items.filter((item) => item.kind === 'user')).toHaveLength(messages)

  const seq = state.last_seq + 1
  log.append(userMessage(seq, 'resumed'))
  await log.durable()
  acknowledged.add(seq)
  await log.close()
  await lock.release()
  return log.torn_bytes > 0 ? 1 : 0
}

describe('full disk', () => {
  it('ends with an error that names the file, and a log that can be read', async () => {
    const fill = await bundleHelper('log-fill.ts', work)
    const mount = join(work, 'tiny')
    await mkdir(mount)
    // A real full disk of 64 KB, in a namespace of its own, for root and for users where the system allows it.
    const onTmpfs = `mount -t tmpfs -o size=64k tmpfs "$1" || exit 99; exec "$0" "$2" "$1"`
    let how = 'a full tmpfs'
    let child = start('unshare', ['-rm', 'sh', '-c', onTmpfs, process.execPath, mount, fill])
    const refused = await child.closed.then(
      () => child.lines.length === 0,
      () => true,
    )
    if (refused) {
      running.delete(child)
      // Where that is not allowed: a limit of 64 KB for every file, which fails in the same place with EFBIG.
      how = 'a limit for the size of files (no user namespaces here)'
      child = start('sh', ['-c', 'ulimit -f 128; exec "$0" "$1" "$2"', process.execPath, fill, mount])
    }
    const result = JSON.parse(await child.line(/^\{/))
    console.info(`full disk: ${how}; ${result.after.count} events kept`)
    expect(result).toMatchObject({ rejected: 'UserError', failures: 1, code: 'log_write', torn_bytes: 0 })
    expect(result.message).toContain(result.file)
    expect(result.message).toContain(refused ? 'larger than this system allows' : 'disk is full')
    expect(result.remedy).toContain(refused ? 'ulimit' : 'Free some space')
    expect(result.acknowledged).toBeGreaterThan(10)
    expect(result.after).toEqual({ last: result.acknowledged, count: result.acknowledged, skipped: 0 })
  })

  it('keeps no half file of a long output, which would take the room the log needs to go on', async () => {
    const fill = await bundleHelper('spill-fill.ts', work)
    // A limit for the size of a file fails in the same place as a full disk, and needs no rights.
    const child = start('sh', ['-c', 'ulimit -f 2048; exec "$0" "$1" "$2"', process.execPath, fill, work])
    expect(JSON.parse(await child.line(/^\{/))).toEqual({ kept: null, code: 'EFBIG', files: [] })
  })
})
