import { randomBytes } from 'node:crypto'

/**
 * A mark that is written behind the last output of a program and found again where it comes out. Capitals and digits
 * only: no mode of a terminal changes them.
 */
export class EndMark {
  readonly bytes = Buffer.from(randomBytes(20).toString('hex').toUpperCase(), 'latin1')
  #held: Buffer = Buffer.alloc(0)
  #found = false

  get found(): boolean {
    return this.#found
  }

  /** The piece without the mark. An end that could be the mark's beginning waits for the next piece. */
  push(piece: Buffer): Buffer {
    if (this.#found) return piece
    const all = this.#held.length > 0 ? Buffer.concat([this.#held, piece]) : piece
    const at = all.indexOf(this.bytes)
    if (at >= 0) {
      this.#found = true
      this.#held = Buffer.alloc(0)
      return Buffer.concat([all.subarray(0, at), all.subarray(at + this.bytes.length)])
    }
    const open = beginningAtEnd(all, this.bytes)
    this.#held = Buffer.from(all.subarray(all.length - open))
    return all.subarray(0, all.length - open)
  }

  /** The mark does not come any more: what waited was output. */
  end(): Buffer {
    const rest = this.#held
    this.#held = Buffer.alloc(0)
    return rest
  }
}

/** Length of the longest end of `bytes` that is a proper beginning of `mark`. */
function beginningAtEnd(bytes: Buffer, mark: Buffer): number {
  for (let n = Math.min(mark.length - 1, bytes.length); n > 0; n -= 1) {
    if (bytes.subarray(bytes.length - n).equals(mark.subarray(0, n))) return n
  }
  return 0
}
