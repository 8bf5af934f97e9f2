import { randomUUID } from 'node:crypto'
import { link, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import type { ExportFormat } from '@shared/bridge'
import type { SessionState } from '@shared/state'
import { isNodeError, messageOf, UserError } from '../../errors'
import type { SessionTransfers } from '../../session/export/transfers'
import type { CliIo } from './io'
import { clean, oneLine, type Style } from './style'
import { noticeLines, tailLines, toolLine } from './text-lines'
import type { Writer } from './writer'

/** Of a tool's output, in `sessions show`. */
const SHOWN_OUTPUT_LINES = 6
const SHOW_COLUMNS = 160

export interface ExportOptions {
  format: ExportFormat
  /** As typed; `-` or absent: stdout. A folder: the file gets its own name there. */
  output?: string
  /** Replaces a file that is there. */
  force: boolean
  signal?: AbortSignal
}

/**
 * Writes a session to stdout, or to a new file readable by this user alone. It is written in pieces under another name
 * and gets its own when it is whole. Throws UserError.
 */
export async function exportToFile(
  io: CliIo,
  engine: Pick<SessionTransfers, 'exportSession'>,
  id: string,
  { format, output, force, signal }: ExportOptions,
  out: Writer,
): Promise<void> {
  const { file_name, chunks } = await engine.exportSession(id, format)
  if (output === undefined || output === '-') {
    for await (const chunk of chunks) {
      signal?.throwIfAborted()
      if (out.closed) return
      out.write(chunk)
      // A slow reader holds back the next piece: a session may be larger than memory.
      await out.flush()
    }
    return
  }
  const file = await targetOf(resolve(io.cwd, output), file_name, force)
  const temporary = join(dirname(file), `.${basename(file)}.${randomUUID().slice(0, 8)}.tmp`)
  try {
    await writeChunks(temporary, chunks, signal)
    if (force) await rename(temporary, file)
    else await placeNew(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true })
    if (!isNodeError(error)) throw error
    if (error.code === 'EEXIST') throw exists(file, error)
    const reason = error.code ?? messageOf(error)
    throw new UserError('usage', `${file} cannot be written: ${reason}.`, 'Give another path with --output.', {
      cause: error,
    })
  }
  io.stderr.write(`Written to ${file}\n`)
}

/** The file that is meant. Throws `usage` when it must not be written. */
async function targetOf(path: string, name: string, force: boolean): Promise<string> {
  const there = await look(path)
  if (there === 'folder') return targetOf(join(path, name), name, force)
  if (there === 'other')
    throw new UserError('usage', `${path} is no ordinary file.`, 'Use --output - with a redirection.')
  if (there === 'file' && !force) throw exists(path)
  // What a link leads to is replaced, not the link.
  return there === 'file' ? realpath(path) : path
}

async function look(path: string): Promise<'file' | 'folder' | 'other' | null> {
  try {
    const info = await stat(path)
    return info.isFile() ? 'file' : info.isDirectory() ? 'folder' : 'other'
  } catch (error) {
    if (isNodeError(error) && error.code === 'ENOENT') return null
    const reason = isNodeError(error) ? error.code : messageOf(error)
    throw new UserError('usage', `${path} cannot be written: ${reason}.`, 'Give another path with --output.')
  }
}

async function writeChunks(file: string, chunks: AsyncIterable<string>, signal?: AbortSignal): Promise<void> {
  const handle = await open(file, 'wx', 0o600)
  try {
    for await (const chunk of chunks) {
      signal?.throwIfAborted()
      await handle.writeFile(chunk)
    }
    await handle.datasync()
  } finally {
    await handle.close()
  }
}

/** Unlike a rename, it does not replace a file that somebody made meanwhile. */
async function placeNew(temporary: string, file: string): Promise<void> {
  try {
    await link(temporary, file)
  } catch (error) {
    if (isNodeError(error) && error.code === 'EEXIST') throw error
    // A file system without links.
    if ((await look(file)) !== null) throw exists(file, error)
    await rename(temporary, file)
    return
  }
  await rm(temporary)
}

function exists(file: string, cause?: unknown): UserError {
  return new UserError('usage', `${file} is there already.`, 'Give another path, or --force to replace it.', { cause })
}

/** For reading in a terminal: messages in full, tool calls in a line with the end of their output. */
export function transcript(state: SessionState, style: Style): string {
  const parts: string[] = []
  for (const item of state.items) {
    switch (item.kind) {
      case 'user':
        parts.push(`\n${style.bold('> ')}${clean(item.text).trim()}\n\n`)
        break
      case 'assistant':
        if (item.text.trim()) parts.push(`${clean(item.text).trim()}${item.partial ? style.dim(' (cut off)') : ''}\n`)
        break
      case 'tool': {
        parts.push(toolLine(item, style, SHOW_COLUMNS))
        const lines = item.state === 'error' ? [] : tailLines(item.output, SHOWN_OUTPUT_LINES)
        for (const line of lines) parts.push(style.dim(`    ${line}\n`))
        break
      }
      case 'guard':
        parts.push(style.dim(`Note to the model (${item.guard}): ${oneLine(item.text)}\n`))
        break
      case 'notice':
        parts.push(noticeLines(item, style))
        break
    }
  }
  return parts.join('')
}
