/** What stands in the place of a secret. */
export const REDACTED = '[REDACTED]'
/** Shorter values would redact ordinary words. */
const MIN_SECRET_CHARS = 8

/** Replaces every known secret value in every string of a JSON-like value. Returns the same object when none occurs. */
export function redactValue<T>(value: T, secrets: readonly string[]): T {
  const known = secrets.filter((secret) => secret.length >= MIN_SECRET_CHARS)
  return known.length === 0 ? value : (walk(value, known) as T)
}

function walk(value: unknown, secrets: readonly string[]): unknown {
  if (typeof value === 'string') return redactText(value, secrets)
  if (Array.isArray(value)) {
    const next = value.map((entry) => walk(entry, secrets))
    return next.some((entry, i) => entry !== value[i]) ? next : value
  }
  if (value !== null && typeof value === 'object') {
    let changed = false
    const next: Record<string, unknown> = {}
    for (const [key, entry] of Object.entries(value)) {
      const redacted = walk(entry, secrets)
      changed ||= redacted !== entry
      next[key] = redacted
    }
    return changed ? next : value
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
    const secrets = this.secrets().filter((secret) => secret.length >= MIN_SECRET_CHARS)
    if (secrets.length === 0) return text
    const all = redactText(this.held + text, secrets)
    const keep = longestPrefixAtEnd(all, secrets)
    this.held = all.slice(all.length - keep)
    return all.slice(0, all.length - keep)
  }

  flush(): string {
    const rest = this.held
    this.held = ''
    return rest
  }
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
