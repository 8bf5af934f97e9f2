import type { AnyEvent, ApprovalRequest } from '@shared/events'
import type { ApprovalDecision } from '@shared/operations'
import { UserError } from '../../errors'
import type { Session } from '../../session/types'
import type { InputStream } from './io'
import type { Sink } from './sink'
import { clean, oneLine, type Style, visible } from './style'
import type { Writer } from './writer'

/** Lines of a command or a file that are shown before it is approved. */
const MAX_SHOWN_LINES = 40

export interface ApprovalOptions {
  session: Session
  sink: Sink
  stdin: InputStream
  err: Writer
  style: Style
}

/**
 * Asks on the terminal about every call that waits: y, n, a (this tool for the rest of the session), or any other text:
 * a refusal with that text as the reason, which the model reads. The end of the input stops the turn.
 */
export class ApprovalPrompt {
  private asking: Promise<void> = Promise.resolve()
  private failure: Error | null = null
  private readonly stopped = new AbortController()
  private readonly allowed = new Set<string>()

  constructor(private readonly options: ApprovalOptions) {}

  /** To be called for every event. */
  event(event: AnyEvent): void {
    if ('unknown' in event) return
    if (event.type === 'approval_required') {
      const { tools } = event.data
      this.asking = this.asking.then(() => this.askAll(tools)).catch((error: unknown) => this.fail(error))
    }
  }

  /** The turn is being stopped: a question on the screen is taken back. */
  withdraw(): void {
    this.stopped.abort()
  }

  /** The turn has ended. Rejects with what went wrong while asking. */
  async close(): Promise<void> {
    this.withdraw()
    await this.asking
    if (this.failure) throw this.failure
  }

  /** Without its answer the turn would wait for ever. */
  private async fail(error: unknown): Promise<void> {
    this.failure = error instanceof Error ? error : new Error(String(error))
    await this.options.session.submit({ op: 'interrupt' })
  }

  private async askAll(requests: readonly ApprovalRequest[]): Promise<void> {
    const { sink, session, err } = this.options
    sink.pause()
    try {
      for (const request of requests) {
        if (this.stopped.signal.aborted) return
        const decision = await this.ask(request)
        if (decision) await session.submit({ op: 'exec_approval', approvals: [decision] })
        else if (!this.stopped.signal.aborted) {
          await session.submit({ op: 'interrupt' })
          return
        }
      }
    } catch (error) {
      // The turn may have ended while the answer was typed; the answer is then for nobody.
      if (!(error instanceof UserError)) throw error
      err.write(`${error.message}\n`)
    } finally {
      sink.resume()
    }
  }

  /** Null: no answer will come. */
  private async ask(request: ApprovalRequest): Promise<ApprovalDecision | null> {
    const { tool, tool_call_id } = request
    if (this.allowed.has(tool)) return { tool_call_id, approved: true, scope: 'session' }
    const { err, style } = this.options
    err.write(describeRequest(request, style))
    for (;;) {
      err.write(
        `${style.bold('Run it?')} [y]es, [n]o, [a]lways ${oneLine(tool)} in this session, or a reason to refuse: `,
      )
      await err.flush()
      const answer = await this.readLine()
      if (answer === null) {
        err.write('\n')
        return null
      }
      const word = answer.trim().toLowerCase()
      if (word === 'y' || word === 'yes') return { tool_call_id, approved: true, scope: 'once' }
      if (word === 'n' || word === 'no') return { tool_call_id, approved: false }
      if (word === 'a' || word === 'always') {
        this.allowed.add(tool)
        return { tool_call_id, approved: true, scope: 'session' }
      }
      if (word !== '') return { tool_call_id, approved: false, feedback: clean(answer.trim()).slice(0, 10_000) }
    }
  }

  /** One line from the terminal; null at the end of the input or when the question is withdrawn. */
  private async readLine(): Promise<string | null> {
    const { createInterface } = await import('node:readline')
    const { signal } = this.stopped
    if (signal.aborted) return null
    return new Promise((resolve) => {
      // Without a terminal of its own, readline leaves Ctrl+C to the process, where it stops the turn.
      const reader = createInterface({ input: this.options.stdin, terminal: false })
      const end = (line: string | null): void => {
        signal.removeEventListener('abort', withdrawn)
        // First, because closing says `close`, which would answer null.
        resolve(line)
        reader.close()
      }
      const withdrawn = (): void => end(null)
      signal.addEventListener('abort', withdrawn, { once: true })
      reader.once('line', end)
      reader.once('close', () => end(null))
    })
  }
}

/** What will happen, with nothing left out and nothing in it that could look like something else. */
export function describeRequest(request: ApprovalRequest, style: Style): string {
  const lines = [
    `${style.yellow('?')} ${style.bold(oneLine(request.tool))}  ${visible(request.intent ?? '').replace(/\s+/g, ' ')}`,
  ]
  if (request.block_reason) lines.push(style.dim(`  ${oneLine(request.block_reason)}`))
  for (const [name, value] of Object.entries(request.arguments)) {
    const text = visible(typeof value === 'string' ? value : JSON.stringify(value))
    const rows = text.replace(/\n$/, '').split('\n')
    const shown = rows.slice(0, MAX_SHOWN_LINES)
    const left = rows.length - shown.length
    if (rows.length === 1) lines.push(`  ${style.dim(`${oneLine(name)}:`)} ${text}`)
    else lines.push(`  ${style.dim(`${oneLine(name)}:`)}`, ...shown.map((row) => `    ${row}`))
    if (left > 0) lines.push(style.dim(`    … ${left} more lines`))
  }
  return `${lines.join('\n')}\n`
}
