import { createHash } from 'node:crypto'

/**
 * One text for all JSON that means the same: keys sorted, no white space, everything outside ASCII escaped. Numbers
 * keep their spelling (1 and 1.0 differ), a repeated key keeps its last value, and what is not JSON stays as it is.
 */
export function canonicalJson(text: string): string {
  // Only these can be spelled in more than one way; the rest need not be parsed to know that it is prose.
  if (!/^\s*[[{"]/.test(text)) return text
  try {
    JSON.parse(text)
    return new CanonicalWriter(text).value()
  } catch {
    // Not JSON, or nested deeper than the stack: compared as it was written.
    return text
  }
}

/** Short name of a text, for comparing: 12 hex digits, enough for the 30 that are ever compared. */
export function fingerprint(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}

/** Walks a text that is known to be valid JSON. (JSON.parse alone would lose how a number was written.) */
class CanonicalWriter {
  private at = 0

  constructor(private readonly text: string) {}

  value(): string {
    switch (this.peek()) {
      case '{':
        return this.object()
      case '[':
        return this.array()
      case '"':
        return ascii(this.token(STRING))
      default:
        return this.token(SCALAR)
    }
  }

  private object(): string {
    const members = new Map<string, string>()
    this.at += 1
    while (this.peek() !== '}') {
      if (this.peek() === ',') this.at += 1
      this.peek()
      const key = ascii(this.token(STRING))
      this.peek()
      this.at += 1
      members.set(key, this.value())
    }
    this.at += 1
    const sorted = [...members].sort(([a], [b]) => (a < b ? -1 : 1))
    return `{${sorted.map(([key, value]) => `${key}:${value}`).join(',')}}`
  }

  private array(): string {
    const values: string[] = []
    this.at += 1
    while (this.peek() !== ']') {
      if (this.peek() === ',') this.at += 1
      values.push(this.value())
    }
    this.at += 1
    return `[${values.join(',')}]`
  }

  /** Skips white space and shows the next character. */
  private peek(): string {
    while (' \t\r\n'.includes(this.text.charAt(this.at)) && this.at < this.text.length) this.at += 1
    return this.text.charAt(this.at)
  }

  private token(pattern: RegExp): string {
    pattern.lastIndex = this.at
    const match = pattern.exec(this.text)
    if (!match) throw new SyntaxError(`no token at ${this.at}`)
    this.at = pattern.lastIndex
    return match[0]
  }
}

const STRING = /"(?:[^"\\]|\\.)*"/y
const SCALAR = /[^\s,\]}]+/y

/** A JSON string literal in one spelling. */
function ascii(literal: string): string {
  const value: unknown = JSON.parse(literal)
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
