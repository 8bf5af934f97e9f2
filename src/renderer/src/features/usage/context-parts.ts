import type { Block } from '@shared/content'
import type { Compaction, SessionState, TranscriptItem } from '@shared/state'

/**
 * What fills the context window, by our own estimate: four bytes of UTF-8 a token, as the loop counts where no provider
 * does. The provider's count and this one differ; what is left over is named, not hidden.
 */
const BYTES_PER_TOKEN = 4

export type PartName = 'overhead' | 'summary' | 'messages' | 'tools' | 'reasoning'
export type ContextParts = Record<PartName, number>

export const PART_LABELS: Record<PartName, string> = {
  overhead: 'System prompt and tools',
  summary: 'Summary of earlier messages',
  messages: 'Messages',
  tools: 'Tool calls and results',
  reasoning: 'Reasoning',
}

export function contextParts(state: Pick<SessionState, 'items' | 'compaction' | 'context'>): ContextParts {
  const { items, compaction, context } = state
  const parts: ContextParts = { overhead: context.overhead_tokens, summary: 0, messages: 0, tools: 0, reasoning: 0 }
  if (compaction) parts.summary = tokensOf(compaction.summary)
  const kept = compaction ? items.filter((item) => item.seq >= compaction.first_kept_seq) : items
  for (const item of kept) addItem(parts, item, compaction)
  return parts
}

function addItem(parts: ContextParts, item: TranscriptItem, compaction: Compaction | null): void {
  switch (item.kind) {
    case 'user':
    case 'guard':
      parts.messages += tokensOf(item.text)
      return
    case 'tool': {
      const tokens = tokensOf(item.output)
      // Results that were there at the last summary are sent cut.
      const cut = compaction && item.seq < compaction.seq
      parts.tools += cut ? Math.min(tokens, compaction.result_tokens) : tokens
      return
    }
    case 'assistant':
      for (const block of item.blocks) addBlock(parts, block)
      return
    case 'notice':
      return
  }
}

function addBlock(parts: ContextParts, block: Block): void {
  switch (block.type) {
    case 'text':
      parts.messages += tokensOf(block.text)
      return
    case 'reasoning': {
      // The signature carries the whole reasoning; the text is often only an abstract of it.
      const { text, signature = '', redacted = '' } = block
      parts.reasoning += Math.max(tokensOf(text), tokensOf(signature), tokensOf(redacted))
      return
    }
    case 'tool_use':
      parts.tools += tokensOf(block.name) + tokensOf(JSON.stringify(block.input))
      return
    case 'opaque':
      parts.messages += tokensOf(JSON.stringify(block.value) ?? '')
  }
}

/** What the provider counted beyond the estimate; 0 where the estimate is the higher one. */
export function leftOver(used: number, parts: ContextParts): number {
  return Math.max(0, used - Object.values(parts).reduce((sum, tokens) => sum + tokens, 0))
}

function tokensOf(text: string): number {
  return Math.ceil(utf8Length(text) / BYTES_PER_TOKEN)
}

/** Bytes of UTF-8, without making them. */
export function utf8Length(text: string): number {
  let bytes = text.length
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) continue
    if (unit < 0x800) bytes += 1
    else if (unit >= 0xd800 && unit <= 0xdbff && isLow(text.charCodeAt(i + 1))) {
      // Two units make four bytes.
      bytes += 2
      i += 1
    } else bytes += 2
  }
  return bytes
}

function isLow(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff
}
