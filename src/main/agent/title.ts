import template from '../../../resources/prompts/title.md?raw'
import { shorten } from './compaction/text'
import { sideCall } from './side-call'
import type { TurnContext } from './types'

const MAX_TITLE_CHARS = 80
/** Estimated tokens of each side of the conversation that are shown: a title needs the gist. */
const EXCERPT_TOKENS = 600
/** A model that thinks first spends tokens of the same limit. */
const MAX_TOKENS = 1_000

/**
 * A name for the session by a small model, recorded as `session_update`. A failure is no matter: the first line of the
 * first message stays. Throws the signal's reason, and BudgetStop.
 */
export async function makeTitle(turn: TurnContext): Promise<void> {
  const { items } = turn.state()
  const asked = items.find((item) => item.kind === 'user')
  const answered = items.findLast((item) => item.kind === 'assistant' && item.text.trim() !== '')
  if (asked?.kind !== 'user') return
  const excerpt = (text: string): string => shorten(text, EXCERPT_TOKENS, () => '\n[…]\n')
  const parts = ['---', `User: ${excerpt(asked.text)}`]
  if (answered?.kind === 'assistant') parts.push(`Assistant: ${excerpt(answered.text)}`)
  const reply = await sideCall(turn, {
    kind: 'title',
    role: 'title',
    request: {
      system: template.trim(),
      messages: [{ role: 'user', content: [{ type: 'text', text: [...parts, '---', 'The title:'].join('\n\n') }] }],
      tools: [],
      effort: 'low',
      streaming: true,
      max_tokens: MAX_TOKENS,
    },
  })
  const title = reply.kind === 'text' ? cleanTitle(reply.text) : ''
  // The user may have named it while the model thought.
  if (title !== '' && turn.state().title_by === null) turn.emit('session_update', { title, title_by: 'model' })
}

/** One line without the decoration that models add; empty when nothing is left. */
export function cleanTitle(text: string): string {
  const line = text.trim().split('\n', 1)[0] ?? ''
  const bare = line
    .replace(/^#+\s*/, '')
    .replace(/^title:\s*/i, '')
    .replace(/[\p{Cc}\p{Cf}]/gu, '')
    .replace(/\*\*|__|`/g, '')
    .trim()
    .replace(/^["'“”«»„]+|["'“”«».]+$/gu, '')
    .replace(/\s+/g, ' ')
    .trim()
  const chars = [...bare]
  return chars.length > MAX_TITLE_CHARS
    ? `${chars
        .slice(0, MAX_TITLE_CHARS - 1)
        .join('')
        .trimEnd()}…`
    : bare
}
