import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { foldEvents } from '@shared/reducer'
import { initialState } from '@shared/state'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { parseLog, TEST_KEY } from '../../support/engine'
import { type FakeAnthropic, type FakeRequest, type Reply, startFakeAnthropic } from '../../support/fake-anthropic'
import { bundleAgent } from '../../support/faults-process'
import { text, tool } from '../../support/faults-session'
import { Random } from '../../support/log-events'
import { LineProcess } from '../../support/log-process'

/** 200 kills of the real engine at work; crash-log.test.ts does the same to the log alone, much faster. */
const SESSIONS = 20
const KILLS_PER_SESSION = 10
/** Two cores: with more, the processes only wait for each other. */
const PARALLEL = 4
const SEED = 20_261_120

let work: string
let agent: string
let server: FakeAnthropic
const running = new Set<LineProcess>()

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'ml-intern-kill-'))
  agent = await bundleAgent(work)
  server = await startFakeAnthropic(reply, { apiKey: TEST_KEY })
})
afterEach(async () => {
  await Promise.all([...running].map((child) => child.kill()))
})
afterAll(async () => {
  await rm(work, { recursive: true, force: true })
  await server.close()
})

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** "calls 2" in a message asks for two calls; their results are answered with text. Every call leaves its own mark. */
function reply({ index, body }: FakeRequest): Reply {
  const last = body.messages.at(-1)?.content ?? []
  const asked = last.findLast(({ type }) => type === 'text')?.text
  const calls = Number(/calls (\d)/.exec(String(asked))?.[1] ?? 0)
  const pace = { unbatched: true, beforeChunk: () => pause(index % 3) }
  if (calls === 0) return { ...text(`Reply ${index}, in some pieces.`, 4), ...pace }
  const made = Array.from({ length: calls }, (_, i) => {
    const mark = `mark-${index}-${i}`
    if ((index + i) % 5 === 3) return tool('read', { path: 'made' })
    if ((index + i) % 5 === 4) return tool('plan_tool', { todos: [{ id: '1', content: mark, status: 'completed' }] })
    return tool('bash', { command: `echo ${mark} >> made` })
  })
  const thinking = { type: 'thinking' as const, thinking: `Reply ${index} needs thought.`, chunks: 2 }
  return { blocks: [thinking, { type: 'text', text: 'Working on it.', chunks: 2 }, ...made], ...pace }
}

interface Tally {
  kills: number
  /** Where the kill came: while the process started or resumed its turn, or later. */
  phases: { starting: number; resuming: number; working: number }
  turns_running: number
  resumes_finished: number
  resumes_failed: string[]
  acknowledged_operations: number
  acknowledged_events: number
  lost: string[]
  /** Calls that ran twice, or ran and are not in the log. */
  calls_astray: string[]
}

describe('kill -9 of the engine at work', () => {
  it('at 200 random moments: no acknowledged event lost, every session goes on', async () => {
    const tally: Tally = {
      kills: 0,
      phases: { starting: 0, resuming: 0, working: 0 },
      turns_running: 0,
      resumes_finished: 0,
      resumes_failed: [],
      acknowledged_operations: 0,
      acknowledged_events: 0,
      lost: [],
      calls_astray: [],
    }
    const begun = performance.now()
    const sessions = Array.from({ length: SESSIONS }, (_, i) => i + 1).values()
    const worker = async () => {
      for (const number of sessions) await killSession(number, tally)
    }
    await Promise.all(Array.from({ length: PARALLEL }, worker))
    const seconds = Math.round((performance.now() - begun) / 1000)
    const { lost, resumes_failed, calls_astray } = tally
    const shown = {
      ...tally,
      lost: lost.length,
      resumes_failed: resumes_failed.length,
      calls_astray: calls_astray.length,
    }
    console.info(`kill -9: ${JSON.stringify({ ...shown, requests: server.requests.length, seconds })}`)
    expect({ lost, resumes_failed, calls_astray }).toEqual({ lost: [], resumes_failed: [], calls_astray: [] })
    expect(server.violations).toEqual([])
    // The moments are spread, and there was something to lose: else the test would say little.
    expect(tally.kills).toBe(SESSIONS * KILLS_PER_SESSION)
    expect(tally.phases.working).toBeGreaterThan(tally.kills / 2)
    expect(tally.turns_running).toBeGreaterThan(tally.kills / 5)
    expect(tally.resumes_finished).toBeGreaterThan(tally.kills / 2)
    expect(tally.acknowledged_operations).toBeGreaterThan(tally.kills)
  }, 180_000)
})

