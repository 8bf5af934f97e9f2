/** What stands in the place of a secret. */
export const REDACTED = '[REDACTED]'
/** Shorter values would redact ordinary words. */
const MIN_SECRET_CHARS = 8

/** Replaces every known secret value in every string of a JSON-like value. Returns the same object when none occurs. */
export function redactValue<T>(value: T, secrets: readonly string[]): T {
  const known = usable(secrets)
  return known.length === 0 ? value : (walk(value, known) as T)
}

/** Longest first: where one secret is the beginning of another, replacing the short one would leave the rest readable. */
function usable(secrets: readonly string[]): string[] {
  return secrets.filter((secret) => secret.length >= MIN_SECRET_CHARS).sort((a, b) => b.length - a.length)
}

function walk(value: unknown, secrets: readonly string[]): unknown {
  if (typeof value === 'string') return redactText(value, secrets)
  if (Array.isArray(value)) {
    const next = value.map((entry) => walk(entry, secrets))
    return next.some((entry, i) => entry !== value[i]) ? next : value
  }
  if (value !== null && typeof value === 'object') {
    let changed = false
    const next = Object.entries(value).map(([key, entry]): [string, unknown] => {
      const redacted = walk(entry, secrets)
      const name = redactText(key, secrets)
      changed ||= redacted !== entry || name !== key
      return [name, redacted]
    })
    return changed ? Object.fromEntries(next) : value
  }
  return value
}

function redactText(text: string, secrets: readonly string[]): string {
  let result = text
  for (const secret of secrets) if (result.includes(secret)) result = result.replaceAll(secret, REDACTED)
  return result
}

/**
 * Redacts a stream of pieces: a secret cut in two by a chunk boundary is still found. The end of a piece that could be
 * the beginning of a secret is held back until the next piece or `flush`.
 */
export class StreamRedactor {
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
    const rest = redactText(this.held, usable(this.secrets()))
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

  constructor(secrets: () => readonly string[]) {
    // Latin-1 maps every byte to one character and back, so that any bytes survive.
    this.text = new StreamRedactor(() => secrets().map((secret) => Buffer.from(secret, 'utf8').toString('latin1')))
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
