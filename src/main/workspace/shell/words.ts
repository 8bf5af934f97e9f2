import { decodeAnsiC } from './ansi-c'
import { quoteWord, visible } from './quote'
import { Unsure, type Word } from './types'

/** Characters that end a word where they are not quoted. */
const META = new Set([' ', '\t', '\n', ';', '&', '|', '(', ')', '<', '>'])
/** What can be taken over as it stands. */
const PLAIN_RUN = /[A-Za-z0-9_\-+@%:/,.!#\]}^=\u0080-\uffff]+/y
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y
/** Forms of `${…}` behind the name that only look at a value: defaults, cuts at the ends, length, replacement. */
const TAME_EXPANSION = /^#?[A-Za-z_0-9@*#?$!-]*(\[[@*0-9]+\])?(:?[-+?].*|[#%/^,].*|:[ 0-9:-]*)?$/s
/** Words in one text; beyond, nobody reads it. */
const MAX_WORDS = 5_000
/** Expansions inside each other. */
const MAX_NESTED = 100
const ARITHMETIC_NAME = /(?<![0-9A-Za-z_])[A-Za-z_]/

/** Reads the words of a command line and everything inside them. */
export abstract class WordReader {
  protected pos = 0
  /** Something was read whose effect is known only when it runs. */
  protected vague = false
  private words = 0
  /** Expansions around the position. */
  private expansions = 0

  constructor(protected readonly src: string) {}

  /** Reads commands up to the `)` that closes a substitution; `pos` is behind it then. */
  protected abstract substitution(): void
  /** Reads a text of its own as commands: what stands between backticks. */
  protected abstract reparse(text: string): void
  /** A line end inside quotes, which here-documents that still wait for their text make ambiguous. */
  protected abstract quotedNewline(): void

  protected at(text: string): boolean {
    return this.src.startsWith(text, this.pos)
  }

  /** The word at the position; null when there is none. Throws Unsure. */
  protected word(): Word | null {
    const start = this.pos
    const state = { value: '', exact: true, plain: true, glob: false, process: false, variables: [] as string[] }
    let pieces = 0
    for (;;) {
      const c = this.src[this.pos]
      if (c === undefined) break
      const substitution = (c === '<' || c === '>') && this.src[this.pos + 1] === '('
      if (META.has(c) && !substitution) break
      pieces += 1
      if (substitution) {
        this.pos += 2
        this.substitution()
        state.process = pieces === 1
        state.exact = false
      } else this.piece(c, state)
    }
    if (this.pos === start) return null
    this.words += 1
    if (this.words > MAX_WORDS) throw new Unsure('too many words')
    if (pieces > 1) state.process = false
    const raw = this.src.slice(start, this.pos)
    const tilde = raw.startsWith('~')
    // Only unquoted braces expand; a quoted one that is taken for such costs a question.
    if (raw !== '{}' && mayExpandBraces(raw)) state.glob = true
    if (raw === '[' || raw === '[[') state.glob = false
    const literal = state.exact && !state.glob
    const value = literal ? state.value : raw
    return {
      value,
      text: literal ? quoteWord(value, tilde) : visible(raw.replaceAll('\\\n', '')),
      literal,
      tilde,
      plain: state.plain && literal,
      process: state.process,
      hidden: /\$[({]|`/.test(state.value),
      variables: state.variables,
    }
  }

  private piece(c: string, state: WordState): void {
    const { src } = this
    if (c === '\\') {
      const next = src[this.pos + 1]
      if (next === undefined) throw new Unsure('a backslash at the end')
      this.pos += 2
      if (next === '\n') return
      state.plain = false
      state.value += next
    } else if (c === "'") {
      const end = src.indexOf("'", this.pos + 1)
      if (end < 0) throw new Unsure('a quote that is not closed')
      const text = src.slice(this.pos + 1, end)
      if (text.includes('\n')) this.quotedNewline()
      state.value += text
      state.plain = false
      this.pos = end + 1
    } else if (c === '"') {
      this.pos += 1
      this.doubleQuoted(state)
    } else if (c === '$' || c === '`') {
      this.expansion(state, false)
    } else {
      PLAIN_RUN.lastIndex = this.pos
      const run = PLAIN_RUN.exec(src)?.[0] ?? c
      if (run === '*' || run === '?' || run === '[') state.glob = true
      state.value += run
      this.pos += run.length
    }
  }

  /** The rest of a "…" whose opening quote has been read. */
  private doubleQuoted(state: WordState): void {
    state.plain = false
    const special = /["\\$`\n]/g
    for (;;) {
      special.lastIndex = this.pos
      const c = special.exec(this.src)?.[0]
      if (c === undefined) throw new Unsure('a quote that is not closed')
      state.value += this.src.slice(this.pos, special.lastIndex - 1)
      this.pos = special.lastIndex - 1
      if (c === '"') {
        this.pos += 1
        return
      }
      if (c === '\n') {
        this.quotedNewline()
        state.value += c
        this.pos += 1
      } else if (c === '\\') {
        const next = this.src[this.pos + 1] ?? ''
        if (next !== '\n') state.value += '"\\$`'.includes(next) ? next : c + next
        this.pos += 2
      } else this.expansion(state, true)
    }
  }

  /** Expansions in a text that is not split into words: a here-document without quotes around its delimiter. */
  protected expansionsOnly(): void {
    const state: WordState = { value: '', exact: true, plain: false, glob: false, process: false, variables: [] }
    const special = /[\\$`]/g
    for (;;) {
      special.lastIndex = this.pos
      const c = special.exec(this.src)?.[0]
      if (c === undefined) return
      this.pos = special.lastIndex - 1
      if (c === '\\') this.pos += 2
      else this.expansion(state, true)
    }
  }

  /** What a `$` or a backtick begins. */
  private expansion(state: WordState, inDouble: boolean): void {
    if (this.expansions >= MAX_NESTED) throw new Unsure('too deep')
    this.expansions += 1
    this.readExpansion(state, inDouble)
    this.expansions -= 1
  }

  private readExpansion(state: WordState, inDouble: boolean): void {
    const { src } = this
    state.plain = false
    if (src[this.pos] === '`') {
      state.exact = false
      this.reparse(this.backticks(inDouble))
      return
    }
    const next = src[this.pos + 1] ?? ''
    if (next === "'" && !inDouble) {
      const { value, end, exact } = decodeAnsiC(src, this.pos + 2)
      if (value.includes('\n')) this.quotedNewline()
      state.value += value
      if (!exact) state.exact = false
      this.pos = end
    } else if (next === '"' && !inDouble) {
      this.pos += 2
      this.doubleQuoted(state)
    } else if (next === '(') {
      state.exact = false
      if (this.at('$((')) {
        this.pos += 3
        this.arithmetic()
      } else {
        this.pos += 2
        this.substitution()
      }
    } else if (next === '{') {
      state.exact = false
      this.pos += 2
      this.parameter(state)
    } else if (next === '[') {
      throw new Unsure('old arithmetic')
    } else {
      NAME.lastIndex = this.pos + 1
      const name = NAME.exec(src)?.[0]
      if (name !== undefined) {
        state.exact = false
        state.variables.push(name)
        this.pos += 1 + name.length
      } else if (next !== '' && '0123456789@*#?-$!'.includes(next)) {
        state.exact = false
        this.pos += 2
      } else {
        state.value += '$'
        this.pos += 1
      }
    }
  }

  /** The inside of `…`, with one level of backslashes taken off. */
  private backticks(inDouble: boolean): string {
    const escapable = inDouble ? '$`\\"' : '$`\\'
    const parts: string[] = []
    const special = /[`\\]/g
    let from = this.pos + 1
    for (;;) {
      special.lastIndex = from
      const c = special.exec(this.src)?.[0]
      if (c === undefined) throw new Unsure('a backtick that is not closed')
      const at = special.lastIndex - 1
      parts.push(this.src.slice(from, at))
      if (c === '`') {
        this.pos = at + 1
        const text = parts.join('')
        if (text.includes('\n')) this.quotedNewline()
        return text
      }
      const next = this.src[at + 1] ?? ''
      parts.push(escapable.includes(next) ? next : c + next)
      from = at + 2
    }
  }

  /** `${…}` from behind its brace. Quotes inside mean different things in different places: not read. */
  private parameter(state: WordState): void {
    const start = this.pos
    const special = /[}$`'"\\]/g
    let nested = false
    for (;;) {
      special.lastIndex = this.pos
      const c = special.exec(this.src)?.[0]
      if (c === undefined) throw new Unsure('a brace that is not closed')
      this.pos = special.lastIndex - 1
      if (c === '}') break
      if (c !== '$' && c !== '`') throw new Unsure('quotes in an expansion')
      if (c === '$' && !/[A-Za-z_0-9({@*#?$!-]/.test(this.src[this.pos + 1] ?? '')) {
        this.pos += 1
        continue
      }
      nested = true
      this.expansion(state, true)
    }
    const inside = this.src.slice(start, this.pos)
    this.pos += 1
    NAME.lastIndex = 0
    const name = NAME.exec(inside.startsWith('#') ? inside.slice(1) : inside)?.[0]
    if (name !== undefined) state.variables.push(name)
    // `${!x}`, `${x@P}`, `${x:=…}`, `${x[…]}`, `${x:y}` name, run, set or compute something.
    const tame = TAME_EXPANSION.test(inside) && !/@[A-Za-z]$/.test(inside) && !/^!./.test(inside)
    if (!tame || (nested && /^\w*(\[|:[^-+?])/.test(inside))) this.vague = true
  }

  /**
   * Arithmetic up to its `))`. A name in it is evaluated as an expression of its own, and an expression can run a command
   * (`a[$(…)]`): only numbers are harmless.
   */
  protected arithmetic(): void {
    const special = /[()$`'"\\[\n]/g
    const state: WordState = { value: '', exact: true, plain: false, glob: false, process: false, variables: [] }
    let open = 0
    for (;;) {
      special.lastIndex = this.pos
      const c = special.exec(this.src)?.[0]
      if (c === undefined) throw new Unsure('arithmetic that is not closed')
      const at = special.lastIndex - 1
      if (ARITHMETIC_NAME.test(this.src.slice(this.pos, at))) this.vague = true
      this.pos = at
      if (c === '$' || c === '`') {
        this.vague = true
        this.expansion(state, true)
      } else if (c === '(') {
        open += 1
        this.pos += 1
      } else if (c === ')') {
        if (open === 0 && this.src[at + 1] !== ')') throw new Unsure('not arithmetic')
        this.pos += open === 0 ? 2 : 1
        if (open === 0) return
        open -= 1
      } else if (c === '\n') this.pos += 1
      else throw new Unsure('quotes or subscripts in arithmetic')
    }
  }
}

/** Whether there is a `,` or `..` behind a brace; anything may stand between, for `{"}",b}` expands too. */
function mayExpandBraces(raw: string): boolean {
  const brace = raw.indexOf('{')
  return brace >= 0 && (raw.includes(',', brace) || raw.includes('..', brace))
}

interface WordState {
  value: string
  exact: boolean
  plain: boolean
  glob: boolean
  process: boolean
  variables: string[]
}
