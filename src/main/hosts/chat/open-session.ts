import type { Engine, RunOptions } from '../../engine-types'
import { UserError } from '../../errors'
import type { Session } from '../../session/types'
import type { Command } from '../headless/args'
import { findSession } from '../headless/find-session'

export type ChatCommand = Extract<Command, { name: 'chat' }>

/** The session that a chat begins with: a new one, or the one that was named. Throws UserError. */
export async function firstSession(
  engine: Engine,
  command: ChatCommand,
  cwd: string,
  run: RunOptions,
): Promise<Session> {
  const id = await existing(engine, command, cwd)
  if (id === null) {
    const { model, effort, mode } = engine.settings
    // First, so that a missing key leaves no empty session behind.
    await engine.checkModel(model)
    return engine.createSession({ cwd, model, effort, mode: command.mode ?? mode, max_cost_usd: command.max_cost }, run)
  }
  const session = await openSession(engine, id, run, command.model)
  await change(session, command)
  return session
}

/** Throws UserError when another process writes it, or when its model cannot be used and no other is given. */
export async function openSession(engine: Engine, id: string, run: RunOptions, model?: string): Promise<Session> {
  const before = await engine.readSession(id)
  if (before.model === '' || before.cwd === '') {
    throw new UserError(
      'session_not_found',
      `The log of session ${id} has no beginning that this version can read.`,
      `Look at it with ml-intern sessions export ${id} --format jsonl, or start a new session.`,
    )
  }
  await engine.checkModel(model ?? before.model)
  const session = await engine.openSession(id, run)
  if (!session.read_only) return session
  throw new UserError('session_busy', `Session ${id} is in use by another process.`, 'Close it there, then try again.')
}

async function existing(engine: Engine, command: ChatCommand, cwd: string): Promise<string | null> {
  if (command.session !== undefined) return findSession(engine, command.session)
  if (!command.continue) return null
  const id = await engine.latestSession(cwd)
  if (id) return id
  const remedy = 'Leave out --continue, or name a session: ml-intern sessions list'
  throw new UserError('session_not_found', `No session has worked in ${cwd} yet.`, remedy)
}

/** What was asked for on the command line holds for the session from now on. */
async function change(session: Session, { model, effort, mode, max_cost }: ChatCommand): Promise<void> {
  const { state } = session
  if (model !== undefined && model !== state.model) await session.submit({ op: 'set_model', model })
  if (effort !== undefined && effort !== state.effort) await session.submit({ op: 'set_effort', effort })
  if (mode !== undefined && mode !== state.mode) await session.submit({ op: 'set_mode', mode })
  if (max_cost !== undefined && max_cost !== state.max_cost_usd) {
    await session.submit({ op: 'set_budget', max_cost_usd: max_cost })
  }
}
