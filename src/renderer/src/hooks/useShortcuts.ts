import { useEffect } from 'react'
import { hasMod, isTyping } from '../lib/keys'

export interface ShortcutActions {
  search: () => void
  newSession: () => void
  toggleSidebar: () => void
  togglePane: () => void
  terminal: () => void
  settings: () => void
  help: () => void
}

/** The window's shortcuts (see SHORTCUTS in lib/keys). They rest while a dialog is open. */
export function useShortcuts(actions: ShortcutActions): void {
  useEffect(() => {
    function onKeyDown(event: KeyboardEvent): void {
      if (event.defaultPrevented || event.isComposing || document.querySelector('[data-modal][data-open]')) {
        return
      }
      const action = actionOf(event, actions)
      if (!action) return
      event.preventDefault()
      action()
    }
    window.addEventListener('keydown', onKeyDown)
    return () => window.removeEventListener('keydown', onKeyDown)
  }, [actions])
}

function actionOf(event: KeyboardEvent, actions: ShortcutActions): (() => void) | null {
  if (!hasMod(event)) return event.key === '?' && !isTyping(event.target) ? actions.help : null
  // In the terminal Ctrl and a letter belong to the shell; only the way out of it stays.
  const inTerminal = event.target instanceof HTMLElement && event.target.closest('.xterm') !== null
  if (inTerminal && event.ctrlKey && event.key !== '`') return null
  switch (event.key.toLowerCase()) {
    case 'k':
      return actions.search
    case 'o':
      return event.shiftKey ? actions.newSession : null
    case 'b':
      return actions.toggleSidebar
    case 'j':
      return actions.togglePane
    case '`':
      return actions.terminal
    case ',':
      return actions.settings
    default:
      return null
  }
}
