import { MAX_TERMINAL_INPUT } from '@shared/terminals'

/** Longest paste, in UTF-16 code units: more is a file, and a terminal would take minutes for it. */
export const MAX_PASTE = 1_000_000
/** Lines of a paste that the question shows. */
const SHOWN_LINES = 6
const SHOWN_CHARS = 80

/** Control characters other than tab and line ends: an escape sequence in a paste could end it early and press keys. */
const CONTROLS = /[^\P{Cc}\t\n\r]/gu

export function cleanPaste(text: string): string {
  return text.replace(CONTROLS, '').replace(/\r\n?/g, '\n')
}

export interface PasteQuestion {
  said: string
  /** Its first lines. */
  shown: string
}

/** What is asked before a paste; null when it is a part of one line and nothing has to be asked. */
export function pasteQuestion(text: string): PasteQuestion | null {
  if (!text.includes('\n')) return null
  const lines = text.replace(/\n$/, '').split('\n')
  const count = lines.length === 1 ? 'a line with its line break' : `${lines.length.toLocaleString('en')} lines`
  const shown = lines
    .slice(0, SHOWN_LINES)
    .map((line) => (line.length > SHOWN_CHARS ? `${line.slice(0, SHOWN_CHARS)}…` : line))
  const more = lines.length > SHOWN_LINES ? '\n…' : ''
  return {
    said: `You are pasting ${count}. A program may run each of them at once.`,
    shown: `${shown.join('\n')}${more}`,
  }
}

/** The first piece of at most `max` code units; a character of two units stays whole. */
export function firstPiece(text: string, max: number): string {
  if (text.length <= max) return text
  const high = text.charCodeAt(max - 1)
  return text.slice(0, high >= 0xd800 && high <= 0xdbff ? max - 1 : max)
}

/**
 * Sends what is typed in order, one call at a time: what is typed meanwhile goes with the next one. When a call fails,
 * what waits behind it is thrown away, because a command without its beginning is another command.
 */
export class InputQueue {
  private waiting = ''
  private busy = false

  constructor(
    private readonly send: (data: string) => Promise<unknown>,
    private readonly failed: (thrown: unknown) => void,
  ) {}

  write(data: string): void {
    this.waiting += data
    if (!this.busy) void this.run()
  }

  clear(): void {
    this.waiting = ''
  }

  private async run(): Promise<void> {
    this.busy = true
    try {
      while (this.waiting !== '') {
        const piece = firstPiece(this.waiting, MAX_TERMINAL_INPUT)
        this.waiting = this.waiting.slice(piece.length)
        await this.send(piece)
      }
    } catch (thrown) {
      this.waiting = ''
      this.failed(thrown)
    } finally {
      this.busy = false
    }
  }
}
