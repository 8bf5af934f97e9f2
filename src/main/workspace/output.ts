/** Characters of one result that the model gets; the rest is in a file. */
export const MAX_OUTPUT_CHARS = 25_000
/** The end of a long output (a traceback, the last metric) tells more than its beginning. */
const HEAD_SHARE = 0.25
/** A control sequence that is still open after this many characters is no control sequence. */
const LONGEST_SEQUENCE = 4096

const ESC = String.fromCharCode(27)
const BEL = String.fromCharCode(7)
const C0 = `${String.fromCharCode(0)}-${String.fromCharCode(8)}`
const C1 = `${String.fromCharCode(11)}${String.fromCharCode(12)}${String.fromCharCode(14)}-${String.fromCharCode(31)}`
/** ECMA-48: control sequences (colours, cursor), then strings (titles, links), then two-character escapes. */
const SEQUENCES = [
  `${ESC}\\[[0-?]*[ -/]*[@-~]`,
  `${ESC}[\\]PX^_][^${ESC}${BEL}]*(?:${BEL}|${ESC}\\\\)`,
  `${ESC}[ -/]*[0-OQ-WYZ\\\\\`-~]`,
]
const SEQUENCE = new RegExp(SEQUENCES.join('|'), 'g')
const NOISE = new RegExp(`${SEQUENCES.join('|')}|[${C0}${C1}${String.fromCharCode(127)}]`, 'g')
const SUSPECT = new RegExp(`[${C0}${C1}${String.fromCharCode(127)}]`)

/** Takes out what is meant for a terminal and not for a reader; tab, line feed and carriage return stay. */
export function stripAnsi(text: string): string {
  return SUSPECT.test(text) ? text.replace(NOISE, '') : text
}

/** `stripAnsi` for a text that comes in pieces: a sequence cut by a piece's end is held back until it is whole. */
export class AnsiStripper {
  #carry = ''

  push(piece: string): string {
    // Most output has no sequences at all: a search for one character is much cheaper than the pattern.
    if (this.#carry === '' && !piece.includes(ESC)) return stripAnsi(piece)
    const text = (this.#carry + piece).replace(SEQUENCE, '')
    // An escape character that is left belongs to a sequence which is not whole, or to none at all.
    const at = text.indexOf(ESC)
    const open = at >= 0 && text.length - at < LONGEST_SEQUENCE
    this.#carry = open ? text.slice(at) : ''
    return stripAnsi(open ? text.slice(0, at) : text)
  }

  end(): string {
    const rest = stripAnsi(this.#carry)
    this.#carry = ''
    return rest
  }
}

/** Keeps the beginning and the end of a text of any length in bounded memory. Lengths are UTF-16 code units. */
export class OutputWindow {
  readonly #max: number
  readonly #headMax: number
  readonly #tailMax: number
  #head = ''
  #tail = ''
  #total = 0

  constructor(max = MAX_OUTPUT_CHARS) {
    this.#max = max
    this.#headMax = Math.floor(max * HEAD_SHARE)
    this.#tailMax = max - this.#headMax
  }

  get total(): number {
    return this.#total
  }

  get truncated(): boolean {
    return this.#total > this.#max
  }

  add(piece: string): void {
    this.#total += piece.length
    const room = this.#headMax - this.#head.length
    if (room > 0) this.#head += piece.slice(0, room)
    const rest = room > 0 ? piece.slice(room) : piece
    if (rest.length >= this.#tailMax) this.#tail = rest.slice(-this.#tailMax)
    else this.#tail += rest
    // Cut seldom, so that many short lines do not copy the window each time.
    if (this.#tail.length > 4 * this.#tailMax) this.#tail = this.#tail.slice(-this.#tailMax)
  }

  /** The text, with `notice(omitted)` between beginning and end when something had to be left out. */
  render(notice: (omitted: number) => string): { text: string; omitted: number } {
    if (!this.truncated) return { text: this.#head + this.#tail, omitted: 0 }
    // Half a surrogate pair is no character, and not valid in a request.
    const head = isHighSurrogate(this.#head.at(-1)) ? this.#head.slice(0, -1) : this.#head
    const end = this.#tail.slice(-this.#tailMax)
    const tail = isLowSurrogate(end[0]) ? end.slice(1) : end
    const omitted = this.#total - head.length - tail.length
    return { text: head + notice(omitted) + tail, omitted }
  }
}

export function isHighSurrogate(char: string | undefined): boolean {
  return char !== undefined && char >= '\ud800' && char <= '\udbff'
}

function isLowSurrogate(char: string | undefined): boolean {
  return char !== undefined && char >= '\udc00' && char <= '\udfff'
}
