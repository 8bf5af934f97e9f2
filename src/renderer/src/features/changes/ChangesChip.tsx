import type { AssistantItem } from '@shared/state'
import { FileDiff } from 'lucide-react'
import { useMemo } from 'react'
import { useSessionPart } from '../../stores/sessions'
import { plural } from '../chat/tool-text'
import { openChanges } from './open-changes'
import { turnOf } from './turns'
import { useTurnChanges } from './useTurnChanges'

const NONE: string[] = []

/** Under the last message of a turn: the way to what the turn changed. Nothing where nothing was. */
export function ChangesChip({ session, reply }: { session: string; reply: AssistantItem }) {
  const items = useSessionPart(session, (state) => state?.items)
  const checkpoints = useSessionPart(session, (state) => state?.checkpoints) ?? NONE
  const any = checkpoints.length > 0
  const turn = useMemo(() => (items && any ? turnOf(items, reply.key) : null), [items, any, reply.key])
  if (turn === null || !checkpoints.includes(turn)) return null
  return <Chip session={session} turn={turn} newest={checkpoints.at(-1) === turn} />
}

function Chip({ session, turn, newest }: { session: string; turn: string; newest: boolean }) {
  const count = useTurnChanges(session, { id: turn, newest }, true)?.changes?.files.length ?? 0
  if (count === 0) return null
  return (
    <button
      type="button"
      data-chip
      onClick={() => openChanges(session, turn)}
      className="mr-1 inline-flex h-5 shrink-0 items-center gap-1 rounded-sm border border-line px-1.5 text-xs whitespace-nowrap text-ink-2 transition-colors duration-100 hover:border-line-strong hover:text-ink"
    >
      <FileDiff size={12} strokeWidth={1.75} aria-hidden />
      Changes ({plural(count, 'file')})
    </button>
  )
}
