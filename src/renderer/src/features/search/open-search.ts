import { isNarrowNow } from '../../hooks/useMediaQuery'
import { setDrawer, setSearch, setSidebarOpen } from '../../stores/ui'

export const SEARCH_ID = 'session-search'

/** Goes to the field over the sessions, wherever it is; a text begins a search for it. */
export function openSearch(text = ''): void {
  if (text) setSearch(text)
  if (isNarrowNow()) setDrawer('sidebar')
  else setSidebarOpen(true)
  // The field may appear with this change.
  requestAnimationFrame(() => document.getElementById(SEARCH_ID)?.focus())
}
