import { messageOf, UserError } from '../../errors'

/** What a script says of itself (PEP 723, "inline script metadata"). */
export interface ScriptMetadata {
  dependencies: string[]
  /** Version specifier such as ">=3.11"; null: any. */
  requires_python: string | null
}

/** Nobody writes a script of more; a file that has it is data. */
const MAX_CHARS = 5_000_000

/** The specification's opening line; the type of a block is `script` for metadata. */
const OPENING = /^# \/\/\/ ([a-zA-Z0-9-]+)$/
const CLOSING = '# ///'

/**
 * Reads the metadata block of a script; null when it has none. Linear in the length of the text. Throws UserError
 * (`invalid_request`) for several blocks and for content that is not what the specification demands.
 */
export function parseScriptMetadata(text: string): ScriptMetadata | null {
  if (text.length > MAX_CHARS) return null
  const blocks = findBlocks(text)
  if (blocks.length === 0) return null
  if (blocks.length > 1) throw invalid('it has more than one block "# /// script"')
  return readContent(blocks[0] ?? '')
}

/** Contents of all blocks of type `script`, as the expression of the specification finds them. */
export function findBlocks(text: string): string[] {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  const blocks: string[] = []
  for (let at = 0; at < lines.length; at += 1) {
    const type = OPENING.exec(lines[at] ?? '')?.[1]
    if (type === undefined) continue
    // The block ends with the last closing line of the comment it stands in.
    let close = -1
    let end = at + 1
    for (; end < lines.length; end += 1) {
      const line = lines[end] ?? ''
      if (line !== '#' && !line.startsWith('# ')) break
      if (line === CLOSING) close = end
    }
    // Without a closing line, or with nothing in it, it is an ordinary comment, and so is the rest of it.
    if (close <= at + 1) {
      at = end - 1
      continue
    }
    if (type === 'script')
      blocks.push(
        lines
          .slice(at + 1, close)
          .map((line) => line.slice(2))
          .join('\n'),
      )
    at = close
  }
  return blocks
}

function readContent(content: string): ScriptMetadata {
  let values: Map<string, unknown>
  try {
    values = new TopLevel(content).read()
  } catch (error) {
    throw invalid(`its content is not valid TOML: ${messageOf(error)}`)
  }
  const dependencies = values.get('dependencies') ?? []
  const requires = values.get('requires-python') ?? null
  if (!Array.isArray(dependencies) || !dependencies.every((entry): entry is string => typeof entry === 'string')) {
    throw invalid('dependencies is not a list of strings')
  }
  if (requires !== null && typeof requires !== 'string') throw invalid('requires-python is not a string')
  return { dependencies: dependencies.map((entry) => entry.trim()), requires_python: requires }
}

function invalid(why: string): UserError {
  return new UserError(
    'invalid_request',
    `The script's metadata cannot be used: ${why}.`,
    'Correct the block "# /// script".',
  )
}

const ESCAPES: Record<string, string> = {
  b: '\b',
  t: '\t',
  n: '\n',
  f: '\f',
  r: '\r',
  e: '\u001b',
  '"': '"',
  '\\': '\\',
}

/**
 * The pairs of a TOML document before its first table, which is where the two keys stand. Strings and lists become values,
 * everything else zero; what follows the first `[table]` is left to whoever needs it.
 */
