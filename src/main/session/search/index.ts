import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import { UserError } from '../../errors'
import { redactValue } from '../../redact'
import type { FromWorker, Limits, SessionSearchResult, ToWorker, WorkerConfig } from './types'

export type { SessionSearchResult } from './types'

export interface SessionSearchOptions {
  /** Data folder: `sessions/` in it is read, `search/` in it is written. Absolute. */
  home: string
  /** Values that no snippet shows. */
  secrets: () => readonly string[]
  /** File of the worker; absent: the built one. */
  worker?: string
  limits?: Partial<Limits>
}

export interface SearchOptions {
  /** Hits, 1 to 100. */
  limit?: number
  /** Wait until every session is in the index; otherwise for a moment only, and `pending` says how many are not. */
  wait?: boolean
  signal?: AbortSignal
}

const DEFAULT_LIMIT = 20
/** Milliseconds that a query waits for sessions that are not in the index yet: no more than a keystroke may take. */
const WAIT_MS = 100
/** Longest time to store the index at the end, in milliseconds; what is not stored is read again next time. */
const CLOSE_MS = 3_000
/** Milliseconds without a query after which the index leaves the memory. */
const IDLE_MS = 300_000
/** Far more than the index can need: a runaway ends the worker and not the program. */
const HEAP_MB = 768

/** One life of the worker. */
interface Slot {
  worker: Promise<Worker>
}

interface Waiting {
  message: ToWorker
  resolve: (result: SessionSearchResult | null) => void
  reject: (error: unknown) => void
}

/**
 * Full-text search over all sessions of a data folder. The index is made, kept and asked in a worker thread, which is
 * started by the first query. It only reads the logs: no lock is taken, and another process may write them meanwhile.
 */
export class SessionSearch {
  readonly #options: SessionSearchOptions
  readonly #waiting = new Map<number, Waiting>()
  #slot: Slot | null = null
  #nextId = 1
  /** Deaths of the worker since it last answered. */
  #deaths = 0
  #closed = false
  #idle: NodeJS.Timeout | null = null

  constructor(options: SessionSearchOptions) {
    this.#options = options
  }

  /**
   * The best matches of all sessions; an empty query gives the newest sessions. Rejects with the signal's reason, and
   * with UserError `internal` when the index cannot be made.
   */
  async search(query: string, options: SearchOptions = {}): Promise<SessionSearchResult> {
    const { limit = DEFAULT_LIMIT, wait = false, signal } = options
    const id = this.#nextId++
    const wait_ms = wait ? Number.POSITIVE_INFINITY : WAIT_MS
    const result = await this.#ask({ kind: 'search', id, query, limit, wait_ms }, signal)
    if (!result) throw stopped()
    const secrets = this.#options.secrets()
    return { ...result, hits: result.hits.map((hit) => redacted(hit, secrets)) }
  }

  /** A session's log has grown: it is read now, so that the next query need not. Without this it is read then. */
  changed(id: string): void {
    this.#tell({ kind: 'changed', session: id })
  }

  /** A session is gone: it is not found any more. */
  removed(id: string): void {
    this.#tell({ kind: 'removed', session: id })
  }

