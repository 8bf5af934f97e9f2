import type { AppInfo, BridgePush, ConnectionState, CredentialStatus } from '@shared/bridge'
import type { SettingsPatch, Theme } from '@shared/settings'
import type { SessionSummary } from '@shared/state'
import { create } from 'zustand'
import { type BridgeFailure, call, failureOf, getBridge } from '../bridge/bridge'
import { applyTheme } from '../lib/theme'
import { follow, followAgain, forget, receive, unfollow } from './sessions'

export interface AppState {
  info: AppInfo | null
  connection: ConnectionState
  /** True once the window has been connected: from then on `lost` is a loss, not a start. */
  wasConnected: boolean
  sessions: SessionSummary[]
  /** Null until the first list is here. */
  sessionsLoaded: boolean
  activeId: string | null
  theme: Theme
  /** Why the window could not load what it needs to start. */
  startFailure: BridgeFailure | null
  actions: AppActions
}

export interface AppActions {
  /** Opens a session; null: the welcome page. */
  open: (id: string | null) => void
  /** Loads information and sessions again. */
  refresh: () => Promise<void>
  /** Throws BridgeFailure. */
  updateSettings: (patch: SettingsPatch) => Promise<void>
  /** Creates a session, opens it and returns its id. Throws BridgeFailure. */
  createSession: (options: { cwd?: string; model?: string }) => Promise<string>
  /** Throws BridgeFailure. */
  startDemo: () => Promise<void>
  rename: (id: string, title: string) => Promise<void>
  remove: (id: string) => Promise<void>
  /** Says where the key really went. Throws BridgeFailure. */
  setKey: (secret: string) => Promise<CredentialStatus>
  removeKey: () => Promise<void>
}

export const useApp = create<AppState>((set, get) => ({
  info: null,
  connection: 'connecting',
  wasConnected: false,
  sessions: [],
  sessionsLoaded: false,
  activeId: null,
  theme: 'system',
  startFailure: null,
  actions: {
    open: (id) => {
      const before = get().activeId
      if (before === id) return
      set({ activeId: id })
      if (id !== null) follow(id)
      if (before !== null) unfollow(before)
      writeHash(id)
    },
    refresh: async () => {
      try {
        const [info, sessions] = await Promise.all([call('app.info', {}), call('sessions.list', {})])
        applyTheme(info.settings.theme)
        set({ info, theme: info.settings.theme, sessions: sorted(sessions), sessionsLoaded: true, startFailure: null })
      } catch (thrown) {
        const failure = failureOf(thrown)
        // Disconnected: the banner says so, and the next connection loads again.
        if (failure.code !== 'disconnected') set({ startFailure: failure })
      }
    },
    updateSettings: async (patch) => {
      const settings = await call('settings.update', patch)
      takeSettings(settings)
    },
    createSession: async (options) => {
      const { id } = await call('sessions.create', options)
      get().actions.open(id)
      return id
    },
    startDemo: async () => {
      const { id } = await call('demo.start', {})
      get().actions.open(id)
    },
    rename: async (id, title) => {
      await call('sessions.rename', { id, title })
      set(({ sessions }) => ({ sessions: sessions.map((s) => (s.id === id ? { ...s, title } : s)) }))
    },
    remove: async (id) => {
      await call('sessions.remove', { id })
      takeSession(id, null)
    },
    setKey: async (secret) => {
      const status = await call('credentials.set', { provider: 'anthropic', secret })
      await get().actions.refresh()
      return status
    },
    removeKey: async () => {
      await call('credentials.remove', { provider: 'anthropic' })
      await get().actions.refresh()
    },
  },
}))

/** Connects the stores to the engine, once, when the window starts. */
export function startApp(): void {
  const bridge = getBridge()
  bridge.onPush(takePush)
  useApp.getState().actions.open(readHash())
  window.addEventListener('hashchange', () => useApp.getState().actions.open(readHash()))
  bridge.onConnection((connection) => {
    const before = useApp.getState().connection
    useApp.setState(({ wasConnected }) => ({ connection, wasConnected: wasConnected || connection === 'connected' }))
    if (connection === 'connected' && before !== 'connected') {
      void useApp.getState().actions.refresh()
      followAgain()
    }
  })
}

function takePush(push: BridgePush): void {
  switch (push.kind) {
    case 'event':
    case 'snapshot':
      receive(push)
      return
    case 'session':
      takeSession(push.id, push.summary)
      return
    case 'settings':
      takeSettings(push.settings)
      return
    case 'credentials':
      useApp.setState(({ info }) => (info ? { info: { ...info, credentials: push.credentials } } : {}))
      // A key decides which models can be used.
      void useApp.getState().actions.refresh()
  }
}

function takeSettings(settings: AppInfo['settings']): void {
  applyTheme(settings.theme)
  useApp.setState(({ info }) => ({ theme: settings.theme, info: info ? { ...info, settings } : null }))
}

function takeSession(id: string, summary: SessionSummary | null): void {
  useApp.setState(({ sessions }) => {
    const others = sessions.filter((s) => s.id !== id)
    return { sessions: summary ? sorted([...others, summary]) : others }
  })
  if (summary) return
  const { activeId, actions } = useApp.getState()
  if (activeId === id) actions.open(null)
  forget(id)
}

/** Newest first. ISO times of one zone compare as text. */
function sorted(sessions: SessionSummary[]): SessionSummary[] {
  return [...sessions].sort((a, b) => (a.updated_at < b.updated_at ? 1 : a.updated_at > b.updated_at ? -1 : 0))
}

/** The open session stands in the address, so that a reload and the browser's back button find it. */
function readHash(): string | null {
  return /^#session=([0-9a-f-]{36})$/.exec(window.location.hash)?.[1] ?? null
}

function writeHash(id: string | null): void {
  if (readHash() === id) return
  const url = new URL(window.location.href)
  url.hash = id ? `session=${id}` : ''
  history.pushState(null, '', url)
}
