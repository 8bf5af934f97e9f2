import type { AppInfo, BridgePush, CredentialStatus } from '@shared/bridge'
import type { ModelClients } from '../engine/clients'
import type { SessionLibrary } from '../engine/library'
import type { Terminals } from '../engine/terminals'
import type { Engine, EngineOptions } from '../engine-types'
import type { SessionStore } from '../session/store'
import type { Session } from '../session/types'

/** What the window layer needs of the engine beyond its public interface. */
export interface BridgeEngine extends Engine {
  readonly options: EngineOptions
  readonly store: SessionStore
  readonly clients: ModelClients
  readonly library: SessionLibrary
  readonly terminals: Terminals
  appInfo(): Promise<AppInfo>
  /**
   * Like openSession, but a session that another process writes is given read-only. It stays open while `work` runs;
   * afterwards it is released.
   */
  useSession<T>(id: string, work: (session: Session) => Promise<T> | T): Promise<T>
  /**
   * A window stopped looking at it: when no other does it is closed and its lock is free, at once or when its turn has
   * ended. Never rejects, and does not wait for the turn.
   */
  releaseSession(id: string): Promise<void>
  renameSession(id: string, title: string): Promise<void>
  /** Forgets clients that were made with the old key, and tells every window. */
  credentialChanged(status: CredentialStatus): CredentialStatus
  broadcast(push: BridgePush): void
}
