import { realpath } from 'node:fs/promises'
import { MAX_INPUT_CHARS } from '@shared/operations'
import type { ApprovalMode, Settings } from '@shared/settings'
import type { SessionState } from '@shared/state'
import type { Prepared } from '../../bootstrap'
import type { Engine, RunOptions } from '../../engine-types'
import { messageOf, UserError } from '../../errors'
import type { Session } from '../../session/types'
import type { Command, RunArguments } from './args'
import { findSession } from './find-session'
import type { CliIo } from './io'
import { prepare, startEngine } from './setup'
import { runTurn, type TurnEnd } from './turn'

type RunCommand = Extract<Command, { name: 'run' }>
type DemoCommand = Extract<Command, { name: 'demo' }>

/** `ml-intern "prompt"`. Returns the exit code. Throws UserError before the turn begins. */
export async function runPrompt(io: CliIo, command: RunCommand): Promise<number> {
  const prompt = command.prompt ?? (await readPrompt(io))
  if (prompt.trim() === '') {
    throw new UserError('usage', 'The prompt is empty.', 'ml-intern "prompt", or ml-intern serve for the window.')
  }
  if (prompt.length > MAX_INPUT_CHARS) throw tooLong()
  const { model, effort, max_iterations } = command
  const flags: Partial<Settings> = { model, effort, max_iterations }
  const setup = await prepare(io, { ...command, flags })
  return withEngine(io, setup, async (engine) => {
    const policy = approvalPolicy(command, setup.loaded.settings.mode, asksHere(io))
    const run = runOptions(command, setup.loaded.settings, policy)
    const id = await existingSession(engine, command, setup.cwd)
    const opened = id
      ? await reopen(engine, id, run, command, policy, command.cwd === undefined ? null : setup.cwd)
      : await create(engine, setup.loaded.settings, setup.cwd, run, policy, command.max_cost)
    return runTurn(io, { ...opened, prompt, format: command.output_format, ask: policy.ask })
  })
}

/** `ml-intern demo`. */
export async function runDemo(io: CliIo, command: DemoCommand): Promise<number> {
  const setup = await prepare(io, { ...command, flags: { max_iterations: command.max_iterations } })
  return withEngine(io, setup, async (engine) => {
    // The user's own mode is about real work; the demo has to be able to run.
    const policy = approvalPolicy(command, 'ask', asksHere(io))
    const { session, prompt } = await engine.createDemo(runOptions(command, setup.loaded.settings, policy))
    const before = emptyBefore(session.state)
    await setMode(session, policy.mode)
    await setBudget(session, command.max_cost)
    return runTurn(io, { session, before, prompt, format: command.output_format, ask: policy.ask })
  })
}

async function withEngine(io: CliIo, setup: Prepared, run: (engine: Engine) => Promise<TurnEnd>): Promise<number> {
  const engine = await startEngine(io, setup, 'headless')
  let end: TurnEnd | null = null
  try {
    end = await run(engine)
    return end.code
  } finally {
    const closed = engine.close()
    if (end?.at_once) closed.catch((error: unknown) => io.stderr.write(`ml-intern: ${messageOf(error)}\n`))
    else await closed
  }
}

export interface Policy {
  mode: ApprovalMode
  /** A call that needs an approval waits for an answer on the terminal; otherwise it ends the turn. */
  ask: boolean
}

/**
 * How --mode, --approve and the configured mode come together. `auto` lets run what would ask; a configured `plan` or
 * `full` stays what it is. `ask` needs a terminal. `deny` ends the turn at the first call that would ask.
 */
export function approvalPolicy(
  { mode, approve }: Pick<RunArguments, 'mode' | 'approve'>,
  configured: ApprovalMode,
  terminal: boolean,
): Policy {
  const policy = approve ?? (mode === 'ask' ? 'ask' : 'auto')
  if (policy === 'auto') return { mode: mode ?? (configured === 'ask' ? 'auto' : configured), ask: false }
  // Whoever asks to be asked is asked: a configured auto or full would ask nothing.
  const asking = configured === 'plan' ? 'plan' : 'ask'
  return { mode: mode ?? asking, ask: policy === 'ask' && terminal }
}

function asksHere(io: CliIo): boolean {
  return io.stdin.isTTY === true && io.stderr.isTTY === true
}

function runOptions(args: RunArguments, settings: Settings, policy: Policy): RunOptions {
  return {
    max_iterations: settings.max_iterations,
    streaming: args.streaming,
    approvals: policy.ask ? 'wait' : 'unavailable',
  }
}

interface Opened {
  session: Session
  /** The session before anything of this run. */
  before: SessionState
  /** Mode to go back to when the run is over; absent: it stays. */
  restore_mode?: ApprovalMode
}

