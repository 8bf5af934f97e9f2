import { parentPort, workerData } from 'node:worker_threads'
import { messageOf } from '../../errors'
import type { TaskReply } from '../worker-task'
import { DEFAULT_PAGES, type PdfRequest, type PdfResult } from './types'

/** Errors only: its warnings are about drawing, and nothing is drawn here. */
const VERBOSITY = 0

async function load() {
  // The library makes one of these when it is loaded, for drawing; extracting text never uses it.
  if (!('DOMMatrix' in globalThis)) Object.assign(globalThis, { DOMMatrix: class {} })
  // Found there, it needs no second thread and no file of its own to load.
  Object.assign(globalThis, { pdfjsWorker: await import('pdfjs-dist/legacy/build/pdf.worker.mjs') })
  return import('pdfjs-dist/legacy/build/pdf.mjs')
}

async function readPdf({ bytes, pages, max_chars }: PdfRequest): Promise<PdfResult> {
  const pdfjs = await load()
  const task = pdfjs.getDocument({
    data: bytes,
    verbosity: VERBOSITY,
    isEvalSupported: false,
    useSystemFonts: false,
    disableFontFace: true,
    stopAtErrors: false,
  })
  try {
    const document = await task.promise
    const total = document.numPages
    const wanted = pages ?? Array.from({ length: DEFAULT_PAGES }, (_, i) => i + 1)
    const found: { number: number; text: string }[] = []
    let chars = 0
    for (const number of wanted.filter((page) => page >= 1 && page <= total)) {
      if (chars >= max_chars) return { kind: 'text', total, pages: found, full: true }
      const page = await document.getPage(number)
      const { items } = await page.getTextContent()
      const raw = items.map((item) => ('str' in item ? item.str + (item.hasEOL ? '\n' : '') : '')).join('')
      page.cleanup()
      const text = raw.trim().slice(0, max_chars - chars)
      chars += text.length
      found.push({ number, text })
    }
    return { kind: 'text', total, pages: found, full: false }
  } catch (error) {
    if (error instanceof Error && error.name === 'PasswordException') return { kind: 'encrypted' }
    return { kind: 'broken', why: messageOf(error) }
  }
}

if (parentPort) {
  const port = parentPort
  const answer = (reply: TaskReply<PdfResult>): void => port.postMessage(reply)
  readPdf(workerData as PdfRequest).then(
    (value) => answer({ ok: true, value }),
    (error: unknown) => answer({ ok: false, message: messageOf(error) }),
  )
}
