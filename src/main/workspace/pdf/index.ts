import { UserError } from '../../errors'
import { runTask } from '../worker-task'
import { MAX_PAGES, type PdfRequest, type PdfResult } from './types'

export { DEFAULT_PAGES, type PdfResult } from './types'

const MAX_MS = 30_000
const HEAP_MB = 768

/** The text of a PDF's pages. Made in a worker thread that is ended after 30 s. Throws UserError. */
export async function pdfText(request: PdfRequest, signal: AbortSignal): Promise<PdfResult> {
  const { default: file } = await import('./worker?modulePath')
  return runTask<PdfResult>(file, request, { what: 'Reading the PDF', signal, max_ms: MAX_MS, heap_mb: HEAP_MB })
}

/** `1-3,8` -> 1, 2, 3, 8. At most MAX_PAGES pages. Throws UserError. */
export function parsePages(text: string): number[] {
  const pages = new Set<number>()
  for (const part of text.split(',')) {
    const match = /^\s*(\d{1,6})\s*(?:-\s*(\d{1,6})\s*)?$/.exec(part)
    const from = Number(match?.[1] ?? 0)
    const to = Number(match?.[2] ?? from)
    if (!match || from < 1 || to < from) {
      throw new UserError('invalid_request', `“${text.slice(0, 60)}” names no pages.`, 'Write them as 3, 1-5 or 1-3,8.')
    }
    if (to - from >= MAX_PAGES || pages.size + to - from >= MAX_PAGES) {
      throw new UserError('invalid_request', `One call reads at most ${MAX_PAGES} pages.`, 'Read them in parts.')
    }
    for (let page = from; page <= to; page += 1) pages.add(page)
  }
  return [...pages].sort((a, b) => a - b)
}
