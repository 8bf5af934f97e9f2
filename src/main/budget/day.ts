import { appendFile, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isNodeError, messageOf, UserError } from '../errors'
import { makeFolders } from '../home'

export interface DayCost {
  session: string
  model: string
  kind: string
  usd: number
}

type Line =
  | { op: 'reserve'; id: string; usd: number; at: string }
  | { op: 'release'; id: string }
  | ({ op: 'cost'; at: string } & DayCost)

/** A call is over by then: what is still held was held by a process that died. */
const STALE_MS = 3_600_000
const CHUNK_BYTES = 256 * 1024
/** Ours have about 200 bytes; what is longer is damage and is skipped. */
const MAX_LINE_BYTES = 16 * 1024
/** A hundred thousand calls; more than that is no ledger. */
const MAX_FILE_BYTES = 64 * 1024 * 1024
const NEWLINE = 10
const NOISE = 1e-9

/** `2026-11-20` of the local calendar: the day that a bill is felt in. */
export function dayOf(date: Date): string {
  const two = (n: number) => String(n).padStart(2, '0')
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
}

/** What all sessions of this data folder spend, by local day: one append-only file a day, shared by all processes. */
export class DayLedger {
  private book: { day: string; book: DayBook } | null = null

  constructor(
    private readonly folder: string,
    private readonly now: () => Date = () => new Date(),
  ) {}

  /** A call that begins before midnight belongs to that day to its end: keep the book until it is settled. */
  today(): DayBook {
    const day = dayOf(this.now())
    if (this.book?.day !== day) {
      this.book = { day, book: new DayBook(join(this.folder, `${day}.jsonl`), this.now) }
    }
    return this.book.book
  }

  /** Resolves when everything noted so far is written: for the end of the program. */
  async idle(): Promise<void> {
    await this.book?.book.idle()
  }
}

export class DayBook {
  private spent = 0
  /** `before`: everything spent or held when it was written; the order in the file is the same for every process. */
  private readonly held = new Map<string, { usd: number; at: number; before: number }>()
  private offset = 0
  private rest: Buffer = Buffer.alloc(0)
  /** Lines that could not be written; they go out with the next ones. */
  private unwritten: Line[] = []
  private last: Promise<unknown> = Promise.resolve()

  constructor(
    private readonly file: string,
    private readonly now: () => Date,
  ) {}

  /**
   * Holds `usd` under the cap of the day. The line is written first and counted where it stands in the file, so two
   * processes cannot both take the last dollar. Throws UserError when the file cannot be kept: then no cap can be.
   */
  reserve(id: string, usd: number, cap: number): Promise<{ allowed: boolean; spent_usd: number }> {
    return this.alone(async () => {
      try {
        await this.append([{ op: 'reserve', id, usd, at: this.now().toISOString() }])
        await this.read()
      } catch (error) {
        throw unusable(this.file, messageOf(error), error)
      }
      const mine = this.held.get(id)
      if (!mine) throw unusable(this.file, 'what was written is not there', null)
      const allowed = mine.before + usd <= cap + NOISE
      if (!allowed) await this.note([{ op: 'release', id }])
      return { allowed, spent_usd: this.spent }
    })
  }

  /** The costs of a call, and the end of what was held for it. Never rejects: what cannot be written now is kept. */
  settle(id: string | null, costs: readonly DayCost[]): Promise<void> {
    const at = this.now().toISOString()
    const lines: Line[] = costs.map((cost) => ({ op: 'cost', at, ...cost }))
    if (id !== null) lines.push({ op: 'release', id })
    return lines.length === 0 ? Promise.resolve() : this.alone(() => this.note(lines))
  }

  /** US dollars; what other processes have written so far is counted. Throws UserError. */
  total(): Promise<number> {
    return this.alone(async () => {
      try {
        await this.read()
      } catch (error) {
        throw unusable(this.file, messageOf(error), error)
      }
      return this.spent
    })
  }

  async idle(): Promise<void> {
    await this.last
  }

  private alone<T>(work: () => Promise<T>): Promise<T> {
    const result = this.last.then(work)
    this.last = result.catch(() => undefined)
    return result
  }

