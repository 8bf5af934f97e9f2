import { ESC, widthOf } from '../headless/style'
import type { Writer } from '../headless/writer'

/** Twenty pictures a second are enough for text that streams; a key is shown at once. */
const FRAME_MS = 50

export interface Frame {
  /** None wider than the terminal. */
  rows: string[]
  /** Row (from 0) and column of the cursor; null: no cursor is shown. */
  cursor: { row: number; column: number } | null
}

/**
 * The bottom of the terminal, drawn again and again, and everything that was said for good above it. `compose` gives
 * the rows of the moment: at most as many as the terminal has, less one.
 */
export class Screen {
  private drawn: Frame = { rows: [], cursor: null }
  private text = ''
  /** For good, and not on the screen yet. Whole lines. */
  private printed = ''
  private timer: NodeJS.Timeout | null = null
  private soon: NodeJS.Immediate | null = null
  private suspended = false

  constructor(
    private readonly out: Writer,
    private readonly compose: () => Frame,
    /** Columns of the terminal now. */
    private readonly columns: () => number,
  ) {}

  /** Prints for good, above the frame. `text` ends with a line end. */
  print(text: string): void {
    this.printed += text
    this.update()
  }

  /** Something changed: draw soon. */
  update(): void {
    if (this.suspended || this.timer || this.soon) return
    this.timer = setTimeout(() => this.draw(), FRAME_MS)
  }

  /** A key was pressed: draw as soon as those that came with it are read. */
  refresh(): void {
    if (this.suspended || this.soon) return
    this.soon = setImmediate(() => this.draw())
  }

  /** An empty screen. */
  clear(): void {
    this.out.write(`${ESC}[H${ESC}[2J${ESC}[3J`)
    this.drawn = { rows: [], cursor: null }
    this.text = ''
    this.refresh()
  }

  /** Takes the frame off the screen, and shows what was printed. Another program may use the terminal then. */
  suspend(): void {
    this.stopTimers()
    this.out.write(`${this.eraseSequence()}${this.printed}${ESC}[?25h`)
    this.printed = ''
    this.drawn = { rows: [], cursor: null }
    this.text = ''
    this.suspended = true
    this.out.push()
  }

  resume(): void {
    this.suspended = false
    this.refresh()
  }

  private stopTimers(): void {
    if (this.timer) clearTimeout(this.timer)
    if (this.soon) clearImmediate(this.soon)
    this.timer = null
    this.soon = null
  }

  private draw(): void {
    this.stopTimers()
    const frame = this.compose()
    const text = frameText(frame)
    if (text === this.text && this.printed === '') return
    this.out.write(`${ESC}[?25l${this.eraseSequence()}${this.printed}${text}${frame.cursor ? `${ESC}[?25h` : ''}`)
    this.printed = ''
    this.drawn = frame
    this.text = text
  }

  /**
   * From the cursor to the first row of the frame, with every row of it empty. Row by row: tmux takes a screen that is
   * cleared from its first row for one to keep, and saves each picture. A terminal that was made narrower has wrapped
   * the rows, which then take more than they did.
   */
  private eraseSequence(): string {
    const { rows, cursor } = this.drawn
    if (rows.length === 0) return '\r'
    const columns = Math.max(1, this.columns())
    const taken = rows.map((row) => Math.max(1, Math.ceil(widthOf(row) / columns)))
    const total = taken.reduce((sum, n) => sum + n, 0)
    const row = cursor?.row ?? rows.length - 1
    const above = taken.slice(0, row).reduce((sum, n) => sum + n, 0)
    const within = cursor ? Math.floor(cursor.column / columns) : (taken[row] ?? 1) - 1
    const down = Array.from({ length: total - 1 }, () => `${ESC}[2K${ESC}[1B`).join('')
    return `\r${up(above + within)}${down}${ESC}[2K${up(total - 1)}`
  }
}

function up(rows: number): string {
  return rows > 0 ? `${ESC}[${rows}A` : ''
}

function frameText({ rows, cursor }: Frame): string {
  const text = rows.join('\r\n')
  if (!cursor) return text
  const right = cursor.column > 0 ? `${ESC}[${cursor.column}C` : ''
  return `${text}${up(rows.length - 1 - cursor.row)}\r${right}`
}
