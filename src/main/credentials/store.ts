import type { CredentialStatus } from '@shared/bridge'
import { Keychain, KeychainFault, type KeychainOptions } from './keychain'
import type { CredentialStore, Provider } from './types'

const VARIABLE: Record<Provider, string> = { anthropic: 'ANTHROPIC_API_KEY' }
/** A hint of a shorter key would be most of the key. */
const MIN_CHARS_FOR_HINT = 16

export interface CredentialStoreOptions extends KeychainOptions {
  /** Real environment plus `.env`. */
  env: NodeJS.ProcessEnv
}

/** What is known about one provider's place in the keychain, so that it is asked once and not before every call. */
interface Kept {
  value: string | null
  fault: KeychainFault | null
}

/** See CredentialStore. Nothing rejects because of a keychain: its fault is in the status. */
export function createCredentialStore(options: CredentialStoreOptions): CredentialStore {
  const keychain = new Keychain(options)
  const memory = new Map<Provider, string>()
  const kept = new Map<Provider, Promise<Kept>>()
  const secrets = new Set<string>()

  const fromEnvironment = (provider: Provider): string | null => {
    const value = clean(options.env[VARIABLE[provider]] ?? '')
    if (value) secrets.add(value)
    return value || null
  }

  const fromKeychain = (provider: Provider): Promise<Kept> => {
    const known = kept.get(provider)
    if (known) return known
    const asked = keychain.get(provider).then(
      (value): Kept => ({ value: clean(value ?? '') || null, fault: null }),
      (error: unknown): Kept => ({ value: null, fault: asFault(error) }),
    )
    kept.set(provider, asked)
    // An unlock dialog that is answered late must not leave the key unknown until the next start.
    void asked.then(({ fault }) => fault?.kind === 'timeout' && kept.get(provider) === asked && kept.delete(provider))
    return asked
  }

  const find = async (provider: Provider): Promise<{ value: string | null; status: CredentialStatus }> => {
    const given = fromEnvironment(provider)
    if (given) return { value: given, status: statusOf(provider, given, 'environment', '') }
    const { value, fault } = await fromKeychain(provider)
    const note = fault ? `${fault.message} ${fault.remedy}` : ''
    if (value) {
      secrets.add(value)
      return { value, status: statusOf(provider, value, 'keychain', '') }
    }
    const remembered = memory.get(provider) ?? null
    return { value: remembered, status: statusOf(provider, remembered, remembered ? 'memory' : null, note) }
  }

  for (const provider of Object.keys(VARIABLE) as Provider[]) fromEnvironment(provider)

  return {
    get: async (provider) => (await find(provider)).value,
    status: async (provider) => (await find(provider)).status,

    async set(provider, secret) {
      const value = clean(secret)
      secrets.add(value)
      const fault = await keychain.set(provider, value).then(() => null, asFault)
      if (fault) memory.set(provider, value)
      else memory.delete(provider)
      kept.set(provider, Promise.resolve({ value: fault ? null : value, fault }))
      const { status } = await find(provider)
      if (status.source !== 'environment') return status
      return {
        ...status,
        note: `${VARIABLE[provider]} is set in the environment and is used before the key stored now.`,
      }
    },

    async remove(provider) {
      memory.delete(provider)
      const fault = await keychain.remove(provider).then(() => null, asFault)
      // Without a fault it is read again: the status says what is there, not what was meant.
      if (fault) kept.set(provider, Promise.resolve({ value: null, fault }))
      else kept.delete(provider)
      const { status } = await find(provider)
      if (status.source !== 'environment') return status
      return { ...status, note: `The key in use comes from the environment: unset ${VARIABLE[provider]} to remove it.` }
    },

    known_secrets: () => [...secrets],
  }
}

/** A key pasted with a line break would make an invalid HTTP header. */
function clean(secret: string): string {
  return secret.trim()
}

function asFault(error: unknown): KeychainFault {
  if (error instanceof KeychainFault) return error
  throw error
}

function statusOf(
  provider: Provider,
  value: string | null,
  source: CredentialStatus['source'],
  note: string,
): CredentialStatus {
  const hint = value && value.length >= MIN_CHARS_FOR_HINT ? value.slice(-4) : ''
  return { provider, present: value !== null, source, hint, note }
}
