import { posix } from 'node:path'
import { quoteWord } from './quote'
import { RedirectReader } from './redirects'
import { type Assignment, type ShellLine, type SimpleCommand, Unsure, type Word } from './types'

/** How deep substitutions, subshells and `sh -c` may lie inside each other. */
export const MAX_DEPTH = 24
/** Commands in one line; beyond, nobody can judge it. */
const MAX_COMMANDS = 200
/** Substitutions in one line. */
const MAX_PARTS = 2_000
/** Linux takes no longer argument for `bash -c` (MAX_ARG_STRLEN). */
const MAX_CHARS = 131_072

/** What is before a command and leaves the reader where a command begins. */
const LEADERS = new Set(['if', 'then', 'elif', 'else', 'while', 'until', 'do', '{', '!'])
const CLOSERS = new Set(['fi', 'done', '}', 'esac'])
const ASSIGNMENT = /^([A-Za-z_]\w*)(\[[^\]]*\])?\+?=/
const COMPARES_NUMBERS = /^-(eq|ne|lt|le|gt|ge)$/

/** Shared by a line and everything that is read out of it. */
interface Sink {
  /** Substitutions and texts that were read. */
  parts: number
  commands: SimpleCommand[]
  opaque: boolean
}

/**
 * The simple commands of a POSIX or bash command line, with those inside substitutions, groups, loops and functions.
 * Everything that might run is in it; what cannot be told for sure makes the line opaque. Never throws; takes time
 * proportional to the length of the text.
 */
export function parseShell(text: string, dir: string | null = '.', depth = 0): ShellLine {
  const sink: Sink = { commands: [], opaque: text.length > MAX_CHARS, parts: 0 }
  if (sink.opaque) return sink
  new ShellParser(text, sink, depth, dir).run()
  return sink
}

class ShellParser extends RedirectReader {
  /** `cd` was the last command: it holds behind `&&`, and is uncertain behind anything else. */
  private target: string | null | undefined
  /** The folder was changed in this chain of `&&`. */
  private moved = false
  /** A `!` or a `|` stands before: what comes behind a `cd` then says nothing about where it led. */
  private odd = false

  constructor(
    src: string,
    private readonly sink: Sink,
    depth: number,
    private dir: string | null,
  ) {
    super(src, depth)
  }

  run(): void {
    try {
      if (this.depth > MAX_DEPTH || this.src.includes('\0')) throw new Unsure('too deep')
      this.list(null)
    } catch (error) {
      if (!(error instanceof Unsure)) throw error
      this.vague = true
    }
    if (this.vague) this.sink.opaque = true
  }

  protected override reparse(text: string): void {
    this.countPart()
    new ShellParser(text, this.sink, this.depth + 1, this.dir).run()
  }

  protected override substitution(): void {
    const start = this.pos
    const outer = this.waiting
    this.waiting = []
    this.nested(() => this.list(')'))
    if (this.waiting.length > 0) throw new Unsure('a here-document without its text')
    if (outer.length > 0 && this.src.slice(start, this.pos).includes('\n')) throw new Unsure('where a text begins')
    this.waiting = outer
  }

  private countPart(): void {
    this.sink.parts += 1
    if (this.depth >= MAX_DEPTH || this.sink.parts > MAX_PARTS) throw new Unsure('too much in it')
  }

  /** Runs `read` one level deeper; the folder is the old one afterwards. */
  private nested<T>(read: () => T): T {
    const { dir, moved, target } = this
    this.countPart()
    this.depth += 1
    this.moved = false
    this.target = undefined
    const result = read()
    this.depth -= 1
    this.dir = dir
    this.moved = moved
    this.target = target
    return result
  }

  /** After `&&` the command before it has succeeded; after anything else it may have failed. */
  private separate(operator: '&&' | '|' | ';'): void {
    if (this.target !== undefined) {
      this.dir = operator === '&&' ? this.target : null
      this.moved = true
      this.target = undefined
    }
    this.odd = operator === '|'
    if (operator === ';' && this.moved) {
      this.dir = null
      this.moved = false
    }
  }

  /** Commands up to the end, an unmatched `)`, or the end of a branch of `case`. */
  private list(close: ')' | 'branch' | null): 'esac' | 'closed' {
    const { src } = this
    for (;;) {
      this.blank()
      const c = src[this.pos]
      if (c === undefined) {
        if (close !== null) throw new Unsure('not closed')
        return 'closed'
      }
      if (c === '\n') {
        this.newline()
        this.separate(';')
      } else if (c === ')') {
        if (close !== ')') throw new Unsure('a parenthesis too many')
        this.pos += 1
        return 'closed'
      } else if (c === ';') {
        this.separate(';')
        const branch = /;;&|;;|;&/y
        branch.lastIndex = this.pos
        const end = branch.exec(src)?.[0]
        this.pos += end?.length ?? 1
        if (end === undefined) continue
        if (close !== 'branch') throw new Unsure('two semicolons')
        return 'closed'
      } else if (c === '&' && !this.at('&>')) {
        const both = this.at('&&')
        this.pos += both ? 2 : 1
        this.separate(both ? '&&' : ';')
      } else if (c === '|') {
        const either = this.at('||')
        this.pos += either || this.at('|&') ? 2 : 1
        this.separate(either ? ';' : '|')
      } else if (c === '(') this.parenthesis()
      else if (this.command() === 'esac') {
        if (close !== 'branch') throw new Unsure('esac without case')
        return 'esac'
      }
    }
  }

