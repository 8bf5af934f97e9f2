import type { QueuedMessage } from '@shared/state'
import { useMemo } from 'react'
import { submit, useSessionPart } from '../../stores/sessions'
import { offerDraft } from './drafts'

export interface QueueActions {
  /** For the time after the running turn; without one it is sent at once. Throws BridgeFailure. */
  enqueue: (text: string) => Promise<void>
  /** Sends a waiting message now: the model reads it before its next step. Throws BridgeFailure. */
  sendNow: (message: QueuedMessage) => Promise<void>
  /** Takes a waiting message back into the message field. Throws BridgeFailure. */
  edit: (message: QueuedMessage) => Promise<void>
  /** Throws BridgeFailure. */
  remove: (message: QueuedMessage) => Promise<void>
}

const none: readonly QueuedMessage[] = []

/** The messages that wait for the end of the turn, and what can be done with them. */
export function useQueue(id: string): QueueActions & { queue: readonly QueuedMessage[] } {
  const queue = useSessionPart(id, (state) => state?.queue ?? none)
  return useMemo(() => ({ queue, ...actionsOf(id) }), [id, queue])
}

function actionsOf(id: string): QueueActions {
  return {
    enqueue: async (text) => {
      await submit(id, { op: 'enqueue', text })
    },
    sendNow: async (message) => {
      await submit(id, { op: 'send_queued', id: message.id })
    },
    edit: async (message) => {
      // Only what the engine gave back is put into the field: it may have been sent in between.
      await submit(id, { op: 'dequeue', id: message.id })
      offerDraft(id, message.content)
    },
    remove: async (message) => {
      await submit(id, { op: 'dequeue', id: message.id })
    },
  }
}