/** Starts one process after another on one session, and kills each. The last one only has to finish its turn. */
async function killSession(number: number, tally: Tally): Promise<void> {
  const random = new Random(SEED + number)
  const folder = join(work, `session-${number}`)
  await mkdir(folder)
  const told: Told = { events: new Set(), operations: new Map() }
  let session: string | null = null
  for (let kill = 0; kill <= KILLS_PER_SESSION; kill++) {
    const seed = SEED + number * 100 + kill
    const mode = number % 2 === 0 ? 'ask' : 'auto'
    const task = { folder, base_url: server.url, key: TEST_KEY, session, mode, seed }
    const child = new LineProcess(process.execPath, [agent, JSON.stringify(task)])
    running.add(child)
    const last = kill === KILLS_PER_SESSION
    await moment(child, random, { opened: session === null, finished: last })
    await child.kill()
    running.delete(child)

    session ??= child.lines.find((line) => line.startsWith('opened '))?.split(' ')[1] ?? null
    const finished = child.lines.some((line) => line.startsWith('finished '))
    const failure = child.lines.find((line) => line.startsWith('failed '))
    if (kill > 0 && finished) tally.resumes_finished++
    // A process that ended by itself was not killed by us.
    if (failure || child.child.signalCode !== 'SIGKILL') {
      tally.resumes_failed.push(`session ${number}, process ${kill}: ${failure ?? `exit ${child.child.exitCode}`}`)
    }
    if (!last) {
      tally.kills++
      const opened = child.lines.some((line) => line.startsWith('opened '))
      tally.phases[finished ? 'working' : opened ? 'resuming' : 'starting']++
    }
    collect(child.lines, told)
    if (session === null) throw new Error('the first process made no session')
    await check(folder, session, told, tally, `session ${number}, kill ${kill}`)
  }
  tally.acknowledged_events += told.events.size
  tally.acknowledged_operations += told.operations.size
}

/** A random moment in the life of a process: in its start-up, in its first turn, or in the steps that follow. */
async function moment(
  child: LineProcess,
  random: Random,
  least: { opened: boolean; finished: boolean },
): Promise<void> {
  const kind = random.below(10)
  if (least.finished) await until(child, /^(finished|failed) /)
  else if (kind === 0 && !least.opened) await pause(random.below(400))
  else if (kind <= 2) {
    await until(child, /^(opened|failed) /)
    await pause(random.below(60))
  } else {
    await until(child, /^(finished|failed) /)
    await pause(random.below(200))
  }
}

/** A process that ends without the line is judged by how it ended. */
async function until(child: LineProcess, pattern: RegExp): Promise<void> {
  await child.line(pattern).catch(() => undefined)
}

interface Told {
  /** Lines of the log that the process said are on disk. */
  events: Set<string>
  /** Number of the event of an acknowledged operation. */
  operations: Map<number, string>
}

function collect(lines: readonly string[], told: Told): void {
  lines.forEach((line, at) => {
    const [, op = '', seq] = /^ack (\w+) (\d+)$/.exec(line) ?? []
    if (seq !== undefined) told.operations.set(Number(seq), op)
    if (!line.startsWith('ev ')) return
    // The kill may cut the last line that a process prints; the part of it is no message.
    if (at === lines.length - 1 && !line.endsWith('}}')) return
    told.events.add(line.slice(3))
  })
}

const RECORDS: Record<string, string[]> = {
  user_input: ['user_message'],
  enqueue: ['queue_update', 'user_message'],
  dequeue: ['queue_update'],
  send_queued: ['user_message'],
  edit: ['user_message'],
  regenerate: ['user_message'],
  undo: ['undo_complete'],
  interrupt: ['interrupted'],
  exec_approval: ['approval_resolved'],
  set_effort: ['session_update'],
  set_rules: ['session_update'],
}

/** What must hold for the log after every kill. */
async function check(folder: string, session: string, told: Told, tally: Tally, where: string): Promise<void> {
  const marks = (await readFile(join(folder, 'made'), 'utf8').catch(() => '')).split('\n').slice(0, -1)
  const stored = await readFile(join(folder, 'home/sessions', session, 'events.jsonl'), 'utf8')
  // What follows the last newline was being written.
  const lines = stored.split('\n').slice(0, -1)
  const known = new Set(lines)
  for (const event of told.events) if (!known.has(event)) tally.lost.push(`${where}: ${event.slice(0, 200)}`)

  const events = parseLog(lines.join('\n'))
  const types = new Map(events.map(({ seq, type }) => [seq, type]))
  for (const [seq, op] of told.operations) {
    if (!RECORDS[op]?.includes(types.get(seq) ?? '')) tally.lost.push(`${where}: ${op} ${seq} is ${types.get(seq)}`)
  }
  // A call that was asked about is recorded by the question.
  const records = events.filter(({ type }) => type === 'tool_call' || type === 'approval_required')
  const called = new Set(JSON.stringify(records).match(/mark-\d+-\d+/g))
  for (const mark of marks) {
    if (!called.has(mark)) tally.calls_astray.push(`${where}: ${mark} is not in the log`)
  }
  if (new Set(marks).size < marks.length) tally.calls_astray.push(`${where}: a call ran twice`)
  if (foldEvents(initialState(session), events).status !== 'idle') tally.turns_running++
}
