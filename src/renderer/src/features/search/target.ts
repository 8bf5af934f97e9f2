import type { TranscriptItem } from '@shared/state'

/**
 * The item that shows an event: the one with its number, or else the newest one before it (the result of a call belongs
 * to the call, which came first). Null when nothing of the session is that old.
 */
export function itemOfSeq(items: readonly TranscriptItem[], seq: number): TranscriptItem | null {
  return items.find((item) => item.seq === seq) ?? items.findLast((item) => item.seq < seq) ?? null
}

/** Where the rows of an item begin; its text is preferred to its reasoning. -1: it has none. */
export function rowOfItem(rows: readonly { key: string; kind: string }[], key: string): number {
  const isOwn = (row: { key: string }): boolean => row.key === key || row.key.startsWith(`${key}:`)
  const text = rows.findIndex((row) => isOwn(row) && row.kind !== 'reasoning')
  return text >= 0 ? text : rows.findIndex(isOwn)
}
