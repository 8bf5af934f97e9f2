import { z } from 'zod'
import type { TurnChanges } from './checkpoints'
import type { AnyEvent } from './events'
import { SESSION_ID_PATTERN } from './ids'
import type { Machine, PythonInfo } from './machine'
import { type OperationReceipt, operationSchema } from './operations'
import { approvalModeSchema, type Effort, type Settings, settingsPatchSchema } from './settings'
import type { SessionState, SessionSummary } from './state'
import {
  type BackgroundProcess,
  MAX_TERMINAL_INPUT,
  type TerminalInfo,
  type TerminalSnapshot,
  terminalSize,
} from './terminals'

/**
 * The window's only way to the engine: one request channel and one event channel. The same calls go over Electron's
 * IPC and over the browser host's WebSocket. Every request is checked against its schema in main; errors are values.
 */
const sessionId = z.string().regex(SESSION_ID_PATTERN)
/** A path as the user typed it; main resolves and checks it. */
const path = z.string().min(1).max(4096)
/** Of a command its call id, of a shell a UUID. */
const terminalId = z.string().min(1).max(200)

/** `jsonl`: the log itself; `trace`: the rows of a Claude-Code trace, as the Hub's trace viewer reads them. */
export const exportFormats = ['markdown', 'html', 'json', 'jsonl', 'trace'] as const
export type ExportFormat = (typeof exportFormats)[number]

export const bridgeSchemas = {
  'app.info': z.object({}).strict(),
  'sessions.list': z.object({}).strict(),
  'sessions.create': z
    .object({ cwd: path.optional(), model: z.string().optional(), mode: approvalModeSchema.optional() })
    .strict(),
  'sessions.rename': z.object({ id: sessionId, title: z.string().trim().min(1).max(200) }).strict(),
  /** A new session that begins with everything up to and including that event; absent: all. */
  'sessions.fork': z.object({ id: sessionId, at_seq: z.number().int().positive().optional() }).strict(),
  /** Full text of all sessions, best match first. */
  'sessions.search': z
    .object({ query: z.string().max(500), limit: z.number().int().min(1).max(100).optional() })
    .strict(),
  /** A whole session as one file, secrets redacted. */
  'sessions.export': z.object({ id: sessionId, format: z.enum(exportFormats) }).strict(),
  /** Uploads a redacted trace to the user's own private dataset. Called only when the user asked and confirmed. */
  'sessions.upload': z.object({ id: sessionId }).strict(),
  /** Session files of the reference: one file, or a folder of them. */
  'sessions.import': z.object({ path }).strict(),
  'sessions.remove': z.object({ id: sessionId }).strict(),
  /** Starts the stream of a session's events; `after` is the last number the window has already folded. */
  'sessions.subscribe': z.object({ id: sessionId, after: z.number().int().nonnegative() }).strict(),
  'sessions.unsubscribe': z.object({ id: sessionId }).strict(),
  'session.submit': z.object({ id: sessionId, operation: operationSchema }).strict(),
  /** A piece of an output that was too large for the log. Offsets and lengths are bytes. */
  'session.readOutput': z
    .object({
      id: sessionId,
      file: z.string().regex(/^[A-Za-z0-9._-]{1,128}$/),
      offset: z.number().int().nonnegative(),
      length: z.number().int().positive().max(1_000_000),
    })
    .strict(),
  /** Paths in the session's folder that complete what was typed after `@`; folders end in `/`. */
  'session.completePath': z.object({ id: sessionId, prefix: z.string().max(1024) }).strict(),
  /** What the turn of a message changed in the workspace; with `path`, one file of it as a unified diff. */
  'session.changes': z.object({ id: sessionId, user_message_id: z.string() }).strict(),
  'session.changeDiff': z.object({ id: sessionId, user_message_id: z.string(), path }).strict(),
  'terminals.list': z.object({ session: sessionId }).strict(),
  /** A shell of the user's own in the session's folder. */
  'terminals.open': z.object({ session: sessionId }).strict(),
  /** Begins the stream of a terminal's output. */
  'terminals.attach': z.object({ session: sessionId, id: terminalId, ...terminalSize.shape }).strict(),
  'terminals.detach': z.object({ session: sessionId, id: terminalId }).strict(),
  'terminals.input': z
    .object({ session: sessionId, id: terminalId, data: z.string().max(MAX_TERMINAL_INPUT) })
    .strict(),
  'terminals.resize': z.object({ session: sessionId, id: terminalId, ...terminalSize.shape }).strict(),
  /** So many UTF-16 code units of output have been drawn. */
  'terminals.ack': z.object({ session: sessionId, id: terminalId, chars: z.number().int().positive() }).strict(),
  /** Ends a shell, or a command with everything it started. */
  'terminals.close': z.object({ session: sessionId, id: terminalId }).strict(),
  'processes.list': z.object({ session: sessionId }).strict(),
  'processes.kill': z
    .object({ session: sessionId, pid: z.number().int().positive(), start_time: z.string().max(64) })
    .strict(),
  /** Every model that can be chosen now; `refresh` asks the providers again. May take seconds. */
  'models.list': z.object({ refresh: z.boolean().optional() }).strict(),
  'demo.start': z.object({}).strict(),
  'settings.update': settingsPatchSchema,
  'credentials.set': z.object({ provider: z.enum(['anthropic']), secret: z.string().trim().min(8).max(512) }).strict(),
  'credentials.remove': z.object({ provider: z.enum(['anthropic']) }).strict(),
  /** Folders inside a folder, to choose where a session works. Empty path: the default folder. */
  'folders.list': z.object({ path: z.string().max(4096) }).strict(),
  'doctor.run': z.object({}).strict(),
} as const

