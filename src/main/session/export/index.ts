import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ExportFormat } from '@shared/bridge'
import type { SessionState } from '@shared/state'
import { UserError } from '../../errors'
import { redactor } from './redact'
import { titleOf } from './words'

export interface ExportSource {
  state: SessionState
  /** The stored log, which `jsonl` is read from. */
  log_file: string
  secrets: readonly string[]
}

/** As the bridge hands it to the window. */
export interface ExportedFile {
  file_name: string
  mime: string
  text: string
}

/** In UTF-16 code units: what one reply of the bridge may carry. */
export const MAX_EXPORT_CHARS = 64 * 1024 * 1024
/** Milliseconds of work before others are let run. */
const SLICE_MS = 5
/** Small pieces are joined to about this many characters. */
const PIECE_CHARS = 64 * 1024
const MAX_SLUG_CHARS = 48

const KINDS: Record<ExportFormat, { ending: string; mime: string }> = {
  markdown: { ending: 'md', mime: 'text/markdown' },
  html: { ending: 'html', mime: 'text/html' },
  json: { ending: 'json', mime: 'application/json' },
  jsonl: { ending: 'jsonl', mime: 'application/x-ndjson' },
  trace: { ending: 'trace.jsonl', mime: 'application/x-ndjson' },
}

/**
 * A whole session in pieces of about 64 K characters, secrets taken out. Others run between the pieces; the unit of work
 * is one message, so that only a message of megabytes takes longer than some milliseconds. `jsonl` rejects with the
 * system's error when the log cannot be read.
 */
export async function* exportSession(source: ExportSource, format: ExportFormat): AsyncGenerator<string, void> {
  let sliceStart = performance.now()
  let held: string[] = []
  let chars = 0
  for await (const piece of piecesOf(source, format)) {
    held.push(piece)
    chars += piece.length
    if (chars >= PIECE_CHARS) {
      yield held.join('')
      held = []
      chars = 0
    }
    // The reader's own work counts too: it is done between two steps of this loop.
    if (performance.now() - sliceStart > SLICE_MS) {
      await nextTurn()
      sliceStart = performance.now()
    }
  }
  if (chars > 0) yield held.join('')
}

/** The formats are loaded when they are asked for. */
async function* piecesOf(source: ExportSource, format: ExportFormat): AsyncGenerator<string, void> {
  const { state, log_file, secrets } = source
  switch (format) {
    case 'markdown':
      return yield* (await import('./markdown')).markdown(state, redactor(secrets))
    case 'html':
      return yield* (await import('./html')).html(state, redactor(secrets))
    case 'json':
      return yield* (await import('./json')).json(state, redactor(secrets))
    case 'jsonl':
      return yield* (await import('./log')).jsonl(log_file, secrets)
    case 'trace':
      return yield* (await import('./trace')).trace(state, redactor(secrets))
  }
}

/** The whole export as one text. Throws `too_large` when it is longer than `max` characters. */
export async function exportFile(
  source: ExportSource,
  format: ExportFormat,
  max = MAX_EXPORT_CHARS,
): Promise<ExportedFile> {
  const pieces: string[] = []
  let chars = 0
  for await (const piece of exportSession(source, format)) {
    chars += piece.length
    if (chars > max) {
      throw new UserError(
        'too_large',
        `This session is too large to be exported here: more than ${Math.floor(max / 1024 / 1024)} MB.`,
        `On the command line there is no limit: ml-intern sessions export ${source.state.id} --format ${format} --output FILE`,
      )
    }
    pieces.push(piece)
  }
  return { file_name: fileName(source, format), mime: KINDS[format].mime, text: pieces.join('') }
}

/** `ml-intern-<title>-<first characters of the id>.<ending>`, in letters that every system takes. */
export function fileName({ state, secrets }: Pick<ExportSource, 'state' | 'secrets'>, format: ExportFormat): string {
  const slug = redactor(secrets)
    .value(titleOf(state))
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, MAX_SLUG_CHARS)
    .replace(/^-+|-+$/g, '')
  return ['ml-intern', slug, `${state.id.slice(0, 8)}.${KINDS[format].ending}`].filter(Boolean).join('-')
}
