import type { SessionState } from '@shared/state'
import { type RefObject, useEffect } from 'react'
import type { VirtualizerHandle } from 'virtua'
import { scrollTo, useUi } from '../../stores/ui'
import { itemOfSeq, rowOfItem } from './target'

/** Frames in which the row must have appeared: rows are measured as they come into view. */
const MAX_FRAMES = 40
/** Milliseconds of the flash. */
const FLASH_MS = 1_600

interface Options {
  state: SessionState
  rows: readonly { key: string; kind: string }[]
  list: RefObject<VirtualizerHandle | null>
  scroller: RefObject<HTMLElement | null>
  /** Stops following the end. */
  leave: () => void
}

/** Brings the message that `ui.scrollTo` names into view, once, and marks it for a moment. */
export function useScrollTarget({ state, rows, list, scroller, leave }: Options): void {
  const target = useUi((ui) => (ui.scrollTo?.session === state.id ? ui.scrollTo : null))
  // A session that is still being folded does not have the message yet.
  const ready = target !== null && state.last_seq >= target.seq && rows.length > 0

  useEffect(() => {
    if (!ready || !target) return
    const item = itemOfSeq(state.items, target.seq)
    const at = item ? rowOfItem(rows, item.key) : -1
    scrollTo(null)
    const key = rows[at]?.key
    if (key === undefined) return
    leave()
    list.current?.scrollToIndex(at, { align: 'center' })
    flash(scroller.current, key, MAX_FRAMES)
  }, [ready, target, state, rows, list, scroller, leave])
}

function flash(scroller: HTMLElement | null, key: string, frames: number): void {
  const row = scroller?.querySelector(`[data-row="${CSS.escape(key)}"] > *`)
  if (row) {
    const soft = {
      backgroundColor: 'var(--accent-soft)',
      boxShadow: '0 0 0 6px var(--accent-soft)',
      borderRadius: '4px',
    }
    row.animate([soft, { ...soft, offset: 0.6 }, { borderRadius: '4px' }], { duration: FLASH_MS })
  } else if (frames > 0) requestAnimationFrame(() => flash(scroller, key, frames - 1))
}
