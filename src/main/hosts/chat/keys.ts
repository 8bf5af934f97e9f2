import { emitKeypressEvents } from 'node:readline'
import { clean, ESC } from '../headless/style'

/** One key, or everything that was pasted at once (`paste`). */
export interface Key {
  /** As Node's readline names it: `return`, `left`, `a` ...; empty for a character without a name. */
  name: string
  ctrl: boolean
  meta: boolean
  shift: boolean
  /** What it writes; empty for a key that writes nothing. */
  text: string
}

/** What Node's readline says of a key press. */
export interface RawKey {
  sequence?: string
  name?: string
  ctrl?: boolean
  meta?: boolean
  shift?: boolean
}

export interface KeySource {
  on(event: 'keypress', listener: (text: string | undefined, key: RawKey | undefined) => void): unknown
  off(event: 'keypress', listener: (text: string | undefined, key: RawKey | undefined) => void): unknown
  pause(): unknown
  resume(): unknown
  setRawMode(on: boolean): unknown
}

/** Makes the terminal put a paste between two marks, so that its line ends are no Enter. */
export const PASTE_ON = `${ESC}[?2004h`
export const PASTE_OFF = `${ESC}[?2004l`

/** Puts the presses of a paste together again, and gives every key its text. */
export class KeyReader {
  private pasted: string[] | null = null

  constructor(private readonly onKey: (key: Key) => void) {}

  readonly press = (text: string | undefined, raw: RawKey = {}): void => {
    const { name = '', ctrl = false, meta = false, shift = false } = raw
    if (name === 'paste-start') {
      this.pasted = []
      return
    }
    if (name === 'paste-end') {
      const whole = clean((this.pasted ?? []).join('').replace(/\r\n?/g, '\n'))
      this.pasted = null
      if (whole !== '') this.onKey({ name: 'paste', ctrl: false, meta: false, shift: false, text: whole })
      return
    }
    if (this.pasted) {
      this.pasted.push(text ?? raw.sequence ?? '')
      return
    }
    const writes = !ctrl && !meta && text !== undefined && clean(text) === text && !/[\n\t]/.test(text)
    this.onKey({ name, ctrl, meta, shift, text: writes ? text : '' })
  }
}

/** Reads keys from a terminal in raw mode. Returns a function that gives the terminal back as it was. */
export function readKeys(source: KeySource & NodeJS.ReadableStream, onKey: (key: Key) => void): () => void {
  const reader = new KeyReader(onKey)
  emitKeypressEvents(source)
  source.setRawMode(true)
  source.on('keypress', reader.press)
  source.resume()
  return () => {
    source.off('keypress', reader.press)
    source.setRawMode(false)
    source.pause()
  }
}
