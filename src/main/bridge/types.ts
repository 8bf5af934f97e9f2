import type { AppInfo, BridgePush, CredentialStatus } from '@shared/bridge'
import type { Engine, EngineOptions } from '../engine-types'
import type { SessionStore } from '../session/store'
import type { Session } from '../session/types'

/** What the window layer needs of the engine beyond its public interface. */
export interface BridgeEngine extends Engine {
  readonly options: EngineOptions
  readonly store: SessionStore
  appInfo(): Promise<AppInfo>
  /** Like openSession, but a session that another process writes is returned read-only. */
  viewSession(id: string): Promise<Session>
  /** A window stopped looking at it: when no other does and nothing runs, it is closed and its lock is free. */
  releaseSession(id: string): Promise<void>
  renameSession(id: string, title: string): Promise<void>
  /** Forgets clients that were made with the old key, and tells every window. */
  credentialChanged(status: CredentialStatus): CredentialStatus
  broadcast(push: BridgePush): void
}
