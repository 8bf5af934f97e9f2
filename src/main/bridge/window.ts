import { randomUUID } from 'node:crypto'
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
import { messageOf, UserError } from '../errors'
import { redactValue } from '../redact'
import type { Session } from '../session/types'
import { listFolders } from './folders'
import { type TerminalMethod, terminalHandlers } from './terminals'
import type { BridgeEngine } from './types'

/** What is repeated of a call that does not exist. */
const MAX_NAME_CHARS = 100
/** What an HTTP header can carry. Anything else was pasted by mistake, and its error would quote the key. */
const KEY_PATTERN = /^[\x21-\x7e]+$/

export type Handlers = { [M in BridgeMethod]: (input: Required<BridgeInput<M>>) => Promise<BridgeResults[M]> }

/** One window's side of the engine: checks every request, answers with values, and streams the sessions it watches. */
export function connectWindow(engine: BridgeEngine, push: (message: BridgePush) => void): EngineClient {
  const watches = new Watches(engine, push)
  const id = randomUUID()
  const handlers: Handlers = { ...makeHandlers(engine, watches), ...terminalHandlers(engine, id, push) }
  return {
    request: (method, input) => answer(engine, handlers, method, input),
    close: () => {
      watches.close()
      void engine.terminals.detachWindow(id)
    },
  }
}

async function answer(engine: BridgeEngine, handlers: Handlers, method: string, input: unknown): Promise<BridgeReply> {
  try {
    if (!isBridgeMethod(method)) {
      return refusal('invalid_request', `There is no call "${method.slice(0, MAX_NAME_CHARS)}".`)
    }
    const parsed = bridgeSchemas[method].safeParse(input)
    if (!parsed.success) {
      const problem = parsed.error.issues
        .map((issue) => `${issue.path.join('.') || 'input'}: ${issue.message}`)
        .join('; ')
      return refusal('invalid_request', `${method}: ${problem}`)
    }
    // The schema of exactly this method has just accepted the input.
    const handler = handlers[method] as (value: unknown) => Promise<BridgeResults[BridgeMethod]>
    return { ok: true, value: await handler(parsed.data) }
  } catch (error) {
    const reply =
      error instanceof UserError
        ? refusal(error.code, error.message, error.remedy)
        : refusal('internal', messageOf(error))
    // Texts of libraries and of the system may quote what they were given.
    return redactValue(reply, engine.options.credentials.known_secrets(), 'full')
  }
}

function isBridgeMethod(method: string): method is BridgeMethod {
  return Object.hasOwn(bridgeSchemas, method)
}

function refusal(code: string, message: string, remedy?: string): BridgeReply {
  return { ok: false, error: { code, message, ...(remedy === undefined ? {} : { remedy }) } }
}

function makeHandlers(engine: BridgeEngine, watches: Watches): Omit<Handlers, TerminalMethod> {
  const { credentials } = engine.options
  return {
    'app.info': () => engine.appInfo(),
    'sessions.list': () => engine.listSessions(),
    'sessions.create': async (input) => {
      const session = await engine.createSession(input)
      watches.hold(session.id)
      await session.durable()
      return { id: session.id }
    },
    'sessions.rename': async ({ id, title }) => {
      await engine.renameSession(id, title)
      return null
    },
    'sessions.fork': async ({ id, at_seq }) => ({ id: await engine.library.fork(id, at_seq) }),
    'sessions.search': ({ query, limit }) => engine.library.search(query, limit),
    'sessions.export': ({ id, format }) => engine.library.exportFile(id, format),
    'sessions.upload': ({ id }) => engine.library.upload(id),
    'sessions.import': async ({ path }) => {
      const result = await engine.library.import(path)
      for (const { id } of result.sessions) {
        engine.broadcast({ kind: 'session', id, summary: summarize(await engine.readSession(id)) })
      }
      return result
    },
    'sessions.remove': async ({ id }) => {
      await engine.removeSession(id)
      // Not before: a session that cannot be removed goes on, and so does its stream.
      watches.stop(id)
      return null
    },
    'sessions.subscribe': ({ id, after }) =>
      watches.open(id, (start) =>
        engine.useSession(id, (session) => {
          start(session)
          // Nothing is awaited after this: the answer and the stream fit together without a gap. The stream may overtake
          // the answer by a moment; the window holds it back until the answer is there.
          return session.since(after)
        }),
      ),
    'sessions.unsubscribe': async ({ id }) => {
      watches.stop(id)
      await engine.releaseSession(id)
      return null
    },
    'session.submit': ({ id, operation }) =>
      engine.useSession(id, async (session) => {
        if (operation.op !== 'shutdown') return session.submit(operation)
        // One window may end the turn, but not take the session away from the others that look at it: it is closed when
        // the last one leaves.
        const receipt = await session.submit({ op: 'interrupt' })
        await session.idle()
        watches.stop(id)
        return receipt
      }),
    'session.readOutput': ({ id, file, offset, length }) => engine.store.readOutput(id, file, offset, length),
    'session.completePath': async ({ id, prefix }) =>
      engine.library.completePath((await engine.readSession(id)).cwd, prefix),
    'session.changes': async ({ id, user_message_id }) =>
      engine.library.changes(await engine.readSession(id), user_message_id),
    'session.changeDiff': async ({ id, user_message_id, path }) =>
      engine.library.changeDiff(await engine.readSession(id), user_message_id, path),
    'models.list': ({ refresh }) => engine.clients.list({ refresh, all: true }),
    'demo.start': async () => {
      const { session, prompt } = await engine.createDemo()
      watches.hold(session.id)
      await session.submit({ op: 'user_input', text: prompt })
      return { id: session.id }
    },
    'settings.update': (patch) => engine.updateSettings(patch),
    'credentials.set': async ({ provider, secret }) => {
      if (!KEY_PATTERN.test(secret)) {
        throw new UserError(
          'invalid_request',
          'This is not a key: it has spaces, line breaks or other characters that no key has.',
          'Copy the key once more, alone and whole.',
        )
      }
      return engine.credentialChanged(await credentials.set(provider, secret))
    },
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

  /** The window made this session and will want to watch it; when it goes away before, the session is released. */
  hold(id: string): void {
    if (this.closed) void this.engine.releaseSession(id)
    else if (!this.stops.has(id)) this.stops.set(id, () => undefined)
  }

  /**
   * The window asks for a session that has yet to be opened. `start` begins the stream, unless the window has left the
   * session, or asked once more, in the meantime.
   */
  async open<T>(id: string, work: (start: (session: Session) => void) => Promise<T>): Promise<T> {
    const waiting = () => undefined
    if (!this.closed) {
      this.stop(id)
      this.stops.set(id, waiting)
    }
    const isWanted = () => this.stops.get(id) === waiting
    try {
      return await work((session) => {
        if (isWanted()) this.stops.set(id, this.follow(session))
      })
    } catch (error) {
      if (isWanted()) this.stops.delete(id)
      throw error
    }
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

  private follow(session: Session): () => void {
    const { push } = this
    const stop = session.onEvent((event) => push({ kind: 'event', event }))
    if (session.read_only) push({ kind: 'session', id: session.id, summary: summarize(session.state, true) })
    return stop
  }
}
