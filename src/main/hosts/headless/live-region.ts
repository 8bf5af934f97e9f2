import { ESC, widthOf } from './style'
import type { Writer } from './writer'

/** Twenty pictures a second are smooth enough, and few enough for a slow terminal. */
const FRAME_MS = 50

/**
 * The lines at the bottom of the terminal that are drawn again and again: running tools and the plan. Everything else
 * is printed above them. `lines` must give lines no wider than the terminal, or rows would be miscounted.
 */
export class LiveRegion {
  private rows: string[] = []
  private drawn = ''
  private hidden = false
  private timer: NodeJS.Timeout | null = null

  constructor(
    private readonly out: Writer,
    private readonly lines: () => string[],
    /** Columns of the terminal now. */
    private readonly columns: () => number,
  ) {}

  /** Something changed: draw soon. */
  update(): void {
    if (this.hidden || this.timer) return
    this.timer = setTimeout(() => {
      this.timer = null
      this.draw()
    }, FRAME_MS)
  }

  /** Prints for good, above the region. */
  print(text: string): void {
    this.erase()
    this.out.write(text)
    this.update()
  }

  /** Off the screen until `show`. */
  hide(): void {
    this.hidden = true
    if (this.timer) clearTimeout(this.timer)
    this.timer = null
    this.erase()
    // What the other stream writes next must not stand above this.
    this.out.push()
  }

  show(): void {
    this.hidden = false
    this.update()
  }

  private draw(): void {
    const lines = this.lines()
    const text = lines.map((line) => `${line}\n`).join('')
    if (text === this.drawn) return
    this.out.write(`${this.eraseSequence()}${text}`)
    this.rows = lines
    this.drawn = text
  }

  private erase(): void {
    this.out.write(this.eraseSequence())
    this.rows = []
    this.drawn = ''
  }

  /** A terminal that was made narrower since has wrapped the lines, so that they take more rows than they did. */
  private eraseSequence(): string {
    const columns = Math.max(1, this.columns())
    const rows = this.rows.reduce((sum, line) => sum + Math.max(1, Math.ceil(widthOf(line) / columns)), 0)
    // Row by row: tmux takes a screen that is cleared from its first row for one to keep, and saves each picture.
    return rows > 0 ? `\r${`${ESC}[1A${ESC}[2K`.repeat(rows)}` : ''
  }
}