export type BridgeMethod = keyof typeof bridgeSchemas
export type BridgeInput<M extends BridgeMethod> = z.input<(typeof bridgeSchemas)[M]>

export interface BridgeResults {
  'app.info': AppInfo
  'sessions.list': SessionSummary[]
  'sessions.create': { id: string }
  'sessions.rename': null
  'sessions.remove': null
  'sessions.fork': { id: string }
  'sessions.search': SearchResult
  'sessions.export': { file_name: string; mime: string; text: string }
  'sessions.upload': { url: string; repo: string }
  'sessions.import': ImportResult
  'sessions.subscribe': Subscription
  'sessions.unsubscribe': null
  'session.submit': OperationReceipt
  'session.readOutput': { text: string; next_offset: number; total_bytes: number }
  'session.completePath': string[]
  'session.changes': TurnChanges
  'session.changeDiff': { patch: string; truncated: boolean }
  'terminals.list': TerminalInfo[]
  'terminals.open': TerminalInfo
  'terminals.attach': TerminalSnapshot
  'terminals.detach': null
  'terminals.input': null
  'terminals.resize': null
  'terminals.ack': null
  'terminals.close': null
  'processes.list': BackgroundProcess[]
  'processes.kill': null
  'models.list': ModelChoice[]
  'demo.start': { id: string }
  'settings.update': Settings
  'credentials.set': CredentialStatus
  'credentials.remove': CredentialStatus
  'folders.list': { path: string; parent: string | null; folders: string[]; truncated: boolean }
  'doctor.run': DoctorCheck[]
}

/** Either the events after the asked number, or, when those are gone, the whole state. */
export type Subscription = { kind: 'events'; events: AnyEvent[] } | { kind: 'snapshot'; state: SessionState }

export interface AppInfo {
  version: string
  host: 'desktop' | 'browser'
  platform: string
  home: string
  default_cwd: string
  settings: Settings
  models: ModelChoice[]
  credentials: CredentialStatus[]
  sandbox: { kind: 'none' | 'bubblewrap' | 'seatbelt'; reason: string }
  python: string | null
  /** Absent: not looked at yet. */
  machine?: Machine
  /** Of the default folder; absent: none, or not looked at yet. */
  python_info?: PythonInfo
}

