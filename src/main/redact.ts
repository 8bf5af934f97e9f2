import { isSecretField, mayHoldPattern, openFrom, type PatternLevel, redactInLines } from './redact-patterns'
import { PemFilter, redactPem } from './redact-pem'

export type { PatternLevel } from './redact-patterns'

/** What stands in the place of a known secret. */
export const REDACTED = '[REDACTED]'
/** Shorter values would redact ordinary words. */
const MIN_SECRET_CHARS = 8

/**
 * Replaces every known secret value, and what has the form of one, in every string of a JSON-like value. Returns the
 * same object when none occurs; never changes the one it is given. `level`: which forms (see redact-patterns).
 */
export function redactValue<T>(value: T, secrets: readonly string[], level: PatternLevel = 'precise'): T {
  return walk(value, usable(secrets), level) as T
}

/** Results of these are file contents, which the model must be able to edit letter by letter. */
const EXACT_TOOLS: ReadonlySet<string> = new Set(['read', 'write', 'edit'])

/**
 * Redacts the payload of an event. Full patterns for what programs print, what the user writes and what fails; only the
 * precise ones for replies, arguments, diffs and file contents.
 */
export function redactEvent<T extends object>(type: string, data: T, secrets: readonly string[]): T {
  switch (type) {
    case 'tool_log':
    case 'user_message':
    case 'queue_update':
    case 'error':
      return redactValue(data, secrets, 'full')
    case 'tool_output': {
      const precise = redactValue(data, secrets)
      const { tool, output } = precise as { tool?: unknown; output?: unknown }
      if (typeof output !== 'string' || (typeof tool === 'string' && EXACT_TOOLS.has(tool))) return precise
      const full = redactValue(output, secrets, 'full')
      return full === output ? precise : { ...precise, output: full }
    }
    default:
      return redactValue(data, secrets)
  }
}

/** Longest first: where one secret is the beginning of another, replacing the short one would leave the rest readable. */
function usable(secrets: readonly string[]): string[] {
  return secrets.filter((secret) => secret.length >= MIN_SECRET_CHARS).sort((a, b) => b.length - a.length)
}

function walk(value: unknown, secrets: readonly string[], level: PatternLevel | null): unknown {
  if (typeof value === 'string') return redactText(redactKnown(value, secrets), level)
  if (Array.isArray(value)) {
    const next = value.map((entry) => walk(entry, secrets, level))
    return next.some((entry, i) => entry !== value[i]) ? next : value
  }
  if (value !== null && typeof value === 'object') {
    const inner = isSealed(value) ? null : level
    let changed = false
    const next = Object.entries(value).map(([key, entry]): [string, unknown] => {
      const named = inner === 'full' && typeof entry === 'string' && isSecretField(key, entry)
      const redacted = named ? REDACTED : walk(entry, secrets, inner)
      const name = redactText(redactKnown(key, secrets), inner && 'precise')
      changed ||= redacted !== entry || name !== key
      return [name, redacted]
    })
    return changed ? Object.fromEntries(next) : value
  }
  return value
}

/** Blocks that the provider signs or encrypts: one changed letter and it refuses the conversation. */
function isSealed(value: object): boolean {
  if (!('type' in value)) return false
  return value.type === 'opaque' || (value.type === 'reasoning' && ('signature' in value || 'redacted' in value))
}

function redactText(text: string, level: PatternLevel | null): string {
  if (level === null || text.length < MIN_SECRET_CHARS) return text
  const result = redactPem(text)
  return mayHoldPattern(result) ? redactInLines(result, level) : result
}

function redactKnown(text: string, secrets: readonly string[]): string {
  let result = text
  for (const secret of secrets) if (result.includes(secret)) result = result.replaceAll(secret, REDACTED)
  return result
}

/**
 * Redacts a stream of pieces: a secret cut in two by a chunk boundary is still found. Held back until the next piece or
 * `flush` is only the end of a piece that could be the beginning of a secret, at most about MAX_HELD_CHARS characters
 * of an unfinished line (inside a private key: its unfinished line).
 */
export class StreamRedactor {
  private readonly known: KnownStream
  private readonly patterns: PatternStream

  constructor(secrets: () => readonly string[], level: PatternLevel = 'full') {
    this.known = new KnownStream(secrets)
    this.patterns = new PatternStream(level)
  }

  push(text: string): string {
    return this.patterns.push(this.known.push(text))
  }

