import { readdir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import {
  type BridgeInput,
  type BridgeMethod,
  type BridgePush,
  type BridgeReply,
  type BridgeResults,
  bridgeSchemas,
} from '@shared/bridge'
import { summarize } from '@shared/state'
import type { EngineClient } from '../engine-types'
import { isNodeError, messageOf, UserError } from '../errors'
import type { Session } from '../session/types'
import type { BridgeEngine } from './types'

/** Folders shown at once by the folder chooser. */
const MAX_FOLDERS = 500

type Handlers = { [M in BridgeMethod]: (input: Required<BridgeInput<M>>) => Promise<BridgeResults[M]> }

/** One window's side of the engine: checks every request, answers with values, and streams the sessions it watches. */
export function connectWindow(engine: BridgeEngine, push: (message: BridgePush) => void): EngineClient {
  const watches = new Watches(engine, push)
  const handlers = makeHandlers(engine, watches)
  return {
    request: (method, input) => answer(handlers, method, input),
    close: () => watches.close(),
  }
}

async function answer(handlers: Handlers, method: string, input: unknown): Promise<BridgeReply> {
  if (!Object.hasOwn(bridgeSchemas, method)) {
    return { ok: false, error: { code: 'invalid_request', message: `There is no call "${method}".` } }
  }
  const name = method as BridgeMethod
  const parsed = bridgeSchemas[name].safeParse(input)
  if (!parsed.success) {
    const problem = parsed.error.issues
      .map((issue) => `${issue.path.join('.') || 'input'}: ${issue.message}`)
      .join('; ')
    return { ok: false, error: { code: 'invalid_request', message: `${method}: ${problem}` } }
  }
  try {
    // The schema of exactly this method has just accepted the input.
    const handler = handlers[name] as (value: unknown) => Promise<BridgeResults[BridgeMethod]>
    return { ok: true, value: await handler(parsed.data) }
  } catch (error) {
    if (error instanceof UserError) {
      return { ok: false, error: { code: error.code, message: error.message, remedy: error.remedy } }
    }
    return { ok: false, error: { code: 'internal', message: messageOf(error) } }
  }
}

function makeHandlers(engine: BridgeEngine, watches: Watches): Handlers {
  const { credentials } = engine.options
  return {
    'app.info': () => engine.appInfo(),
    'sessions.list': () => engine.listSessions(),
    'sessions.create': async (input) => ({ id: (await engine.createSession(input)).id }),
    'sessions.rename': async ({ id, title }) => {
      await engine.renameSession(id, title)
      return null
    },
    'sessions.remove': async ({ id }) => {
      watches.stop(id)
      await engine.removeSession(id)
      return null
    },
    'sessions.subscribe': async ({ id, after }) => {
      const session = await engine.viewSession(id)
      watches.start(session)
      // Nothing is awaited after this: the answer and the stream fit together without a gap. The stream may overtake the
      // answer by a moment; the window holds it back until the answer is there.
      return session.since(after)
    },
    'sessions.unsubscribe': async ({ id }) => {
      watches.stop(id)
      await engine.releaseSession(id)
      return null
    },
    'session.submit': async ({ id, operation }) => (await engine.viewSession(id)).submit(operation),
    'session.readOutput': ({ id, file, offset, length }) => engine.store.readOutput(id, file, offset, length),
    'demo.start': async () => {
      const { session, prompt } = await engine.createDemo()
      await session.submit({ op: 'user_input', text: prompt })
      return { id: session.id }
    },
    'settings.update': (patch) => engine.updateSettings(patch),
    'credentials.set': async ({ provider, secret }) =>
      engine.credentialChanged(await credentials.set(provider, secret)),
    'credentials.remove': async ({ provider }) => engine.credentialChanged(await credentials.remove(provider)),
    'folders.list': ({ path }) => listFolders(path, engine.settings.default_cwd ?? engine.options.cwd),
    'doctor.run': () => engine.runDoctor(),
  }
}

/** The sessions that one window follows. */
class Watches {
  private readonly stops = new Map<string, () => void>()
  private closed = false

  constructor(
    private readonly engine: BridgeEngine,
    private readonly push: (message: BridgePush) => void,
  ) {}

  start(session: Session): void {
    const { id } = session
    this.stop(id)
    // The window went away while the session was being opened.
    if (this.closed) {
      void this.engine.releaseSession(id)
      return
    }
    const { push } = this
    const stop = session.onEvent((event) => push({ kind: 'event', event }))
    this.stops.set(id, stop)
    if (session.read_only) push({ kind: 'session', id, summary: summarize(session.state, true) })
  }

  stop(id: string): void {
    this.stops.get(id)?.()
    this.stops.delete(id)
  }

  close(): void {
    this.closed = true
    for (const id of [...this.stops.keys()]) {
      this.stop(id)
      void this.engine.releaseSession(id)
    }
  }
}

/** The folders inside a folder, for the chooser; hidden ones are left out. */
async function listFolders(path: string, fallback: string): Promise<BridgeResults['folders.list']> {
  const typed = path.trim()
  const expanded = typed === '~' || typed.startsWith('~/') ? join(homedir(), typed.slice(1)) : typed
  const folder = resolve(fallback, expanded)
  try {
    const entries = await readdir(folder, { withFileTypes: true })
    const names = entries
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
      .map((entry) => entry.name)
    names.sort((a, b) => a.localeCompare(b))
    const parent = dirname(folder)
    return {
      path: folder,
      parent: parent === folder ? null : parent,
      folders: names.slice(0, MAX_FOLDERS),
      truncated: names.length > MAX_FOLDERS,
    }
  } catch (error) {
    if (!isNodeError(error)) throw error
    if (error.code === 'ENOENT') throw new UserError('not_found', `There is no folder ${folder}.`)
    if (error.code === 'ENOTDIR') throw new UserError('not_a_directory', `${folder} is a file, not a folder.`)
    throw new UserError('permission', `${folder} cannot be read (${error.code}).`)
  }
}
