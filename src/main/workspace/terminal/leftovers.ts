import type { BackgroundProcess } from '@shared/terminals'
import { messageOf } from '../../errors'
import { redactValue } from '../../redact'
import { BackgroundProcesses, type EndedCommand } from './background'
import type { HubOptions } from './hub'

/** The search for background processes reads all of /proc: once for all commands that ended within this time. */
const SEARCH_MS = 1000

/** What the commands of all sessions left running. */
export class Leftovers {
  readonly #options: HubOptions
  readonly #sessions = new Map<string, BackgroundProcesses>()
  /** Ended commands whose processes were not looked for yet, by session. */
  readonly #ended = new Map<string, EndedCommand[]>()
  #timer: NodeJS.Timeout | undefined

  constructor(options: HubOptions) {
    this.#options = options
  }

  /** The processes of the command are looked for soon: no call of the agent waits for that. */
  note(session: string, command: EndedCommand): void {
    const waiting = this.#ended.get(session)
    if (waiting) waiting.push(command)
    else this.#ended.set(session, [command])
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      for (const name of this.#ended.keys()) void this.#search(name)
    }, SEARCH_MS).unref()
  }

  /** Those that run now; after a restart of the program those that were recorded and still run. */
  async list(session: string): Promise<BackgroundProcess[]> {
    await this.#search(session)
    return this.#of(session).list()
  }

  /** Names them for the end of a turn; empty when nothing runs. */
  async sentence(session: string): Promise<string> {
    await this.#search(session)
    return this.#of(session).sentence()
  }

  /** Ends one of them. False when it is none of them or has ended by itself. An abort ends it at once. */
  async kill(session: string, pid: number, signal: AbortSignal): Promise<boolean> {
    await this.#search(session)
    const killed = await this.#of(session).kill(pid, signal)
    this.#options.changed(session)
    return killed
  }

  /** Records what is not recorded yet, and forgets the session. The processes live on. */
  async closeSession(session: string): Promise<void> {
    await this.#search(session)
    this.#sessions.delete(session)
  }

  #of(session: string): BackgroundProcesses {
    let processes = this.#sessions.get(session)
    if (!processes) {
      processes = new BackgroundProcesses(this.#options.folderOf(session))
      this.#sessions.set(session, processes)
    }
    return processes
  }

  async #search(session: string): Promise<void> {
    const ended = this.#ended.get(session)
    if (!ended) return
    this.#ended.delete(session)
    const { secrets } = this.#options
    try {
      const found = await this.#of(session).record(ended, (text) => redactValue(text, secrets(), 'full'))
      if (found.length > 0) this.#options.changed(session)
    } catch (error) {
      this.#options.problem(`background processes were not recorded: ${messageOf(error)}`)
    }
  }
}
