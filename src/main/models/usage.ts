import type { Block } from '@shared/content'
import type { TokenUsage } from './types'

/** Bytes of a token in English text and code, roughly. */
const BYTES_PER_TOKEN = 4

/** For servers that do not count. `prompt_bytes`: of the request as it was sent. */
export function estimateUsage(prompt_bytes: number, blocks: readonly Block[]): TokenUsage {
  const bytes = blocks.reduce((sum, block) => sum + sizeOf(block), 0)
  return {
    prompt_tokens: Math.ceil(prompt_bytes / BYTES_PER_TOKEN),
    completion_tokens: Math.ceil(bytes / BYTES_PER_TOKEN),
    cache_read_tokens: 0,
    cache_creation_tokens: 0,
  }
}

function sizeOf(block: Block): number {
  switch (block.type) {
    case 'tool_use':
      return Buffer.byteLength(block.name + (block.malformed ?? JSON.stringify(block.input)))
    case 'opaque':
      return Buffer.byteLength(JSON.stringify(block.value) ?? '')
    default:
      return Buffer.byteLength(block.text)
  }
}
