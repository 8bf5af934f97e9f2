import type { Effort } from '@shared/settings'

/** Lowest first. */
export const EFFORTS = ['low', 'medium', 'high', 'xhigh', 'max'] as const satisfies readonly Effort[]

/**
 * What a model was found to take. There is no table of levels on purpose: servers change theirs faster than programs
 * are updated, so a level is sent, and a refusal that names it is remembered for the life of the process.
 */
export class EffortMemory {
  private readonly refusedLevels = new Set<Effort>()
  /** False: the model refused the parameter for thinking itself. */
  thinking = true

  /** The highest level from `asked` down that may be taken; null: none. `told`: what the server lists, null: nothing. */
  level(asked: Effort | null, told: readonly Effort[] | null): Effort | null {
    if (asked === null) return null
    const below = EFFORTS.slice(0, EFFORTS.indexOf(asked) + 1)
    return below.findLast((level) => !this.refusedLevels.has(level) && (told === null || told.includes(level))) ?? null
  }

  /** The server refused `sent` with these words: they may list what it takes, or refuse the parameter altogether. */
  refuse(sent: Effort, message: string | null): void {
    this.refusedLevels.add(sent)
    const text = (message ?? '').toLowerCase()
    const listed = EFFORTS.filter((level) => level !== sent && new RegExp(`\\b${level}\\b`).test(text))
    // One of these words alone may be plain English.
    const taken: readonly Effort[] = listed.length > 1 ? listed : []
    const whole = taken.length === 0 && NOT_AT_ALL.test(text) && !new RegExp(`\\b${sent}\\b`).test(text)
    if (taken.length === 0 && !whole) return
    for (const level of EFFORTS) if (!taken.includes(level)) this.refusedLevels.add(level)
  }

  /** The levels that are left of those the server lists; null as long as nothing is known. */
  known(told: readonly Effort[] | null): Effort[] | null {
    if (told === null && this.refusedLevels.size === 0) return null
    // What was never tried above a refused level may be taken, but nobody knows.
    if (told === null) return this.refusedLevels.size === EFFORTS.length ? [] : null
    return told.filter((level) => !this.refusedLevels.has(level))
  }

  /** For a user who chooses the model again: the server may have been updated. */
  forget(): void {
    this.refusedLevels.clear()
    this.thinking = true
  }
}

const NOT_AT_ALL =
  /\b(unknown|unrecogni[sz]ed|unsupported|unexpected)\b|\bnot (be )?(supported|permitted|allowed|available)\b|\b(does not|doesn't|do not) support\b|\bextra (inputs|fields)\b/

const memories = new Map<string, EffortMemory>()

/** One for each model of each server in this process. */
export function effortMemory(server: string, model: string): EffortMemory {
  const key = `${server} ${model}`
  const known = memories.get(key)
  if (known) return known
  const made = new EffortMemory()
  memories.set(key, made)
  return made
}

/** A refusal of the parameter for effort or thinking, by its words; of no use for anything but a 400 or 422. */
export function namesEffort(message: string): boolean {
  // `messages.3.content.0` is the conversation, not a parameter.
  return !/^messages\b/.test(message) && !isThinkingSignature(message) && !/reasoning_content/.test(message)
    ? /\b(reasoning_effort|effort|output_config|thinking|reasoning)\b/i.test(message)
    : false
}

/** Thinking that was signed for another account or model, or that came back changed. */
export function isThinkingSignature(message: string): boolean {
  return /thinking/i.test(message) && /\bsignature\b|cannot be modified/i.test(message)
}
