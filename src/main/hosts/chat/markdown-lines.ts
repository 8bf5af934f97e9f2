import type { Style } from '../headless/style'
import { graphemes, graphemeWidth } from './graphemes'

const FENCE = /^ {0,3}(`{3,}|~{3,})/
/** Marker and its indent: `- `, `12. `, `> `, `  * `. What is wrapped goes on under the text. */
const LEAD = /^\s*(?:[-*+] |\d{1,3}[.)] |> ?)?/

/**
 * Markdown for a terminal, line by line as it is streamed: headings, bold and code get a look, prose is wrapped between
 * words, and code stays as it is. The marks stay where leaving them out could change what is meant.
 */
export class MarkdownLines {
  private fence = ''

  constructor(private readonly style: Style) {}

  /** A new text begins. */
  reset(): void {
    this.fence = ''
  }

  /** The rows of one whole line, without line ends. `line` must be free of escape sequences. */
  line(line: string, columns: number): string[] {
    const mark = FENCE.exec(line)?.[1] ?? ''
    if (this.fence !== '') {
      const ends = mark.startsWith(this.fence) && line.trim() === mark
      if (ends) this.fence = ''
      return [ends ? this.style.dim(line) : this.style.cyan(line)]
    }
    if (mark !== '') {
      this.fence = mark
      return [this.style.dim(line)]
    }
    // A table is read in columns.
    if (/^\s*\|/.test(line)) return [line]
    const heading = /^ {0,3}#{1,6} /.test(line)
    return wrapWords(line, columns).map((row) => (heading ? this.style.bold(row) : this.inline(row)))
  }

  /** As `line`, for one that has not ended: nothing is remembered. */
  open(line: string, columns: number): string[] {
    const plain = this.fence !== '' || FENCE.test(line) || /^\s*\|/.test(line)
    return wrapWords(line, columns, plain)
  }

  private inline(row: string): string {
    if (!this.style.enabled) return row
    return row.replace(/(`+)([^`]+)\1|\*\*(\S(?:[^*]*\S)?)\*\*/g, (whole, _ticks, code, bold) =>
      code === undefined ? this.style.bold(String(bold)) : this.style.cyan(String(whole)),
    )
  }
}

/** Rows of at most `columns`, cut between words; a word that is longer is cut, as everything is where `anywhere`. */
export function wrapWords(line: string, columns: number, anywhere = false): string[] {
  const lead = LEAD.exec(line)?.[0] ?? ''
  const indent = anywhere || lead.length > columns / 2 ? '' : ' '.repeat(lead.length)
  const rows: string[] = []
  let row = ''
  let width = 0
  const put = (piece: string, wide: number): void => {
    if (width + wide > columns && row.trim() !== '') {
      rows.push(row.trimEnd())
      row = indent
      width = indent.length
    }
    row += piece
    width += wide
  }
  const pieces = anywhere ? [line] : [lead, ...(line.slice(lead.length).match(/\s+|\S+/g) ?? [])]
  for (const piece of pieces) {
    const parts = graphemes(piece)
    const wide = parts.reduce((sum, part) => sum + graphemeWidth(part), 0)
    // White space never begins a row.
    if (piece.trim() === '' && width + wide > columns) continue
    if (wide <= columns - indent.length) put(piece, wide)
    else for (const part of parts) put(part, graphemeWidth(part))
  }
  return [...rows, row]
}
