import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Engine } from '../../src/main/engine-types'
import { acquireWriterLock } from '../../src/main/session/lock'
import { temporaryFolder, testEngine } from '../support/engine'
import { createGate, type FakeAnthropic, type Script, startFakeAnthropic } from '../support/fake-anthropic'
import { TestWindow } from '../support/window'

let folder: string
const cleanups: (() => Promise<void>)[] = []

beforeEach(async () => {
  const temporary = await temporaryFolder()
  folder = temporary.path
  cleanups.push(temporary.remove)
})
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function start(script: Script = []): Promise<{ engine: Engine; server: FakeAnthropic }> {
  const server = await startFakeAnthropic(script)
  cleanups.push(() => server.close())
  const engine = await testEngine(folder, { base_url: server.url, host: 'browser' })
  cleanups.push(() => engine.close())
  return { engine, server }
}

const text = (value: string) => ({ blocks: [{ type: 'text' as const, text: value }] })
const dirOf = (id: string) => join(folder, 'home/sessions', id)
const isLocked = (id: string) => existsSync(join(dirOf(id), 'writer.lock'))
const input = (value: string) => ({ op: 'user_input' as const, text: value })

/** A window that made a session and watches it. */
async function watching(engine: Engine): Promise<{ window: TestWindow; id: string }> {
  const window = new TestWindow(engine)
  const { id } = await window.call('sessions.create', {})
  await window.call('sessions.subscribe', { id, after: 0 })
  return { window, id }
}

/** Resolves when nobody writes the session any more: another process could go on with it. */
async function untilUnlocked(id: string): Promise<void> {
  while (isLocked(id)) await new Promise((resolve) => setImmediate(resolve))
}

describe('a session without a window', () => {
  it('goes on to the end of its turn, and is then free for another process', async () => {
    const gate = createGate()
    const { engine, server } = await start([{ ...text('Done.'), gate }])
    const { window, id } = await watching(engine)
    await window.call('session.submit', { id, operation: input('Go') })
    await server.request(0)
    window.close()
    expect(isLocked(id)).toBe(true)
    gate.open()
    await untilUnlocked(id)
    const state = await engine.readSession(id)
    expect(state.last_outcome).toBe('finished')
    expect(state.items.at(-1)).toMatchObject({ kind: 'assistant' })
  })

  it('stays open when a window comes back during the turn, and closes when that one leaves', async () => {
    const gate = createGate()
    const { engine, server } = await start([{ ...text('Done.'), gate }])
    const { window, id } = await watching(engine)
    await window.call('session.submit', { id, operation: input('Go') })
    await server.request(0)
    await window.call('sessions.unsubscribe', { id })
    const second = new TestWindow(engine)
    await second.call('sessions.subscribe', { id, after: 0 })
    const ended = second.nextEvent('turn_complete')
    gate.open()
    await ended
    await (await engine.openSession(id)).idle()
    expect(isLocked(id)).toBe(true)
    await second.call('sessions.unsubscribe', { id })
    await untilUnlocked(id)
  })

  it('is free again after a rename, a message and an operation that failed', async () => {
    const { engine } = await start([text('Hello.')])
    const { window, id } = await watching(engine)
    await window.call('sessions.unsubscribe', { id })
    await untilUnlocked(id)
    await window.call('sessions.rename', { id, title: 'Renamed' })
    await untilUnlocked(id)
    expect(await window.failure('session.submit', { id, operation: { op: 'undo' } })).toBe('invalid_operation')
    await untilUnlocked(id)
    await window.call('session.submit', { id, operation: input('Hi') })
    await untilUnlocked(id)
    const state = await engine.readSession(id)
    expect(state).toMatchObject({ title: 'Renamed', turns: 1, last_outcome: 'finished' })
  })

  it('is free again when its window went away before it looked at it', async () => {
    const { engine } = await start()
    const window = new TestWindow(engine)
    const { id } = await window.call('sessions.create', {})
    window.close()
    await untilUnlocked(id)
  })

  it('is free again when its window went away while it was being made or opened', async () => {
    const { engine } = await start()
    const { window, id } = await watching(engine)
    await window.call('sessions.unsubscribe', { id })
    const second = new TestWindow(engine)
    const opening = second.call('sessions.subscribe', { id, after: 0 })
    const making = second.call('sessions.create', {})
    second.close()
    await opening
    const made = await making
    await untilUnlocked(id)
    await untilUnlocked(made.id)
  })

  it('is written and unlocked before the engine has closed, also when its window left a moment ago', async () => {
    const { engine } = await start()
    const { window, id } = await watching(engine)
    window.close()
    await engine.close()
    expect(isLocked(id)).toBe(false)
  })
})

