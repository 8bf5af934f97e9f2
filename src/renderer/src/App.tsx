import { Tooltip } from '@base-ui/react/tooltip'
import { lazy, Suspense, useEffect, useMemo, useState } from 'react'
import { Drawer } from './components/Drawer'
import { Toasts } from './components/Toasts'
import { openSearch } from './features/search/open-search'
import { Sidebar } from './features/sessions/Sidebar'
import { runStateOf } from './features/sessions/sessionState'
import { KeyDialog } from './features/settings/KeyDialog'
import { StatusBar } from './features/status/StatusBar'
import { Welcome } from './features/welcome/Welcome'
import { useIsNarrow } from './hooks/useMediaQuery'
import { type ShortcutActions, useShortcuts } from './hooks/useShortcuts'
import { useApp } from './stores/app'
import { useSessionPart } from './stores/sessions'
import { type DialogName, setDrawer, setPaneOpen, setSidebarOpen, setTab, showDialog, useUi } from './stores/ui'

// The conversation is most of the code, and the welcome page needs none of it. It is fetched while that is looked at.
const loadWorkspace = () => import('./features/sessions/Workspace')
const Workspace = lazy(async () => ({ default: (await loadWorkspace()).Workspace }))
const loadSettings = () => import('./features/settings/SettingsDialog')
const SettingsDialog = lazy(async () => ({ default: (await loadSettings()).SettingsDialog }))

const ShortcutsDialog = lazy(async () => ({
  default: (await import('./features/settings/ShortcutsDialog')).ShortcutsDialog,
}))
const SessionDialogs = lazy(async () => ({
  default: (await import('./features/sessions/SessionDialogs')).SessionDialogs,
}))

/** Milliseconds after which what is not on screen yet is fetched. */
const PREFETCH_DELAY_MS = 150
/** Milliseconds until a tooltip shows: long enough not to flicker under a passing pointer. */
const TOOLTIP_DELAY_MS = 400

export function App() {
  const activeId = useApp((app) => app.activeId)
  const narrow = useIsNarrow()
  const sidebarOpen = useUi((ui) => ui.sidebarOpen)
  const drawer = useUi((ui) => ui.drawer)
  const settingsAsked = useAsked('settings', 'models', 'approvals', 'data', 'diagnostics')
  const helpAsked = useAsked('shortcuts')
  const sessionAsked = useUi((ui) => ui.sessionDialog !== null)
  const questionAsked = useUi((ui) => ui.question !== null)
  const [dialogsMade, setDialogsMade] = useState(false)
  if ((sessionAsked || questionAsked) && !dialogsMade) setDialogsMade(true)
  useShortcuts(useActions(narrow))
  useEffect(prefetch, [])
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
          {activeId === null ? (
            <Welcome />
          ) : (
            <Suspense fallback={<main className="flex-1" aria-busy />}>
              <Workspace id={activeId} narrow={narrow} />
            </Suspense>
          )}
        </div>
        <StatusBar id={activeId} />
      </div>
      <Drawer open={narrow && drawer === 'sidebar'} side="left" label="Sessions" onClose={() => setDrawer(null)}>
        <Sidebar onHide={() => setDrawer(null)} />
      </Drawer>
      <Suspense fallback={null}>{settingsAsked && <SettingsDialog />}</Suspense>
      <Suspense fallback={null}>{dialogsMade && <SessionDialogs />}</Suspense>
      <KeyDialog />
      <Suspense fallback={null}>{helpAsked && <ShortcutsDialog />}</Suspense>
      <Toasts />
    </Tooltip.Provider>
  )
}

/** True from the first time one of the dialogs is asked for: a dialog that closes must be there to close. */
function useAsked(...names: DialogName[]): boolean {
  const wanted = useUi((ui) => ui.dialog !== null && names.includes(ui.dialog))
  const [asked, setAsked] = useState(wanted)
  if (wanted && !asked) setAsked(true)
  return asked || wanted
}

/** What the next click is likely to need, once the first paint is out of the way. */
function prefetch(): () => void {
  const timer = setTimeout(() => void Promise.allSettled([loadWorkspace(), loadSettings()]), PREFETCH_DELAY_MS)
  return () => clearTimeout(timer)
}

function useActions(narrow: boolean): ShortcutActions {
  return useMemo(
    () => ({
      search: () => openSearch(),
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
