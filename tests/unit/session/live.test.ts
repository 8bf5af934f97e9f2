import { readFile } from 'node:fs/promises'
import type { Operation } from '@shared/operations'
import { foldEvents } from '@shared/reducer'
import { initialState } from '@shared/state'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runTurn } from '../../../src/main/agent/loop'
import { UserError } from '../../../src/main/errors'
import type { ModelClient, ModelDelta } from '../../../src/main/models/types'
import type { SessionDeps } from '../../../src/main/session/core'
import { acquireWriterLock } from '../../../src/main/session/lock'
import { EventLog } from '../../../src/main/session/log'
import { LiveSession } from '../../../src/main/session/session'
import { SessionStore } from '../../../src/main/session/store'
import { SessionFileTracker } from '../../../src/main/tools/registry'
import { parseLog, temporaryFolder } from '../../support/engine'
import { createGate } from '../../support/fake-anthropic'
import { reply, say, testTool, use } from '../../support/turn'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let store: SessionStore
let id: string

beforeEach(async () => {
  folder = await temporaryFolder()
  store = new SessionStore(folder.path)
  id = await store.create()
})
afterEach(() => folder.remove())

function clientOf(next: () => ModelDelta[] | ((signal: AbortSignal) => Promise<ModelDelta[]>)): ModelClient {
  return {
    id: 'fake/model',
    info: () => ({ name: 'Fake', context_window: null, max_output: null, price: null }),
    async *stream(_request, signal) {
      const step = next()
      yield* typeof step === 'function' ? await step(signal) : step
    },
  }
}

/** A session of its own over a real log, with a client and tools of the test. */
async function openSession(client: ModelClient, deps: Partial<SessionDeps> = {}, ran: string[] = []) {
  const dir = store.dir(id)
  const lock = await acquireWriterLock(dir)
  const log = await EventLog.open(store.logFile(id), { onFailure: () => undefined })
  const tools = (['read', 'write', 'execute'] as const).map((effect) =>
    testTool({
      name: { read: 'look', write: 'change', execute: 'run' }[effect],
      effect,
      run: ({ value = '' }) => {
        ran.push(value)
        return Promise.resolve({ ok: true, output: value })
      },
    }),
  )
  const session = new LiveSession(await store.fold(id), {
    dir,
    log,
    lock,
    checkModel: () => Promise.resolve(),
    checkpoints: () => Promise.resolve(null),
    runTurn,
    turnDefaults: () =>
      Promise.resolve({
        client: () => Promise.resolve(client),
        system: () => 'system',
        tools,
        approvals: 'wait',
        rules: () => ({ lasting: [], given: [] }),
        max_iterations: 300,
        streaming: true,
        env: {},
        secrets: () => [],
      }),
    files: new SessionFileTracker(),
    secrets: () => [],
    keepRules: () => Promise.resolve(),
    fork: () => Promise.resolve('other'),
    interactive: false,
    wantsTitles: () => false,
    onSettled: () => Promise.resolve(),
    onChange: () => undefined,
    ...deps,
  })
  await session.recover()
  if (session.state.model === '') {
    session.emit('session_update', {
      created: { log_version: 1, app_version: '0' },
      cwd: folder.path,
      model: client.id,
      mode: 'ask',
    })
  }
  return session
}

/** Resolves when the session is in that status. */
function until(session: LiveSession, status: string): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (session.state.status !== status) return
      stop()
      resolve()
    }
    const stop = session.onEvent(look)
    look()
  })
}

const asks = (call: string) => reply([use(call, 'run', { value: call })])
const done = () => reply([say('done')])
const outcomes = (results: PromiseSettledResult<unknown>[]) => results.map(({ status }) => status)

