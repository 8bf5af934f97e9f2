import { graphemes, graphemeWidth } from './graphemes'

export interface Layout {
  rows: string[]
  /** Where the cursor is, from 0. */
  row: number
  column: number
}

export interface LayoutOptions {
  text: string
  /** UTF-16 offset in `text`. */
  cursor: number
  /** Before the first row; those below are indented by as much. Without colours: its width is its length. */
  prompt: string
  paintPrompt: (prompt: string) => string
  paintNote: (note: string) => string
  /** No row is wider than this. */
  columns: number
  /** Most rows; a longer text shows the part around the cursor and says what is left out. */
  max_rows: number
}

/** The rows that a text takes on the screen. Rows are cut here, never by the terminal, so that they can be counted. */
export function layout({ text, cursor, prompt, paintPrompt, paintNote, columns, max_rows }: LayoutOptions): Layout {
  const indent = prompt.length
  const room = Math.max(2, columns - indent)
  const rows: string[] = ['']
  const at = { row: 0, column: 0 }
  let width = 0
  let offset = 0
  const place = (): void => {
    if (offset === cursor) Object.assign(at, { row: rows.length - 1, column: width })
  }
  for (const grapheme of graphemes(text)) {
    const wide = grapheme === '\n' ? 0 : graphemeWidth(grapheme)
    if (grapheme !== '\n' && width + wide > room) {
      rows.push('')
      width = 0
    }
    place()
    offset += grapheme.length
    if (grapheme === '\n') {
      rows.push('')
      width = 0
    } else {
      rows[rows.length - 1] += grapheme === '\t' ? '  ' : grapheme
      width += wide
    }
  }
  place()
  // A cursor behind a full row stands in the next one.
  if (at.column > room - 1 && at.column >= room) {
    if (at.row === rows.length - 1) rows.push('')
    Object.assign(at, { row: at.row + 1, column: 0 })
  }
  const shown = around(rows, at.row, Math.max(3, max_rows), paintNote)
  const blank = ' '.repeat(indent)
  return {
    rows: shown.rows.map((row, i) => (i === 0 ? paintPrompt(prompt) : blank) + row),
    row: shown.row,
    column: indent + at.column,
  }
}

function around(rows: string[], row: number, limit: number, paint: (note: string) => string) {
  if (rows.length <= limit) return { rows, row }
  const room = limit - 2
  const from = Math.max(0, Math.min(row - Math.floor(room / 2), rows.length - room))
  const below = rows.length - from - room
  return {
    rows: [
      paint(from > 0 ? `… ${from} more above` : ''),
      ...rows.slice(from, from + room),
      paint(below > 0 ? `… ${below} more below` : ''),
    ],
    row: row - from + 1,
  }
}
