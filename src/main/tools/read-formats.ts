import { createHash } from 'node:crypto'
import { UserError } from '../errors'
import type { OpenedFile } from '../workspace/bounds'
import { CHUNK_BYTES, formatBytes } from '../workspace/files'
import { type ImageFacts, imageFacts } from '../workspace/image'
import { binaryKind, hexHead } from '../workspace/image/magic'
import { type CellView, readNotebook } from '../workspace/notebook'
import { DEFAULT_PAGES, parsePages, pdfText } from '../workspace/pdf'
import { decodeUtf8 } from '../workspace/text'
import { counted, failure } from './support'
import type { ToolContext, ToolResult } from './types'

/** Bytes at the beginning that tell what a file is; the size of most pictures stands in them. */
const HEAD_BYTES = 64 * 1024
/** As base64, in which it travels, it has about 5 MB: more than that providers refuse, and with it the whole request. */
const MAX_IMAGE_BYTES = 3_750_000
/** Pixels of a side; providers refuse more. */
const MAX_IMAGE_SIDE = 8000
const MAX_PDF_BYTES = 50_000_000
const MAX_NOTEBOOK_BYTES = 50_000_000

export interface ReadRequest {
  opened: OpenedFile
  /** As the model named it, absolute. */
  file: string
  /** For messages. */
  name: string
  /** First line or cell, from 1. */
  first: number
  limit: number
  pages: string | undefined
  max_chars: number
}

/** Reads what is not plain text; null for text. Throws UserError. */
export async function readSpecial(request: ReadRequest, context: ToolContext): Promise<ToolResult | null> {
  const { opened, name, pages } = request
  const buffer = Buffer.alloc(Math.min(HEAD_BYTES, opened.stats.size))
  const { bytesRead } = await opened.handle.read(buffer, 0, buffer.length, 0)
  const head = buffer.subarray(0, bytesRead)

  const pdf = head.subarray(0, 1024).includes('%PDF-')
  if (pages !== undefined && !pdf) return failure(`${name} is no PDF: pages is for PDFs alone.`)
  if (pdf) return readPdf(request, context)
  const image = imageFacts(head)
  if (image) return readImage(request, image, context)
  if (request.file.toLowerCase().endsWith('.ipynb')) return readCells(request, context)
  return describeBinary(request, head)
}

function describeBinary({ name, opened }: ReadRequest, head: Buffer): ToolResult | null {
  const utf16 = head.length >= 2 && [0xfffe, 0xfeff].includes(head.readUInt16BE(0))
  const kind = binaryKind(head)
  // Of compressed files not every beginning has a NUL.
  const text = !head.includes(0) && (kind === null || head.length < 4 || isUtf8(head))
  if (utf16 || text) return null
  const what = kind ? `: ${kind.name}` : ''
  const advice = kind?.advice || 'Look at it with bash and a library for its format.'
  const size = formatBytes(opened.stats.size)
  const result = failure(`${name} is a binary file, not text${what} (${size}).`, advice)
  return { ...result, output: `${result.output}\nIt begins with:\n${hexHead(head)}` }
}

function isUtf8(head: Buffer): boolean {
  try {
    // The end may be cut within a character.
    new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true })
    return true
  } catch {
    return false
  }
}

/** The whole file, noted as read. */
async function readWhole({ opened }: ReadRequest, context: ToolContext): Promise<Buffer> {
  const hash = createHash('sha256')
  const pieces: Buffer[] = []
  // From explicit places: whoever reads it as text after all begins at its beginning.
  for (let at = 0; ; ) {
    context.signal.throwIfAborted()
    const piece = Buffer.alloc(CHUNK_BYTES)
    const { bytesRead } = await opened.handle.read(piece, 0, CHUNK_BYTES, at)
    if (bytesRead === 0) break
    pieces.push(piece.subarray(0, bytesRead))
    hash.update(piece.subarray(0, bytesRead))
    at += bytesRead
  }
  const bytes = Buffer.concat(pieces)
  const version = { mtime_ms: opened.stats.mtimeMs, size: bytes.length, hash: hash.digest('hex') }
  context.files.note(opened.real, version)
  return bytes
}

function requireSize({ opened, name }: ReadRequest, max: number, remedy: string): void {
  if (opened.stats.size <= max) return
  const sizes = `${formatBytes(opened.stats.size)}; the limit is ${formatBytes(max)}`
  throw new UserError('too_large', `${name} is too large to be shown (${sizes}).`, remedy)
}

