export type GrepMode = 'content' | 'files' | 'count'

/** What is searched for and where. Plain data: it goes to a worker thread. */
export interface GrepRequest {
  pattern: string
  literal: boolean
  ignore_case: boolean
  multiline: boolean
  mode: GrepMode
  /** Lines shown before and after a match. */
  before: number
  after: number
  include: string[]
  /** Also what ignore files name. */
  ignored: boolean
  /** Absolute, real. */
  root: string
  /** Searched alone, real; it lies in the root. */
  file: string | null
}

export interface GrepLine {
  number: number
  text: string
  /** False: context. */
  match: boolean
}
export interface GrepFile {
  /** Relative to the root. */
  path: string
  /** Lines that match; of a file that was not read to its end, those found. */
  count: number
  /** In the mode `content` alone. */
  lines: GrepLine[]
}
export interface GrepResult {
  files: GrepFile[]
  /** Sentences about what was left out. */
  remarks: string[]
  /** More was there than is kept. */
  more: boolean
}

/** Lines, or files, that are kept before a limit of the caller applies: they are sorted at the end. */
export const MAX_KEPT = 5000
/** Milliseconds of a whole search. */
export const MAX_MS = 20_000
/** Characters of a line that are shown. */
export const MAX_LINE_CHARS = 500

export function cutLine(line: string): string {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line
  return text.length > MAX_LINE_CHARS ? `${text.slice(0, MAX_LINE_CHARS)}…` : text
}

export interface GrepWorkerData {
  request: GrepRequest
  /** For the user's global excludes alone. */
  env: NodeJS.ProcessEnv
}
export type FromGrepWorker =
  /** What is looked at now: a sign of life. */
  | { kind: 'at'; path: string }
  | { kind: 'found'; file: GrepFile }
  | { kind: 'done'; remarks: string[]; secrets: string[] }
  | { kind: 'failed'; message: string }
