import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { foldEvents } from '@shared/reducer'
import { initialState } from '@shared/state'
import { afterEach, beforeEach, expect } from 'vitest'
import type { Engine } from '../../src/main/engine-types'
import type { Session } from '../../src/main/session/types'
import { parseLog, TEST_KEY, temporaryFolder, testEngine } from './engine'
import { type FakeAnthropic, type Script, startFakeAnthropic } from './fake-anthropic'

/** A folder, engines and fake servers for each test of the file that imports this. */
export let folder: string
let remove: () => Promise<void>
const servers: FakeAnthropic[] = []
const engines: Engine[] = []

beforeEach(async () => {
  const made = await temporaryFolder()
  folder = made.path
  remove = made.remove
})
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.close()
  const closed = await Promise.allSettled(servers.splice(0).map((server) => server.close()))
  await remove()
  for (const result of closed) if (result.status === 'rejected') throw result.reason
})

export async function start(script: Script, options: Parameters<typeof testEngine>[1] = {}) {
  const server = await startFakeAnthropic(script, { apiKey: TEST_KEY })
  servers.push(server)
  return { server, engine: await engineOn(server, options) }
}
export async function engineOn(server: FakeAnthropic, options: Parameters<typeof testEngine>[1] = {}) {
  const engine = await testEngine(folder, { base_url: server.url, ...options })
  engines.push(engine)
  return engine
}
export const text = (value: string) => ({ blocks: [{ type: 'text' as const, text: value }] })
export const tool = (name: string, input: Record<string, unknown>) => ({ type: 'tool_use' as const, name, input })
export const bash = (command: string) => ({ blocks: [tool('bash', { command })] })

export async function say(session: Session, message: string): Promise<void> {
  await session.submit({ op: 'user_input', text: message })
  await session.idle()
}
export const users = (session: Session) => session.state.items.flatMap((i) => (i.kind === 'user' ? [i.text] : []))
export const replies = (session: Session) =>
  session.state.items.flatMap((i) => (i.kind === 'assistant' ? [i.text] : []))
export const userKey = (session: Session, message: string) =>
  session.state.items.find((item) => item.kind === 'user' && item.text === message)?.key ?? ''
/** The fold of what lies on disk is what the session shows. */
export async function expectOnDisk(engine: Engine, session: Session): Promise<void> {
  await session.durable()
  const log = parseLog(await readFile(join(engine.home, 'sessions', session.id, 'events.jsonl'), 'utf8'))
  expect(foldEvents(initialState(session.id), log)).toEqual(session.state)
}
