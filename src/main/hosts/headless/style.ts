import type { OutputStream } from './io'

export interface Style {
  readonly enabled: boolean
  bold(text: string): string
  dim(text: string): string
  red(text: string): string
  green(text: string): string
  yellow(text: string): string
  cyan(text: string): string
}

export const ESC = '\u001b'

/** Colours only where a person looks at them and has not asked for none (no-color.org). */
export function styleFor(stream: OutputStream, env: NodeJS.ProcessEnv): Style {
  const enabled = stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb'
  const paint = (on: number, off: number) => (text: string) =>
    enabled && text ? `${ESC}[${on}m${text}${ESC}[${off}m` : text
  return {
    enabled,
    bold: paint(1, 22),
    dim: paint(2, 22),
    red: paint(31, 39),
    green: paint(32, 39),
    yellow: paint(33, 39),
    cyan: paint(36, 39),
  }
}

// Escape sequences (CSI, OSC, two-character), then whatever control characters are left. Built from a string, because
// a pattern with a literal control character cannot be read.
const SEQUENCES = new RegExp(
  [`${ESC}\\[[0-?]*[ -/]*[@-~]`, `${ESC}\\][^\\u0007${ESC}]*(?:\\u0007|${ESC}\\\\)`, `${ESC}[@-Z\\\\^_]`].join('|'),
  'g',
)
const CONTROLS = /(?![\n\t])\p{Cc}/gu
/** Characters that reorder or hide text: a command must look like what it is. */
const DECEPTIVE = /[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu

/** Text of a model, a tool or a file, safe to write to a terminal: nothing in it moves the cursor or sets colours. */
export function clean(text: string): string {
  return text.replace(SEQUENCES, '').replace(CONTROLS, '')
}

// A sequence that has begun and not ended: its rest comes with the next piece.
const OPEN_SEQUENCE = new RegExp(`(?:${ESC}(?:\\[[0-?]*[ -/]*|\\][^\\u0007${ESC}]*${ESC}?)?)$`)
/** What is still open after this many characters is no escape sequence. */
const LONGEST_SEQUENCE = 4096

/** `clean` for a text that comes in pieces: a sequence cut by the end of a piece leaves nothing behind. */
export class StreamCleaner {
  private held = ''

  push(piece: string): string {
    const text = (this.held + piece).replace(SEQUENCES, '')
    const at = text.includes(ESC) ? text.search(OPEN_SEQUENCE) : -1
    const open = at >= 0 && text.length - at < LONGEST_SEQUENCE
    this.held = open ? text.slice(at) : ''
    return clean(open ? text.slice(0, at) : text)
  }

  /** A new text begins: what was open in the old one never ended. */
  reset(): void {
    this.held = ''
  }
}

/** As `clean`, on one line, with what deceives shown as an escape. */
export function oneLine(text: string): string {
  return reveal(clean(text)).replace(/\s+/g, ' ').trim()
}

/** With what deceives shown as an escape. */
export function reveal(text: string): string {
  return text.replace(DECEPTIVE, asEscape)
}

/**
 * Text that somebody decides on, safe to write to a terminal and with nothing left out: what `clean` takes away for a
 * reader, a shell would still run.
 */
export function visible(text: string): string {
  return reveal(text.replace(CONTROLS, asEscape))
}

function asEscape(char: string): string {
  const code = char.charCodeAt(0)
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
}

const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u
const ZERO = /\p{Mn}|\p{Me}|\p{Cf}/u

/** Columns that a character takes in a terminal; close enough to count rows by. */
function charWidth(char: string): number {
  if (char < '\u0300') return 1
  if (ZERO.test(char)) return 0
  return WIDE.test(char) ? 2 : 1
}

/** Columns that a line takes. `text` may hold the colours of `Style`, and no other escape sequence. */
export function widthOf(text: string): number {
  let width = 0
  for (const char of text.replace(SEQUENCES, '')) width += charWidth(char)
  return width
}

/** At most `columns` wide, with an ellipsis where something was cut. `text` must be free of escape sequences. */
export function clip(text: string, columns: number): string {
  let width = 0
  let kept = ''
  for (const char of text) {
    const next = width + charWidth(char)
    if (next > columns) return `${trimTo(kept, columns - 1)}…`
    kept += char
    width = next
  }
  return kept
}

function trimTo(text: string, columns: number): string {
  let width = 0
  let kept = ''
  for (const char of text) {
    width += charWidth(char)
    if (width > columns) break
    kept += char
  }
  return kept
}

/** 0.2 s, 12.3 s, 3 min 4 s, 2 h 5 min. */
export function duration(ms: number): string {
  const seconds = ms / 1000
  if (seconds < 60) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`
}

export function count(n: number): string {
  return n.toLocaleString('en-US')
}

/** US dollars; small amounts with enough digits to be more than zero. */
export function dollars(usd: number): string {
  if (usd > 0 && usd < 0.0001) return '< $0.0001'
  return `$${usd.toFixed(usd < 0.1 ? 4 : 2)}`
}

/** The demo model is named as what it is wherever a model is named. */
export function modelLabel(model: string): string {
  return model.startsWith('demo/') ? `scripted demo model (${model})` : model
}

export function tildePath(path: string, home: string | undefined): string {
  if (!home || home === '/') return path
  return path === home || path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path
}
