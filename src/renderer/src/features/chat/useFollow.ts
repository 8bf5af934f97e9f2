import { type RefObject, useCallback, useEffect, useRef, useState } from 'react'

/** Pixels from the end that still count as the end. */
const END_PX = 8
/** Milliseconds after the user's hand moved in which a scroll is theirs and not ours. */
const INTENT_MS = 400

export interface Follow {
  /** False once the user scrolled up: new content then leaves the view alone. */
  following: boolean
  /** Puts the end in view, if it is followed. To be called whenever heights have changed. */
  settle: () => void
  /** Goes to the end and follows again. */
  jump: () => void
  /** Leaves the end alone, as if the user had scrolled up. */
  leave: () => void
}

/**
 * Follows the end of a scroll container until the user scrolls up. Only a scroll of the user's own ends it: heights
 * that change above the view move the offset too.
 */
export function useFollow(scroller: RefObject<HTMLElement | null>): Follow {
  const [following, setFollowing] = useState(true)
  const follows = useRef(true)
  const intent = useRef(0)
  const held = useRef(false)
  const offset = useRef(0)

  const set = useCallback((value: boolean) => {
    if (follows.current === value) return
    follows.current = value
    setFollowing(value)
  }, [])

  const settle = useCallback(() => {
    const element = scroller.current
    if (!element || !follows.current) return
    element.scrollTop = element.scrollHeight
    offset.current = element.scrollTop
  }, [scroller])

  const jump = useCallback(() => {
    set(true)
    settle()
  }, [set, settle])

  const leave = useCallback(() => set(false), [set])

  useEffect(() => {
    const element = scroller.current
    if (!element) return
    const mark = (): void => {
      intent.current = performance.now()
    }
    const hold = (event: PointerEvent): void => {
      // The scroll bar belongs to the element itself.
      held.current = event.target === element
    }
    const release = (): void => {
      held.current = false
    }
    const scrolled = (): void => {
      const before = offset.current
      offset.current = element.scrollTop
      const byUser = held.current || performance.now() - intent.current < INTENT_MS
      const left = element.scrollHeight - element.clientHeight - element.scrollTop
      if (left <= END_PX) {
        if (element.scrollTop >= before) set(true)
      } else if (byUser && element.scrollTop < before) {
        set(false)
      }
    }
    const hand = ['wheel', 'touchmove', 'keydown'] as const
    for (const type of hand) element.addEventListener(type, mark, { passive: true })
    element.addEventListener('pointerdown', hold)
    window.addEventListener('pointerup', release)
    element.addEventListener('scroll', scrolled, { passive: true })
    return () => {
      for (const type of hand) element.removeEventListener(type, mark)
      element.removeEventListener('pointerdown', hold)
      window.removeEventListener('pointerup', release)
      element.removeEventListener('scroll', scrolled)
    }
  }, [scroller, set])

  return { following, settle, jump, leave }
}