describe('several windows', () => {
  it('both see everything, and the one that stays goes on when the other leaves', async () => {
    const { engine } = await start([text('One.'), text('Two.')])
    const { window, id } = await watching(engine)
    const second = new TestWindow(engine)
    await second.call('sessions.subscribe', { id, after: 0 })
    const ends = [window.nextEvent('turn_complete'), second.nextEvent('turn_complete')]
    await window.call('session.submit', { id, operation: input('First') })
    await Promise.all(ends)
    window.close()
    const end = second.nextEvent('turn_complete')
    await second.call('session.submit', { id, operation: input('Second') })
    await end
    expect(second.events('turn_complete')).toBe(2)
    expect(window.events('turn_complete')).toBe(1)
  })

  it('one that ends the session by `shutdown` does not take it from the other', async () => {
    const gate = createGate()
    const { engine, server } = await start([{ ...text('Never.'), gate }, text('Again.')])
    const { window, id } = await watching(engine)
    const second = new TestWindow(engine)
    await second.call('sessions.subscribe', { id, after: 0 })
    await window.call('session.submit', { id, operation: input('Go') })
    await server.request(0)
    await window.call('session.submit', { id, operation: { op: 'shutdown' } })
    expect(second.events('interrupted')).toBe(1)
    const end = second.nextEvent('turn_complete')
    await second.call('session.submit', { id, operation: input('Again') })
    await end
    await second.call('session.submit', { id, operation: { op: 'shutdown' } })
    await untilUnlocked(id)
    gate.open()
  })

  it('an unsubscription that overtakes its subscription wins', async () => {
    const { engine } = await start([text('Hello.')])
    const { window, id } = await watching(engine)
    await window.call('sessions.unsubscribe', { id })
    const subscribed = window.call('sessions.subscribe', { id, after: 0 })
    await window.call('sessions.unsubscribe', { id })
    await subscribed
    await untilUnlocked(id)
    const before = window.events('user_message')
    await window.call('session.submit', { id, operation: input('Go') })
    expect(window.events('user_message')).toBe(before)
  })

  it('subscribing again and again yields one stream', async () => {
    const { engine } = await start([text('Hello.')])
    const { window, id } = await watching(engine)
    await Promise.all(Array.from({ length: 20 }, () => window.call('sessions.subscribe', { id, after: 0 })))
    const end = window.nextEvent('turn_complete')
    await window.call('session.submit', { id, operation: input('Go') })
    await end
    expect(window.events('user_message')).toBe(1)
  })
})

describe('removing', () => {
  it('is refused while the session works, and its window keeps its stream', async () => {
    const gate = createGate()
    const { engine, server } = await start([{ ...text('Done.'), gate }])
    const { window, id } = await watching(engine)
    await window.call('session.submit', { id, operation: input('Go') })
    await server.request(0)
    expect(await window.failure('sessions.remove', { id })).toBe('session_running')
    const end = window.nextEvent('turn_complete')
    gate.open()
    await end
  })

  it('works at once after the last window has left, twice, and for a session that is watched', async () => {
    const { engine } = await start()
    const { window, id } = await watching(engine)
    const left = window.call('sessions.unsubscribe', { id })
    await Promise.all([left, window.call('sessions.remove', { id }), window.call('sessions.remove', { id })])
    expect(existsSync(dirOf(id))).toBe(false)
    expect(await window.failure('sessions.remove', { id })).toBe('session_not_found')
    expect(await window.failure('sessions.subscribe', { id, after: 0 })).toBe('session_not_found')

    const other = await watching(engine)
    await window.call('sessions.remove', { id: other.id })
    expect(other.window.pushes).toContainEqual({ kind: 'session', id: other.id, summary: null })
    expect(await other.window.failure('session.submit', { id: other.id, operation: input('Hi') })).toBe(
      'session_not_found',
    )
  })

  it('races with everything else without a crash, and leaves no folder behind', async () => {
    const { engine } = await start(() => text('Hi.'))
    for (let round = 0; round < 10; round++) {
      const { window, id } = await watching(engine)
      const second = new TestWindow(engine)
      await Promise.all([
        second.request('sessions.subscribe', { id, after: 0 }),
        window.request('sessions.remove', { id }),
        second.request('sessions.rename', { id, title: 'x' }),
        second.request('session.submit', { id, operation: input('Go') }),
        window.request('sessions.unsubscribe', { id }),
        second.request('sessions.remove', { id }),
      ])
      if (existsSync(dirOf(id))) {
        await (await engine.openSession(id)).idle()
        await window.call('sessions.remove', { id })
      }
      second.close()
      window.close()
      expect(existsSync(dirOf(id))).toBe(false)
    }
    const window = new TestWindow(engine)
    expect(await window.call('sessions.list', {})).toEqual([])
  })

  it('is refused for a session that another holds, which stays readable', async () => {
    const { engine } = await start()
    const { window, id } = await watching(engine)
    await window.call('sessions.unsubscribe', { id })
    await untilUnlocked(id)
    const lock = await acquireWriterLock(dirOf(id))
    cleanups.push(() => lock.release())
    expect(await window.failure('sessions.remove', { id })).toBe('session_busy')
    expect(await window.failure('sessions.rename', { id, title: 'x' })).toBe('session_busy')
    expect(await window.call('sessions.subscribe', { id, after: 0 })).toMatchObject({ kind: 'snapshot' })
    expect(window.pushes.at(-1)).toMatchObject({ kind: 'session', id, summary: { locked: true } })
    expect(await window.failure('session.submit', { id, operation: input('Hi') })).toBe('session_busy')
    await lock.release()
    await window.call('sessions.subscribe', { id, after: 0 })
    await window.call('sessions.rename', { id, title: 'mine' })
  })
})

it('many demos at once are many sessions in folders of their own', async () => {
  const { engine } = await start()
  const window = new TestWindow(engine)
  const made = await Promise.all(Array.from({ length: 8 }, () => window.call('demo.start', {})))
  expect(new Set(made.map(({ id }) => id)).size).toBe(8)
  const states = await Promise.all(made.map(({ id }) => engine.readSession(id)))
  expect(new Set(states.map((state) => state.cwd)).size).toBe(8)
  for (const { id } of made) await window.call('session.submit', { id, operation: { op: 'interrupt' } })
  window.close()
  await Promise.all(made.map(({ id }) => untilUnlocked(id)))
})

it('unknown sessions leave nothing behind in the window that asks for them', async () => {
  const { engine } = await start()
  const window = new TestWindow(engine)
  const ids = Array.from({ length: 50 }, () => randomUUID())
  for (const id of ids) expect(await window.failure('sessions.subscribe', { id, after: 0 })).toBe('session_not_found')
  for (const id of ids) await window.call('sessions.unsubscribe', { id })
  window.close()
})
