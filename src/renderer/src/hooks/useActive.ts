import { type KeyboardEvent, useEffect, useState } from 'react'

interface Active {
  /** Place of the marked entry. */
  at: number
  setAt: (at: number) => void
  /** Moves the mark; true when the key was one of its own. */
  onMoveKey: (event: KeyboardEvent) => boolean
}

/**
 * The marked entry of a list whose field keeps the focus. It starts anew whenever `list` is another one: `first` is
 * where it then stands.
 */
export function useActive(count: number, list: string, first = 0): Active {
  const [mark, setMark] = useState({ list, at: first })
  const at = Math.min(mark.list === list ? mark.at : first, Math.max(0, count - 1))
  const setAt = (next: number): void => setMark({ list, at: next })
  const onMoveKey = (event: KeyboardEvent): boolean => {
    if (count === 0) return false
    if (event.key === 'ArrowDown') setAt((at + 1) % count)
    else if (event.key === 'ArrowUp') setAt(at <= 0 ? count - 1 : at - 1)
    else if (event.key === 'PageDown') setAt(Math.min(count - 1, at + PAGE))
    else if (event.key === 'PageUp') setAt(Math.max(0, at - PAGE))
    else return false
    event.preventDefault()
    return true
  }
  return { at, setAt, onMoveKey }
}

const PAGE = 8

/** Keeps the marked entry in view. */
export function useInView(id: string): void {
  useEffect(() => {
    document.getElementById(id)?.scrollIntoView({ block: 'nearest' })
  }, [id])
}
