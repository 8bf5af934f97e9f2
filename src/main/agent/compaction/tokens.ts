import { COMPACTION_SHARE } from '@shared/compaction'
import type { Block } from '@shared/content'
import type { SessionState, TranscriptItem } from '@shared/state'
import type { ToolSpec } from '../../models/types'
import { isLimited, viewOf } from './view'

/** Bytes of UTF-8 in a token: about right for English and code, and on the safe side for most other scripts. */
const BYTES_PER_TOKEN = 4
/** Roles, ids and separators around one message. */
const MESSAGE_TOKENS = 8
/** What stands in the place of the middle of a cut result. */
const NOTE_TOKENS = 80
/**
 * A provider's count below this share of our own estimate is not believed: servers exist that leave cached input out,
 * or count the last message only. Even plain logs are not over eight bytes a token.
 */
const BELIEVABLE_SHARE = 0.5

/** A local estimate; it costs about a millisecond for ten megabytes. */
export function estimateTokens(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN)
}

/** Items never change, so each is measured once. */
const measured = new WeakMap<TranscriptItem, number>()

/** What one item adds to the model's messages. */
export function itemTokens(item: TranscriptItem): number {
  let tokens = measured.get(item)
  if (tokens === undefined) {
    tokens = countItem(item)
    measured.set(item, tokens)
  }
  return tokens
}

function countItem(item: TranscriptItem): number {
  switch (item.kind) {
    case 'user':
    case 'guard':
      return MESSAGE_TOKENS + estimateTokens(item.text)
    case 'tool':
      return MESSAGE_TOKENS + estimateTokens(item.output)
    case 'assistant': {
      const blocks = item.partial ? item.blocks.filter((block) => block.type === 'text') : item.blocks
      return MESSAGE_TOKENS + sum(blocks, blockTokens)
    }
    case 'notice':
      return 0
  }
}

function blockTokens(block: Block): number {
  switch (block.type) {
    case 'text':
      return estimateTokens(block.text)
    case 'reasoning': {
      // The signature carries the whole reasoning, the text often only an abstract of it.
      const { text, signature = '', redacted = '' } = block
      return Math.max(estimateTokens(text), estimateTokens(signature), estimateTokens(redacted))
    }
    case 'tool_use':
      return MESSAGE_TOKENS + estimateTokens(block.name) + estimateTokens(JSON.stringify(block.input))
    case 'opaque':
      return estimateTokens(JSON.stringify(block.value) ?? '')
  }
}

/** Tool definitions go with every call. */
export function toolsTokens(tools: readonly ToolSpec[]): number {
  return sum(tools, (tool) => estimateTokens(JSON.stringify(tool)))
}

/** The next request by the local estimate alone. `overhead`: tokens of the system prompt and the tools. */
export function estimatedContext(state: Pick<SessionState, 'items' | 'compaction'>, overhead: number): number {
  const { head, items } = viewOf(state)
  const { compaction } = state
  const kept = sum(items, (item) =>
    compaction && isLimited(item, compaction) ? limitedTokens(item, compaction.result_tokens) : itemTokens(item),
  )
  return overhead + sum(head, estimateTokens) + kept
}

/** An item whose result is cut to about `limit` tokens. */
export function limitedTokens(item: TranscriptItem, limit: number): number {
  const tokens = itemTokens(item)
  return item.kind === 'tool' ? Math.min(tokens, limit + NOTE_TOKENS) : tokens
}

/**
 * Tokens of the next request: what the provider counted at the last reply plus an estimate of what came since, or the
 * estimate alone where no count is known (a model that reports none, an undo, a compaction).
 */
export function contextTokens(state: SessionState, overhead: number): number {
  const estimate = estimatedContext(state, overhead)
  const { measured: last } = state
  if (!last) return estimate
  let known = last.tokens
  for (let at = state.items.length - 1; at >= 0; at--) {
    const item = state.items[at]
    if (!item || item.seq <= last.seen_seq) break
    if (item.key !== last.reply_key) known += itemTokens(item)
  }
  return Math.max(known, Math.floor(estimate * BELIEVABLE_SHARE))
}

export function triggerOf(window: number): number {
  return Math.floor(window * COMPACTION_SHARE)
}

export function sum<T>(values: readonly T[], of: (value: T) => number): number {
  let total = 0
  for (const value of values) total += of(value)
  return total
}
