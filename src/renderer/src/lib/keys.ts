export const IS_MAC = /Mac|iPhone|iPad/.test(navigator.platform)
/** How the platform's main modifier is written. */
export const MOD = IS_MAC ? '⌘' : 'Ctrl'

export function hasMod(event: KeyboardEvent | React.KeyboardEvent): boolean {
  return IS_MAC ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey
}

export interface Shortcut {
  keys: string[]
  what: string
}

/** Everything the keyboard can do, as the "?" dialog lists it. */
export const SHORTCUTS: { group: string; items: Shortcut[] }[] = [
  {
    group: 'Window',
    items: [
      { keys: [MOD, 'K'], what: 'Search sessions and what was said in them' },
      { keys: [MOD, 'Shift', 'O'], what: 'New session' },
      { keys: [MOD, 'B'], what: 'Show or hide the sessions' },
      { keys: [MOD, 'J'], what: 'Show or hide plan and terminal' },
      { keys: [MOD, '`'], what: 'Go to the terminal' },
      { keys: [MOD, ','], what: 'Settings' },
      { keys: ['?'], what: 'This list' },
    ],
  },
  {
    group: 'Conversation',
    items: [
      { keys: ['Enter'], what: 'Send, or steer a running turn' },
      { keys: ['Alt', 'Enter'], what: 'Queue for the end of the running turn' },
      { keys: ['Shift', 'Enter'], what: 'New line' },
      { keys: ['/'], what: 'Commands, at the start of a message' },
      { keys: ['@'], what: 'Files of the working folder' },
      { keys: ['↑'], what: 'Bring back the last message (empty field)' },
      { keys: ['Esc'], what: 'Stop the running turn' },
    ],
  },
  {
    group: 'Session list',
    items: [
      { keys: ['↑', '↓'], what: 'Move' },
      { keys: ['Enter'], what: 'Open' },
      { keys: ['F2'], what: 'Rename' },
      { keys: ['Delete'], what: 'Delete, after a question' },
    ],
  },
]

/** True where a typed character belongs to a field (or the terminal), not to a shortcut. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  return target.isContentEditable || target.closest('input, textarea, select, .xterm') !== null
}
