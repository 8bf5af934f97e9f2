import MiniSearch, { type AsPlainObject, type Options, type Query } from 'minisearch'
import { tokenize } from './tokens'
import type { Doc, Limits, SessionRecord } from './types'

interface IndexedDoc {
  id: number
  title: string
  text: string
}

/** A full index is about this much of its memory: 50,000 documents of 500 characters. */
export const DEFAULT_LIMITS: Limits = {
  docs: 50_000,
  chars: 25_000_000,
  session_docs: 10_000,
  save_interval_ms: 60_000,
}

const TITLE_BOOST = 3
/** What was said counts more than what programs printed. */
const TOOL_BOOST = 0.7

const OPTIONS: Options<IndexedDoc> = {
  fields: ['title', 'text'],
  tokenize: (text) => tokenize(text),
  processTerm: (term) => term,
  // Queries come as single terms.
  searchOptions: { tokenize: (term) => [term], processTerm: (term) => term, boost: { title: TITLE_BOOST } },
}

export interface Match {
  record: SessionRecord
  doc: Doc
  score: number
  /** Terms of the text that matched. */
  terms: string[]
}

/** The documents of all sessions and their full-text index. Bounded: the oldest sessions keep their title only. */
export class FullText {
  readonly records = new Map<string, SessionRecord>()
  readonly #limits: Limits
  #mini: MiniSearch<IndexedDoc>
  readonly #docs = new Map<number, { record: SessionRecord; doc: Doc }>()
  #chars = 0
  #nextId = 1

  constructor(limits: Limits) {
    this.#limits = limits
    this.#mini = new MiniSearch(OPTIONS)
  }

  get size(): number {
    return this.#docs.size
  }

  get leftOut(): number {
    let count = 0
    for (const { left_out } of this.records.values()) if (left_out) count += 1
    return count
  }

  /** Brings the index in line with a record after events were added to it; `stale` are documents that are gone. */
  update(record: SessionRecord, stale: readonly number[], titled: boolean): void {
    this.records.set(record.session, record)
    for (const id of stale) this.#drop(id)
    const excess = record.docs.length - this.#limits.session_docs
    if (excess > 0) for (const { id } of record.docs.splice(0, excess)) this.#drop(id)
    if (titled || (record.title_doc === 0 && record.title)) {
      this.#drop(record.title_doc)
      record.title_doc = record.title ? this.#add(record, { id: 0, seq: null, kind: 'title', text: record.title }) : 0
    }
    for (const doc of record.docs) if (doc.id === 0) doc.id = this.#add(record, doc)
    this.#makeRoom()
  }

  remove(session: string): void {
    const record = this.records.get(session)
    if (!record) return
    this.records.delete(session)
    this.#drop(record.title_doc)
    for (const { id } of record.docs) this.#drop(id)
  }

  search(query: Query): Match[] {
    const boostDocument = (id: unknown): number => {
      const kind = this.#docs.get(Number(id))?.doc.kind
      return kind === 'tool' || kind === 'notice' ? TOOL_BOOST : 1
    }
    const matches: Match[] = []
    for (const { id, score, terms } of this.#mini.search(query, { boostDocument })) {
      const found = this.#docs.get(Number(id))
      if (found) matches.push({ record: found.record, doc: found.doc, score, terms })
    }
    return matches
  }

  *all(): Generator<Match, void, undefined> {
    for (const found of this.#docs.values()) yield { ...found, score: 1, terms: [] }
  }

  /** For the cache: records and the index, which refer to each other by number. */
  dump(): { next_id: number; sessions: SessionRecord[]; index: AsPlainObject } {
    return { next_id: this.#nextId, sessions: [...this.records.values()], index: this.#mini.toJSON() }
  }

  /** What `dump` gave. Throws when the two parts do not belong together. */
  load(nextId: number, sessions: readonly SessionRecord[], index: string): void {
    const mini = MiniSearch.loadJSON<IndexedDoc>(index, OPTIONS)
    for (const record of sessions) {
      this.records.set(record.session, record)
      if (record.title_doc > 0)
        this.#know(record, { id: record.title_doc, seq: null, kind: 'title', text: record.title })
      for (const doc of record.docs) this.#know(record, doc)
    }
    for (const id of this.#docs.keys()) {
      if (id >= nextId || !mini.has(id)) throw new Error('The stored search index does not fit its sessions')
    }
    if (mini.documentCount !== this.#docs.size) throw new Error('The stored search index has other documents')
    this.#mini = mini
    this.#nextId = nextId
  }

  #know(record: SessionRecord, doc: Doc): void {
    this.#docs.set(doc.id, { record, doc })
    this.#chars += doc.text.length
  }

  #add(record: SessionRecord, doc: Doc): number {
    const id = this.#nextId++
    const { kind, text } = doc
    this.#mini.add(kind === 'title' ? { id, title: text, text: '' } : { id, title: '', text })
    const entry = kind === 'title' ? { ...doc, id } : doc
    this.#docs.set(id, { record, doc: entry })
    this.#chars += text.length
    return id
  }

  #drop(id: number): void {
    const known = this.#docs.get(id)
    if (!known) return
    this.#docs.delete(id)
    this.#chars -= known.doc.text.length
    // Cheap now; MiniSearch cleans up behind it, in batches.
    this.#mini.discard(id)
  }

  #makeRoom(): void {
    const { docs, chars } = this.#limits
    if (this.#docs.size <= docs && this.#chars <= chars) return
    const oldest = [...this.records.values()]
      .filter((record) => record.docs.length > 0)
      .sort((a, b) => a.mtime_ms - b.mtime_ms)
    for (const record of oldest) {
      // The last one stays, whatever its size: `session_docs` bounds it.
      if ((this.#docs.size <= docs && this.#chars <= chars) || record === oldest.at(-1)) return
      for (const { id } of record.docs) this.#drop(id)
      record.docs = []
      record.users = []
      record.calls = []
      record.left_out = true
    }
  }
}
