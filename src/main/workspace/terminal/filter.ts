/** What came through: `text` for windows, `screen` the same with the questions that our own emulator answers. */
export interface Filtered {
  text: string
  screen: string
}

const ESC = '\u001b'
const BEL = '\u0007'
/** Characters; a longer control sequence is none. */
const MAX_SEQUENCE = 128
/** A string (title, link) longer than this, or with a line end, is not one: it must not swallow what follows. */
const MAX_STRING = 4096
/** More than any screen has: an emulator repeats as often as it is told, and would be busy for minutes. */
const MAX_COUNT = 1000
/** Answers of one terminal that may be asked for in one piece of output. */
const MAX_QUESTIONS = 8
/** Everything of C0, DEL and C1 but bell, backspace, tab, line feed and carriage return. */
const UNSAFE = new RegExp(`[^\\P{Cc}${BEL}\\b\\t\\n\\r]`, 'u')
const NEXT_UNSAFE = new RegExp(UNSAFE.source, 'gu')
const C1 = /[\u0080-\u009f]/g
const CSI = new RegExp(['^', ESC, '\\[([0-?]*)([ -/]*)([@-~])'].join(''))
const SHORT = new RegExp(['^', ESC, '([ -/]*)([0-~])'].join(''))
/** Colours, moves, erasing, inserting, deleting, scrolling, tabs, repeats. */
const DRAWING = new Set('mABCDEFGHIJKLMPSTXZ@`abdefgrsu')
/**
 * Private modes: cursor keys, origin, wrap, cursor blink and visibility, the second screen, bracketed paste, whole
 * frames. Not mouse and focus reports: a file that is printed could make every move of the mouse type into a shell.
 */
const MODES = new Set(['1', '6', '7', '12', '25', '47', '1047', '1048', '1049', '2004', '2026'])

/**
 * Lets through what draws on the terminal, and nothing that acts outside of it: output of programs is data. Clipboard,
 * titles, device control, window operations and answerback are dropped, links lead to http and https only. Sequences may
 * be cut anywhere between two pieces.
 */
export class TerminalFilter {
  #carry = ''
  /** What there is of a string whose end has not come; null outside of one. `]` is OSC. */
  #string: { kind: string; body: string } | null = null

  push(piece: string): Filtered {
    const whole = this.#carry + piece
    if (this.#string === null && !UNSAFE.test(whole)) {
      this.#carry = ''
      return { text: whole, screen: whole }
    }
    this.#carry = ''
    // The eight-bit forms mean the same as escape and a letter.
    const input = whole.replace(C1, (c) => ESC + String.fromCharCode(c.charCodeAt(0) - 0x40))
    let text = ''
    let screen = ''
    let questions = 0
    let at = 0
    while (at < input.length) {
      if (this.#string !== null) {
        const [link, next] = this.#inString(input, at, this.#string)
        text += link
        screen += link
        at = next
        continue
      }
      const next = unsafeFrom(input, at)
      const plain = input.slice(at, next)
      text += plain
      screen += plain
      at = next
      if (at === input.length) break
      if (input[at] !== ESC) {
        at += 1
        continue
      }
      const { kept, question, length } = this.#escape(input, at)
      text += kept
      screen += kept
      if (question !== '' && questions < MAX_QUESTIONS) {
        questions += 1
        screen += question
      }
      at += length
    }
    return { text, screen }
  }

