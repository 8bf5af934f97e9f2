import { randomUUID } from 'node:crypto'
import type { OperationReceipt } from '@shared/operations'
import type { UserItem } from '@shared/state'
import { UserError } from '../errors'
import type { SessionCore } from './core'
import { abandonWaiting } from './decisions'

/** Messages that wait; more would be a mistake of whoever sends them. */
const MAX_QUEUE = 50

/** A message of the user: the start of a turn, or one that the running turn reads before its next call. */
export function userInput(core: SessionCore, content: string): Promise<OperationReceipt> {
  return whenReady(core, () => send(core, content))
}

/**
 * Runs `act` when a message can be taken. A turn that was stopped reads no more: what came while it ends would be answered
 * by nobody, so it waits for that end and starts the next turn.
 */
async function whenReady(core: SessionCore, act: () => number): Promise<OperationReceipt> {
  await core.deps.checkModel(core.state.model)
  while (core.running?.controller.signal.aborted) await core.running.done
  core.requireOpen()
  return core.recorded(act())
}

function send(core: SessionCore, content: string): number {
  abandonWaiting(core)
  const { running } = core
  const seq = core.emit('user_message', { id: randomUUID(), content, source: running ? 'steer' : 'user' })
  if (!running) core.startTurn()
  return seq
}

/** A message for the time after this turn. */
export async function enqueue(core: SessionCore, content: string): Promise<OperationReceipt> {
  if (!core.running) return userInput(core, content)
  const { queue } = core.state
  if (queue.length >= MAX_QUEUE) {
    throw new UserError('invalid_operation', `${MAX_QUEUE} messages wait already.`, 'Remove one, or wait for the turn.')
  }
  return core.recorded(core.emit('queue_update', { queue: [...queue, { id: randomUUID(), content }] }))
}

export async function dequeue(core: SessionCore, id: string): Promise<OperationReceipt> {
  return core.recorded(takeOut(core, queued(core, id).id))
}

export function sendQueued(core: SessionCore, id: string): Promise<OperationReceipt> {
  return whenReady(core, () => {
    const { content } = queued(core, id)
    takeOut(core, id)
    return send(core, content)
  })
}

/** The turn has ended as it should: the message that waits longest starts the next one. True when there was one. */
export function sendNext(core: SessionCore): boolean {
  const [next] = core.state.queue
  if (!next || core.state.last_outcome !== 'finished') return false
  takeOut(core, next.id)
  send(core, next.content)
  return true
}

function queued(core: SessionCore, id: string) {
  const message = core.state.queue.find((one) => one.id === id)
  if (message) return message
  throw new UserError('invalid_operation', 'This message does not wait any more.', 'It has been sent or taken back.')
}

function takeOut(core: SessionCore, id: string): number {
  return core.emit('queue_update', { queue: core.state.queue.filter((message) => message.id !== id) })
}

export function undo(core: SessionCore, id?: string): Promise<OperationReceipt> {
  return whenIdle(core, 'take the message back', () => takeBack(core, target(core, id)))
}

/** Another text in the place of a message and of everything after it. */
export async function edit(core: SessionCore, id: string, content: string): Promise<OperationReceipt> {
  await core.deps.checkModel(core.state.model)
  return whenIdle(core, 'change the message', () => {
    takeBack(core, target(core, id))
    return send(core, content)
  })
}

/** The same message once more, without what followed it. */
export async function regenerate(core: SessionCore, id?: string): Promise<OperationReceipt> {
  await core.deps.checkModel(core.state.model)
  return whenIdle(core, 'ask again', () => {
    const message = target(core, id)
    takeBack(core, message)
    return send(core, message.text)
  })
}

function takeBack(core: SessionCore, message: UserItem): number {
  return core.emit('undo_complete', { user_message_id: message.key })
}

function target(core: SessionCore, id?: string): UserItem {
  const { items } = core.state
  const found = items.findLast(
    (item): item is UserItem => item.kind === 'user' && (id === undefined ? item.source === 'user' : item.key === id),
  )
  if (found) return found
  throw id === undefined
    ? new UserError('invalid_operation', 'There is no message to take back.')
    : new UserError('invalid_operation', 'This message is not in the conversation any more.')
}

/**
 * Runs `act`, which records something and gives its number, where no turn runs; one that has ended, and is only being
 * written, is waited for. Nothing comes between the look and the act. Throws UserError.
 */
export async function whenIdle(core: SessionCore, what: string, act: () => number): Promise<OperationReceipt> {
  while (core.running && core.state.status === 'idle') await core.running.done
  core.requireOpen()
  if (core.running) throw new UserError('session_running', 'The session is working.', `Stop it first, then ${what}.`)
  return core.recorded(act())
}
