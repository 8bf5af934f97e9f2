import type { ImportResult } from '@shared/bridge'

/** One message of a conversation that another program saved. */
export interface ForeignMessage {
  role: 'user' | 'assistant' | 'tool'
  text: string
  /** ISO 8601, as it was written; absent: not known. */
  time?: string
  reasoning?: string
  calls?: ForeignCall[]
  /** Of a tool result: the call that it answers. */
  call_id?: string
  failed?: boolean
}

export interface ForeignCall {
  id: string
  name: string
  input: Record<string, unknown>
  /** The arguments as they were, when they are no JSON object. */
  malformed?: string
}

export interface ForeignSession {
  /** Its id in the other program; null: it says none. */
  old_id: string | null
  title: string
  model: string
  cwd: string
  started?: string
  ended?: string
  messages: ForeignMessage[]
  /** Messages that are no messages. */
  unreadable: number
  /** By call id: what the other program noted beside the conversation. */
  results: Map<string, { success?: boolean; started?: string; ended?: string }>
}

export type Parsed = { ok: true; session: ForeignSession } | { ok: false; reason: string }

export interface ImportReport extends ImportResult {
  sessions: (ImportResult['sessions'][number] & {
    /** What the user should know of it. */
    notes: string[]
  })[]
}

export interface ImportJob {
  /** A file, or a folder of them; absolute. */
  path: string
  home: string
  secrets: readonly string[]
  app_version: string
  /** Where a session without a folder works. */
  user_home: string
  /** For a session that names no model. */
  model: string
  /** Milliseconds since 1970: the time of a session that says none. */
  now: number
  /** Part of the names of unfinished sessions, so that they are found and removed. */
  token: string
}
