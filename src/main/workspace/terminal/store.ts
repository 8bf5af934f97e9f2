import { readdir, readFile, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { TerminalInfo } from '@shared/terminals'
import { z } from 'zod'
import { isNodeError } from '../../errors'
import { makeFolders } from '../../home'
import { MAX_SAVED_CHARS } from './screen'

/** Terminals of one session that are kept. */
export const MAX_SAVED = 50

const savedSchema = z.object({
  version: z.literal(1),
  info: z.object({
    id: z.string(),
    session: z.string(),
    kind: z.enum(['command', 'shell']),
    title: z.string(),
    cwd: z.string(),
    pid: z.number().nullable(),
    state: z.enum(['running', 'ended']),
    exit_code: z.number().nullable(),
    signal: z.string().nullable(),
    started_at: z.string(),
    ended_at: z.string().nullable(),
    cols: z.number(),
    rows: z.number(),
  }),
  screen: z.string().max(2 * MAX_SAVED_CHARS),
})

export interface SavedTerminal {
  info: TerminalInfo
  /** Redacted. */
  screen: string
}

/** Screens on disk: `<session>/terminals/<id>.json`. */
export class TerminalStore {
  readonly #folder: string

  constructor(sessionFolder: string) {
    this.#folder = join(sessionFolder, 'terminals')
  }

  /** Replaces what was saved under this id, whole or not at all. Rejects with the system's error. */
  async save({ info, screen }: SavedTerminal): Promise<void> {
    const { default: writeFileAtomic } = await import('write-file-atomic')
    await makeFolders(this.#folder, 0o700)
    const text = JSON.stringify({ version: 1, info, screen })
    await writeFileAtomic(this.#path(info.id), text, { mode: 0o600, fsync: false })
  }

  /** Null when there is none, or none that can be read. */
  async read(id: string): Promise<SavedTerminal | null> {
    return readSaved(this.#path(id))
  }

  /** Oldest first. One that was running when the program ended is shown as ended. */
  async list(): Promise<TerminalInfo[]> {
    const saved = await Promise.all((await this.#files()).map((name) => readSaved(join(this.#folder, name))))
    return saved
      .flatMap((entry) => (entry ? [entry.info] : []))
      .sort((a, b) => a.started_at.localeCompare(b.started_at))
  }

  async remove(id: string): Promise<void> {
    await unlink(this.#path(id)).catch(ignoreMissing)
  }

  /** Removes the oldest above MAX_SAVED. */
  async prune(): Promise<void> {
    const names = await this.#files()
    if (names.length <= MAX_SAVED) return
    const dated = await Promise.all(
      names.map(async (name) => {
        const path = join(this.#folder, name)
        const file = await stat(path).catch(() => null)
        return { path, at: file?.mtimeMs ?? 0 }
      }),
    )
    dated.sort((a, b) => b.at - a.at)
    await Promise.all(dated.slice(MAX_SAVED).map(({ path }) => unlink(path).catch(ignoreMissing)))
  }

  #path(id: string): string {
    return join(this.#folder, `${id.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 100)}.json`)
  }

  async #files(): Promise<string[]> {
    try {
      return (await readdir(this.#folder)).filter((name) => name.endsWith('.json'))
    } catch (error) {
      if (isNodeError(error) && error.code === 'ENOENT') return []
      throw error
    }
  }
}

async function readSaved(path: string): Promise<SavedTerminal | null> {
  let value: unknown
  try {
    value = JSON.parse(await readFile(path, 'utf8'))
  } catch {
    // Not there, or damaged: a screen that cannot be shown is no reason to fail.
    return null
  }
  const saved = savedSchema.safeParse(value)
  if (!saved.success) return null
  return { info: { ...saved.data.info, state: 'ended', pid: null }, screen: saved.data.screen }
}

function ignoreMissing(error: unknown): void {
  if (!isNodeError(error) || error.code !== 'ENOENT') throw error
}
