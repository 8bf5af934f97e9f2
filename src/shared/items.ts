import type { TranscriptItem } from './state'

/**
 * Changes of a transcript's list. A list is never changed in place, except while it belongs to a fold of many events
 * that nobody else can see yet: copying 10,000 items for every one of 40,000 events would take seconds.
 */
const owned = new WeakSet<TranscriptItem[]>()

/** A copy that may be changed in place until `releaseItems`. */
export function ownItems(items: TranscriptItem[]): TranscriptItem[] {
  const copy = [...items]
  owned.add(copy)
  return copy
}

export function releaseItems(items: TranscriptItem[]): void {
  owned.delete(items)
}

export function appendItem(items: TranscriptItem[], item: TranscriptItem): TranscriptItem[] {
  if (!owned.has(items)) return [...items, item]
  items.push(item)
  return items
}

export function replaceItem(items: TranscriptItem[], at: number, item: TranscriptItem): TranscriptItem[] {
  if (!owned.has(items)) return items.with(at, item)
  items[at] = item
  return items
}

/** A list made by `map` or `slice` from an owned one is owned too. */
export function inherit(from: TranscriptItem[], made: TranscriptItem[]): TranscriptItem[] {
  if (owned.has(from)) owned.add(made)
  return made
}
