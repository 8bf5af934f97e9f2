import { createHash } from 'node:crypto'

/**
 * Ids of tool calls that every provider takes back: Anthropic refuses characters beyond these, OpenAI ids longer than
 * 40 characters. A call and its result are translated alike, so they stay together.
 */
const TAKEN = /^[A-Za-z0-9_-]{1,40}$/

export function portableCallId(id: string): string {
  if (TAKEN.test(id)) return id
  const bare = id.replaceAll('-', '')
  // `call_<uuid>` is one character too long, and as unique without its hyphens.
  return TAKEN.test(bare) ? bare : `call_${createHash('sha256').update(id).digest('hex').slice(0, 32)}`
}
