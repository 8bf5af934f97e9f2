import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { isIP } from 'node:net'

/** 256 bits, as URL-safe text. */
const newSecret = () => randomBytes(32).toString('base64url')

/** Compares without telling by its time how much was right; hashing first makes the lengths equal. */
function same(given: string, secret: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(secret))
}

/**
 * Who may use this server: the browser that once showed the token from the terminal. The token is good for one
 * exchange; after that only the cookie counts, which no script can read and no other site can send along.
 */
export class Access {
  private token: string | null = null
  private readonly cookie_secret = newSecret()

  /** `port` is part of the cookie's name because browsers share cookies between all ports of a host. */
  constructor(readonly port: number) {}

  get cookieName(): string {
    return `ml-intern-${this.port}`
  }

  /** A new token; an older one that was not used yet is void. */
  issueToken(): string {
    this.token = newSecret()
    return this.token
  }

  /** Uses the token up. The value of `Set-Cookie`, or null when the token is wrong, used or replaced. */
  redeem(given: string): string | null {
    if (this.token === null || !same(given, this.token)) return null
    this.token = null
    return `${this.cookieName}=${this.cookie_secret}; Path=/; HttpOnly; SameSite=Strict`
  }

  /** Whether a `Cookie` header carries our cookie. */
  allows(header: string | undefined): boolean {
    for (const part of (header ?? '').split(';')) {
      const equals = part.indexOf('=')
      if (equals === -1 || part.slice(0, equals).trim() !== this.cookieName) continue
      if (same(part.slice(equals + 1).trim(), this.cookie_secret)) return true
    }
    return false
  }
}

/** Names under which this server is reached: the machine itself, or any machine that the caller opened it to. */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

/** Splits a `Host` header; null when it is not a host with an optional port. The name is without brackets. */
export function hostName(header: string | undefined): string | null {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+))(?::\d{1,5})?$/i.exec(header ?? '')
  return (match?.[1] ?? match?.[2] ?? null)?.toLowerCase() ?? null
}

/**
 * The defence against DNS rebinding, where a foreign name is made to point here: only names that are ours pass. An
 * IP address cannot be rebound, so on a server that is open to the network every address passes. The port is not
 * compared, because it differs behind `ssh -L`.
 */
export function isServedHost(header: string | undefined, bound: string, machine_name: string): boolean {
  const name = hostName(header)
  if (name === null) return false
  if (name === '127.0.0.1' || name === 'localhost' || name === '::1') return true
  if (name === bound.toLowerCase()) return true
  if (isLoopbackHost(bound)) return false
  return isIP(name) !== 0 || name === machine_name.toLowerCase()
}

/** A page may talk to this server only when this server sent it. `host` was checked before. */
export function isOwnOrigin(origin: string | undefined, host: string | undefined): boolean {
  return origin !== undefined && host !== undefined && origin.toLowerCase() === `http://${host.toLowerCase()}`
}
