import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AnyEvent } from '@shared/events'
import { foldEvents } from '@shared/reducer'
import { initialState, type SessionState } from '@shared/state'
import { afterEach, beforeEach, expect } from 'vitest'
import type { Engine } from '../../src/main/engine-types'
import type { Session } from '../../src/main/session/types'
import { parseLog, TEST_KEY, temporaryFolder, testEngine } from './engine'
import { type FakeAnthropic, type Script, type ScriptBlock, startFakeAnthropic } from './fake-anthropic'

type EngineChoice = Parameters<typeof testEngine>[1]

/** A folder, engines and strict servers for each test of a file; what a server found wrong fails the test. */
export function faultBench() {
  let folder = ''
  let remove = () => Promise.resolve()
  const servers: { close: () => Promise<void> }[] = []
  const engines: Engine[] = []

  beforeEach(async () => {
    ;({ path: folder, remove } = await temporaryFolder())
  })
  afterEach(async () => {
    for (const engine of engines.splice(0)) await engine.close()
    const closed = await Promise.allSettled(servers.splice(0).map((server) => server.close()))
    await remove()
    for (const result of closed) if (result.status === 'rejected') throw result.reason
  })

  const engineOn = async (server: Pick<FakeAnthropic, 'url'>, options: EngineChoice = {}): Promise<Engine> => {
    const engine = await testEngine(folder, { base_url: server.url, ...options })
    engines.push(engine)
    return engine
  }
  return {
    get folder() {
      return folder
    },
    engineOn,
    /** For what is closed, and judged, at the end of the test. */
    keep<T extends { close: () => Promise<void> }>(server: T): T {
      servers.push(server)
      return server
    },
    async start(script: Script, options: EngineChoice = {}) {
      const server = await startFakeAnthropic(script, { apiKey: TEST_KEY })
      servers.push(server)
      return { server, engine: await engineOn(server, options) }
    },
  }
}

export const text = (value: string, chunks: number | string[] = 1) => ({
  blocks: [{ type: 'text' as const, text: value, chunks }],
})
export const tool = (name: string, input: Record<string, unknown>, id?: string): ScriptBlock => ({
  type: 'tool_use',
  name,
  input,
  ...(id === undefined ? {} : { id }),
})
export const bash = (command: string) => ({ blocks: [tool('bash', { command })] })

export async function say(session: Session, message: string): Promise<void> {
  await session.submit({ op: 'user_input', text: message })
  await session.idle()
}

export async function storedEvents(engine: Engine, session: Pick<Session, 'id' | 'durable'>): Promise<AnyEvent[]> {
  await session.durable()
  return parseLog(await readFile(join(engine.home, 'sessions', session.id, 'events.jsonl'), 'utf8'))
}

/** What lies on disk folds to what is shown. */
export async function expectReplay(engine: Engine, session: Session): Promise<AnyEvent[]> {
  const events = await storedEvents(engine, session)
  expect(foldEvents(initialState(session.id), events)).toEqual(session.state)
  return events
}

/** Nothing runs, waits or is half shown. */
export function expectAtRest(state: SessionState): void {
  expect(state).toMatchObject({
    status: 'idle',
    activity: '',
    draft: null,
    retry: null,
    pending_approvals: [],
    live_logs: {},
    explanations: {},
  })
  const open = state.items.filter(
    (item) => item.kind === 'tool' && (item.state === 'running' || item.state === 'waiting_approval'),
  )
  expect(open).toEqual([])
}

const ENDS = new Set(['turn_complete', 'interrupted', 'error'])
/** How turns ended, in order. */
export const endsOf = (events: readonly AnyEvent[]) =>
  events.filter(({ type }) => ENDS.has(type)).map(({ type }) => type)

/** A transcript without what differs from run to run: keys, numbers, times. */
export function outline({ items }: SessionState): unknown[] {
  return items.map((item) => {
    switch (item.kind) {
      case 'assistant':
        return [item.kind, item.text, item.reasoning, item.partial, item.stop_reason, item.blocks.map(withoutId)]
      case 'tool':
        return [item.kind, item.tool, item.arguments, item.state, item.output]
      case 'notice':
        return [item.kind, item.notice, item.text]
      default:
        return [item.kind, item.text]
    }
  })
}

function withoutId(block: object): object {
  return 'id' in block ? { ...block, id: '' } : block
}

export const replies = ({ items }: SessionState) =>
  items.flatMap((item) => (item.kind === 'assistant' ? [item.text] : []))
export const toolItems = ({ items }: SessionState) => items.flatMap((item) => (item.kind === 'tool' ? [item] : []))

/** Every string of a value that is not well-formed Unicode. */
export function brokenStrings(value: unknown): string[] {
  if (typeof value === 'string') return /\p{Surrogate}/u.test(value) ? [value] : []
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap((entry) => entry.flatMap(brokenStrings))
}
