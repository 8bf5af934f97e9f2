import type { SearchHit, SearchResult } from '@shared/bridge'

export type DocKind = SearchHit['kind']

/** One searchable piece of a session. */
export interface Doc {
  /** Its number in the full-text index; 0: not there yet. */
  id: number
  /** Number of the event whose item it is; null: the title. */
  seq: number | null
  kind: DocKind
  text: string
  /** Of a tool call. */
  call?: string
}

/** What the index knows of one session, and where to read on. */
export interface SessionRecord {
  session: string
  /** Of the log when it was last read: an unchanged file is not opened. */
  size: number
  mtime_ms: number
  /** End of the last whole line that was read, in bytes. */
  offset: number
  /** The last bytes before `offset`, base64: a file that was replaced is read from its beginning. */
  tail: string
  last_seq: number
  title: string
  cwd: string
  updated_at: string
  title_doc: number
  /** Ascending by `seq`. */
  docs: Doc[]
  /** Messages of the user, for undo. */
  users: { id: string; seq: number }[]
  /** Calls of the running turn, and the number of their item. */
  calls: { id: string; seq: number; head: string }[]
  /** Too old for the size of the index: only the title is found. */
  left_out: boolean
}

export interface SessionSearchResult extends SearchResult {
  /** Old sessions of which only the title is searched: the index is full. */
  left_out: number
}

export interface WorkerConfig {
  /** Folder of all sessions. */
  sessions_dir: string
  cache_dir: string
  /** Do not read the stored index: it may be what ended the worker before. */
  fresh: boolean
  limits?: Partial<Limits>
}

export interface Limits {
  /** Documents in the index. */
  docs: number
  /** Characters of all documents together. */
  chars: number
  /** Documents of one session; its oldest are left out. */
  session_docs: number
  /** Milliseconds between two writes of the stored index. */
  save_interval_ms: number
}

export type ToWorker =
  | { kind: 'search'; id: number; query: string; limit: number; wait_ms: number }
  | { kind: 'cancel'; id: number }
  | { kind: 'changed'; session: string }
  | { kind: 'removed'; session: string }
  | { kind: 'close'; id: number }

export type FromWorker =
  | { id: number; ok: true; result: SessionSearchResult | null }
  | { id: number; ok: false; message: string }
