import type { Operation, OperationReceipt } from '@shared/operations'
import type { TurnContext } from '../agent/types'
import { messageOf, UserError } from '../errors'
import type { Checkpoints, RewindResult } from '../workspace/checkpoints'
import { whenIdle } from './conversation'
import type { SessionCore } from './core'

type Rewind = Extract<Operation, { op: 'rewind' }>

/** The files as they were before the turn of a message; the session works while it is done, and can be stopped. */
export function rewind(core: SessionCore, { user_message_id: id, target }: Rewind): Promise<OperationReceipt> {
  return restoring(core, 'rewind', (turn, checkpoints) => {
    if (!core.state.checkpoints.includes(id)) throw noCheckpoint()
    return restore(core, id, () => checkpoints.rewind(id, { force: true, signal: turn.signal }), target === 'both')
  })
}

export function undoRewind(core: SessionCore, undo_id: string): Promise<OperationReceipt> {
  return restoring(core, 'take the rewind back', (turn, checkpoints) =>
    restore(core, '', () => checkpoints.undo(undo_id, { force: true, signal: turn.signal }), false),
  )
}

function restoring(
  core: SessionCore,
  what: string,
  work: (turn: TurnContext, checkpoints: Checkpoints) => Promise<void>,
): Promise<OperationReceipt> {
  return whenIdle(core, what, () => {
    if (core.state.status === 'waiting_approval') {
      throw new UserError('invalid_operation', 'A call waits for your decision.', 'Decide about it first.')
    }
    const seq = core.emit('processing', { message: 'Rewinding files' })
    core.startTurn({
      run: async (turn) => {
        try {
          const checkpoints = await core.deps.checkpoints(core)
          if (!checkpoints) throw noCheckpoint()
          await work(turn, checkpoints)
        } catch (error) {
          if (turn.signal.aborted) turn.emit('interrupted', {})
          else if (error instanceof UserError) throw error
          else throw new UserError('internal', `The files could not be rewound: ${messageOf(error)}`)
        }
      },
    })
    return seq
  })
}

async function restore(
  core: SessionCore,
  user_message_id: string,
  work: () => Promise<RewindResult>,
  conversation: boolean,
): Promise<void> {
  const { undo_id, files, problems } = await work()
  core.emit('rewound', {
    user_message_id,
    ...(undo_id === null || user_message_id === '' ? {} : { undo_id }),
    files: files.length,
    problems,
  })
  if (conversation) core.emit('undo_complete', { user_message_id })
}

function noCheckpoint(): UserError {
  return new UserError('invalid_operation', 'There is no record of the files before this message.')
}

/** The records of one turn: of the workspace before its first change, and at its end. */
export class TurnRecord {
  private recorded: Promise<Checkpoints | null> | null = null

  constructor(
    private readonly core: SessionCore,
    private readonly signal: AbortSignal,
  ) {}

  /** Before a change; only the first of a turn does something. Rejects only when the turn is stopped. */
  async before(): Promise<void> {
    this.recorded ??= this.record()
    await this.recorded
  }

  /** At the end of the turn, however it ended: what changes later is the user's. */
  async finish(): Promise<void> {
    const checkpoints = await this.recorded?.catch(() => null)
    const id = this.message()
    if (checkpoints && id !== null) await checkpoints.finish(id)
  }

  private async record(): Promise<Checkpoints | null> {
    const { core, signal } = this
    const id = this.message()
    const checkpoints = id === null ? null : await core.deps.checkpoints(core)
    if (!checkpoints || id === null) return null
    const made = await checkpoints.record(id, signal)
    if (!made) return null
    if (!core.state.checkpoints.includes(id)) {
      core.emit('checkpoint', { user_message_id: id, left_out: made.left_out })
    }
    return checkpoints
  }

  private message(): string | null {
    return this.core.state.items.findLast((item) => item.kind === 'user' && item.source === 'user')?.key ?? null
  }
}
