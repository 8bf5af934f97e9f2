import { flushSync } from 'react-dom'
import { isNarrowNow } from '../../hooks/useMediaQuery'
import { setDrawer, setSearch, setSidebarOpen } from '../../stores/ui'

export const SEARCH_ID = 'session-search'

/** Goes to the field over the sessions, wherever it is; a text begins a search for it. */
export function openSearch(text = ''): void {
  // At once: the keys that follow the shortcut are the search already.
  flushSync(() => {
    if (text) setSearch(text)
    if (isNarrowNow()) setDrawer('sidebar')
    else setSidebarOpen(true)
  })
  // A drawer is there with the next frame.
  if (!goToField(text === '')) requestAnimationFrame(() => goToField(text === ''))
}

/** `over`: what is typed takes the place of the last search. */
function goToField(over: boolean): boolean {
  const field = document.getElementById(SEARCH_ID)
  field?.focus()
  if (over && field instanceof HTMLInputElement) field.select()
  return field !== null && document.activeElement === field
}
