import type { Block, ToolUseBlock } from '@shared/content'
import type { TranscriptItem } from '@shared/state'
import type { ModelMessage, UserContent } from '../models/types'

/** The result of a call that never got one: an interrupt, a crash or a failure came first. */
export const ORPHAN_RESULT = 'This call was not executed: the turn ended before it could run.'

/**
 * The model's view of a transcript. Every tool call of a reply is answered in the next user message, in call order,
 * before any text; a call without a result gets ORPHAN_RESULT, because a provider refuses a history with open calls.
 */
export function toModelMessages(items: readonly TranscriptItem[]): ModelMessage[] {
  const messages: ModelMessage[] = []
  let calls: ToolUseBlock[] = []
  let results = new Map<string, { content: string; is_error: boolean }>()
  let texts: { seq: number; text: string }[] = []

  const flush = (upTo: number): void => {
    const content: UserContent[] = calls.map((call) => {
      const result = results.get(call.id) ?? { content: ORPHAN_RESULT, is_error: true }
      return { type: 'tool_result', tool_use_id: call.id, ...result }
    })
    for (const { seq, text } of texts) if (seq <= upTo) content.push({ type: 'text', text })
    if (content.length > 0) messages.push({ role: 'user', content })
    calls = []
    results = new Map()
    texts = texts.filter(({ seq }) => seq > upTo)
  }

  for (const item of items) {
    switch (item.kind) {
      case 'user':
        texts.push({ seq: item.seq, text: item.text })
        break
      case 'guard':
        texts.push({ seq: item.seq, text: `[Automatic note from ML Intern, not from the user]\n${item.text}` })
        break
      case 'tool':
        if (item.has_output && calls.some((call) => call.id === item.call_id)) {
          results.set(item.call_id, { content: item.output, is_error: item.state !== 'ok' })
        }
        break
      case 'assistant': {
        const blocks = sendableBlocks(item.blocks, item.partial)
        if (blocks.length === 0) break
        // A message that arrived while this reply was being written was not read yet: it goes after the reply.
        flush(item.seen_seq ?? item.seq)
        messages.push({ role: 'assistant', content: blocks })
        calls = blocks.filter((block) => block.type === 'tool_use')
        break
      }
      case 'notice':
        break
    }
  }
  flush(Number.MAX_SAFE_INTEGER)
  return messages
}

/** A cut reply keeps its text only: its reasoning has no valid signature and its calls may be incomplete. */
function sendableBlocks(blocks: Block[], partial: boolean): Block[] {
  return blocks.flatMap((block): Block[] => {
    if (block.type === 'text') return block.text.trim() === '' ? [] : [block]
    if (partial) return []
    return [block.type === 'tool_use' ? wellFormedCall(block) : block]
  })
}

/** An escape in JSON; one of half a surrogate pair is written for a half that stands alone only. */
const ESCAPE = /\\(?:u(d[89a-f][\da-f]{2})|.)/gi
const wellFormedCalls = new WeakMap<ToolUseBlock, ToolUseBlock>()

/** Half a surrogate pair in arguments would be refused, with every later request of the session. */
function wellFormedCall(block: ToolUseBlock): ToolUseBlock {
  const known = wellFormedCalls.get(block)
  if (known) return known
  const json = JSON.stringify(block.input)
  const sent = json.replace(ESCAPE, (found, half?: string) => (half === undefined ? found : '\uFFFD'))
  const call: ToolUseBlock = sent === json ? block : { ...block, input: JSON.parse(sent) }
  wellFormedCalls.set(block, call)
  return call
}
