import { randomUUID } from 'node:crypto'
import { messageOf } from '../errors'

/** The part of `keytar` that is used. */
export interface KeychainModule {
  getPassword(service: string, account: string): Promise<string | null>
  setPassword(service: string, account: string, password: string): Promise<void>
  deletePassword(service: string, account: string): Promise<boolean>
}

export type KeychainFaultKind = 'no_library' | 'no_bus' | 'no_service' | 'locked' | 'timeout' | 'other'

/** Why the keychain cannot be used, and what the user can do about it. */
export class KeychainFault extends Error {
  override readonly name = 'KeychainFault'
  constructor(
    readonly kind: KeychainFaultKind,
    message: string,
    readonly remedy: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

export const KEYCHAIN_SERVICE = 'ML Intern'
/** A keychain that works answers in some 30 ms; one that waits for a dialog nobody sees never does. */
export const KEYCHAIN_TIMEOUT_MS = 3_000

export interface KeychainOptions {
  load?: () => Promise<KeychainModule>
  timeout_ms?: number
}

/** The OS keychain. The native module is loaded on the first call; every call rejects with KeychainFault, in bounded time. */
export class Keychain {
  private readonly load: () => Promise<KeychainModule>
  private readonly timeoutMs: number
  private module: Promise<KeychainModule> | null = null

  constructor(options: KeychainOptions = {}) {
    this.load = options.load ?? loadKeytar
    this.timeoutMs = options.timeout_ms ?? KEYCHAIN_TIMEOUT_MS
  }

  /** Null also when the keychain is locked and nobody unlocks it: the Secret Service does not tell the two apart. */
  get(account: string): Promise<string | null> {
    return this.call((keychain) => keychain.getPassword(KEYCHAIN_SERVICE, account))
  }

  /** Stores and reads back: only what comes back is stored. */
  async set(account: string, secret: string): Promise<void> {
    await this.call((keychain) => keychain.setPassword(KEYCHAIN_SERVICE, account, secret))
    if ((await this.get(account)) !== secret) throw locked()
  }

  async remove(account: string): Promise<void> {
    await this.call((keychain) => keychain.deletePassword(KEYCHAIN_SERVICE, account))
  }

  /** Stores, reads and deletes a value of no worth: the only way to learn that a keychain is not locked. */
  async probe(): Promise<void> {
    const account = `probe-${randomUUID()}`
    await this.set(account, 'probe')
    await this.remove(account)
  }

  private async call<T>(run: (keychain: KeychainModule) => Promise<T>): Promise<T> {
    this.module ??= this.load()
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(timedOut(this.timeoutMs)), this.timeoutMs)
    })
    try {
      return await Promise.race([this.module.then(run), late])
    } catch (error) {
      throw explainFault(error)
    } finally {
      clearTimeout(timer)
    }
  }
}

async function loadKeytar(): Promise<KeychainModule> {
  // A CommonJS module: its functions are on the default export, whatever the loader makes of the names.
  const loaded: KeychainModule & { default?: KeychainModule } = await import('keytar')
  return loaded.default ?? loaded
}

function locked(cause?: unknown): KeychainFault {
  return new KeychainFault(
    'locked',
    'The keychain is locked.',
    'Unlock the login keyring (log in to the desktop, or open "Passwords and Keys"), then try again.',
    { cause },
  )
}

function timedOut(ms: number): KeychainFault {
  return new KeychainFault(
    'timeout',
    `The keychain did not answer within ${ms / 1000} s.`,
    'It may wait for its unlock dialog: answer that, then try again.',
  )
}

const REMEDY_ENVIRONMENT = 'or give the key in ANTHROPIC_API_KEY'

/** The libraries' own texts (Linux: libsecret and D-Bus; they have no codes) as something a user can act on. */
export function explainFault(error: unknown): KeychainFault {
  if (error instanceof KeychainFault) return error
  const text = messageOf(error)
  const fault = (kind: KeychainFaultKind, message: string, remedy: string): KeychainFault =>
    new KeychainFault(kind, message, remedy, { cause: error })
  if (/native addon|libsecret|cannot open shared object|Cannot find (module|package)/i.test(text)) {
    return fault(
      'no_library',
      'The keychain library cannot be loaded.',
      `On Debian and Ubuntu: sudo apt-get install libsecret-1-0 gnome-keyring, ${REMEDY_ENVIRONMENT}.`,
    )
  }
  if (/autolaunch D-Bus|Could not connect|Cannot spawn a message bus|DBUS_SESSION_BUS_ADDRESS/i.test(text)) {
    return fault(
      'no_bus',
      'There is no D-Bus session here, which the keychain needs.',
      `Start ML Intern in a desktop session or under dbus-run-session, ${REMEDY_ENVIRONMENT}.`,
    )
  }
  if (/org\.freedesktop\.secrets|was not provided by any \.service/i.test(text)) {
    return fault(
      'no_service',
      'No keyring service is running.',
      `Install one: sudo apt-get install gnome-keyring, ${REMEDY_ENVIRONMENT}.`,
    )
  }
  if (/locked collection|is locked|prompt was dismissed/i.test(text)) return locked(error)
  return fault('other', `The keychain failed: ${text}`, `Try again, ${REMEDY_ENVIRONMENT}.`)
}
