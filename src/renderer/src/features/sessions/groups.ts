import type { SessionSummary } from '@shared/state'
import { baseName, lastParts } from '../../lib/format'

export interface SessionGroup {
  cwd: string
  /** The folder's name; with its parent when two folders have the same name. */
  label: string
  sessions: SessionSummary[]
}

/** Sessions by working folder, in the order given (newest first), so the folder worked in last comes first. */
export function groupByFolder(sessions: SessionSummary[]): SessionGroup[] {
  const byFolder = new Map<string, SessionSummary[]>()
  for (const session of sessions) {
    const group = byFolder.get(session.cwd)
    if (group) group.push(session)
    else byFolder.set(session.cwd, [session])
  }
  const counts = new Map<string, number>()
  for (const cwd of byFolder.keys()) counts.set(baseName(cwd), (counts.get(baseName(cwd)) ?? 0) + 1)
  return [...byFolder].map(([cwd, group]) => {
    const name = baseName(cwd)
    return { cwd, label: (counts.get(name) ?? 0) > 1 ? lastParts(cwd) : name || 'No folder', sessions: group }
  })
}

/** Every word of the search must be in the title, the folder or the model. */
export function matches(session: SessionSummary, query: string): boolean {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean)
  const text = `${session.title} ${session.cwd} ${session.model}`.toLowerCase()
  return words.every((word) => text.includes(word))
}

export const UNTITLED = 'New session'