describe('operations at the same moment', () => {
  it('a decision about a call of an earlier run, and a message: the call either runs or is seen not to', async () => {
    const ran: string[] = []
    const script = [asks('c1'), done(), done(), done()]
    const client = clientOf(() => script.shift() ?? done())
    const first = await openSession(client, {}, ran)
    await first.submit({ op: 'user_input', text: 'go' })
    await until(first, 'waiting_approval')
    await first.close()
    const session = await openSession(client, {}, ran)
    await Promise.allSettled([
      session.submit({ op: 'exec_approval', approvals: [{ tool_call_id: 'c1', approved: true }] }),
      session.submit({ op: 'user_input', text: 'and also this' }),
    ])
    await session.idle()
    const call = session.state.items.find((item) => item.kind === 'tool')
    expect(call).toMatchObject({ has_output: true })
    expect(call).not.toMatchObject({ state: 'waiting_approval' })
    expect(ran.length).toBe(call?.kind === 'tool' && call.state === 'ok' ? 1 : 0)
    await session.close()
  })

  it('undo and regenerate: the second is refused, and no turn runs over a history that was cut under it', async () => {
    const session = await openSession(clientOf(done))
    await session.submit({ op: 'user_input', text: 'one' })
    await session.idle()
    const results = await Promise.allSettled([
      session.submit({ op: 'regenerate' }),
      session.submit({ op: 'undo' }),
      session.submit({ op: 'regenerate' }),
    ])
    await session.idle()
    // Whoever came first; the others are told that the session works.
    expect(outcomes(results).filter((status) => status === 'fulfilled').length).toBe(1)
    const kinds = session.state.items.map(({ kind }) => kind)
    expect(kinds.filter((kind) => kind === 'assistant').length).toBe(kinds.filter((kind) => kind === 'user').length)
    await session.close()
  })

  it('a message after a stop is answered, not swallowed by the turn that ends', async () => {
    const held = createGate()
    let calls = 0
    const session = await openSession(
      clientOf(() => {
        calls += 1
        if (calls > 1) return done()
        return async (signal) => {
          // A provider that takes its time to notice.
          await held.arrive()
          throw signal.reason
        }
      }),
    )
    await session.submit({ op: 'user_input', text: 'one' })
    await held.reached
    await session.submit({ op: 'interrupt' })
    const sent = session.submit({ op: 'user_input', text: 'two' })
    held.open()
    await sent
    await session.idle()
    const texts = session.state.items.flatMap((item) => ('text' in item ? [`${item.kind}: ${item.text}`] : []))
    expect(texts).toEqual(['user: one', 'notice: Stopped by you.', 'user: two', 'assistant: done'])
    await session.close()
  })

  it('a message and the end of the program: it is refused, or in the log with its turn', async () => {
    const model = createGate()
    const session = await openSession(clientOf(done), { checkModel: () => model.arrive() })
    const sent = session.submit({ op: 'user_input', text: 'late' })
    const closed = session.close()
    model.open()
    await expect(sent).rejects.toMatchObject({ code: 'invalid_operation' })
    await closed
    expect(session.state.items).toEqual([])
  })

  it('two decisions about one call in one answer are refused: what ran would not be what is recorded', async () => {
    const session = await openSession(clientOf(() => asks('c1')))
    await session.submit({ op: 'user_input', text: 'go' })
    await until(session, 'waiting_approval')
    const approvals = [true, false].map((approved) => ({ tool_call_id: 'c1', approved }))
    await expect(session.submit({ op: 'exec_approval', approvals })).rejects.toBeInstanceOf(UserError)
    expect(session.state.pending_approvals.length).toBe(1)
    await session.close()
  })

  it('two windows that ask what a call does pay for one explanation', async () => {
    const said = createGate()
    let calls = 0
    const session = await openSession(
      clientOf(() => {
        calls += 1
        if (calls === 1) return asks('c1')
        return async () => {
          await said.arrive()
          return reply([say('It does this.')])
        }
      }),
    )
    await session.submit({ op: 'user_input', text: 'go' })
    await until(session, 'waiting_approval')
    const explained = new Promise<void>((resolve) => {
      session.onEvent(({ type }) => type === 'approval_explained' && resolve())
    })
    await Promise.all([1, 2].map(() => session.submit({ op: 'explain', tool_call_id: 'c1' })))
    await said.reached
    await session.submit({ op: 'explain', tool_call_id: 'c1' })
    said.open()
    await explained
    expect(calls).toBe(2)
    await session.submit({ op: 'interrupt' })
    await session.close()
  })

  it('a mode that gets stricter while a question waits holds for the calls behind it', async () => {
    const ran: string[] = []
    const script = [reply([use('c1', 'run', { value: 'asked' }), use('c2', 'change', { value: 'allowed' })]), done()]
    const client = clientOf(() => script.shift() ?? done())
    const session = await openSession(client, {}, ran)
    await session.submit({ op: 'set_rules', rules: [{ effect: 'allow', tool: 'change' }] })
    await session.submit({ op: 'user_input', text: 'go' })
    await until(session, 'waiting_approval')
    await session.submit({ op: 'set_mode', mode: 'plan' })
    await session.submit({ op: 'exec_approval', approvals: [{ tool_call_id: 'c1', approved: true }] })
    await session.idle()
    expect(ran).toEqual(['asked'])
    await session.close()
  })
})

