import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { modelMessages } from '../../src/main/agent/compaction/view'
import type { Engine } from '../../src/main/engine-types'
import { follow, TEST_KEY, temporaryFolder, testEngine } from '../support/engine'
import { createGate, type FakeAnthropic, type Reply, startFakeAnthropic } from '../support/fake-anthropic'

let folder: string
let remove: () => Promise<void>
let server: FakeAnthropic
const engines: Engine[] = []

beforeEach(async () => {
  const made = await temporaryFolder()
  folder = made.path
  remove = made.remove
})
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.close()
  await server.close()
  await remove()
})

const say = (text: string): Reply => ({ blocks: [{ type: 'text', text }] })
const long = say('A long answer. '.repeat(400))

async function start(script: Reply[], home?: string): Promise<Engine> {
  server = await startFakeAnthropic(script, { apiKey: TEST_KEY })
  const engine = await testEngine(folder, { base_url: server.url, ...(home ? { home } : {}) })
  engines.push(engine)
  return engine
}

async function talk(engine: Engine, times: number) {
  const session = await engine.createSession({})
  for (let i = 1; i <= times; i++) {
    await session.submit({ op: 'user_input', text: `question ${i}` })
    await session.idle()
  }
  return session
}

describe('/compact on the real engine', () => {
  it('summarises an idle session, is idle again, and the next request carries the summary', async () => {
    const engine = await start([long, long, long, say('THE RECORD'), say('Fine.')])
    const session = await talk(engine, 3)
    const { seq } = await session.submit({ op: 'compact' })
    expect(seq).toBeGreaterThan(0)
    await session.idle()
    expect(session.state).toMatchObject({ status: 'idle', turns: 3, compaction: { summary: 'THE RECORD', count: 1 } })
    expect(session.state.items.filter((item) => item.kind === 'assistant')).toHaveLength(3)
    await session.submit({ op: 'user_input', text: 'question 4' })
    await session.idle()
    const sent = JSON.stringify(server.requests.at(-1)?.body.messages)
    for (const part of ['question 1', 'THE RECORD', 'question 4']) expect(sent).toContain(part)
    expect(sent.match(/A long answer/g)?.length ?? 0).toBeLessThan(800)
    expect(server.requests[3]?.body.max_tokens).toBeLessThan(25_000)
  })

  it('says so when there is too little, and while a turn runs', async () => {
    const gate = createGate()
    const engine = await start([{ ...say('short'), gate }])
    const session = await engine.createSession({})
    await session.submit({ op: 'user_input', text: 'hello' })
    await expect(session.submit({ op: 'compact' })).rejects.toMatchObject({ code: 'session_running' })
    gate.open()
    await session.idle()
    await expect(session.submit({ op: 'compact' })).rejects.toMatchObject({ code: 'invalid_operation' })
    expect(session.state.status).toBe('idle')
  })

  it('is interrupted at once and leaves the conversation as it was', async () => {
    const gate = createGate()
    const engine = await start([long, long, long, { ...say('late'), gate }])
    const session = await talk(engine, 3)
    const f = follow(session)
    const begun = f.next('processing', ({ message }) => message.startsWith('Summarising'))
    await session.submit({ op: 'compact' })
    await begun
    await session.submit({ op: 'interrupt' })
    await session.idle()
    gate.open()
    expect(session.state).toMatchObject({ status: 'idle', compaction: null, last_outcome: 'interrupted' })
  })

  it('keeps the summary of a process that was killed, and closes a compaction that it had begun', async () => {
    const engine = await start([long, long, long, say('THE RECORD'), long, long, say('SECOND')])
    const session = await talk(engine, 3)
    await session.submit({ op: 'compact' })
    await session.idle()
    const { compaction } = session.state
    for (const text of ['more', 'and more']) {
      await session.submit({ op: 'user_input', text })
      await session.idle()
    }
    await session.submit({ op: 'compact' })
    await session.idle()
    // What a kill leaves: the log up to the middle of the line that would have recorded the second one.
    const log = await readFile(join(engine.home, 'sessions', session.id, 'events.jsonl'), 'utf8')
    const cut = log.lastIndexOf('"type":"compacted"') + 30
    const home = join(folder, 'after')
    await mkdir(join(home, 'sessions'), { recursive: true })
    await cp(join(engine.home, 'sessions', session.id), join(home, 'sessions', session.id), { recursive: true })
    await writeFile(join(home, 'sessions', session.id, 'events.jsonl'), log.slice(0, cut))
    await writeFile(join(home, 'sessions', session.id, 'writer.lock'), '')
    const other = await testEngine(folder, { base_url: server.url, home })
    engines.push(other)
    const resumed = await other.openSession(session.id)
    expect(resumed.state).toMatchObject({ status: 'idle', compaction })
    expect(JSON.stringify(modelMessages(resumed.state, ''))).toContain('THE RECORD')
  })
})
