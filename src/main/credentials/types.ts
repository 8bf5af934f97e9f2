import type { CredentialStatus } from '@shared/bridge'

export type Provider = CredentialStatus['provider']

/**
 * Where keys come from, in this order: the environment (with `.env`), the OS keychain, this process's memory. Never a
 * file of ours. The keychain module is loaded on first need only.
 */
export interface CredentialStore {
  /** Null when there is none anywhere. */
  get(provider: Provider): Promise<string | null>
  status(provider: Provider): Promise<CredentialStatus>
  /** Into the keychain; where there is none, into memory, and the status says why. */
  set(provider: Provider, secret: string): Promise<CredentialStatus>
  remove(provider: Provider): Promise<CredentialStatus>
  /** Every secret value known so far, for redaction. */
  known_secrets(): string[]
}
