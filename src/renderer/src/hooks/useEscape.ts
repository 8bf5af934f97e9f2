import { useEffect, useRef } from 'react'
import { isTyping } from '../lib/keys'

/** Escape anywhere in the window, unless it has something nearer to close or belongs to a field. */
export function useEscape(active: boolean, action: () => void): void {
  const latest = useRef(action)
  useEffect(() => {
    latest.current = action
  }, [action])

  useEffect(() => {
    if (!active) return
    function onKeyDown(event: KeyboardEvent): void {
      if (event.key !== 'Escape' || event.isComposing || isTyping(event.target)) return
      if (document.querySelector('[role="menu"], [role="alertdialog"], [role="dialog"][data-open]')) return
      latest.current()
    }
    // Before anything else sees the key: whatever it closes is still there to be found.
    window.addEventListener('keydown', onKeyDown, { capture: true })
    return () => window.removeEventListener('keydown', onKeyDown, { capture: true })
  }, [active])
}
