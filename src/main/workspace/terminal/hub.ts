import { randomUUID } from 'node:crypto'
import { MAX_TERMINAL_INPUT, type TerminalInfo, type TerminalSnapshot, terminalSize } from '@shared/terminals'
import { isNodeError, messageOf, UserError } from '../../errors'
import { redactValue } from '../../redact'
import { MARKER_VARIABLE } from '../process-scan'
import { findProgram } from '../programs'
import { holdGroup, releaseGroup, signalProcess, terminate } from '../terminate'
import { Leftovers } from './leftovers'
import { LiveTerminal, redactScreen, type TerminalPiece } from './live'
import { type Pty, startPty } from './pty'
import { type RunningTerminal, runInTerminal, type TerminalCommand, type TerminalOutcome } from './run'
import { TerminalStore } from './store'

export interface HubOptions {
  /** The folder of a session's data. */
  folderOf: (session: string) => string
  secrets: () => readonly string[]
  /** The list of terminals or of background processes of this session is another one now. */
  changed: (session: string) => void
  /** What could not be saved: told, never thrown. */
  problem: (message: string) => void
}

export interface TerminalSize {
  cols: number
  rows: number
}

/** Until a window says how large it is. */
const DEFAULT_SIZE: TerminalSize = { cols: 120, rows: 30 }
const SAVE_MS = 5000
/** How often it is looked at whether the background processes of a terminal have ended. */
const LINGER_MS = 1000
/** An ended terminal is saved so much later: not while the next command of a row of them is started. */
const SETTLE_MS = 500

interface Entry {
  live: LiveTerminal
  /** Ends what runs in it; null when nothing does. */
  stop: (() => Promise<void>) | null
  /** Resolves when the terminal has ended and is saved. */
  done: Promise<void>
  /** Saves now what would be saved a little later. */
  hurry: () => void
}

/** All terminals of this process: one of each command of the agent, and shells of the user. */
export class TerminalHub {
  /** What commands left running. */
  readonly background: Leftovers
  readonly #options: HubOptions
  readonly #entries = new Map<string, Entry>()
  readonly #sizes = new Map<string, TerminalSize>()
  /** Sessions that are being closed. */
  readonly #hurried = new Set<string>()
  #saver: NodeJS.Timeout | undefined

  constructor(options: HubOptions) {
    this.#options = options
    this.background = new Leftovers(options)
  }

  /**
   * `runInTerminal` with a terminal that windows can show; `id` is the call's. What the command leaves running is
   * recorded. Rejects like runInTerminal.
   */
  async run(
    at: { session: string; id: string; title: string },
    options: Omit<TerminalCommand, 'cols' | 'rows'>,
  ): Promise<TerminalOutcome> {
    const size = this.#sizes.get(at.session) ?? DEFAULT_SIZE
    const live = this.#open({ ...at, kind: 'command', cwd: options.cwd, pid: null, ...size })
    let running: RunningTerminal | null = null
    let lingering: Promise<void> | null = null
    let ended = () => {}
    const done = new Promise<void>((resolve) => {
      ended = resolve
    })
    const stop = async () => {
      running?.signal('SIGTERM')
      const force = setTimeout(() => running?.signal('SIGKILL'), 2000)
      await done
      clearTimeout(force)
    }
    const entry: Entry = { live, stop, done, hurry: () => {} }
    this.#entries.set(key(at), entry)
    this.#options.changed(at.session)
    try {
      const outcome = await runInTerminal({
        ...options,
        ...size,
        onData: (bytes) => both(options.onData(bytes), live.feed(bytes)),
        onSpawn: (terminal) => {
          running = terminal
          live.info = { ...live.info, pid: terminal.pid }
          live.connect(terminal)
          options.onSpawn?.(terminal)
        },
        onLinger: (pty) => {
          const rest = this.#linger(pty, live)
          lingering = rest.over
          entry.stop = async () => rest.release()
        },
      })
      live.finish(outcome)
      if (outcome.trace && outcome.ended_by === 'exit')
        this.background.note(at.session, { id: at.id, trace: outcome.trace })
      return outcome
    } catch (error) {
      live.finish({ exit_code: null, signal: null })
      throw error
    } finally {
      // The screen is saved after the result is given: no call of the agent waits for it.
      void this.#end(at.session, entry, lingering).finally(ended)
    }
  }

