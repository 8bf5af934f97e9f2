import { type Redirect, type SimpleCommand, Unsure, type Word } from './types'
import { WordReader } from './words'

const REDIRECT = /(?:\d+|\{[A-Za-z_]\w*\})?(<<<|<<-|<<|<>|<&|<|>>|>\||>&|>)|(&>>|&>)/y

const MAX_WAITING = 20
/** Characters of joined lines that are compared with the end of a here-document. */
const MAX_CARRIED = 4_000

interface HereDoc {
  end: string
  strip_tabs: boolean
  expands: boolean
  command: SimpleCommand
}
/** Reads what stands between words: blanks, comments, line ends, redirections and the texts of here-documents. */
export abstract class RedirectReader extends WordReader {
  /** Here-documents whose text begins behind the next line end. */
  protected waiting: HereDoc[] = []

  constructor(
    src: string,
    /** Substitutions, subshells and texts around this place. */
    protected depth: number,
  ) {
    super(src)
  }

  /** Reads the expansions in the text of a here-document. */
  protected abstract expandBody(body: string): void

  protected override quotedNewline(): void {
    if (this.waiting.length > 0) throw new Unsure('where a text begins')
  }

  protected blank(): void {
    const { src } = this
    for (;;) {
      const c = src[this.pos]
      if (c === ' ' || c === '\t') this.pos += 1
      else if (c === '\\' && src[this.pos + 1] === '\n') this.pos += 2
      else if (c === '#') {
        const end = src.indexOf('\n', this.pos)
        this.pos = end < 0 ? src.length : end
      } else return
    }
  }

  protected blankLines(): void {
    for (;;) {
      this.blank()
      if (this.src[this.pos] !== '\n') return
      this.newline()
    }
  }

  protected newline(): void {
    this.pos += 1
    for (const doc of this.waiting.splice(0)) this.hereDocument(doc)
  }

  /** Reads one redirection; false when there is none. */
  protected redirect(command: SimpleCommand): boolean {
    REDIRECT.lastIndex = this.pos
    const found = REDIRECT.exec(this.src)
    if (!found) return false
    const operator = found[1] ?? found[2] ?? ''
    const behind = this.pos + found[0].length
    // `<(…)` is a word.
    if ((operator === '<' || operator === '>') && this.src[behind] === '(') {
      if (found[0] !== operator) throw new Unsure('a redirection to nothing')
      return false
    }
    this.pos = behind
    this.blank()
    const target = this.word()
    if (target === null) throw new Unsure('a redirection to nothing')
    if (operator === '<<' || operator === '<<-') this.startHereDocument(command, operator, target)
    else command.redirects.push({ direction: directionOf(operator, target), target })
    return true
  }

  private startHereDocument(command: SimpleCommand, operator: string, target: Word): void {
    if (!target.literal) throw new Unsure('a here-document with an uncertain end')
    if (this.waiting.length >= MAX_WAITING) throw new Unsure('too many here-documents')
    const strip_tabs = operator === '<<-'
    this.waiting.push({ end: target.value, strip_tabs, expands: target.plain, command })
    command.redirects.push({ direction: 'here', target })
  }

  /** Reads the text of a here-document, which begins here. */
  private hereDocument({ end, strip_tabs, expands, command }: HereDoc): void {
    const { src } = this
    const start = this.pos
    /** Lines that a backslash joins with the next one. */
    let carried: string | null = null
    for (;;) {
      if (this.pos >= src.length) throw new Unsure('a here-document without an end')
      const newline = src.indexOf('\n', this.pos)
      const stop = newline < 0 ? src.length : newline
      const line = strip_tabs ? src.slice(this.pos, stop).replace(/^\t+/, '') : src.slice(this.pos, stop)
      const from = this.pos
      this.pos = Math.min(src.length, stop + 1)
      if (line === end && carried === null) {
        const body = src.slice(start, from)
        command.bodies.push(body)
        if (expands) this.expandBody(body)
        // The line end belongs to the line that the here-document stood in.
        return
      }
      // Shells differ in whether a closing parenthesis may follow the end.
      if (this.depth > 0 && line.startsWith(end)) throw new Unsure('a here-document with an uncertain end')
      const whole: string = `${carried ?? ''}${line}`
      // `EO\\` and `F` on the next line end a text that `EOF` ends; shells differ in what becomes of the tabs.
      if (carried !== null && whole.replaceAll('\t', '') === end.replaceAll('\t', '')) {
        throw new Unsure('a here-document with an uncertain end')
      }
      // Longer than the end it cannot become it again.
      carried = expands && endsWithBackslash(line) ? whole.slice(0, -1).slice(0, MAX_CARRIED) : null
    }
  }
}

function directionOf(operator: string, target: Word): Redirect['direction'] {
  if (operator === '<<<') return 'here'
  if (operator === '<') return 'in'
  if (operator === '<&') return /^(\d*-?)$/.test(target.value) ? 'here' : 'in'
  if (operator === '>&' && /^(\d+-?|-)$/.test(target.value)) return 'here'
  return operator === '<>' ? 'both' : 'out'
}

/** Whether the line end is taken away by a backslash that is not itself taken away by one. */
function endsWithBackslash(line: string): boolean {
  let at = line.length
  while (line[at - 1] === '\\') at -= 1
  return (line.length - at) % 2 === 1
}
