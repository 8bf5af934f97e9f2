const EMPTY = Buffer.alloc(0)

/**
 * Cuts a stream of bytes at character boundaries only: the bytes of a character that is not whole yet wait for the next
 * piece. (StringDecoder gives text only; here the bytes are written to a file as well, and two streams that are mixed
 * in one file must not tear each other's characters.)
 */
export class Utf8Splitter {
  #carry: Buffer = EMPTY

  push(piece: Buffer): Buffer {
    const bytes = this.#carry.length > 0 ? Buffer.concat([this.#carry, piece]) : piece
    const whole = wholeLength(bytes)
    this.#carry = whole < bytes.length ? Buffer.from(bytes.subarray(whole)) : EMPTY
    return whole < bytes.length ? bytes.subarray(0, whole) : bytes
  }

  /** What is left at the end of the stream: not a whole character, or nothing. */
  end(): Buffer {
    const rest = this.#carry
    this.#carry = EMPTY
    return rest
  }
}

function wholeLength(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0
    if (byte < 0x80) return bytes.length
    if (byte >= 0xc0) {
      const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
      return needed > back ? bytes.length - back : bytes.length
    }
  }
  return bytes.length
}