/** Small, quick and good enough: a linear congruence (Numerical Recipes). */
function randomOf(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

describe('any operations in any order', () => {
  it.each(Array.from({ length: 25 }, (_, seed) => seed + 1))(
    'leave the session idle, whole and on disk: seed %i',
    async (seed) => {
      const random = randomOf(seed)
      let calls = 0
      const client = clientOf(() => {
        calls += 1
        const kind = random(6)
        if (kind === 0)
          return reply([use(`a${calls}`, 'run', { value: 'x' }), use(`b${calls}`, 'look'), use(`c${calls}`, 'run')])
        if (kind === 1) return asks(`d${calls}`)
        if (kind === 2) return reply([use(`e${calls}`, 'look')])
        return done()
      })
      let session = await openSession(client)
      const operation = (): Operation => {
        const users = session.state.items.filter((item) => item.kind === 'user')
        const user_message_id = users[random(Math.max(1, users.length))]?.key ?? 'none'
        const approvals = session.state.pending_approvals
          .filter(() => random(3) > 0)
          .map(({ tool_call_id }) => ({
            tool_call_id,
            approved: random(2) === 0,
            scope: random(3) === 0 ? ('turn' as const) : ('once' as const),
          }))
        const all: Operation[] = [
          { op: 'user_input', text: `m${random(100)}` },
          { op: 'enqueue', text: `q${random(100)}` },
          { op: 'interrupt' },
          { op: 'undo' },
          { op: 'undo', user_message_id },
          { op: 'edit', user_message_id, text: 'edited' },
          { op: 'regenerate' },
          { op: 'set_mode', mode: (['plan', 'ask', 'auto', 'full'] as const)[random(4)] ?? 'ask' },
          { op: 'send_queued', id: session.state.queue[0]?.id ?? 'none' },
          { op: 'dequeue', id: session.state.queue[0]?.id ?? 'none' },
          { op: 'set_rules', rules: [] },
        ]
        if (approvals.length > 0 && random(2) === 0) return { op: 'exec_approval', approvals }
        return all[random(all.length)] ?? { op: 'interrupt' }
      }
      for (let round = 0; round < 12; round += 1) {
        const batch = Array.from({ length: 1 + random(4) }, operation)
        const results = await Promise.allSettled(batch.map((one) => session.submit(one)))
        for (const result of results) {
          if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(UserError)
        }
        if (random(4) === 0) {
          await session.close()
          session = await openSession(client)
        }
      }
      await session.submit({ op: 'interrupt' })
      await session.idle()
      // A message that waited may have begun another turn.
      while (session.state.status !== 'idle') {
        await session.submit({ op: 'interrupt' })
        await session.idle()
      }
      const { state } = session
      expect(state).toMatchObject({
        status: 'idle',
        pending_approvals: [],
        draft: null,
        turn_rules: [],
        explanations: {},
      })
      const open = state.items.filter(
        ({ kind, ...item }) => kind === 'tool' && 'state' in item && /running|waiting/.test(item.state),
      )
      expect(open).toEqual([])
      await session.close()
      const log = parseLog(await readFile(store.logFile(id), 'utf8'))
      expect(foldEvents(initialState(id), log)).toEqual(session.state)
    },
  )
})