  /** Stores the index and ends the worker. Queries that wait are rejected. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    for (const { reject } of this.#waiting.values()) reject(stopped())
    this.#waiting.clear()
    await this.#rest()
  }

  async #ask(message: Extract<ToWorker, { id: number }>, signal?: AbortSignal): Promise<SessionSearchResult | null> {
    signal?.throwIfAborted()
    if (this.#closed) throw stopped()
    let abort = (): void => undefined
    try {
      return await new Promise((resolve, reject) => {
        abort = () => {
          this.#tell({ kind: 'cancel', id: message.id })
          reject(signal?.reason)
        }
        signal?.addEventListener('abort', abort, { once: true })
        this.#waiting.set(message.id, { message, resolve, reject })
        this.#send(message)
      })
    } finally {
      signal?.removeEventListener('abort', abort)
      this.#waiting.delete(message.id)
      this.#settle()
    }
  }

  #send(message: ToWorker): void {
    if (this.#idle) clearTimeout(this.#idle)
    const slot = this.#slot ?? this.#start()
    slot.worker.then(
      (worker) => {
        // Nothing else may keep the process until the answer is here.
        worker.ref()
        worker.postMessage(message)
      },
      (error: unknown) => this.#died(slot, error),
    )
  }

  /** Only when there is a worker: a hint is not worth making one. */
  #tell(message: ToWorker): void {
    this.#slot?.worker.then(
      (worker) => worker.postMessage(message),
      // Whoever asked hears of it.
      () => undefined,
    )
  }

  #start(): Slot {
    const slot: Slot = { worker: this.#open(() => slot) }
    this.#slot = slot
    return slot
  }

  async #open(slot: () => Slot): Promise<Worker> {
    const [{ Worker }, file] = await Promise.all([import('node:worker_threads'), this.#file()])
    const { home, limits } = this.#options
    const config: WorkerConfig = {
      sessions_dir: join(home, 'sessions'),
      cache_dir: join(home, 'search'),
      fresh: this.#deaths > 0,
      limits,
    }
    const resourceLimits = { maxOldGenerationSizeMb: HEAP_MB }
    const worker = new Worker(file, {
      workerData: config,
      name: 'session-search',
      resourceLimits,
      execArgv: [],
      env: {},
    })
    let fault: unknown = null
    worker.on('message', (reply: FromWorker) => this.#answered(reply))
    worker.on('error', (error) => {
      fault = error
    })
    worker.on('exit', () => this.#died(slot(), fault))
    return worker
  }

  async #file(): Promise<string> {
    if (this.#options.worker) return this.#options.worker
    const { default: file } = await import('./worker?modulePath')
    return file
  }

  #answered(reply: FromWorker): void {
    const waiting = this.#waiting.get(reply.id)
    this.#deaths = 0
    // Cancelled meanwhile.
    if (!waiting) return
    if (reply.ok) waiting.resolve(reply.result)
    else waiting.reject(broken(reply.message))
  }

  /** Once it is started anew, without the stored index; when it dies again, those who wait hear of it. */
  #died(slot: Slot, fault: unknown): void {
    // The end of one that was told to end, or has been replaced.
    if (this.#slot !== slot) return
    this.#slot = null
    this.#deaths += 1
    if (this.#deaths === 1) {
      for (const { message } of this.#waiting.values()) this.#send(message)
      return
    }
    const error = broken(fault instanceof Error ? fault.message : 'the worker ended without a word')
    for (const { reject } of this.#waiting.values()) reject(error)
  }

  #settle(): void {
    if (this.#waiting.size > 0 || this.#closed) return
    this.#slot?.worker.then(
      (worker) => worker.unref(),
      () => undefined,
    )
    if (this.#idle) clearTimeout(this.#idle)
    this.#idle = setTimeout(() => void this.#rest(), IDLE_MS).unref()
  }

  /** Ends the worker in order; the next query starts another. */
  async #rest(): Promise<void> {
    if (this.#idle) clearTimeout(this.#idle)
    this.#idle = null
    const slot = this.#slot
    this.#slot = null
    const worker = await slot?.worker.catch(() => null)
    if (!worker) return
    worker.ref()
    const saved = new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, CLOSE_MS)
      const done = (): void => {
        clearTimeout(timer)
        resolve()
      }
      worker.once('exit', done)
      worker.on('message', (reply: FromWorker) => {
        if (reply.ok && reply.result === null) done()
      })
    })
    worker.postMessage({ kind: 'close', id: this.#nextId++ } satisfies ToWorker)
    await saved
    await worker.terminate()
  }
}

/** A place in a text that was changed is not marked: it may stand elsewhere now. */
function redacted(hit: SessionSearchResult['hits'][number], secrets: readonly string[]) {
  const clean = redactValue(hit, secrets)
  return clean.snippet === hit.snippet ? clean : { ...clean, marks: [] }
}

function stopped(): UserError {
  return new UserError('invalid_operation', 'The search has ended.')
}

function broken(why: string): UserError {
  const remedy = 'Try again. If it goes on, delete the folder “search” in the data folder: it is made anew.'
  return new UserError('internal', `The sessions could not be searched: ${why}.`, remedy)
}
