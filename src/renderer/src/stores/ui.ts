import { create } from 'zustand'
import { type BridgeFailure, failureOf } from '../bridge/bridge'
import { readStored, writeStored } from '../lib/storage'

export type PaneTab = 'plan' | 'terminal' | 'changes'
export type DialogName = 'settings' | 'models' | 'approvals' | 'data' | 'diagnostics' | 'key' | 'shortcuts'

/** What is chosen at the top of a session. */
export type HeaderMenu = 'model' | 'effort' | 'mode'
export type MeterName = 'cost' | 'context'

export interface Toast {
  id: number
  /** Null: nothing went wrong, something is only said. */
  failure: BridgeFailure | null
  /** What was tried, as in "The session was not renamed."; or what is said. */
  title: string
  /** More of what is said; line breaks are kept. */
  text: string
}

/** A question about one session that is asked over the whole window. */
export interface SessionDialog {
  kind: 'delete' | 'upload'
  id: string
  title: string
}

/** A question that something waits for. */
export interface Question {
  text: string
  answer: (yes: boolean) => void
}

/** A message of a session that is to be brought into view. */
export interface ScrollTarget {
  session: string
  /** Number of its event. */
  seq: number
}

interface UiState {
  sidebarOpen: boolean
  paneOpen: boolean
  tab: PaneTab
  /** Below 900 px the panes lie over the conversation, one at a time. */
  drawer: 'sidebar' | 'pane' | null
  dialog: DialogName | null
  sessionDialog: SessionDialog | null
  question: Question | null
  /** Set until the transcript of that session has shown it. */
  scrollTo: ScrollTarget | null
  /** What the sessions are searched for. */
  search: string
  /** The menu at the top of the open session that is open. */
  headerMenu: HeaderMenu | null
  /** The panel of the status bar that is open. */
  meter: MeterName | null
  /** The title of the open session is being changed at the top. */
  renaming: boolean
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
  sessionDialog: null,
  question: null,
  scrollTo: null,
  search: '',
  headerMenu: null,
  meter: null,
  renaming: false,
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

export function askAbout(sessionDialog: SessionDialog | null): void {
  useUi.setState({ sessionDialog })
}

/** Asks before something that cannot be taken back; closing the question is a no. */
export function ask(text: string): Promise<boolean> {
  return new Promise((resolve) => {
    useUi.getState().question?.answer(false)
    const answer = (yes: boolean): void => {
      useUi.setState({ question: null })
      resolve(yes)
    }
    useUi.setState({ question: { text, answer } })
  })
}

export function scrollTo(scrollTo: ScrollTarget | null): void {
  useUi.setState({ scrollTo })
}

export function setSearch(search: string): void {
  useUi.setState({ search })
}

export function showMeter(meter: MeterName | null): void {
  useUi.setState({ meter })
}

export function showHeaderMenu(headerMenu: HeaderMenu | null): void {
  useUi.setState({ headerMenu })
}

export function setRenaming(renaming: boolean): void {
  useUi.setState({ renaming })
}

let lastToast = 0

/** Says that something the user asked for did not happen. Stays until it is dismissed. */
export function reportFailure(title: string, thrown: unknown): void {
  addToast({ title, failure: failureOf(thrown), text: '' })
}

/** Says something that is no failure: what a command answered, where a file went. */
export function say(title: string, text = ''): void {
  addToast({ title, failure: null, text })
}

function addToast(toast: Omit<Toast, 'id'>): void {
  lastToast += 1
  const id = lastToast
  useUi.setState(({ toasts }) => ({ toasts: [...toasts, { id, ...toast }].slice(-MAX_TOASTS) }))
}

export function dismissToast(id: number): void {
  useUi.setState(({ toasts }) => ({ toasts: toasts.filter((toast) => toast.id !== id) }))
}