export interface SearchHit {
  session: string
  title: string
  cwd: string
  updated_at: string
  /** Where in the session: number of the event; null: the title alone matched. */
  seq: number | null
  kind: 'title' | 'user' | 'assistant' | 'tool' | 'notice'
  /** Text around the first match, in one line. */
  snippet: string
  /** Offsets of what matched in `snippet`, in UTF-16 code units: [start, end). */
  marks: [number, number][]
}
export interface SearchResult {
  /** At most three of a session. */
  hits: SearchHit[]
  /** Sessions that are not in the index yet: ask again in a moment. */
  pending: number
}

export interface ImportResult {
  sessions: { id: string; title: string; file: string; messages: number }[]
  /** Files that hold no session, or one that is here already. */
  skipped: { file: string; reason: string }[]
}

export interface ModelChoice {
  id: string
  name: string
  /** Anthropic, Hugging Face, Ollama ... */
  provider: string
  /** Tokens; null when not known. */
  context_window: number | null
  max_output: number | null
  /** US dollars per million tokens; null when not known. */
  input_price: number | null
  output_price: number | null
  /** Null where nobody says. */
  capabilities: { tools: boolean | null; images: boolean | null; reasoning: boolean | null }
  /** Levels that the model takes; empty: none; null where nobody says. */
  efforts: Effort[] | null
  /** False: a key is missing. */
  available: boolean
  /** What the user should know before choosing it; empty: nothing. */
  note: string
}

export interface CredentialStatus {
  provider: 'anthropic'
  present: boolean
  source: 'environment' | 'keychain' | 'memory' | null
  /** Last four characters, to recognise it; never more. */
  hint: string
  /** Why it is not in the keychain, when it is not. */
  note: string
}

export interface DoctorCheck {
  id: string
  title: string
  state: 'ok' | 'warning' | 'failed'
  detail: string
  /** What to do; empty when nothing has to be done. */
  remedy: string
}

export interface BridgeError {
  code: string
  message: string
  remedy?: string
}
export type BridgeReply<M extends BridgeMethod = BridgeMethod> =
  | { ok: true; value: BridgeResults[M] }
  | { ok: false; error: BridgeError }

/** What main sends without being asked. */
export type BridgePush =
  | { kind: 'event'; event: AnyEvent }
  /** The window fell behind or the log was reset: take this state and go on from its last_seq. */
  | { kind: 'snapshot'; state: SessionState }
  /** One session changed, appeared (summary) or is gone (null). */
  | { kind: 'session'; id: string; summary: SessionSummary | null }
  /** Output of a terminal that this window is attached to. */
  | { kind: 'terminal'; session: string; id: string; data: string; seq: number }
  /** The terminals of a session that this window watches have changed. */
  | { kind: 'terminals'; session: string; terminals: TerminalInfo[] }
  | { kind: 'settings'; settings: Settings }
  | { kind: 'credentials'; credentials: CredentialStatus[] }

/** What the window sees, whatever host it runs in. */
export interface Bridge {
  request<M extends BridgeMethod>(method: M, input: BridgeInput<M>): Promise<BridgeReply<M>>
  onPush(listener: (push: BridgePush) => void): () => void
  /** Desktop: always connected. Browser: the state of the WebSocket; after `connected` the window subscribes again. */
  onConnection(listener: (state: ConnectionState) => void): () => void
}
export type ConnectionState = 'connecting' | 'connected' | 'lost' | 'refused'

/** Browser host frames: one JSON text message each. */
export const wireRequestSchema = z
  .object({ id: z.number().int().nonnegative(), method: z.string(), input: z.unknown() })
  .strict()
export type WireRequest = z.infer<typeof wireRequestSchema>
export type WireMessage = { type: 'reply'; id: number; reply: BridgeReply } | { type: 'push'; push: BridgePush }

/** Electron channels; the preload exposes `window.mlIntern` with exactly these two. */
export const IPC_REQUEST = 'ml-intern:request'
export const IPC_PUSH = 'ml-intern:push'
