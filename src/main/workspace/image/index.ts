/** The formats that models with eyes take. */
export type ImageType = 'image/png' | 'image/jpeg' | 'image/gif' | 'image/webp'

export interface ImageFacts {
  media_type: ImageType
  /** Pixels, from the header; null where it does not say. Nothing is decoded. */
  width: number | null
  height: number | null
}

/** What an image is, by its first bytes; null for what is none of the four formats. `head`: 64 KiB are enough for most. */
export function imageFacts(head: Buffer): ImageFacts | null {
  if (starts(head, '89504e470d0a1a0a')) {
    const known = head.length >= 24 && head.toString('latin1', 12, 16) === 'IHDR'
    return sized('image/png', known ? [head.readUInt32BE(16), head.readUInt32BE(20)] : null)
  }
  if (/^GIF8[79]a/.test(head.toString('latin1', 0, 6))) {
    return sized('image/gif', head.length >= 10 ? [head.readUInt16LE(6), head.readUInt16LE(8)] : null)
  }
  if (starts(head, 'ffd8ff')) return sized('image/jpeg', jpegSize(head))
  if (head.toString('latin1', 0, 4) === 'RIFF' && head.toString('latin1', 8, 12) === 'WEBP') {
    return sized('image/webp', webpSize(head))
  }
  return null
}

function starts(head: Buffer, hex: string): boolean {
  return head.subarray(0, hex.length / 2).equals(Buffer.from(hex, 'hex'))
}

type Size = readonly [width: number, height: number]

function sized(media_type: ImageType, size: Size | null): ImageFacts {
  const known = size !== null && size[0] > 0 && size[1] > 0
  return { media_type, width: known ? size[0] : null, height: known ? size[1] : null }
}

/** The frame header, behind segments that say how long they are. */
function jpegSize(head: Buffer): Size | null {
  let at = 2
  while (at + 9 < head.length) {
    if (head[at] !== 0xff) return null
    const marker = head[at + 1] ?? 0
    // Fill bytes, and markers that stand alone.
    if (marker === 0xff || marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) {
      at += marker === 0xff ? 1 : 2
      continue
    }
    const frame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc
    if (frame) return [head.readUInt16BE(at + 7), head.readUInt16BE(at + 5)]
    const length = head.readUInt16BE(at + 2)
    if (length < 2) return null
    at += 2 + length
  }
  return null
}

function webpSize(head: Buffer): Size | null {
  if (head.length < 30) return null
  switch (head.toString('latin1', 12, 16)) {
    case 'VP8 ':
      return [head.readUInt16LE(26) & 0x3fff, head.readUInt16LE(28) & 0x3fff]
    case 'VP8L': {
      const bits = head.readUInt32LE(21)
      return [(bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1]
    }
    case 'VP8X':
      return [head.readUIntLE(24, 3) + 1, head.readUIntLE(27, 3) + 1]
    default:
      return null
  }
}
