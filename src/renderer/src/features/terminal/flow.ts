import { TERMINAL_LOW_WATER } from '@shared/terminals'

/** A numbered piece of a terminal's output. */
export interface Piece {
  data: string
  seq: number
}

/** Where output goes, and who is told that it has been drawn. */
export interface StreamSink {
  write: (data: string, done: () => void) => void
  /** So many UTF-16 code units more have been drawn. */
  ack: (chars: number) => void
}

/**
 * Code units drawn before main is told. What stays untold is at most this, and less than the low water: a terminal that
 * was held back is always let go again.
 */
export const ACK_STEP = TERMINAL_LOW_WATER / 2

/**
 * The output of one terminal in a window: what came while the screen was on its way waits, what the screen holds already
 * is passed over, everything else is drawn in order and confirmed. One object lives through many attachments.
 */
export class OutputStream {
  private held: Piece[] | null = null
  private last = 0
  private drawn = 0
  /** Of the attachment: what an older one still draws is no business of the present one. */
  private run = 0
  private open = false

  constructor(private readonly sink: StreamSink) {}

  /** A new attachment was asked for. */
  begin(): void {
    this.run += 1
    this.open = true
    this.held = []
    this.drawn = 0
  }

  /** The screen is drawn up to `seq`: output goes on from there. */
  start(seq: number): void {
    if (!this.open) return
    this.last = seq
    const held = this.held ?? []
    this.held = null
    for (const piece of held) this.push(piece)
  }

  push(piece: Piece): void {
    if (!this.open) return
    if (this.held) {
      this.held.push(piece)
      return
    }
    if (piece.seq <= this.last) {
      // Main counts it as on its way to us.
      this.confirm(piece.data.length, this.run)
      return
    }
    this.last = piece.seq
    const { run } = this
    if (piece.data !== '') this.sink.write(piece.data, () => this.confirm(piece.data.length, run))
  }

  /** Nobody looks any more. */
  end(): void {
    this.open = false
    this.held = null
    this.run += 1
  }

  private confirm(chars: number, run: number): void {
    if (run !== this.run) return
    this.drawn += chars
    if (this.drawn < ACK_STEP) return
    this.sink.ack(this.drawn)
    this.drawn = 0
  }
}
