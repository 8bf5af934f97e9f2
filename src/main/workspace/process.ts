import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import type { Readable } from 'node:stream'
import { isNodeError, messageOf, UserError } from '../errors'
import { MARKER_VARIABLE } from './process-scan'
import { withoutTerminals } from './terminal/inherit'
import { holdGroup, releaseGroup, terminate } from './terminate'

export { killAllProcesses } from './terminate'

export type OutputStream = 'stdout' | 'stderr'

export interface ShellOptions {
  command: string
  /** Absolute path of an existing directory. */
  cwd: string
  env: NodeJS.ProcessEnv
  /** Spawned in the place of a shell, as a sandbox wants it; its own environment and folder are in it. */
  wrapped?: { file: string; args: string[]; env: NodeJS.ProcessEnv; cwd: string }
  /** Milliseconds; below 2^31. */
  timeout_ms: number
  signal: AbortSignal
  /** Every piece, in the order of its arrival. Both pipes are held back until a returned promise settles. */
  onData: (chunk: Buffer, stream: OutputStream) => Promise<void> | undefined
}

export interface ShellOutcome {
  /** Null when a signal ended the shell, or when it never ran. */
  exit_code: number | null
  signal: NodeJS.Signals | null
  ended_by: 'exit' | 'timeout' | 'abort'
  /** The shell has ended, but a background process still holds its stdout or stderr; what it writes is not read. */
  pipes_held: boolean
}

type Shell = ChildProcessByStdio<null, Readable, Readable>

/** The shell has ended and its pipes are silent for this long: a background process holds them. */
const QUIET_MS = 250
/** A background process that never stops writing is listened to for this many times QUIET_MS. */
const QUIET_ROUNDS = 8

/**
 * Runs one command in a shell with its own process group and without input. Resolves when the shell has ended and its
 * output was delivered whole; after a timeout or an abort, when every process it started is gone. Rejects with
 * UserError when no shell could be started, and with the error of `onData` when that fails.
 */
export async function runShell(options: ShellOptions): Promise<ShellOutcome> {
  if (options.signal.aborted) return { exit_code: null, signal: null, ended_by: 'abort', pipes_held: false }
  const marker = randomUUID()
  const shell = await startShell(options, marker)
  return supervise(shell, marker, options)
}

async function startShell(options: ShellOptions, marker: string): Promise<Shell> {
  const { wrapped } = options
  if (wrapped) {
    return spawnProgram(wrapped.file, wrapped.args, wrapped, marker).catch((error: unknown) => {
      throw startProblem(error, options.command)
    })
  }
  for (const name of ['bash', 'sh']) {
    try {
      return await spawnProgram(name, ['-c', options.command], options, marker)
    } catch (error) {
      if (!isNodeError(error) || error.code !== 'ENOENT') throw startProblem(error, options.command)
    }
  }
  throw new UserError('resource_missing', 'Neither bash nor sh was found on PATH.', 'Install bash.')
}

function spawnProgram(
  name: string,
  args: string[],
  { cwd, env }: Pick<ShellOptions, 'cwd' | 'env'>,
  marker: string,
): Promise<Shell> {
  return new Promise((resolve, reject) => {
    const child: ChildProcess = spawn(name, args, {
      cwd,
      env: { ...env, [MARKER_VARIABLE]: marker },
      // Its own session and process group: it can be ended whole, and it cannot ask for passwords on our terminal.
      detached: true,
      stdio: withoutTerminals(['ignore', 'pipe', 'pipe']),
      windowsHide: true,
    })
    child.once('error', reject)
    child.once('spawn', () => {
      child.off('error', reject)
      resolve(child as Shell)
    })
  })
}

export function startProblem(error: unknown, command: string): UserError {
  const code = isNodeError(error) ? error.code : undefined
  const script = 'Put it into a script file with the write tool and run that file.'
  if (code === 'E2BIG') {
    const bytes = Buffer.byteLength(command)
    return new UserError('invalid_request', `The command is too long for one call (${bytes} bytes).`, script)
  }
  if (code === 'ERR_INVALID_ARG_VALUE') {
    return new UserError('invalid_request', 'The command contains a NUL character, which no shell accepts.', script)
  }
  return new UserError('internal', `The shell could not be started: ${messageOf(error)}.`, '', { cause: error })
}

function supervise(child: Shell, marker: string, options: ShellOptions): Promise<ShellOutcome> {
  const group = child.pid
  if (group === undefined) throw new UserError('internal', 'The shell was started without a process id.')
  holdGroup(group)

  return new Promise((resolve, reject) => {
    let exit: Pick<ShellOutcome, 'exit_code' | 'signal'> = { exit_code: null, signal: null }
    let endedBy: ShellOutcome['ended_by'] = 'exit'
    let failure: { error: unknown } | null = null
    let closed = false
    let stopping = false
    let finished = false
    let held = 0
    let received = 0
    let quiet: NodeJS.Timeout | undefined

    const finish = () => {
      if (finished) return
      finished = true
      clearTimeout(limit)
      clearTimeout(quiet)
      options.signal.removeEventListener('abort', onAbort)
      releaseGroup(group)
      const pipes_held = !closed && endedBy === 'exit'
      if (!closed) {
        child.stdout.destroy()
        child.stderr.destroy()
      }
      if (failure) reject(failure.error)
      else resolve({ ...exit, ended_by: endedBy, pipes_held })
    }
    const fail = (error: unknown) => {
      failure ??= { error }
      stop('abort')
    }
    const stop = (reason: 'timeout' | 'abort') => {
      if (finished || stopping) return
      stopping = true
      endedBy = reason
      clearTimeout(quiet)
      terminate(group, marker, () => closed).then(finish, (error: unknown) => {
        failure ??= { error }
        finish()
      })
    }
    const onAbort = () => stop('abort')
    const limit = setTimeout(() => stop('timeout'), options.timeout_ms)
    options.signal.addEventListener('abort', onAbort, { once: true })

    const release = () => {
      held -= 1
      if (held > 0) return
      child.stdout.resume()
      child.stderr.resume()
    }
    const receive = (stream: OutputStream) => (chunk: Buffer) => {
      received += chunk.length
      const wait = options.onData(chunk, stream)
      if (!wait) return
      held += 1
      child.stdout.pause()
      child.stderr.pause()
      wait.catch(fail).finally(release)
    }
    const watchPipes = (seen: number, rounds: number) => {
      quiet = setTimeout(() => {
        // Timers run before the pipes are polled: on a busy loop, what lies in them must be read before we judge.
        setImmediate(() => {
          if (finished || stopping) return
          if (held > 0) watchPipes(received, rounds)
          else if (received !== seen && rounds > 1) watchPipes(received, rounds - 1)
          else finish()
        })
      }, QUIET_MS)
    }

    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].on('data', receive(stream))
      child[stream].on('error', fail)
    }
    child.on('error', fail)
    child.on('exit', (exit_code, signal) => {
      exit = { exit_code, signal }
      if (!stopping) watchPipes(received, QUIET_ROUNDS)
    })
    child.on('close', () => {
      closed = true
      if (!stopping) finish()
    })
    // The signal may have fired between the check at the start and the listener.
    if (options.signal.aborted) onAbort()
  })
}
