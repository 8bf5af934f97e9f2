import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { isSessionId } from '@shared/ids'
import { isNodeError } from '../../errors'
import { loadIndex, saveIndex } from './cache'
import { addEvent, type Changes, newRecord } from './extract'
import { DEFAULT_LIMITS, FullText, type Match } from './full-text'
import { findMatches, parseQuery } from './query'
import { openFrom } from './reader'
import { snippetOf } from './snippet'
import { queryWords } from './tokens'
import type { Limits, SessionSearchResult, WorkerConfig } from './types'

/** Milliseconds of work before queries that came meanwhile are looked at. */
const SLICE_MS = 10
/** Hits of one session. */
const HITS_PER_SESSION = 3
/** Milliseconds without a change before the index is stored. */
const QUIET_MS = 2_000

/** Keeps the index in line with the logs on the disk. It reads them and writes nothing but its own cache. */
export class Indexer {
  readonly #config: WorkerConfig
  readonly #limits: Limits
  readonly #index: FullText
  #todo: { session: string; mtime_ms: number }[] = []
  #reading: string | null = null
  #running: Promise<void> | null = null
  #again = false
  #changed = false
  #saved = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | null = null

  constructor(config: WorkerConfig) {
    this.#config = config
    this.#limits = { ...DEFAULT_LIMITS, ...config.limits }
    this.#index = config.fresh ? new FullText(this.#limits) : loadIndex(config.cache_dir, this.#limits)
  }

  /** Sessions that are found on the disk and not read yet. */
  get pending(): number {
    return this.#todo.length + (this.#reading === null ? 0 : 1)
  }

  /** Looks for changes on the disk and reads them; resolves when everything up to this call is in the index. */
  refresh(): Promise<void> {
    this.#again = true
    this.#running ??= this.#run().finally(() => {
      this.#running = null
    })
    return this.#running
  }

  forget(session: string): void {
    this.#todo = this.#todo.filter((entry) => entry.session !== session)
    if (this.#reading === session) this.#reading = null
    if (!this.#index.records.has(session)) return
    this.#index.remove(session)
    this.#hasChanged()
  }

  search(query: string, limit: number): SessionSearchResult {
    const hits = query.trim() === '' ? this.#newest(limit) : this.#find(query, limit)
    return { hits, pending: this.pending, left_out: this.#index.leftOut }
  }

  /** Stores the index when it has changed. A disk that cannot be written costs the next start its time. */
  save(): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
    if (!this.#changed) return
    try {
      saveIndex(this.#config.cache_dir, this.#index)
      this.#changed = false
    } catch (error) {
      if (!isNodeError(error)) throw error
    }
    this.#saved = performance.now()
  }

  async #run(): Promise<void> {
    while (this.#again) {
      this.#again = false
      this.#scan()
      let sliceStart = performance.now()
      for (let next = this.#todo.shift(); next; next = this.#todo.shift()) {
        this.#reading = next.session
        try {
          for (const _piece of this.#read(next.session)) {
            if (performance.now() - sliceStart < SLICE_MS) continue
            await nextTurn()
            sliceStart = performance.now()
            // Removed meanwhile.
            if (this.#reading === null) break
          }
        } catch (error) {
          // One log that cannot be read must not hide the others.
          if (!isNodeError(error)) throw error
          this.forget(next.session)
        } finally {
          this.#reading = null
        }
      }
    }
  }

  /** What has come, changed and gone since the last look; newest first, since it is what people look for. */
  #scan(): void {
    const seen = new Set<string>()
    const todo: { session: string; mtime_ms: number }[] = []
    for (const session of this.#folders()) {
      const info = statSync(this.#log(session), { throwIfNoEntry: false })
      if (!info?.isFile()) continue
      seen.add(session)
      const known = this.#index.records.get(session)
      if (known?.size !== info.size || known.mtime_ms !== info.mtimeMs) todo.push({ session, mtime_ms: info.mtimeMs })
    }
    this.#todo = todo.sort((a, b) => b.mtime_ms - a.mtime_ms)
    for (const session of this.#index.records.keys()) if (!seen.has(session)) this.forget(session)
  }

  #folders(): string[] {
    try {
      return readdirSync(this.#config.sessions_dir).filter(isSessionId)
    } catch (error) {
      // No sessions yet, or a disk that is away: then there is nothing to find.
      if (isNodeError(error)) return []
      throw error
    }
  }

  *#read(session: string): Generator<void, void, undefined> {
    const before = this.#index.records.get(session) ?? newRecord(session)
    const opened = openFrom(this.#log(session), before)
    if (!opened) return this.forget(session)
    const { record, reset, pieces } = opened
    if (reset) this.#index.remove(session)
    // A log without a whole line is known too, so that it is not opened again.
    this.#index.update(record, [], false)
    for (const { events, last } of pieces) {
      const changes: Changes = { stale: [], titled: false }
      for (const event of events) addEvent(record, event, changes)
      if (last && last.seq >= record.last_seq) {
        record.last_seq = last.seq
        record.updated_at = last.time
      }
      this.#index.update(record, changes.stale, changes.titled)
      yield
    }
    this.#hasChanged()
  }

  #log(session: string): string {
    return join(this.#config.sessions_dir, session, 'events.jsonl')
  }

  #hasChanged(): void {
    this.#changed = true
    const since = performance.now() - this.#saved
    this.#timer ??= setTimeout(() => this.save(), Math.max(QUIET_MS, this.#limits.save_interval_ms - since))
  }

  #newest(limit: number): SessionSearchResult['hits'] {
    return [...this.#index.records.values()]
      .filter(({ last_seq }) => last_seq > 0)
      .sort((a, b) => compare(b.updated_at, a.updated_at) || compare(a.session, b.session))
      .slice(0, limit)
      .map((record) => ({ ...place(record), seq: null, kind: 'title', snippet: record.title, marks: [] }))
  }

  #find(text: string, limit: number): SessionSearchResult['hits'] {
    const query = parseQuery(text)
    const matches = findMatches(this.#index, query)
    // Equal ones: the newest first.
    matches.sort((a, b) => b.score - a.score || compare(b.record.updated_at, a.record.updated_at))
    const inWords = new Set(query.words.flatMap(({ whole, parts }) => (whole === null ? parts : [whole, ...parts])))
    const inPhrases = new Set(query.phrases.flatMap(queryWords).flatMap(({ parts }) => parts))
    return grouped(matches, limit).map(({ record, doc, terms }) => {
      const marked = new Set(terms.filter((term) => !inPhrases.has(term) || inWords.has(term)))
      const { seq, kind } = doc
      return { ...place(record), seq, kind, ...snippetOf(doc.text, marked, query.phrases) }
    })
  }
}

function place({ session, title, cwd, updated_at }: Match['record']) {
  return { session, title, cwd, updated_at }
}

/** At most three of a session, standing together, in the order of each session's best. */
function grouped(matches: readonly Match[], limit: number): Match[] {
  const groups = new Map<string, Match[]>()
  for (const match of matches) {
    const group = groups.get(match.record.session) ?? []
    if (group.length === 0) groups.set(match.record.session, group)
    // A long message is several documents.
    const known = group.some(({ doc }) => doc.seq === match.doc.seq && doc.call === match.doc.call)
    if (group.length < HITS_PER_SESSION && !known) group.push(match)
  }
  return [...groups.values()].flat().slice(0, limit)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