  private parenthesis(): void {
    if (this.at('((')) {
      this.pos += 2
      this.arithmetic()
    } else {
      this.pos += 1
      this.nested(() => this.list(')'))
    }
    this.redirectsOnly()
  }

  /** A simple command, or the head or end of a compound one. */
  private command(): 'esac' | undefined {
    const command = this.newCommand('command')
    for (;;) {
      this.blank()
      if (this.redirect(command)) continue
      const start = this.pos
      const word = this.word()
      if (word === null) break
      const first = command.words.length === 0
      if (first && this.assignment(command, word, start)) continue
      if (first && word.plain && command.assignments.length === 0 && command.redirects.length === 0) {
        const handled = this.keyword(word.value)
        if (handled !== null) return handled === 'esac' ? 'esac' : undefined
      }
      command.words.push(word)
      // `declare -a x=(…)`
      if (this.src[this.pos] === '(' && ASSIGNMENT.test(word.value) && word.value.endsWith('=')) this.array()
    }
    if (this.src[this.pos] === '(') {
      if (command.words.length !== 1 || command.redirects.length > 0) throw new Unsure('a parenthesis inside a command')
      this.pos += 1
      this.blank()
      if (this.src[this.pos] !== ')') throw new Unsure('a parenthesis inside a command')
      this.pos += 1
      this.vague = true
      this.blankLines()
      return undefined
    }
    this.emit(command)
    this.follow(command.words)
    return undefined
  }

  private newCommand(kind: SimpleCommand['kind']): SimpleCommand {
    return { kind, assignments: [], words: [], redirects: [], bodies: [], dir: this.dir }
  }

  private emit(command: SimpleCommand): void {
    if (command.words.length + command.assignments.length + command.redirects.length === 0) {
      // What stands here is no command, no operator and no end: nothing would ever read on.
      if (this.pos < this.src.length && !'\n;&|()'.includes(this.src[this.pos] ?? '')) throw new Unsure('not a command')
      return
    }
    if (this.sink.commands.length >= MAX_COMMANDS) throw new Unsure('too many commands')
    this.sink.commands.push(command)
  }

  /** Where later commands run, when this one is a `cd`. */
  private follow(words: readonly Word[]): void {
    const [name, ...rest] = words
    if (name === undefined || !words.some(({ value }) => /\b(cd|pushd|popd)\b/.test(value))) return
    const direct = ['cd', 'pushd', 'popd'].includes(name.value)
    // `command cd x`, `eval "cd x"`
    if (!direct && !['command', 'builtin', 'eval'].includes(name.value)) return
    const [target, ...more] = rest.filter(({ value }) => value !== '--')
    const known = name.value === 'cd' && target?.literal && more.length === 0 && !/^-|^~[^/]/.test(target.value)
    if (!known || this.odd || this.dir === null) this.target = null
    else if (target.tilde || target.value.startsWith('/')) this.target = posix.normalize(target.value)
    else this.target = posix.join(this.dir, target.value)
  }

  private assignment(command: SimpleCommand, word: Word, start: number): boolean {
    const raw = this.src.slice(start, Math.min(this.pos, start + 300))
    const found = ASSIGNMENT.exec(raw)
    if (!found) return false
    const [head, name = '', subscript] = found
    if (subscript !== undefined && !/^\[\d+\]$/.test(subscript)) this.vague = true
    let value = word.literal ? word.value.slice(head.length) : null
    if (this.src[this.pos] === '(') {
      if (!word.value.endsWith('=')) throw new Unsure('a parenthesis inside a command')
      this.array()
      value = null
    }
    command.assignments.push(assigned(name, value, word))
    // A value is looked at for the secrets in it.
    if (word.variables.length > 0) this.emit({ ...this.newCommand('words'), words: [word] })
    return true
  }