  /** Opens a shell of the user. Rejects with UserError when it cannot be started. */
  async openShell(session: string, cwd: string, env: NodeJS.ProcessEnv): Promise<TerminalInfo> {
    const file = await shellOf(env)
    const size = this.#sizes.get(session) ?? DEFAULT_SIZE
    const id = `shell-${randomUUID()}`
    const title = file.split(/[\\/]/).at(-1) ?? file
    const live = this.#open({ session, id, title, kind: 'shell', cwd, pid: null, ...size })
    const marker = randomUUID()
    let pty: Pty | null = null
    const receive = (bytes: Buffer) => {
      const wait = live.feed(bytes)
      if (!wait) return
      pty?.pause()
      void wait.then(() => pty?.resume())
    }
    try {
      const own = { ...env, TERM: 'xterm-256color', COLORTERM: 'truecolor', [MARKER_VARIABLE]: marker }
      pty = await startPty({ file, args: [], cwd, env: own, ...size, ignore_hangup: false }, receive)
    } catch (error) {
      live.dispose()
      const missing = isNodeError(error) && error.code === 'ENOENT'
      const said = missing ? `The folder ${cwd} is not there` : messageOf(error)
      throw new UserError('not_found', `The shell could not be started: ${said}.`, 'Choose another folder.', {
        cause: error,
      })
    }
    const started = pty
    holdGroup(started.pid)
    live.info = { ...live.info, pid: started.pid }
    live.connect(started)
    let hasExited = false
    const done = started.exited.then(async (exit) => {
      hasExited = true
      await started.drain()
      live.finish(exit)
      started.close()
      releaseGroup(started.pid)
      await this.#end(session, entry, null)
    })
    const stop = async () => {
      // An interactive shell ignores SIGTERM; a hangup is what it knows, and passes on.
      signalProcess(-started.pid, 'SIGHUP')
      await terminate(started.pid, marker, () => hasExited)
    }
    const entry: Entry = { live, stop, done, hurry: () => {} }
    this.#entries.set(key({ session, id }), entry)
    this.#options.changed(session)
    return live.info
  }

