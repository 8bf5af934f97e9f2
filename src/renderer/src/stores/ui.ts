import { create } from 'zustand'
import { type BridgeFailure, failureOf } from '../bridge/bridge'
import { readStored, writeStored } from '../lib/storage'

export type PaneTab = 'plan' | 'terminal'
export type DialogName = 'settings' | 'diagnostics' | 'key' | 'shortcuts'

export interface Toast {
  id: number
  failure: BridgeFailure
  /** What was tried, as in "The session was not renamed." */
  title: string
}

interface UiState {
  sidebarOpen: boolean
  paneOpen: boolean
  tab: PaneTab
  /** Below 900 px the panes lie over the conversation, one at a time. */
  drawer: 'sidebar' | 'pane' | null
  dialog: DialogName | null
  toasts: Toast[]
}

/** More would cover the conversation; the oldest goes. */
const MAX_TOASTS = 3

export const useUi = create<UiState>(() => ({
  sidebarOpen: readStored('sidebar') !== 'closed',
  paneOpen: readStored('pane') !== 'closed',
  tab: 'plan',
  drawer: null,
  dialog: null,
  toasts: [],
}))

export function setSidebarOpen(sidebarOpen: boolean): void {
  writeStored('sidebar', sidebarOpen ? null : 'closed')
  useUi.setState({ sidebarOpen })
}

export function setPaneOpen(paneOpen: boolean): void {
  writeStored('pane', paneOpen ? null : 'closed')
  useUi.setState({ paneOpen })
}

export function setTab(tab: PaneTab): void {
  useUi.setState({ tab })
}

export function setDrawer(drawer: UiState['drawer']): void {
  useUi.setState({ drawer })
}

export function showDialog(dialog: DialogName | null): void {
  useUi.setState({ dialog })
}

let lastToast = 0

/** Says that something the user asked for did not happen. Stays until it is dismissed. */
export function reportFailure(title: string, thrown: unknown): void {
  lastToast += 1
  const toast: Toast = { id: lastToast, title, failure: failureOf(thrown) }
  useUi.setState(({ toasts }) => ({ toasts: [...toasts, toast].slice(-MAX_TOASTS) }))
}

export function dismissToast(id: number): void {
  useUi.setState(({ toasts }) => ({ toasts: toasts.filter((toast) => toast.id !== id) }))
}
