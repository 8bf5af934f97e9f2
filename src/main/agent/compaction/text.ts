import type { PlanItem } from '@shared/content'

/** Bytes a token, as in tokens.ts; here for the way back from tokens to characters. */
const BYTES_PER_TOKEN = 4
/** Of what is kept of a long text: the beginning says what it is, the end how it came out. */
const HEAD_SHARE = 0.6

const marks: Record<PlanItem['status'], string> = { completed: '[x]', in_progress: '[~]', pending: '[ ]' }

/** `text` in about `tokens`: beginning and end, with `note` in the place of what is left out. */
export function shorten(text: string, tokens: number, note: (omitted: number) => string): string {
  const bytes = Buffer.byteLength(text)
  const limit = tokens * BYTES_PER_TOKEN
  if (bytes <= limit) return text
  const keep = Math.max(0, Math.floor((text.length * limit) / bytes))
  const head = wholeCharacters(text, Math.floor(keep * HEAD_SHARE))
  const tail = wholeCharacters(text, text.length - (keep - Math.floor(keep * HEAD_SHARE)))
  return `${text.slice(0, head)}\n${note(tail - head)}\n${text.slice(tail)}`
}

export function leftOut(omitted: number): string {
  return `[… ${omitted.toLocaleString('en-US')} characters left out …]`
}

/** A place to cut that is not inside a character of two code units. */
function wholeCharacters(text: string, at: number): number {
  const code = text.charCodeAt(at)
  return code >= 0xdc00 && code <= 0xdfff && at > 0 ? at - 1 : at
}

/** One line of at most `max` characters. */
export function oneLine(text: string, max: number): string {
  const chars = [
    ...text
      .slice(0, max * 4)
      .replace(/\s+/g, ' ')
      .trim(),
  ]
  return chars.length > max ? `${chars.slice(0, max - 1).join('')}…` : chars.join('')
}

export function planText(plan: readonly PlanItem[]): string {
  return plan.map(({ status, content }) => `- ${marks[status]} ${oneLine(content, 300)}`).join('\n')
}
