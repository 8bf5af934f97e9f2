import type { CredentialStatus } from '@shared/bridge'

/** Where the key is, said honestly. */
export function keyPlace(status: CredentialStatus): string {
  switch (status.source) {
    case 'keychain':
      return 'Kept in your system’s keychain.'
    case 'memory':
      return 'Kept in memory only: it is gone when ML Intern ends.'
    case 'environment':
      return 'Taken from ANTHROPIC_API_KEY.'
    case null:
      return 'No key.'
  }
}
