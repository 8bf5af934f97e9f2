/** The part of a terminal that is written to. */
export interface Sink {
  write: (text: string, done: () => void) => void
}

/** Characters handed to the terminal and not yet drawn: enough to keep it busy for some frames. */
const IN_FLIGHT = 128_000
const CHUNK = 32_000
/** Characters that may wait; beyond it only the lines that can still be seen are kept. */
const MAX_WAITING = 4_000_000

/**
 * Hands text to a terminal no faster than it draws. A flood keeps the window alive and memory flat: of what waits, lines
 * that would leave the scrollback before anybody sees them are never drawn.
 */
export class TerminalWriter {
  private waiting: string[] = []
  private waitingChars = 0
  private inFlight = 0
  private paused = false

  constructor(
    private readonly sink: Sink,
    private readonly lines: number,
  ) {}

  write(text: string): void {
    if (text === '') return
    this.waiting.push(text)
    this.waitingChars += text.length
    if (this.waitingChars > MAX_WAITING) this.trim()
    this.pump()
  }

  /** A terminal nobody looks at draws nothing; what comes meanwhile waits. */
  setPaused(paused: boolean): void {
    this.paused = paused
    this.pump()
  }

  clear(): void {
    this.waiting = []
    this.waitingChars = 0
  }

  private pump(): void {
    while (!this.paused && this.inFlight < IN_FLIGHT && this.waiting.length > 0) {
      const chunk = this.next()
      this.inFlight += chunk.length
      this.sink.write(chunk, () => {
        this.inFlight -= chunk.length
        this.pump()
      })
    }
  }

  /** Small pieces together, large ones in parts: a terminal call costs more than its text. */
  private next(): string {
    let chunk = ''
    while (chunk.length < CHUNK) {
      const first = this.waiting.shift()
      if (first === undefined) break
      const room = CHUNK - chunk.length
      chunk += first.slice(0, room)
      if (first.length > room) this.waiting.unshift(first.slice(room))
    }
    this.waitingChars -= chunk.length
    return chunk
  }

  private trim(): void {
    const all = this.waiting.join('')
    let at = all.length
    for (let i = 0; i <= this.lines && at > 0; i++) at = all.lastIndexOf('\n', at - 1)
    // Lines without end: the newest part of them.
    const from = at > 0 ? at + 1 : Math.max(0, all.length - MAX_WAITING / 2)
    const kept = all.slice(from)
    // A colour that was set in what is gone must not spread over what is kept.
    this.waiting = [from > 0 ? `\u001b[0m${kept}` : kept]
    this.waitingChars = kept.length
  }
}
