import { randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isSessionId } from '@shared/ids'
import { z } from 'zod'
import { isNodeError } from '../../errors'
import { FullText } from './full-text'
import type { Limits } from './types'

// Runs in the search worker: see reader.ts.

const FILE = 'index.json'
const TEMP_PREFIX = `${FILE}.new-`
/** Higher whenever the form of the file or what the index holds has changed: an older file is not read. */
const VERSION = 1
/** Beyond this something else wrote it; a full index has about a quarter. */
const MAX_FILE_BYTES = 400 * 1024 * 1024
/** What a killed process left: no write takes this long. */
const LEFTOVER_MS = 3_600_000
/** Stands between the two parts of the file: JSON text has no line break of its own. */
const SEAM = '\n"index":'

const count = z.number().int().nonnegative()
const docSchema = z.object({
  id: count.positive(),
  seq: count.nullable(),
  kind: z.enum(['title', 'user', 'assistant', 'tool', 'notice']),
  text: z.string(),
  call: z.string().optional(),
})
const headSchema = z.object({
  version: z.literal(VERSION),
  next_id: count,
  sessions: z.array(
    z.object({
      session: z.string().refine(isSessionId),
      size: z.number(),
      mtime_ms: z.number(),
      offset: count,
      tail: z.string(),
      last_seq: count,
      title: z.string(),
      cwd: z.string(),
      updated_at: z.string(),
      title_doc: count,
      docs: z.array(docSchema),
      users: z.array(z.object({ id: z.string(), seq: count })),
      calls: z.array(z.object({ id: z.string(), seq: count, head: z.string() })),
      left_out: z.boolean(),
    }),
  ),
})

/** The stored index; an empty one when there is none, or none that this version can read. */
export function loadIndex(folder: string, limits: Limits): FullText {
  try {
    const file = join(folder, FILE)
    if (statSync(file).size > MAX_FILE_BYTES) return new FullText(limits)
    const text = readFileSync(file, 'utf8')
    const seam = text.indexOf(SEAM)
    // `…,\n"index":{…}}`
    const head = headSchema.parse(JSON.parse(`${text.slice(0, seam - 1)}}`))
    const index = new FullText(limits)
    index.load(head.next_id, head.sessions, text.slice(seam + SEAM.length, text.lastIndexOf('}')))
    return index
  } catch {
    // It is made from the logs again: nothing is lost but some seconds of this worker.
    return new FullText(limits)
  }
}

/** Replaces the stored index in one step, so that two processes never mix theirs. Throws the system's error. */
export function saveIndex(folder: string, index: FullText): void {
  const { index: fullText, ...head } = index.dump()
  const text = `${JSON.stringify({ version: VERSION, ...head }).slice(0, -1)},${SEAM}${JSON.stringify(fullText)}}\n`
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const temp = join(folder, `${TEMP_PREFIX}${randomUUID()}`)
  try {
    writeFileSync(temp, text, { mode: 0o600, flag: 'wx' })
    renameSync(temp, join(folder, FILE))
  } catch (error) {
    rmSync(temp, { force: true })
    throw error
  }
  sweep(folder)
}

function sweep(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(TEMP_PREFIX)) continue
    const path = join(folder, name)
    try {
      if (Date.now() - statSync(path).mtimeMs > LEFTOVER_MS) rmSync(path, { force: true })
    } catch (error) {
      // Another process has just renamed or removed it.
      if (!isNodeError(error)) throw error
    }
  }
}
