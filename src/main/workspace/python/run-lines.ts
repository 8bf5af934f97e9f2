import { StringDecoder } from 'node:string_decoder'
import { stripAnsi } from '../output'
import { runShell } from '../process'

export interface LinesOptions {
  cwd: string
  env: NodeJS.ProcessEnv
  signal: AbortSignal
  progress: (line: string) => void
}

export interface LinesOutcome {
  /** Null: a signal ended it. */
  exit_code: number | null
  /** The last lines of its output. */
  tail: string[]
}

/** A wheel of torch is 2 GB: an hour on a slow line. */
const TIMEOUT_MS = 60 * 60 * 1000
const TAIL_LINES = 60
const MAX_LINE_CHARS = 2000

/**
 * Runs a program and tells its output line by line; a progress bar's redraws are lines too. Rejects with the signal's
 * reason after everything it started is gone, and with UserError when it cannot be started.
 */
export async function runLines(argv: readonly string[], options: LinesOptions): Promise<LinesOutcome> {
  const decoders = { stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8') }
  const open = { stdout: '', stderr: '' }
  const tail: string[] = []
  const say = (text: string) => {
    const line = stripAnsi(text).trimEnd().slice(0, MAX_LINE_CHARS)
    if (line === '') return
    tail.push(line)
    if (tail.length > TAIL_LINES) tail.shift()
    options.progress(line)
  }
  const { exit_code, ended_by } = await runShell({
    command: `exec ${argv.map(quote).join(' ')}`,
    cwd: options.cwd,
    env: options.env,
    timeout_ms: TIMEOUT_MS,
    signal: options.signal,
    onData: (chunk, stream) => {
      const lines = (open[stream] + decoders[stream].write(chunk)).split(/\r\n|\n|\r/)
      open[stream] = (lines.pop() ?? '').slice(-MAX_LINE_CHARS)
      for (const line of lines) say(line)
      return undefined
    },
  })
  for (const stream of ['stdout', 'stderr'] as const) say(open[stream] + decoders[stream].end())
  options.signal.throwIfAborted()
  if (ended_by === 'timeout') say('Stopped: it took longer than an hour.')
  return { exit_code: ended_by === 'timeout' ? null : exit_code, tail }
}

/** One word for a POSIX shell. */
export function quote(word: string): string {
  return /^[\w./:=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
