export interface PdfRequest {
  bytes: Uint8Array
  /** Page numbers from 1, in order; those that the file does not have are left out. Null: the first ones. */
  pages: number[] | null
  max_chars: number
}
export type PdfResult =
  | {
      kind: 'text'
      total: number
      pages: { number: number; text: string }[]
      /** `max_chars` was reached before the last page that was asked for. */
      full: boolean
    }
  | { kind: 'encrypted' }
  | { kind: 'broken'; why: string }

/** Pages that one call may ask for. */
export const MAX_PAGES = 100
/** Pages that are given when none are named. */
export const DEFAULT_PAGES = 20
