import type { ModelMessage } from '../models/types'

/** A tool call that has its result. `at` counts entries of the conversation, so that order can be compared. */
export interface DoneCall {
  at: number
  name: string
  input: Record<string, unknown>
  output: string
  ok: boolean
}

/** The conversation as the script needs it: what was called, what came back, what was said. */
export interface History {
  calls: DoneCall[]
  user_texts: { at: number; text: string }[]
  replies: { at: number; text: string }[]
  /** Position of the newest user text; -1 when there is none. */
  last_user_at: number
}

/** Notes that the loop adds in the user's place; they are not the user speaking. */
const AUTOMATIC_NOTE = '[Automatic note'

export function readHistory(messages: readonly ModelMessage[]): History {
  const history: History = { calls: [], user_texts: [], replies: [], last_user_at: -1 }
  const open = new Map<string, { name: string; input: Record<string, unknown> }>()
  let at = 0
  for (const message of messages) {
    if (message.role === 'assistant') {
      for (const block of message.content) {
        at += 1
        if (block.type === 'text') history.replies.push({ at, text: block.text })
        if (block.type === 'tool_use') open.set(block.id, { name: block.name, input: block.input })
      }
      continue
    }
    for (const part of message.content) {
      at += 1
      if (part.type === 'text') {
        if (part.text.startsWith(AUTOMATIC_NOTE)) continue
        history.user_texts.push({ at, text: part.text })
        history.last_user_at = at
        continue
      }
      const call = open.get(part.tool_use_id)
      if (call) history.calls.push({ at, ...call, output: part.content, ok: !part.is_error })
    }
  }
  return history
}

/** A string argument; empty when it is missing or of another type. */
export function argument(call: DoneCall, name: string): string {
  const value = call.input[name]
  return typeof value === 'string' ? value : ''
}