  /** `(…)` of an array. */
  private array(): void {
    this.pos += 1
    for (;;) {
      this.blankLines()
      if (this.src[this.pos] === ')') break
      const word = this.word()
      if (word === null) throw new Unsure('an array that is not closed')
      // The subscript of `[…]=` is arithmetic.
      if (/^\[(?!\d+\]=)/.test(word.value)) this.vague = true
    }
    this.pos += 1
    // `x=(a)#$(b)`: the word goes on, and the `#` begins no comment.
    if (!' \t\n;&|()<>'.includes(this.src[this.pos] ?? '\n')) throw new Unsure('a word behind an array')
  }

  /** Null: not a keyword. */
  private keyword(name: string): 'read' | 'esac' | null {
    if (name === '!') this.odd = true
    if (LEADERS.has(name)) return 'read'
    if (CLOSERS.has(name)) {
      this.redirectsOnly()
      return name === 'esac' ? 'esac' : 'read'
    }
    if (name === 'for' || name === 'select') this.loopHead()
    else if (name === 'case') this.choice()
    else if (name === '[[') this.condition()
    else if (name === 'time') {
      this.blank()
      if (/^-p[ \t]/.test(this.src.slice(this.pos, this.pos + 3))) this.pos += 2
    } else if (name === 'function') {
      this.blank()
      this.word()
      this.blank()
      if (this.at('()')) this.pos += 2
      this.vague = true
    } else if (name === 'coproc') this.vague = true
    else return null
    return 'read'
  }

  private loopHead(): void {
    this.blank()
    if (this.at('((')) {
      this.pos += 2
      this.arithmetic()
      return
    }
    const name = this.word()
    if (!name?.plain || !/^[A-Za-z_]\w*$/.test(name.value)) throw new Unsure('a loop without a variable')
    const head = this.newCommand('words')
    head.assignments.push({ name: name.value, value: null, text: `${name.value}=…` })
    this.blankLines()
    const start = this.pos
    const next = this.word()
    if (next?.plain && next.value === 'in') {
      for (;;) {
        this.blank()
        const word = this.word()
        if (word === null) break
        head.words.push(word)
      }
      if (!';\n'.includes(this.src[this.pos] ?? '(')) throw new Unsure('a loop without its list')
    } else this.pos = start
    this.emit(head)
  }

  private choice(): void {
    const head = this.newCommand('words')
    this.blank()
    const subject = this.word()
    this.blankLines()
    const keyword = this.word()
    if (subject === null || keyword?.value !== 'in' || !keyword.plain) throw new Unsure('case without in')
    head.words.push(subject)
    this.emit(head)
    for (;;) {
      this.blankLines()
      if (this.src[this.pos] === '(') this.pos += 1
      this.blank()
      const start = this.pos
      const pattern = this.word()
      if (pattern?.plain && pattern.value === 'esac' && this.pos - start === 4) break
      if (pattern === null) throw new Unsure('case without a pattern')
      this.blank()
      while (this.src[this.pos] === '|') {
        this.pos += 1
        this.blank()
        if (this.word() === null) throw new Unsure('case without a pattern')
        this.blank()
      }
      if (this.src[this.pos] !== ')') throw new Unsure('case without a pattern')
      this.pos += 1
      if (this.branch() === 'esac') break
    }
    this.redirectsOnly()
  }

  /** One branch; `esac` when the whole `case` ended with it. */
  private branch(): 'esac' | 'closed' {
    const ended = this.nested(() => this.list('branch'))
    // A branch may have changed the folder.
    this.dir = null
    return ended
  }

  /** `[[ … ]]`. Numbers are compared as arithmetic, see there. */
  private condition(): void {
    const test = this.newCommand('words')
    for (;;) {
      this.blankLines()
      const c = this.src[this.pos]
      if (c === undefined || c === ';') throw new Unsure('a condition that is not closed')
      const word = this.word()
      if (word === null) this.pos += 1
      else if (word.plain && word.value === ']]') break
      else test.words.push(word)
    }
    const numbers = test.words.some(({ value }) => COMPARES_NUMBERS.test(value) || value === '-v' || value === '-R')
    const computed = test.words.some(({ literal, value }) => !literal || /^[A-Za-z_]/.test(value))
    if ((numbers && computed) || test.words.some(({ hidden }) => hidden)) this.vague = true
    this.emit(test)
    this.redirectsOnly()
  }

  private redirectsOnly(): void {
    const command = this.newCommand('command')
    do this.blank()
    while (this.redirect(command))
    if (command.redirects.length > 0) this.emit(command)
  }

  protected override expandBody(body: string): void {
    this.countPart()
    const inner = new ShellParser(body, this.sink, this.depth + 1, this.dir)
    try {
      inner.expansionsOnly()
    } catch (error) {
      if (!(error instanceof Unsure)) throw error
      this.vague = true
    }
    if (inner.vague) this.vague = true
  }
}

function assigned(name: string, value: string | null, word: Word): Assignment {
  return { name, value, text: value === null ? word.text : `${name}=${quoteWord(value)}` }
}