  /** Oldest first, those of earlier runs of the program included. */
  async list(session: string): Promise<TerminalInfo[]> {
    const saved = await this.#store(session).list()
    const live = [...this.#entries.values()].map((entry) => entry.live.info).filter((info) => info.session === session)
    const ids = new Set(live.map(({ id }) => id))
    return [...saved.filter(({ id }) => !ids.has(id)), ...live].sort((a, b) => a.started_at.localeCompare(b.started_at))
  }

  /**
   * Shows a terminal in a window: the screen first, then `push` for all that follows. The newest window decides the size.
   * `window` names the window in the other calls. Rejects with UserError when there is no such terminal.
   */
  async attach(
    session: string,
    id: string,
    window: string,
    size: TerminalSize,
    push: (piece: TerminalPiece) => void,
  ): Promise<TerminalSnapshot> {
    const wanted = terminalSize.parse(size)
    this.#sizes.set(session, wanted)
    const entry = this.#entries.get(key({ session, id }))
    if (entry) {
      this.#resize(entry, wanted)
      return entry.live.attach(window, push)
    }
    const saved = await this.#store(session).read(id)
    if (!saved) throw new UserError('not_found', 'This terminal is not kept any more.')
    // Secrets may have become known since it was saved.
    const screen = redactScreen(saved.screen, this.#options.secrets)
    return { info: saved.info, screen, seq: 0 }
  }

  detach(session: string, id: string, window: string): void {
    this.#entries.get(key({ session, id }))?.live.detach(window)
  }

  /** The window is gone: it holds nothing back any more. */
  detachWindow(window: string): void {
    for (const { live } of this.#entries.values()) live.detach(window)
  }

  /** The window has drawn so many UTF-16 code units. */
  ack(session: string, id: string, window: string, chars: number): void {
    this.#entries.get(key({ session, id }))?.live.ack(window, chars)
  }

  /** Throws UserError when nothing reads it. */
  input(session: string, id: string, data: string): void {
    if (data.length > MAX_TERMINAL_INPUT) {
      throw new UserError('too_large', `One input has at most ${MAX_TERMINAL_INPUT} characters.`, 'Send it in parts.')
    }
    const entry = this.#entries.get(key({ session, id }))
    if (!entry?.live.input(data)) {
      throw new UserError('invalid_operation', 'Nothing in this terminal reads what is typed.')
    }
  }

  resize(session: string, id: string, size: TerminalSize): void {
    const wanted = terminalSize.parse(size)
    this.#sizes.set(session, wanted)
    const entry = this.#entries.get(key({ session, id }))
    if (entry) this.#resize(entry, wanted)
  }

  /** Ends what runs in the terminal and removes it. */
  async close(session: string, id: string): Promise<void> {
    const entry = this.#entries.get(key({ session, id }))
    await entry?.stop?.()
    entry?.hurry()
    await entry?.done
    await this.#store(session).remove(id)
    this.#options.changed(session)
  }

  /**
   * The session is being closed: its commands and shells end, what is shown is saved. Background processes of commands
   * that have ended live on.
   */
  async closeSession(session: string): Promise<void> {
    const own = [...this.#entries.values()].filter(({ live }) => live.info.session === session)
    this.#hurried.add(session)
    for (const entry of own) entry.hurry()
    await Promise.all(own.map((entry) => entry.stop?.()))
    await Promise.all(own.map((entry) => entry.done))
    this.#hurried.delete(session)
    await this.background.closeSession(session)
    this.#sizes.delete(session)
  }

  /** The program ends: like closeSession for all. */
  async shutdown(): Promise<void> {
    const sessions = new Set([...this.#entries.values()].map(({ live }) => live.info.session))
    await Promise.all([...sessions].map((session) => this.closeSession(session)))
    clearInterval(this.#saver)
  }

  #open(
    given: Pick<TerminalInfo, 'session' | 'id' | 'title' | 'kind' | 'cwd' | 'pid' | 'cols' | 'rows'>,
  ): LiveTerminal {
    const { secrets } = this.#options
    const title = redactValue(given.title, secrets(), 'full')
    const rest = { state: 'running', exit_code: null, signal: null, ended_at: null } as const
    const live = new LiveTerminal({ ...given, title, ...rest, started_at: new Date().toISOString() }, secrets)
    this.#saver ??= setInterval(() => this.#saveAll(), SAVE_MS).unref()
    return live
  }

  #resize(entry: Entry, { cols, rows }: TerminalSize): void {
    if (entry.live.resize(cols, rows)) this.#options.changed(entry.live.info.session)
  }

  /**
   * Background processes still print into the terminal of a command that has ended: it is read on until they are gone,
   * or until somebody releases it. (They ignore the hangup that then follows; what they print is lost.)
   */
  #linger(pty: Pty, live: LiveTerminal): { over: Promise<void>; release: () => void } {
    let release = () => {}
    const over = new Promise<void>((resolve) => {
      release = () => {
        clearInterval(timer)
        live.connect(null)
        pty.close()
        resolve()
      }
      const timer = setInterval(() => {
        if (!signalProcess(-pty.pid, 0)) void pty.drain().then(release)
      }, LINGER_MS).unref()
    })
    return { over, release }
  }

  /** Saves the terminal for good and forgets it. */
  async #end(session: string, entry: Entry, lingering: Promise<void> | null): Promise<void> {
    const { live } = entry
    this.#options.changed(session)
    await new Promise<void>((resolve) => {
      entry.hurry = resolve
      setTimeout(resolve, this.#hurried.has(session) ? 0 : SETTLE_MS)
    })
    await this.#save(live)
    if (lingering) {
      await lingering
      live.flush()
      await this.#save(live)
    } else {
      live.connect(null)
    }
    entry.stop = null
    if (this.#entries.get(key(live.info)) === entry) this.#entries.delete(key(live.info))
    live.dispose()
    await this.#store(session)
      .prune()
      .catch((error: unknown) => this.#options.problem(`old terminals were not removed: ${messageOf(error)}`))
    this.#options.changed(session)
  }

  #saveAll(): void {
    for (const { live } of this.#entries.values()) if (live.changed) void this.#save(live)
  }

  async #save(live: LiveTerminal): Promise<void> {
    try {
      await this.#store(live.info.session).save(await live.save())
    } catch (error) {
      this.#options.problem(`the terminal ${live.info.id} was not saved: ${messageOf(error)}`)
    }
  }

  #store(session: string): TerminalStore {
    return new TerminalStore(this.#options.folderOf(session))
  }
}

function key({ session, id }: { session: string; id: string }): string {
  return `${session}\n${id}`
}

function both(a: Promise<void> | undefined, b: Promise<void> | undefined): Promise<void> | undefined {
  if (a && b) return Promise.all([a, b]).then(() => undefined)
  return a ?? b
}

async function shellOf(env: NodeJS.ProcessEnv): Promise<string> {
  if (process.platform === 'win32') return (await findProgram('powershell', env)) ?? 'cmd.exe'
  return env.SHELL || (await findProgram('bash', env)) || 'sh'
}
