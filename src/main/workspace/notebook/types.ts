export type CellType = 'code' | 'markdown' | 'raw'

export interface CellView {
  /** From 1. */
  number: number
  /** Absent before nbformat 4.5. */
  id: string | null
  type: string
  execution_count: number | null
  source: string
  /** Text of its outputs, cut; pictures and the like by a line each. */
  outputs: string[]
}
export interface NotebookView {
  language: string | null
  cells: CellView[]
}
export type NotebookProblem = { kind: 'problem'; message: string; remedy: string; text: boolean }

export interface CellEdit {
  /** Id, or number from 1 in digits. */
  cell: string
  op: 'edit' | 'replace' | 'insert_after' | 'insert_before' | 'delete'
  old_str: string
  new_str: string
  replace_all: boolean
  mode: 'replace' | 'append_after' | 'prepend_before'
  /** Of a new or replaced cell; absent: code for a new one, as it was for another. */
  cell_type?: CellType
}
export type CellOutcome =
  | {
      ok: true
      /** The whole file. */
      text: string
      number: number
      before: string | null
      after: string | null
      note: string | null
      /** It had outputs, which are cleared. */
      cleared: boolean
    }
  | { ok: false; message: string; remedy: string }

export type NotebookTask = { kind: 'read'; text: string } | { kind: 'edit'; text: string; edit: CellEdit }
export type NotebookReply = NotebookView | NotebookProblem | CellOutcome
