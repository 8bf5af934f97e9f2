import { type FileHandle, open, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { isNodeError } from '../errors'
import { makeFolders } from '../home'

/** Below this nothing touches the disk: 25,000 characters are at most 75,000 bytes of UTF-8. */
const HOLD_BYTES = 128 * 1024
/** The producer waits while more than this is on its way to the disk. It also bounds the work of one turn of the loop. */
const HIGH_WATER_BYTES = 256 * 1024
/** A runaway command (`yes`) would fill any disk within its timeout. */
const MAX_FILE_BYTES = 2 * 1024 * 1024 * 1024

export interface SpillResult {
  path: string
  file: string
  bytes: number
  /** The file holds the beginning only. */
  capped: boolean
}

/** Every byte of an output, on its way to a file that is made only when it is needed. Memory stays flat. */
export class SpillWriter {
  readonly #dir: string
  readonly #stem: string
  #queue: Buffer[] = []
  #queued = 0
  #accepted = 0
  #capped = false
  #file: { handle: FileHandle; name: string } | null = null
  #pump: Promise<void> | null = null
  #error: unknown = null

  /** `name`: any text, made safe for a file name. */
  constructor(dir: string, name: string) {
    this.#dir = dir
    this.#stem = name.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 100)
  }

  /** Why the file could not be written; the output itself goes on. */
  get error(): unknown {
    return this.#error
  }

  /** A promise when the producer should wait for the disk. It never rejects. */
  push(chunk: Buffer): Promise<void> | undefined {
    if (this.#error !== null || this.#capped) return undefined
    const room = MAX_FILE_BYTES - this.#accepted
    this.#capped = chunk.length > room
    const bytes = this.#capped ? chunk.subarray(0, room) : chunk
    this.#queue.push(bytes)
    this.#queued += bytes.length
    this.#accepted += bytes.length
    if (this.#file === null && this.#queued <= HOLD_BYTES) return undefined
    const pump = this.#write()
    return this.#queued > HIGH_WATER_BYTES ? pump : undefined
  }

  /** Ends the file. `keep` false: nobody needs it, and it is removed if it was made. Null: there is no whole file. */
  async finish(keep: boolean): Promise<SpillResult | null> {
    if (keep && this.#queue.length > 0 && this.#error === null) await this.#write()
    else await this.#pump
    const file = this.#file
    this.#queue = []
    if (!file) return null
    await file.handle.close()
    const path = join(this.#dir, file.name)
    if (!keep) await unlink(path)
    return keep && this.#error === null ? { path, file: file.name, bytes: this.#accepted, capped: this.#capped } : null
  }

  #write(): Promise<void> {
    this.#pump ??= this.#drain()
    return this.#pump
  }

  /** Called with a queue that is not empty. */
  async #drain(): Promise<void> {
    try {
      this.#file ??= await this.#create()
      while (this.#queue.length > 0) {
        const batch = this.#queue
        this.#queue = []
        await this.#file.handle.appendFile(batch.length === 1 && batch[0] ? batch[0] : Buffer.concat(batch))
        this.#queued -= batch.reduce((sum, bytes) => sum + bytes.length, 0)
      }
    } catch (error) {
      this.#error = error
      this.#queue = []
      this.#queued = 0
      await this.#giveUp()
    } finally {
      // In the same step as the last look at the queue: nothing can be pushed in between and be forgotten.
      this.#pump = null
    }
  }

  /** On a full disk the half file would take the room that the session's own log needs to go on. */
  async #giveUp(): Promise<void> {
    const file = this.#file
    this.#file = null
    if (!file) return
    await file.handle.close().catch(() => undefined)
    await unlink(join(this.#dir, file.name)).catch(() => undefined)
  }

  /** A call id is unique within a reply only: a taken name gets a number. */
  async #create(): Promise<{ handle: FileHandle; name: string }> {
    await makeFolders(this.#dir)
    for (let n = 1; ; n += 1) {
      const name = n === 1 ? `${this.#stem}.txt` : `${this.#stem}-${n}.txt`
      try {
        return { handle: await open(join(this.#dir, name), 'wx', 0o600), name }
      } catch (error) {
        if (!isNodeError(error) || error.code !== 'EEXIST') throw error
      }
    }
  }
}
