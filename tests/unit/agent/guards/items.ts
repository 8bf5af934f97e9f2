import type { Block } from '@shared/content'
import type { AssistantItem, GuardItem, ToolItem, TranscriptItem, UserItem } from '@shared/state'

/** A transcript of the tests, item by item; numbers and keys are given in order. */
export function transcript(...items: (TranscriptItem | TranscriptItem[])[]): TranscriptItem[] {
  return items.flat().map((item, i) => ({ ...item, seq: i + 1, key: `${item.kind}-${i + 1}` }))
}

const base = { key: '', seq: 0, time: '2026-11-20T09:00:00.000Z' }

export const user = (text = 'go on', source: 'user' | 'steer' = 'user'): UserItem => ({
  ...base,
  kind: 'user',
  text,
  source,
})

export const guard = (kind: string): GuardItem => ({ ...base, kind: 'guard', guard: kind, text: 'note' })

export function assistant(blocks: Block[], stop_reason = 'tool_use'): AssistantItem {
  const text = blocks.flatMap((block) => (block.type === 'text' ? [block.text] : [])).join('\n\n')
  const rest = { reasoning: '', model: 'fake/model', seen_seq: null, partial: false }
  return { ...base, kind: 'assistant', text, blocks, stop_reason, ...rest }
}

export function result(call_id: string, tool: string, args: Record<string, unknown>, output: string): ToolItem {
  const rest = { intent: '', duration_ms: 1, spill: null, details: null }
  return { ...base, kind: 'tool', call_id, tool, arguments: args, state: 'ok', output, has_output: true, ...rest }
}

let calls = 0

/** A reply with one call, and its result. */
export function called(tool: string, args: Record<string, unknown> = {}, output = 'ok'): TranscriptItem[] {
  const id = `call_${++calls}`
  return [assistant([{ type: 'tool_use', id, name: tool, input: args }]), result(id, tool, args, output)]
}

/** A reply with one call whose arguments were no JSON object, and the answer to it. */
export function unreadable(tool: string, raw: string, stop_reason?: string): TranscriptItem[] {
  const id = `call_${++calls}`
  const block: Block = { type: 'tool_use', id, name: tool, input: {}, malformed: raw }
  return [assistant([block], stop_reason), { ...result(id, tool, {}, 'not a JSON object'), state: 'error' }]
}

export interface ChatMessage {
  role: 'user' | 'assistant' | 'tool'
  content?: string | null
  name?: string
  tool_call_id?: string
  tool_calls?: { id: string; function: { name: string; arguments: string } }[]
}

/** The messages of a vector as the items that our loop would have made of them. */
export function fromMessages(messages: ChatMessage[]): TranscriptItem[] {
  const made = new Map<string, Extract<Block, { type: 'tool_use' }>>()
  const items = messages.map((message): TranscriptItem => {
    if (message.role === 'user') return user(message.content ?? '')
    if (message.role === 'assistant') {
      const blocks = (message.tool_calls ?? []).map(({ id, function: { name, arguments: raw } }): Block => {
        const input = objectOf(raw)
        const block = { type: 'tool_use', id, name, input: input ?? {}, malformed: input ? undefined : raw } as const
        made.set(id, block)
        return block
      })
      return assistant(blocks)
    }
    const call = made.get(message.tool_call_id ?? '')
    return result(call?.id ?? '', call?.name ?? '', call?.input ?? {}, message.content ?? '')
  })
  return transcript(items)
}

function objectOf(raw: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(raw)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null
  } catch {
    return null
  }
}