async function readImage(request: ReadRequest, image: ImageFacts, context: ToolContext): Promise<ToolResult> {
  const { name, file } = request
  const { width, height, media_type } = image
  const smaller = 'Make a smaller copy with bash (Python’s PIL: Image.open, thumbnail, save) and read that.'
  requireSize(request, MAX_IMAGE_BYTES, smaller)
  if (Math.max(width ?? 0, height ?? 0) > MAX_IMAGE_SIDE) {
    return failure(
      `${name} is too large to be shown (${width} x ${height} pixels; the limit is ${MAX_IMAGE_SIDE} a side).`,
      smaller,
    )
  }
  const bytes = await readWhole(request, context)
  const kind = media_type.slice('image/'.length).toUpperCase()
  const size = width === null ? '' : `${width} x ${height} pixels, `
  const data_base64 = bytes.toString('base64')
  return {
    output: `${name}: ${kind} picture, ${size}${formatBytes(bytes.length)}. If no picture comes with this, the model in use cannot see: measure it with a script instead.`,
    ok: true,
    images: [{ media_type, data_base64, width, height }],
    details: noLines(file),
  }
}

async function readCells(request: ReadRequest, context: ToolContext): Promise<ToolResult | null> {
  const { name, first, limit, max_chars, file, opened } = request
  if (opened.stats.size === 0) return null
  requireSize(request, MAX_NOTEBOOK_BYTES, 'Clear its outputs first: jupyter nbconvert --clear-output --inplace FILE.')
  const view = await readNotebook(decodeUtf8(await readWhole(request, context), name), context.signal)
  if ('kind' in view) return view.text ? null : failure(`${name}: ${view.message}`, view.remedy)
  const total = view.cells.length
  if (total === 0) return { output: `(${name} is a notebook without cells)`, ok: true, details: noLines(file) }
  if (first > total) return failure(`${name} has ${counted(total, 'cell')}: there is no cell ${first}.`)

  const shown: string[] = []
  let chars = 0
  for (const cell of view.cells.slice(first - 1, first - 1 + limit)) {
    const text = cellText(cell)
    if (shown.length > 0 && chars + text.length > max_chars) break
    shown.push(text.length > max_chars ? `${text.slice(0, max_chars)}\n[the rest of the cell is left out]` : text)
    chars += text.length
  }
  const last = first + shown.length - 1
  const language = view.language ? `, ${view.language}` : ''
  const more = last < total ? [`[Cells ${first} to ${last} of ${total}. To go on, read with offset=${last + 1}.]`] : []
  const title = `${name}: notebook, ${counted(total, 'cell')}${language}`
  return { output: [title, ...shown, ...more].join('\n\n'), ok: true, details: noLines(file) }
}

function cellText({ number, id, type, execution_count, source, outputs }: CellView): string {
  const count = type === 'code' ? ` · In [${execution_count ?? ' '}]` : ''
  const head = `── cell ${number} · ${type}${id === null ? '' : ` · id ${id}`}${count}`
  return [head, source, ...outputs.map((output) => `── output ${output}`)].join('\n')
}

async function readPdf(request: ReadRequest, context: ToolContext): Promise<ToolResult> {
  const { name, pages, max_chars, file } = request
  const wanted = pages === undefined ? null : parsePages(pages)
  requireSize(request, MAX_PDF_BYTES, 'Take out the pages you need with bash: qpdf, or pypdf in Python.')
  const bytes = await readWhole(request, context)
  const found = await pdfText({ bytes, pages: wanted, max_chars }, context.signal)
  if (found.kind === 'encrypted') {
    return failure(`${name} is encrypted: its text needs a password.`, 'Ask the user for a copy without one.')
  }
  if (found.kind === 'broken') return failure(`${name} cannot be read as a PDF: ${found.why}.`)
  const { total, full } = found
  if (found.pages.length === 0) return failure(`${name} has ${counted(total, 'page')}: none of those asked for.`)
  if (found.pages.every(({ text }) => text === '')) {
    return failure(
      `${name}: ${found.pages.length === 1 ? 'the page has' : `all ${found.pages.length} pages read have`} no text; they are pictures, such as a scan.`,
      'Make pictures of pages with bash (pdftoppm -png -r 100 -f 1 -l 1 FILE page) and read those, or use OCR (ocrmypdf).',
    )
  }
  const last = found.pages.at(-1)?.number ?? total
  const rest = wanted === null ? last < total : full
  const why = full ? ' (as much as one result can hold)' : ''
  const more = rest
    ? [
        `[Up to page ${last} of ${total}${why}. To go on, read with pages=${last + 1}-${Math.min(total, last + DEFAULT_PAGES)}.]`,
      ]
    : []
  const text = found.pages.map((page) => `── page ${page.number}\n${page.text === '' ? '(no text)' : page.text}`)
  return {
    output: [`${name}: PDF, ${counted(total, 'page')}`, ...text, ...more].join('\n\n'),
    ok: true,
    details: noLines(file),
  }
}

function noLines(path: string) {
  return { kind: 'file', path, first_line: 0, last_line: 0 } as const
}
