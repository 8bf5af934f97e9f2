import { createHash } from 'node:crypto'
import { appendFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { EventData, EventType, SessionEvent } from '@shared/events'
import { serializeEvent } from '@shared/events'

const START = Date.UTC(2026, 10, 20)

/** A session id that follows from a number. */
export function sessionId(n: number): string {
  const hex = createHash('sha256').update(String(n)).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

export function logOf(home: string, id: string): string {
  return join(home, 'sessions', id, 'events.jsonl')
}

/** Writes logs as a session does, a minute apart from session to session. */
export class LogWriter {
  #seq = 0
  #lines: string[] = []

  constructor(
    readonly home: string,
    readonly id: string,
    private readonly minute = 0,
  ) {}

  add<T extends EventType>(type: T, data: EventData<T>): number {
    this.#seq += 1
    const time = new Date(START + this.minute * 60_000 + this.#seq * 10).toISOString()
    const event = { seq: this.#seq, time, session: this.id, type, data } as SessionEvent
    this.#lines.push(`${serializeEvent(event)}\n`)
    return this.#seq
  }

  created(cwd = '/data/project'): void {
    this.add('session_update', {
      created: { log_version: 1, app_version: '0' },
      cwd,
      model: 'anthropic/m',
      mode: 'ask',
    })
  }

  user(content: string, id = `u${this.#seq + 1}`): number {
    return this.add('user_message', { id, content, source: 'user' })
  }

  assistant(content: string): number {
    const blocks = [{ type: 'text' as const, text: content }]
    return this.add('assistant_message', {
      id: `a${this.#seq}`,
      content,
      blocks,
      model: 'anthropic/m',
      stop_reason: 'end_turn',
    })
  }

  tool(command: string, output: string, id = `t${this.#seq}`): number {
    const seq = this.add('tool_call', { tool: 'bash', arguments: { command }, tool_call_id: id })
    this.add('tool_output', { tool: 'bash', tool_call_id: id, output, success: true, duration_ms: 1 })
    return seq
  }

  /** Appends what was added since, and `torn` after it: half a line. */
  async write(torn = ''): Promise<void> {
    const lines = this.#lines.splice(0).join('') + torn
    await mkdir(join(this.home, 'sessions', this.id), { recursive: true })
    await appendFile(logOf(this.home, this.id), lines)
  }

  /** Everything that was added so far in the place of the file. */
  async replace(): Promise<void> {
    await writeFile(logOf(this.home, this.id), this.#lines.splice(0).join(''))
  }
}
