import type { SessionState, TranscriptItem } from '@shared/state'
import { plural } from './tool-text'

/** What goes from the conversation when a message of the user is taken back. */
export interface After {
  /** Messages of the user behind it. */
  messages: number
  replies: number
  /** Tool calls. */
  steps: number
}

export function whatFollows(items: readonly TranscriptItem[], key: string): After {
  const found = { messages: 0, replies: 0, steps: 0 }
  for (let at = items.length - 1; at >= 0; at--) {
    const item = items[at]
    if (!item || item.key === key) break
    if (item.kind === 'user') found.messages += 1
    else if (item.kind === 'tool') found.steps += 1
    else if (item.kind === 'assistant' && item.text.trim() !== '') found.replies += 1
  }
  return found
}

/** "2 replies and 14 steps"; empty for nothing. */
export function describeAfter({ messages, replies, steps }: After): string {
  const parts = [
    messages > 0 ? plural(messages, 'message') : '',
    replies > 0 ? (replies === 1 ? '1 reply' : `${replies.toLocaleString('en')} replies`) : '',
    steps > 0 ? plural(steps, 'step') : '',
  ].filter(Boolean)
  const last = parts.pop()
  if (last === undefined) return ''
  return parts.length === 0 ? last : `${parts.join(', ')} and ${last}`
}

/** Before the message: the number of the last event that a fork from it keeps. */
export function forkBefore(item: { seq: number }): number {
  return Math.max(1, item.seq - 1)
}

/** The end of the turn that a reply belongs to: the number of the last event that a fork from it keeps. */
export function forkAfter({ items, last_seq }: Pick<SessionState, 'items' | 'last_seq'>, key: string): number {
  let next = last_seq + 1
  for (let at = items.length - 1; at >= 0; at--) {
    const item = items[at]
    if (!item || item.key === key) break
    if (item.kind === 'user' && item.source === 'user') next = item.seq
  }
  return next - 1
}

/** Why the conversation cannot be changed now; null when it can. */
export function whyNotNow(status: SessionState['status'] | undefined, connected: boolean): string | null {
  if (!connected) return 'not connected'
  if (status === 'waiting_approval') return 'a step waits for your approval'
  return status === 'running' ? 'a turn is running' : null
}