class TopLevel {
  #at = 0
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  read(): Map<string, unknown> {
    const values = new Map<string, unknown>()
    for (;;) {
      this.#skip(true)
      if (this.#at >= this.#text.length || this.#peek() === '[') return values
      const key = this.#key()
      const value = this.#value(0)
      // A dotted key belongs to a table.
      if (key.length === 1 && key[0] !== undefined) {
        if (values.has(key[0])) throw new Error(`"${key[0]}" stands there twice`)
        values.set(key[0], value)
      }
      this.#skip(false)
      if (this.#at < this.#text.length && this.#peek() !== '\n') throw new Error(`line end expected ${this.#where()}`)
    }
  }

  #key(): string[] {
    const parts: string[] = []
    for (;;) {
      this.#blanks()
      if (this.#peek() === '"' || this.#peek() === "'") {
        parts.push(this.#string())
      } else {
        const bare = this.#match(/[A-Za-z0-9_-]+/y)
        if (bare === null) throw new Error(`key expected ${this.#where()}`)
        parts.push(bare)
      }
      this.#blanks()
      if (this.#take('.')) continue
      if (!this.#take('=')) throw new Error(`"=" expected ${this.#where()}`)
      this.#blanks()
      return parts
    }
  }

  #value(depth: number): unknown {
    if (depth > 50) throw new Error('lists are nested too deep')
    const next = this.#peek()
    if (next === '"' || next === "'") return this.#string()
    if (next === '[') return this.#list(depth)
    if (next === '{') return this.#table(depth)
    if (this.#match(/[A-Za-z0-9+\-.:_]+( \d\d:[\d:.]+)?/y) === null) throw new Error(`value expected ${this.#where()}`)
    return 0
  }

  #list(depth: number): unknown[] {
    this.#at += 1
    const values: unknown[] = []
    for (;;) {
      this.#skip(true)
      if (this.#take(']')) return values
      values.push(this.#value(depth + 1))
      this.#skip(true)
      if (this.#take(',')) continue
      if (this.#take(']')) return values
      throw new Error(`"," or "]" expected ${this.#where()}`)
    }
  }

  #table(depth: number): number {
    this.#at += 1
    this.#blanks()
    if (this.#take('}')) return 0
    for (;;) {
      this.#key()
      this.#value(depth + 1)
      this.#blanks()
      if (this.#take(',')) continue
      if (this.#take('}')) return 0
      throw new Error(`"," or "}" expected ${this.#where()}`)
    }
  }

  #string(): string {
    const mark = this.#peek()
    const long = this.#text.startsWith(mark.repeat(3), this.#at)
    if (long) return this.#long(mark)
    const body = this.#match(mark === '"' ? /"((?:[^"\\\n]|\\.)*)"/y : /'([^'\n]*)'/y)
    if (body === null) throw new Error(`a string is not closed ${this.#where()}`)
    return mark === '"' ? unescaped(body.slice(1, -1)) : body.slice(1, -1)
  }

  #long(mark: string): string {
    const whole = mark === '"' ? /"""((?:\\[\s\S]|(?!""")[^\\])*)"{3,5}/y : /'''((?:(?!''')[\s\S])*)'{3,5}/y
    const text = this.#match(whole)
    if (text === null) throw new Error(`a string is not closed ${this.#where()}`)
    const body = text.slice(3, -3).replace(/^\n/, '')
    return mark === '"' ? unescaped(body.replace(/\\[ \t]*\n\s*/g, '')) : body
  }

  #match(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0] ?? null
    if (found !== null) this.#at += found.length
    return found
  }

  #take(mark: string): boolean {
    if (this.#peek() !== mark) return false
    this.#at += 1
    return true
  }

  #peek(): string {
    return this.#text[this.#at] ?? ''
  }

  #blanks(): void {
    this.#match(/[ \t]*/y)
  }

  /** Blanks and comments, and line ends when asked. */
  #skip(lineEnds: boolean): void {
    this.#match(lineEnds ? /(?:[ \t\n]|#[^\n]*)*/y : /[ \t]*(?:#[^\n]*)?/y)
  }

  #where(): string {
    return `in line ${this.#text.slice(0, this.#at).split('\n').length}`
  }
}

function unescaped(text: string): string {
  return text.replace(
    /\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))/gs,
    (_, short?: string, long?: string, one?: string) => {
      if (one === undefined) return String.fromCodePoint(Number.parseInt(short ?? long ?? '', 16))
      const char = ESCAPES[one]
      if (char === undefined) throw new Error(`unknown escape \\${one}`)
      return char
    },
  )
}