async function create(
  engine: Engine,
  settings: Settings,
  cwd: string,
  run: RunOptions,
  policy: Policy,
  max_cost_usd: number | null | undefined,
): Promise<Opened> {
  const { model, effort } = settings
  // First, so that a missing key leaves no empty session behind.
  await engine.checkModel(model)
  const session = await engine.createSession({ cwd, model, effort, mode: policy.mode, max_cost_usd }, run)
  return { session, before: emptyBefore(session.state) }
}

async function existingSession(engine: Engine, command: RunCommand, cwd: string): Promise<string | null> {
  if (command.session !== undefined) return findSession(engine, command.session)
  if (!command.continue) return null
  const id = await engine.latestSession(cwd)
  if (id) return id
  throw new UserError(
    'session_not_found',
    `No session has worked in ${cwd} yet.`,
    'Leave out --continue, or name a session: ml-intern sessions list',
  )
}

async function reopen(
  engine: Engine,
  id: string,
  run: RunOptions,
  command: RunCommand,
  policy: Policy,
  cwd: string | null,
): Promise<Opened> {
  const before = await engine.readSession(id)
  if (before.model === '' || before.cwd === '') throw noBeginning(id)
  if (cwd !== null && command.session !== undefined && !(await sameFolder(cwd, before.cwd))) {
    throw new UserError(
      'usage',
      `Session ${id} works in ${before.cwd}; a session keeps its folder.`,
      'Leave out --cwd.',
    )
  }
  await engine.checkModel(command.model ?? before.model)
  const session = await engine.openSession(id, run)
  if (session.read_only) {
    throw new UserError(
      'session_busy',
      `Session ${id} is in use by another process.`,
      'Close it there, then try again.',
    )
  }
  if (command.model !== undefined && command.model !== session.state.model) {
    await session.submit({ op: 'set_model', model: command.model })
  }
  if (command.effort !== undefined && command.effort !== session.state.effort) {
    await session.submit({ op: 'set_effort', effort: command.effort })
  }
  await setBudget(session, command.max_cost)
  const { mode } = session.state
  await setMode(session, policy.mode)
  // What was allowed for this one run must not stay allowed in the window; what was asked for with --mode stays.
  return { session, before, restore_mode: command.mode === undefined && mode !== policy.mode ? mode : undefined }
}

/** Killed before its first event was on disk, damaged there, or written by a version whose beginning looks different. */
function noBeginning(id: string): UserError {
  return new UserError(
    'session_not_found',
    `The log of session ${id} has no beginning that this version can read.`,
    `Look at it with ml-intern sessions export ${id} --format jsonl, or start a new session.`,
  )
}

async function setMode(session: Session, mode: ApprovalMode): Promise<void> {
  if (session.state.mode !== mode) await session.submit({ op: 'set_mode', mode })
}

async function setBudget(session: Session, max_cost_usd: number | null | undefined): Promise<void> {
  if (max_cost_usd === undefined || session.state.max_cost_usd === max_cost_usd) return
  await session.submit({ op: 'set_budget', max_cost_usd })
}

async function sameFolder(a: string, b: string): Promise<boolean> {
  if (a === b) return true
  // A folder that is gone is not the one that was given: that one has been checked.
  const [left, right] = await Promise.all([a, b].map((path) => realpath(path).catch(() => null)))
  return left !== null && left === right
}

/** A new session has nothing before this run, whatever its first events were. */
function emptyBefore(state: SessionState): SessionState {
  return { ...state, last_seq: 0, items: [] }
}

async function readPrompt(io: CliIo): Promise<string> {
  if (io.stdin.isTTY) io.stderr.write('Type the prompt, then Ctrl+D:\n')
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of io.stdin) {
    const piece = Buffer.from(chunk)
    bytes += piece.length
    // UTF-8 takes at most three bytes for one UTF-16 unit.
    if (bytes > MAX_INPUT_CHARS * 3) throw tooLong()
    chunks.push(piece)
  }
  return promptText(Buffer.concat(chunks))
}

/** Throws UserError for what is no text: the model would be sent noise, and the log would keep it. */
function promptText(bytes: Buffer): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    if (!text.includes('\0')) return text.trim()
  } catch {
    // Another encoding, or no text at all: what to do is the same.
  }
  throw new UserError(
    'usage',
    'Standard input is not UTF-8 text.',
    'Convert it (iconv -t UTF-8), or name the file in the prompt and let the agent look at it.',
  )
}

function tooLong(): UserError {
  return new UserError(
    'usage',
    `The prompt is longer than ${MAX_INPUT_CHARS.toLocaleString('en-US')} characters.`,
    'Put the text into a file and name that file in the prompt.',
  )
}
