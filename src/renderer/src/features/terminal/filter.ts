/**
 * Lets through what draws text and colour, and nothing that acts: output of commands is data. Clipboard access, links,
 * titles and device queries (OSC, DCS, APC) are dropped, so are screen switches, resets and moves that could write over
 * what other commands printed. Sequences may be split anywhere between two pieces.
 */
export class OutputFilter {
  /** The start of a sequence whose end has not come yet. */
  private carry = ''
  private inString = false
  /** Lines below the first line of this command, and the most there have been. */
  private row = 0
  private lowest = 0

  /** `vertical`: the command has the terminal for itself and may move up and down within its own lines. */
  push(chunk: string, vertical: boolean): string {
    const text = this.carry + chunk
    this.carry = ''
    if (!this.inString && !UNSAFE.test(text)) {
      this.count(text)
      return text
    }
    let out = ''
    let at = 0
    while (at < text.length) {
      if (this.inString) {
        at = this.endOfString(text, at)
        continue
      }
      const found = text.slice(at).search(UNSAFE)
      const next = found < 0 ? text.length : at + found
      const plain = text.slice(at, next)
      this.count(plain)
      out += plain
      if (next === text.length) break
      const [kept, length] =
        text[next] === ESC ? this.escape(text, next, vertical) : [text[next] === '\b' ? '\b' : '', 1]
      out += kept
      at = next + length
    }
    return out
  }

  /** What the sequence at `at` becomes, and its length. */
  private escape(text: string, at: number, vertical: boolean): [kept: string, length: number] {
    const rest = text.slice(at, at + MAX_SEQUENCE)
    const kind = rest[1]
    if (kind !== undefined && ']PX^_'.includes(kind)) {
      this.inString = true
      return ['', 2]
    }
    const whole = (kind === '[' ? CSI : SHORT).exec(rest)
    if (whole) return [this.move(whole, vertical), whole[0].length]
    if (rest.length < MAX_SEQUENCE && at + rest.length === text.length) {
      this.carry = rest
      return ['', rest.length]
    }
    // Not a sequence after all: only its first character goes.
    return ['', 1]
  }

  private move(sequence: RegExpExecArray, vertical: boolean): string {
    const [all, parameters = '', final = ''] = sequence
    // Two-byte escapes act on the whole terminal; private parameters switch its modes.
    if (final === '' || !/^[0-9;:]*$/.test(parameters)) return ''
    if ('mKGCD'.includes(final)) return all
    if (!vertical) return ''
    if (final === 'J') return parameters === '' || parameters === '0' ? all : ''
    const wanted = Math.max(1, Number.parseInt(parameters || '1', 10))
    if (final === 'A') {
      const lines = Math.min(wanted, this.row)
      this.row -= lines
      return lines > 0 ? `${ESC}[${lines}A` : ''
    }
    if (final === 'B') {
      const lines = Math.min(wanted, this.lowest - this.row)
      this.row += lines
      return lines > 0 ? `${ESC}[${lines}B` : ''
    }
    return ''
  }

  /** A newline ends a string too: an unfinished one must not swallow everything after it. */
  private endOfString(text: string, at: number): number {
    for (let i = at; i < text.length; i++) {
      const c = text[i]
      if (c === '\u0007' || c === '\u009c' || c === '\n') {
        this.inString = false
        return c === '\n' ? i : i + 1
      }
      if (c === ESC) {
        if (i + 1 === text.length) {
          this.carry = ESC
          return text.length
        }
        this.inString = false
        return text[i + 1] === '\\' ? i + 2 : i
      }
    }
    return text.length
  }

  private count(text: string): void {
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) this.row += 1
    this.lowest = Math.max(this.lowest, this.row)
  }
}

const ESC = '\u001b'
/** Characters; a longer control sequence is none. */
const MAX_SEQUENCE = 64
/** Control characters (C0, DEL, C1) other than newline, carriage return and tab. */
const UNSAFE = /[^\P{Cc}\n\r\t]/u
const CSI = new RegExp(['^', ESC, '\\[([0-?]*)[ -/]*([@-~])'].join(''))
const SHORT = new RegExp(['^', ESC, '[ -/]*[0-Z\\\\`-~]'].join(''))
