/** One changed file of a turn. */
export interface FileChange {
  /** Relative to the workspace, with `/`. */
  path: string
  kind: 'added' | 'changed' | 'deleted'
  /** Lines; null: not a text file, or too large to compare. */
  added: number | null
  removed: number | null
}

/** What a turn changed in the workspace. */
export interface TurnChanges {
  /** The message that began the turn. */
  user_message_id: string
  /** ISO 8601, UTC: when the workspace was recorded, before the first change. */
  recorded_at: string
  files: FileChange[]
  /** What the checkpoint does not hold, in sentences for the user; empty: everything is in it. */
  left_out: string[]
}

export type RewindTarget = 'files' | 'conversation' | 'both'
