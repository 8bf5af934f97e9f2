import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AnyEvent, type EventData, type EventType, parseEvent } from '@shared/events'
import { DEFAULT_SETTINGS, type Settings } from '@shared/settings'
import { createEngine } from '../../src/main/engine'
import type { Engine, EngineOptions } from '../../src/main/engine-types'
import type { Session } from '../../src/main/session/types'

export const TEST_KEY = 'sk-ant-test-0123456789abcdef'

/** A folder of its own for a test, removed by `remove`. */
export async function temporaryFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'ml-intern-test-'))
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}

/** The real engine with the key in memory. `base_url`: a fake server. */
export function testEngine(
  folder: string,
  options: { base_url?: string; settings?: Partial<Settings>; key?: string | null } & Partial<
    Omit<EngineOptions, 'settings'>
  > = {},
): Promise<Engine> {
  const { base_url, settings, key = TEST_KEY, ...rest } = options
  const present = { provider: 'anthropic', present: key !== null, source: 'memory', hint: '', note: '' } as const
  return createEngine({
    settings: {
      ...DEFAULT_SETTINGS,
      mode: 'auto',
      auto_titles: false,
      anthropic_base_url: base_url ?? 'http://127.0.0.1:9',
      ...settings,
    },
    home: join(folder, 'home'),
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder },
    credentials: {
      get: () => Promise.resolve(key),
      status: () => Promise.resolve(present),
      set: () => Promise.resolve(present),
      remove: () => Promise.resolve(present),
      known_secrets: () => (key === null ? [] : [key]),
    },
    save_settings: () => Promise.reject(new Error('not part of this test')),
    run_doctor: () => Promise.resolve([]),
    host: 'headless',
    ...rest,
  })
}

/** Collects a session's live events and waits for one of a type. */
export function follow(session: Session) {
  const events: AnyEvent[] = []
  const waiting: { type: EventType; accept: (data: never) => boolean; resolve: (data: never) => void }[] = []
  session.onEvent((event) => {
    events.push(event)
    for (const waiter of [...waiting]) {
      if (waiter.type !== event.type || !waiter.accept(event.data as never)) continue
      waiting.splice(waiting.indexOf(waiter), 1)
      waiter.resolve(event.data as never)
    }
  })
  const next = <T extends EventType>(type: T, accept: (data: EventData<T>) => boolean = () => true) =>
    new Promise<EventData<T>>((resolve) => {
      waiting.push({ type, accept, resolve })
    })
  return { events, next, types: () => events.map((event) => event.type) }
}

/** The events of a log as they lie on disk; a line that is none is a failure. */
export function parseLog(text: string): AnyEvent[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const event = parseEvent(JSON.parse(line))
      if (!event) throw new Error(`not an event: ${line}`)
      return event
    })
}
