export interface Piece {
  text: string
  marked: boolean
  /** Offset in the snippet. */
  at: number
}

/** A snippet cut at its marks. Marks that overlap, or lie outside, lose nothing of the text and double nothing. */
export function piecesOf(snippet: string, marks: readonly (readonly [number, number])[]): Piece[] {
  const pieces: Piece[] = []
  let done = 0
  const add = (end: number, marked: boolean): void => {
    if (end > done) pieces.push({ text: snippet.slice(done, end), marked, at: done })
    done = Math.max(done, end)
  }
  for (const [start, end] of [...marks].sort((a, b) => a[0] - b[0])) {
    add(Math.min(start, snippet.length), false)
    add(Math.min(end, snippet.length), true)
  }
  add(snippet.length, false)
  return pieces
}
