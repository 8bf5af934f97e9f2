import type { OutputStream } from './process'

/** At most about 30 pieces a second and stream reach the window. */
const INTERVAL_MS = 33
/** After this much live text (characters) only a glimpse a second is shown: nobody reads faster. */
const FULL_SPEED_CHARS = 2_000_000
const GLIMPSE_MS = 1000
const GLIMPSE_CHARS = 4000

/**
 * Live output on its way to the terminal: the first piece goes out at once, floods are merged, and nothing is held back
 * at the end. The text is as the command wrote it, colours included.
 */
export class LiveLog {
  readonly #emit: (text: string, stream: OutputStream) => void
  #waiting: { text: string; stream: OutputStream }[] = []
  #timer: NodeJS.Timeout | undefined
  #lastEmit = Number.NEGATIVE_INFINITY
  #shown = 0
  /** Characters of `#waiting` that were dropped because a glimpse is full. */
  #skipped = 0

  constructor(emit: (text: string, stream: OutputStream) => void) {
    this.#emit = emit
  }

  push(text: string, stream: OutputStream): void {
    if (text === '') return
    const glimpse = this.#shown >= FULL_SPEED_CHARS
    if (glimpse) {
      this.#wait(text, stream)
      this.#shorten()
    } else {
      this.#shown += text.length
      this.#wait(text, stream)
    }
    if (this.#timer) return
    const due = this.#lastEmit + (glimpse ? GLIMPSE_MS : INTERVAL_MS) - performance.now()
    if (due <= 0) this.#flush()
    else this.#timer = setTimeout(() => this.#flush(), due)
  }

  /** Shows what waits. */
  end(): void {
    this.#flush()
  }

  #wait(text: string, stream: OutputStream): void {
    const last = this.#waiting.at(-1)
    if (last?.stream === stream) last.text += text
    else this.#waiting.push({ text, stream })
  }

  /** A glimpse is the end of what came, from the beginning of a line where there is one. */
  #shorten(): void {
    const total = this.#waiting.reduce((sum, piece) => sum + piece.text.length, 0)
    if (total <= 2 * GLIMPSE_CHARS) return
    const text = this.#waiting.map((piece) => piece.text).join('')
    const tail = text.slice(-GLIMPSE_CHARS)
    const kept = tail.slice(tail.indexOf('\n') + 1) || tail
    this.#skipped += text.length - kept.length
    this.#waiting = [{ text: kept, stream: this.#waiting.at(-1)?.stream ?? 'stdout' }]
  }

  #flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const pieces = this.#waiting
    if (pieces.length === 0) return
    this.#waiting = []
    this.#lastEmit = performance.now()
    if (this.#skipped > 0) {
      this.#emit(`\n[${this.#skipped} characters are not shown live: the output comes too fast]\n`, 'stderr')
      this.#skipped = 0
    }
    // Many changes between the streams within one interval: their order says more than their colour.
    if (pieces.length > 2) this.#emit(pieces.map((piece) => piece.text).join(''), 'stdout')
    else for (const piece of pieces) this.#emit(piece.text, piece.stream)
  }
}