  flush(): string {
    return this.patterns.push(this.known.flush()) + this.patterns.flush()
  }
}

/** What goes on with a token whose beginning has already been replaced. */
const REST_OF_TOKEN = /^[A-Za-z0-9_.~+/=-]+/
/** The end of a word that was let through: what follows it is not the beginning of a word. */
const WORD_AT_END = /[A-Za-z0-9_.-]{1,64}$/

class PatternStream {
  private readonly pem = new PemFilter()
  private held = ''
  private before = ''
  private swallowing = false

  constructor(private readonly level: PatternLevel) {}

  push(text: string): string {
    return this.lines(this.pem.push(text), false)
  }

  flush(): string {
    const out = this.lines(this.pem.flush(), true)
    this.before = ''
    this.swallowing = false
    return out
  }

  private lines(text: string, last: boolean): string {
    let rest = this.held + text
    this.held = ''
    if (this.swallowing && rest !== '') {
      rest = rest.replace(REST_OF_TOKEN, '')
      this.swallowing = rest === ''
    }
    if (rest === '') return ''
    if (!last) {
      const line = Math.max(rest.lastIndexOf('\n'), rest.lastIndexOf('\r')) + 1
      // The word before it may be the beginning of a name.
      const word = line === 0 ? this.before : ''
      const open = line + Math.max(0, openFrom(word + rest.slice(line)) - word.length)
      this.held = rest.slice(open)
      rest = rest.slice(0, open)
      if (rest === '') return ''
    }
    const { before } = this
    this.before = WORD_AT_END.exec(rest.slice(-64))?.[0] ?? ''
    if (this.before.length === rest.length) this.before = (before + rest).slice(-64)
    const joined = before + rest
    if (!mayHoldPattern(joined)) return rest
    const result = redactInLines(joined, this.level)
    if (result === joined) return rest
    // A token longer than what is held: its end is still to come.
    this.swallowing = !last && this.held === '' && result.endsWith(']') && !joined.endsWith(']')
    return result.startsWith(before) ? result.slice(before.length) : redactInLines(rest, this.level)
  }
}

/** The known values of a stream. */
class KnownStream {
  private held = ''

  constructor(private readonly secrets: () => readonly string[]) {}

  push(text: string): string {
    const secrets = usable(this.secrets())
    let rest = this.held + text
    let passed = ''
    for (;;) {
      const open = rest.length - longestPrefixAtEnd(rest, secrets)
      const match = firstMatch(rest, secrets)
      // A whole secret at or after `open` may be a part of a longer one that has not come to its end.
      if (match === null || match.at >= open) {
        this.held = rest.slice(open)
        return passed + rest.slice(0, open)
      }
      passed += rest.slice(0, match.at) + REDACTED
      rest = rest.slice(match.at + match.length)
    }
  }

  flush(): string {
    const rest = redactKnown(this.held, usable(this.secrets()))
    this.held = ''
    return rest
  }
}

/** The first secret in the text; of several at the same place the longest, which comes first in `secrets`. */
function firstMatch(text: string, secrets: readonly string[]): { at: number; length: number } | null {
  let first: { at: number; length: number } | null = null
  for (const secret of secrets) {
    const at = text.indexOf(secret)
    if (at !== -1 && (first === null || at < first.at)) first = { at, length: secret.length }
  }
  return first
}

/** A StreamRedactor for bytes: what it passes through is not changed in any other way. */
export class ByteRedactor {
  private readonly text: StreamRedactor

  constructor(secrets: () => readonly string[], level: PatternLevel = 'full') {
    // Latin-1 maps every byte to one character and back, so that any bytes survive.
    const bytes = () => secrets().map((secret) => Buffer.from(secret, 'utf8').toString('latin1'))
    this.text = new StreamRedactor(bytes, level)
  }

  push(bytes: Buffer): Buffer {
    return Buffer.from(this.text.push(bytes.toString('latin1')), 'latin1')
  }

  flush(): Buffer {
    return Buffer.from(this.text.flush(), 'latin1')
  }
}

/** Length of the longest end of `text` that is a proper beginning of a secret. */
function longestPrefixAtEnd(text: string, secrets: readonly string[]): number {
  let longest = 0
  for (const secret of secrets) {
    for (let n = Math.min(secret.length - 1, text.length); n > longest; n--) {
      if (text.endsWith(secret.slice(0, n))) {
        longest = n
        break
      }
    }
  }
  return longest
}
