import type { FileChange, TurnChanges } from '@shared/checkpoints'
import type { TranscriptItem, UserItem } from '@shared/state'
import { plural } from '../chat/tool-text'

/** A turn whose changes can be looked at. */
export interface Turn {
  /** Of the message that began it. */
  id: string
  /** The message; null: it was taken back. */
  message: UserItem | null
  /** Nothing that was recorded later: its changes still grow. */
  newest: boolean
}

/** The turns with a record of the workspace, newest first. */
export function turnsOf(items: readonly TranscriptItem[], checkpoints: readonly string[]): Turn[] {
  const wanted = new Set(checkpoints)
  const messages = new Map<string, UserItem>()
  for (const item of items) if (item.kind === 'user' && wanted.has(item.key)) messages.set(item.key, item)
  const last = checkpoints.at(-1)
  return checkpoints.map((id) => ({ id, message: messages.get(id) ?? null, newest: id === last })).reverse()
}

/** The first line of a message that says something. */
export function firstLine(text: string): string {
  return (
    text
      .split('\n')
      .map((line) => line.trim())
      .find((line) => line !== '') ?? ''
  )
}

/** The message that began the turn which an item belongs to; null where there is none. */
export function turnOf(items: readonly TranscriptItem[], key: string): string | null {
  let at = items.length - 1
  while (at >= 0 && items[at]?.key !== key) at -= 1
  for (; at >= 0; at -= 1) {
    const item = items[at]
    if (item?.kind === 'user' && item.source === 'user') return item.key
  }
  return null
}

/** Lines of all files; null where no file has any. */
export function totals(files: readonly FileChange[]): { added: number; removed: number } | null {
  const counted = files.filter((file) => file.added !== null || file.removed !== null)
  if (counted.length === 0) return null
  return {
    added: counted.reduce((sum, file) => sum + (file.added ?? 0), 0),
    removed: counted.reduce((sum, file) => sum + (file.removed ?? 0), 0),
  }
}

/** What a rewind to before a turn takes back. */
export interface RewindScope {
  /** Files of that turn and all later ones, each once, by name. */
  files: string[]
  /** Later turns whose changes go too. */
  later: number
  /** Changes of some turn are not known: there may be more files. */
  more: boolean
  left_out: string[]
}

/** `turns`: newest first. */
export function rewindScope(
  turns: readonly Turn[],
  changes: (id: string) => TurnChanges | undefined,
  id: string,
): RewindScope {
  const at = turns.findIndex((turn) => turn.id === id)
  const gone = at < 0 ? [] : turns.slice(0, at + 1)
  const files = new Set<string>()
  const left = new Set<string>()
  let later = 0
  let more = false
  for (const turn of gone) {
    const known = changes(turn.id)
    if (!known) more = true
    else if (turn.id !== id && known.files.length > 0) later += 1
    for (const file of known?.files ?? []) files.add(file.path)
    for (const sentence of known?.left_out ?? []) left.add(sentence)
  }
  return { files: [...files].sort(), later, more, left_out: [...left] }
}

/** "3 files", "at least 3 files", "the files" where none is known. */
export function describeFiles({ files, more }: RewindScope): string {
  if (files.length === 0) return more ? 'the files' : 'no files'
  return more ? `at least ${plural(files.length, 'file')}` : plural(files.length, 'file')
}
