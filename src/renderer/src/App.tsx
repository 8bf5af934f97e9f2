import { Tooltip } from '@base-ui/react/tooltip'
import { useEffect, useMemo } from 'react'
import { Drawer } from './components/Drawer'
import { Toasts } from './components/Toasts'
import { SEARCH_ID, Sidebar } from './features/sessions/Sidebar'
import { runStateOf } from './features/sessions/sessionState'
import { Workspace } from './features/sessions/Workspace'
import { KeyDialog } from './features/settings/KeyDialog'
import { SettingsDialog } from './features/settings/SettingsDialog'
import { ShortcutsDialog } from './features/settings/ShortcutsDialog'
import { StatusBar } from './features/status/StatusBar'
import { Welcome } from './features/welcome/Welcome'
import { useIsNarrow } from './hooks/useMediaQuery'
import { type ShortcutActions, useShortcuts } from './hooks/useShortcuts'
import { useApp } from './stores/app'
import { useSessionPart } from './stores/sessions'
import { setDrawer, setPaneOpen, setSidebarOpen, setTab, showDialog, useUi } from './stores/ui'

/** Milliseconds until a tooltip shows: long enough not to flicker under a passing pointer. */
const TOOLTIP_DELAY_MS = 400

export function App() {
  const activeId = useApp((app) => app.activeId)
  const narrow = useIsNarrow()
  const sidebarOpen = useUi((ui) => ui.sidebarOpen)
  const drawer = useUi((ui) => ui.drawer)
  useShortcuts(useActions(narrow))
  useTitle(activeId)

  return (
    <Tooltip.Provider delay={TOOLTIP_DELAY_MS}>
      <div className="flex h-full flex-col">
        <div className="flex min-h-0 flex-1">
          {!narrow && sidebarOpen && (
            <div className="w-61 shrink-0 border-r border-line">
              <Sidebar onHide={() => setSidebarOpen(false)} />
            </div>
          )}
          {activeId === null ? <Welcome /> : <Workspace id={activeId} narrow={narrow} />}
        </div>
        <StatusBar id={activeId} />
      </div>
      <Drawer open={narrow && drawer === 'sidebar'} side="left" label="Sessions" onClose={() => setDrawer(null)}>
        <Sidebar onHide={() => setDrawer(null)} />
      </Drawer>
      <SettingsDialog />
      <KeyDialog />
      <ShortcutsDialog />
      <Toasts />
    </Tooltip.Provider>
  )
}

function useActions(narrow: boolean): ShortcutActions {
  return useMemo(
    () => ({
      search: () => {
        if (narrow) setDrawer('sidebar')
        else setSidebarOpen(true)
        // The field may appear with this change.
        requestAnimationFrame(() => document.getElementById(SEARCH_ID)?.focus())
      },
      newSession: () => useApp.getState().actions.open(null),
      toggleSidebar: () => {
        const { drawer, sidebarOpen } = useUi.getState()
        if (narrow) setDrawer(drawer === 'sidebar' ? null : 'sidebar')
        else setSidebarOpen(!sidebarOpen)
      },
      togglePane: () => {
        const { drawer, paneOpen } = useUi.getState()
        if (useApp.getState().activeId === null) return
        if (narrow) setDrawer(drawer === 'pane' ? null : 'pane')
        else setPaneOpen(!paneOpen)
      },
      terminal: () => {
        if (useApp.getState().activeId === null) return
        setTab('terminal')
        if (narrow) setDrawer('pane')
        else setPaneOpen(true)
      },
      settings: () => showDialog('settings'),
      help: () => showDialog('shortcuts'),
    }),
    [narrow],
  )
}

/** The window's title says which session it shows and whether it needs somebody. */
function useTitle(id: string | null): void {
  const title = useSessionPart(id, (state) => state?.title)
  const kind = useSessionPart(id, (state) => (state ? runStateOf(state).kind : 'idle'))
  useEffect(() => {
    const mark = kind === 'running' ? '● ' : kind === 'waiting' ? '? ' : ''
    document.title = title ? `${mark}${title} — ML Intern` : 'ML Intern'
  }, [title, kind])
}
