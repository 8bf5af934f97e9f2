import type { ApprovalMode } from '@shared/settings'
import type { SessionState, TurnOutcome } from '@shared/state'
import { EXIT, messageOf } from '../../errors'
import type { Session } from '../../session/types'
import type { ApprovalPrompt } from './approvals'
import type { OutputFormat } from './args'
import type { CliIo } from './io'
import { runResult, type Sink } from './sink'
import { type Style, styleFor } from './style'
import { noticeLines } from './text-lines'
import { Writer } from './writer'

export interface TurnEnd {
  /** For the process. */
  code: number
  /** A second signal: nothing more is waited for. */
  at_once: boolean
}

export interface TurnOptions {
  session: Session
  before: SessionState
  restore_mode?: ApprovalMode
  prompt: string
  format: OutputFormat
  ask: boolean
}

/**
 * Sends the prompt, shows what happens, and waits for the end of the turn. The first signal stops the turn and waits
 * until what has arrived is saved, and so does a reader of stdout that has gone; the second signal waits for nothing.
 */
export async function runTurn(io: CliIo, options: TurnOptions): Promise<TurnEnd> {
  const { session, before, format } = options
  const started = performance.now()
  let phase: 'running' | 'stopping' | 'over' = 'running'
  let prompter: ApprovalPrompt | null = null
  const stop = (): void => {
    if (phase === 'over') return
    phase = 'stopping'
    prompter?.withdraw()
    session.submit({ op: 'interrupt' }).catch((error: unknown) => err.write(`ml-intern: ${messageOf(error)}\n`))
  }
  const out = new Writer(io.stdout, stop)
  const err = new Writer(io.stderr)
  const sink = await sinkFor(format, io, session, out, err)

  let offSignal = (): void => undefined
  const quit = new Promise<TurnEnd>((resolve) => {
    let signals = 0
    offSignal = io.onSignal(() => {
      signals++
      if (signals === 1) stop()
      else resolve({ code: EXIT.interrupted, at_once: true })
    })
  })

  const whole = async (): Promise<TurnEnd> => {
    sink.start(session.state)
    const asker = options.ask ? await makePrompter(io, session, sink, err) : null
    prompter = asker
    const missed = session.since(before.last_seq)
    if (missed.kind === 'events') for (const event of missed.events) sink.event(event, session.state)
    const offEvent = session.onEvent((event) => {
      if (!out.closed) sink.event(event, session.state)
      asker?.event(event)
    })
    try {
      await session.submit({ op: 'user_input', text: options.prompt })
      // The signal may have come before there was a turn to stop.
      if (phase === 'stopping') stop()
      await session.idle()
      phase = 'over'
      await asker?.close()
      const { state } = session
      const result = runResult(before, state)
      if (options.restore_mode) await restoreMode(session, options.restore_mode, err)
      await sink.settled?.()
      if (!out.closed) sink.finish(result, performance.now() - started)
      if (format !== 'text' && !out.closed) err.write(lastNotice(result.status, state, styleFor(io.stderr, io.env)))
      await err.flush()
      await out.finish()
      return { code: exitCode(result.status, state), at_once: false }
    } finally {
      phase = 'over'
      offEvent()
    }
  }
  try {
    return await Promise.race([whole(), quit])
  } finally {
    offSignal()
    out.release()
    err.release()
  }
}

async function restoreMode(session: Session, mode: ApprovalMode, err: Writer): Promise<void> {
  try {
    await session.submit({ op: 'set_mode', mode })
  } catch (error) {
    // The turn's own outcome is what counts; that the mode stays as it was for this run has to be said, though.
    err.write(`ml-intern: the session stays in mode ${session.state.mode}: ${messageOf(error)}\n`)
  }
}

/** For the formats that do not show notices: why it ended, on stderr. */
function lastNotice(status: TurnOutcome, state: SessionState, style: Style): string {
  if (status === 'finished') return ''
  const notice = state.items.findLast((item) => item.kind === 'notice')
  return notice?.kind === 'notice' ? noticeLines(notice, style) : ''
}

/** The exit code for the end of a turn (README, "Exit codes"). */
export function exitCode(status: TurnOutcome, state: SessionState): number {
  switch (status) {
    case 'finished':
      return EXIT.finished
    case 'max_iterations':
      return EXIT.iteration_limit
    case 'budget':
      return EXIT.budget
    case 'approval_unavailable':
      return EXIT.approval
    case 'interrupted':
      return EXIT.interrupted
    case 'refusal':
    case 'guard':
      return EXIT.failed
    case 'error': {
      // What only another configuration can change: no key, or a model the server does not know.
      const notice = state.items.findLast((item) => item.kind === 'notice' && item.notice === 'error')
      const code = notice?.kind === 'notice' ? notice.code : ''
      return ['no_credentials', 'unknown_model', 'model_not_found'].includes(code) ? EXIT.usage : EXIT.failed
    }
  }
}

async function sinkFor(format: OutputFormat, io: CliIo, session: Session, out: Writer, err: Writer): Promise<Sink> {
  if (format === 'text') {
    const { TextSink } = await import('./text-sink')
    return new TextSink({ stdout: io.stdout, stderr: io.stderr, out, err, env: io.env })
  }
  const { jsonSink, streamJsonSink } = await import('./machine-sinks')
  return format === 'json' ? jsonSink(out) : streamJsonSink(out, () => session.durable())
}

async function makePrompter(io: CliIo, session: Session, sink: Sink, err: Writer) {
  const { ApprovalPrompt } = await import('./approvals')
  return new ApprovalPrompt({ session, sink, err, stdin: io.stdin, style: styleFor(io.stderr, io.env) })
}
