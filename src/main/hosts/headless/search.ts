import type { SearchHit } from '@shared/bridge'
import { EXIT } from '../../errors'
import { SessionSearch } from '../../session/search'
import { secretValues } from '../../workspace/environment'
import type { Command } from './args'
import type { CliIo } from './io'
import { prepare } from './setup'
import { oneLine, type Style, styleFor, tildePath } from './style'
import { Writer } from './writer'

/**
 * `ml-intern sessions search`. It needs no engine: the search only reads the logs, whoever writes them. Returns the exit
 * code: 1 when nothing was found, as grep does. Throws UserError.
 */
export async function runSearch(io: CliIo, command: Extract<Command, { name: 'sessions search' }>): Promise<number> {
  const { loaded, credentials } = await prepare(io, command)
  const secrets = (): readonly string[] => [...secretValues(loaded.env), ...credentials.known_secrets()]
  const search = new SessionSearch({ home: loaded.home, secrets })
  const controller = new AbortController()
  const release = io.onSignal(() => controller.abort())
  try {
    const { limit, query } = command
    const result = await search.search(query, { limit, wait: true, signal: controller.signal })
    const out = new Writer(io.stdout)
    if (command.json) out.write(`${JSON.stringify(result.hits, null, 2)}\n`)
    else for (const text of lines(result.hits, styleFor(io.stdout, io.env), io.env.HOME)) out.write(text)
    await out.finish()
    if (result.hits.length === 0) io.stderr.write('Nothing was found.\n')
    if (result.left_out > 0) {
      io.stderr.write(`The index is full: of the ${result.left_out} oldest sessions only the titles were searched.\n`)
    }
    return result.hits.length > 0 ? EXIT.finished : EXIT.failed
  } catch (error) {
    if (controller.signal.aborted) return EXIT.interrupted
    throw error
  } finally {
    release()
    await search.close()
  }
}

/** A line for each session, and under it its hits. */
function lines(hits: readonly SearchHit[], style: Style, home: string | undefined): string[] {
  return hits.flatMap((hit, at) => {
    const { session, title, cwd, updated_at } = hit
    const head = `${style.cyan(session.slice(0, 8))}  ${style.bold(oneLine(title) || '(untitled)')}`
    const place = style.dim(`  ${tildePath(oneLine(cwd), home)}  ${updated_at.slice(0, 10)}`)
    const first = hits[at - 1]?.session !== session
    const text = hit.seq === null ? [] : [`  ${style.dim(hit.kind.padEnd(9))} ${shown(hit, style)}\n`]
    return first ? [`${head}${place}\n`, ...text] : text
  })
}

/** Each piece is cleaned by itself, so that what matched is still where its marks say. */
function shown({ snippet, marks }: SearchHit, style: Style): string {
  const pieces: string[] = []
  let at = 0
  for (const [start, end] of marks) {
    pieces.push(safe(snippet.slice(at, start)), style.yellow(safe(snippet.slice(start, end))))
    at = end
  }
  return [...pieces, safe(snippet.slice(at))].join('')
}

/** As `oneLine`, with the spaces at both ends. */
function safe(text: string): string {
  return oneLine(`|${text}|`).slice(1, -1)
}