  private async note(lines: Line[]): Promise<void> {
    try {
      await this.append(lines)
    } catch {
      // Kept in `unwritten`: the next reservation writes it first, and under a cap fails when it still cannot. Without
      // a cap of the day nothing depends on it, and the session's own log says that the disk is full.
    }
  }

  private async append(lines: readonly Line[]): Promise<void> {
    this.unwritten.push(...lines)
    // The leading newline ends a line that a dying process has torn. One write, at the end of the file: whole lines.
    const text = this.unwritten.map((line) => `\n${JSON.stringify(line)}\n`).join('')
    try {
      await appendFile(this.file, text, { mode: 0o600 })
    } catch (error) {
      if (!isNodeError(error) || error.code !== 'ENOENT') throw error
      await makeFolders(dirname(this.file), 0o700)
      await appendFile(this.file, text, { mode: 0o600 })
    }
    this.unwritten = []
  }

  /** Reads on from where it stopped. */
  private async read(): Promise<void> {
    let file: Awaited<ReturnType<typeof open>>
    try {
      file = await open(this.file, 'r')
    } catch (error) {
      if (!isNodeError(error) || error.code !== 'ENOENT') throw error
      return this.restart()
    }
    try {
      const { size } = await file.stat()
      if (size > MAX_FILE_BYTES) throw new Error(`it has ${size} bytes`)
      if (size < this.offset) this.restart()
      const chunk = Buffer.alloc(Math.max(1, Math.min(CHUNK_BYTES, size - this.offset)))
      while (this.offset < size) {
        const { bytesRead } = await file.read(chunk, 0, Math.min(chunk.length, size - this.offset), this.offset)
        if (bytesRead === 0) break
        this.offset += bytesRead
        this.take(chunk.subarray(0, bytesRead))
      }
    } finally {
      await file.close()
    }
  }

  private restart(): void {
    this.offset = 0
    this.spent = 0
    this.rest = Buffer.alloc(0)
    this.held.clear()
  }

  private take(chunk: Buffer): void {
    let from = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      this.line(Buffer.concat([this.rest, chunk.subarray(from, end)]))
      this.rest = Buffer.alloc(0)
      from = end + 1
    }
    const rest = Buffer.concat([this.rest, chunk.subarray(from)])
    // Only so much that it stays recognised as too long.
    this.rest = rest.length > MAX_LINE_BYTES ? rest.subarray(0, MAX_LINE_BYTES + 1) : rest
  }

  private line(bytes: Buffer): void {
    if (bytes.length === 0 || bytes.length > MAX_LINE_BYTES) return
    const line = parseLine(bytes.toString())
    if (!line) return
    if (line.op === 'cost') this.spent += line.usd
    else if (line.op === 'release') this.held.delete(line.id)
    else this.held.set(line.id, { usd: line.usd, at: Date.parse(line.at), before: this.spent + this.heldNow() })
  }

  private heldNow(): number {
    const now = this.now().getTime()
    let total = 0
    for (const [id, { usd, at }] of this.held) {
      // Also one from the future: the clock has been set back since.
      if (Math.abs(now - at) > STALE_MS) this.held.delete(id)
      else total += usd
    }
    return total
  }
}

/** Null for a line that is damaged or of a later version. */
function parseLine(text: string): Line | null {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // A torn or damaged line: the ones around it still count.
    return null
  }
  if (typeof value !== 'object' || value === null || !('op' in value)) return null
  const { op, id, usd, at } = value as Record<string, unknown>
  if (op === 'release') return typeof id === 'string' ? { op, id } : null
  if (typeof usd !== 'number' || !(usd >= 0) || typeof at !== 'string' || Number.isNaN(Date.parse(at))) return null
  if (op === 'reserve') return typeof id === 'string' ? { op, id, usd, at } : null
  return op === 'cost' ? { op, at, usd, session: '', model: '', kind: '' } : null
}

function unusable(file: string, why: string, cause: unknown): UserError {
  return new UserError(
    'budget_ledger',
    `The file of today's spending ${file} cannot be used: ${why}. The cap of the day cannot be kept without it.`,
    'Make room on the disk or repair the file, or take "max_cost_per_day_usd" out of the settings.',
    { cause },
  )
}
