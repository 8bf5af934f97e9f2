import type { Block } from '@shared/content'
import type { EventData, EventType } from '@shared/events'
import type { SessionState } from '@shared/state'

type Pending = { [T in EventType]: { type: T; data: EventData<T> } }[EventType]

/**
 * The events that close what a crash left open: the partial reply becomes a message, calls without a result get one
 * with the output that had come. Null when the log ended in order, or where the user is asked.
 */
export function interruptedTail(
  state: SessionState,
): { events: Pending[]; repaired_calls: number; waiting_calls: number } | null {
  if (state.status === 'idle' && !state.draft) return null
  // What waits for the user's decision goes on waiting.
  const waiting = new Set(state.pending_approvals.map((request) => request.tool_call_id))
  const events: Pending[] = []
  const { draft } = state
  if (draft && draft.text !== '') {
    const blocks: Block[] = [{ type: 'text', text: draft.text }]
    const { id, text: content } = draft
    events.push({
      type: 'assistant_message',
      data: { id, content, blocks, model: state.model, stop_reason: 'crash', partial: true },
    })
  }
  if (draft) events.push({ type: 'assistant_stream_end', data: { id: draft.id } })
  let repaired_calls = 0
  for (const item of state.items) {
    if (item.kind !== 'tool' || item.has_output) continue
    if (item.state !== 'running' && item.state !== 'waiting_approval') continue
    if (waiting.has(item.call_id)) continue
    repaired_calls += 1
    const log = state.live_logs[item.call_id]
    const note = 'The program ended before this call did; whether it finished is not known.'
    events.push({
      type: 'tool_output',
      data: {
        tool: item.tool,
        tool_call_id: item.call_id,
        output: log ? `${log}\n\n${note}` : note,
        success: false,
        duration_ms: 0,
      },
    })
  }
  if (waiting.size > 0 && events.length === 0) return null
  return { events, repaired_calls, waiting_calls: waiting.size }
}
