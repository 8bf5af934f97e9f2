import { foldEvents } from '@shared/reducer'
import { initialState, type SessionState } from '@shared/state'
import { type Converted, toEvents } from '../../../../src/main/session/import/events'
import { parseSession } from '../../../../src/main/session/import/formats'
import { sessionId } from '../../../support/search-home'

export const ID = sessionId(1)
export const NOW = Date.UTC(2026, 10, 20)

/** A file's text as the state of the session that it becomes. */
export function converted(
  text: string,
  secrets: string[] = [],
): Converted & { state: SessionState; spilled: string[] } {
  const parsed = parseSession(text)
  if (!parsed.ok) throw new Error(parsed.reason)
  const spilled: string[] = []
  const result = toEvents(
    parsed.session,
    ID,
    { file: 'session_x.json', cwd: '/data' },
    { secrets, app_version: '0', model: 'anthropic/default', now: NOW },
    (_id, output) => {
      spilled.push(output)
      return { file: `${spilled.length}.txt`, bytes: Buffer.byteLength(output) }
    },
  )
  return { ...result, spilled, state: foldEvents(initialState(ID), result.events) }
}

export function saved(messages: unknown[], more: Record<string, unknown> = {}): string {
  return JSON.stringify({ session_id: 'old-1', session_start_time: '2026-06-01T10:00:00Z', messages, ...more })
}