  #escape(input: string, at: number): { kept: string; question: string; length: number } {
    const rest = input.slice(at, at + MAX_SEQUENCE)
    const kind = rest[1]
    if (kind !== undefined && ']PX^_'.includes(kind)) {
      this.#string = { kind, body: '' }
      return { kept: '', question: '', length: 2 }
    }
    const match = (kind === '[' ? CSI : SHORT).exec(rest)
    if (match) {
      const [all] = match
      if (kind !== '[') return { kept: shortAllowed(all) ? all : '', question: '', length: all.length }
      const [, parameters = '', between = '', final = ''] = match
      return { ...control(parameters, between, final), length: all.length }
    }
    if (rest.length < MAX_SEQUENCE && at + rest.length === input.length && isOpen(rest)) {
      this.#carry = rest
      return { kept: '', question: '', length: rest.length }
    }
    // Not a sequence after all: only its first character goes.
    return { kept: '', question: '', length: 1 }
  }

  /** What the string becomes when it ends here, and where to go on. */
  #inString(input: string, from: number, string: { kind: string; body: string }): [kept: string, next: number] {
    for (let at = from; at < input.length; at += 1) {
      const c = input[at]
      const ended = c === '\u0007' || c === ESC
      if (!ended && c !== '\n' && c !== '\u0018' && c !== '\u001a' && string.body.length < MAX_STRING) {
        string.body += c
        continue
      }
      if (c === ESC && at + 1 === input.length) {
        this.#carry = ESC
        return ['', input.length]
      }
      this.#string = null
      if (!ended) return ['', at]
      const terminated = c === '\u0007' || input[at + 1] === '\\'
      return [terminated ? link(string) : '', at + (c === '\u0007' ? 1 : terminated ? 2 : 0)]
    }
    return ['', input.length]
  }
}

function unsafeFrom(text: string, at: number): number {
  NEXT_UNSAFE.lastIndex = at
  return NEXT_UNSAFE.exec(text)?.index ?? text.length
}

/** It may still become a sequence. */
function isOpen(rest: string): boolean {
  const body = rest.slice(1)
  return body.startsWith('[') ? /^\[[0-?]*[ -/]*$/.test(body) : /^[ -/]*$/.test(body)
}

/** Save and restore, line moves, tab stops, keypad, reset, and the character sets of line drawing. */
function shortAllowed(sequence: string): boolean {
  const body = sequence.slice(1)
  return /^(?:[78MDEHc=>]|[()*+][0AB])$/.test(body)
}

function control(parameters: string, between: string, final: string): { kept: string; question: string } {
  const kept = (text: string) => ({ kept: text, question: '' })
  if (between !== '') {
    // The shape of the cursor; a soft reset.
    if (between === ' ' && final === 'q' && /^[0-6]?$/.test(parameters)) return kept(`${ESC}[${parameters} q`)
    return kept(between === '!' && final === 'p' && parameters === '' ? `${ESC}[!p` : '')
  }
  if (final === 'h' || final === 'l') {
    if (parameters === '4') return kept(`${ESC}[4${final}`)
    if (!parameters.startsWith('?')) return kept('')
    const modes = parameters
      .slice(1)
      .split(';')
      .filter((mode) => MODES.has(mode))
    return kept(modes.length > 0 ? `${ESC}[?${modes.join(';')}${final}` : '')
  }
  // Who are you, are you well, where is the cursor.
  if (final === 'c' && /^>?0?$/.test(parameters)) return { kept: '', question: `${ESC}[${parameters}c` }
  if (final === 'n' && /^(?:5|\??6)$/.test(parameters)) return { kept: '', question: `${ESC}[${parameters}n` }
  if (!DRAWING.has(final) || !/^[0-9;:]*$/.test(parameters)) return kept('')
  const counts = parameters.replace(/\d{4,}/g, (digits) => String(Math.min(Number(digits), MAX_COUNT)))
  return kept(`${ESC}[${counts}${final}`)
}

/** OSC 8 with an address of the web, or the end of a link; nothing for any other string. */
function link({ kind, body }: { kind: string; body: string }): string {
  if (kind !== ']' || !body.startsWith('8;')) return ''
  const address = body.slice(body.indexOf(';', 2) + 1)
  if (address === '') return `${ESC}]8;;${ESC}\\`
  return /^https?:\/\/[\u0021-\u007e]+$/i.test(address) && address.length <= 2048 ? `${ESC}]8;;${address}${ESC}\\` : ''
}

/** A paste must not end itself and go on as typed commands. */
export function safeInput(data: string): string {
  const open = `${ESC}[200~`
  const end = `${ESC}[201~`
  if (!data.startsWith(open)) return data
  const whole = data.endsWith(end)
  const inner = data.slice(open.length, whole ? -end.length : undefined)
  return open + inner.replaceAll(end, '') + (whole ? end : '')
}
