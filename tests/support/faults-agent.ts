import { writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { type AnyEvent, TRANSIENT_EVENTS } from '@shared/events'
import type { Operation } from '@shared/operations'
import { DEFAULT_SETTINGS } from '@shared/settings'
import { createEngine } from '../../src/main/engine'
import { UserError } from '../../src/main/errors'
import type { Session } from '../../src/main/session/types'
import { Random } from './log-events'

/**
 * The real engine in a process that can be killed. Prints one line for each thing that happened, straight into the pipe:
 * `opened <status> <turns>`, `ev <event>` for events that are on disk, `ack <op> <seq>` for acknowledged operations,
 * `finished <turns>` for the turn that follows every start, `refused <code> <op>`, `told <event>` when the log broke,
 * `failed <error>` before it ends with 1.
 *
 * Without `random` it does what it reads from its input, one operation as JSON a line, and prints `done` when idle.
 */
interface Task {
  folder: string
  base_url: string
  key: string
  session: string | null
  mode: 'ask' | 'auto'
  /** Seed of random operations; null: those that are read. */
  seed: number | null
}
const task = JSON.parse(process.argv[2] ?? '') as Task

function print(line: string): void {
  writeSync(1, `${line}\n`)
}

const present = { provider: 'anthropic', present: true, source: 'memory', hint: '', note: '' } as const
const settings = { ...DEFAULT_SETTINGS, mode: task.mode, auto_titles: false, anthropic_base_url: task.base_url }
const engine = await createEngine({
  settings,
  home: `${task.folder}/home`,
  cwd: task.folder,
  env: { PATH: process.env.PATH, HOME: task.folder },
  credentials: {
    get: () => Promise.resolve(task.key),
    status: () => Promise.resolve(present),
    set: () => Promise.resolve(present),
    remove: () => Promise.resolve(present),
    known_secrets: () => [task.key],
  },
  save_settings: () => Promise.resolve(settings),
  run_doctor: () => Promise.resolve([]),
  host: 'headless',
})

/** Prints every event that is not transient when it is on disk. */
function report(session: Session): void {
  let pending: AnyEvent[] = []
  let flushing = false
  const flush = async () => {
    if (flushing) return
    flushing = true
    while (pending.length > 0) {
      const events = pending
      pending = []
      await session.durable()
      for (const event of events) print(`ev ${JSON.stringify(event)}`)
    }
    flushing = false
  }
  session.onEvent((event) => {
    if (TRANSIENT_EVENTS.has(event.type)) return
    // That the log cannot be written any more can only be told.
    const told = JSON.stringify(event.data)
    if (told.includes('"log_write"')) return print(`told ${event.type} ${told}`)
    pending.push(event)
    flush().catch((error: unknown) => print(`broken ${error instanceof UserError ? error.code : String(error)}`))
  })
}

async function submit(session: Session, operation: Operation): Promise<void> {
  try {
    const { seq } = await session.submit(operation)
    print(`ack ${operation.op} ${seq ?? '-'}`)
  } catch (error) {
    // In a random order many an operation comes too late.
    if (!(error instanceof UserError)) throw error
    print(`refused ${error.code} ${operation.op}`)
  }
}

function decideAll(session: Session, approved: (i: number) => boolean): Promise<void> {
  const { pending_approvals } = session.state
  if (pending_approvals.length === 0) return Promise.resolve()
  const approvals = pending_approvals.map(({ tool_call_id }, i) => ({ tool_call_id, approved: approved(i) }))
  return submit(session, { op: 'exec_approval', approvals })
}

/** What every resumed session must be able to do: a turn with a call that asks, to its end. */
async function finishTurn(session: Session): Promise<void> {
  const stop = session.onEvent((event) => {
    if (event.type === 'approval_required') void decideAll(session, () => true)
  })
  await decideAll(session, () => true)
  await session.idle()
  await submit(session, { op: 'user_input', text: 'resume calls 1' })
  await session.idle()
  stop()
  const { last_outcome, status, turns, draft, pending_approvals } = session.state
  const rest = status === 'idle' && draft === null && pending_approvals.length === 0
  if (last_outcome !== 'finished' || !rest) throw new Error(`the turn ended ${last_outcome}, ${status}`)
  print(`finished ${turns}`)
}

/** A step of a user in a hurry. */
async function step(session: Session, random: Random): Promise<void> {
  const { state } = session
  const users = state.items.flatMap((item) => (item.kind === 'user' ? [item.key] : []))
  const chosen = users[random.below(users.length)] ?? ''
  const queued = state.queue[random.below(state.queue.length)]?.id ?? ''
  const text = `step ${random.below(1_000_000)} calls ${random.below(4)}`
  switch (random.below(14)) {
    case 0:
    case 1:
    case 2:
      return submit(session, { op: 'user_input', text })
    case 3:
    case 4:
      return submit(session, { op: 'enqueue', text })
    case 5:
      return submit(session, { op: 'dequeue', id: queued })
    case 6:
      return submit(session, { op: 'send_queued', id: queued })
    case 7:
      return submit(session, { op: 'edit', user_message_id: chosen, text })
    case 8:
      return submit(session, { op: 'undo' })
    case 9:
      return submit(session, { op: 'regenerate' })
    case 10:
      return submit(session, { op: 'interrupt' })
    case 11:
      return submit(session, { op: 'set_effort', effort: random.pick(['low', 'medium', 'high']) })
    case 12:
      return submit(session, { op: 'set_rules', rules: [{ effect: 'allow', tool: random.pick(['write', 'edit']) }] })
    default:
      // A turn that waits for a decision nobody gives would hold this up for ever.
      return Promise.race([session.idle(), new Promise<void>((resolve) => setTimeout(resolve, 50))])
  }
}

async function random(session: Session, seed: number): Promise<void> {
  await finishTurn(session)
  const random = new Random(seed)
  session.onEvent((event) => {
    if (event.type !== 'approval_required') return
    // Most decisions come at once, some late, some never: the next message abandons those.
    const kind = random.below(4)
    if (kind > 0) setTimeout(() => void decideAll(session, (i) => (kind + i) % 3 > 0), kind === 1 ? 0 : 5)
  })
  for (;;) {
    await step(session, random)
    // Nobody answers: a turn that waits for a decision must not hold the steps up.
    await new Promise((resolve) => setTimeout(resolve, random.below(12)))
  }
}

async function obey(session: Session): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === 'close') break
    if (line === 'idle') {
      await session.idle()
      print(`idle ${session.state.last_outcome}`)
    } else await submit(session, JSON.parse(line) as Operation)
  }
  await engine.close()
  print('closed')
  process.exit(0)
}

try {
  const session = task.session === null ? await engine.createSession({}) : await engine.openSession(task.session)
  report(session)
  await session.durable()
  print(`opened ${session.id} ${session.state.status} ${session.state.turns}`)
  const { status, draft, live_logs } = session.state
  if (status === 'running' || draft || Object.keys(live_logs).length > 0) {
    throw new Error(`what a crash left is still open: ${JSON.stringify({ status, draft, live_logs })}`)
  }
  if (task.seed === null) await obey(session)
  else await random(session, task.seed)
} catch (error) {
  print(
    `failed ${error instanceof UserError ? `${error.code} ${error.message}` : error instanceof Error ? error.stack : error}`.replaceAll(
      '\n',
      ' | ',
    ),
  )
  process.exit(1)
}
