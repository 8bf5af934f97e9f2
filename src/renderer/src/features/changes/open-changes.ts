import { isNarrowNow } from '../../hooks/useMediaQuery'
import { setDrawer, setPaneOpen, setTab } from '../../stores/ui'
import { focusTurn } from './store'

/** Brings the changes of a turn into view. */
export function openChanges(session: string, turn: string): void {
  focusTurn(session, turn)
  setTab('changes')
  if (isNarrowNow()) setDrawer('pane')
  else setPaneOpen(true)
}
