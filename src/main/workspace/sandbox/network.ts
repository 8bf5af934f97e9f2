import { BlockList, isIP } from 'node:net'
import type { NetworkPolicy } from './types'

/**
 * What a machine-learning project fetches from, without a question: the Hub, Python and conda packages, GitHub. Names of
 * public services that the product lets commands reach; nothing here is where the project itself is built from.
 */
export const DEFAULT_HOSTS: readonly string[] = [
  ...['huggingface.co', '*.huggingface.co', 'hf.co', '*.hf.co'],
  ...['pypi.org', 'files.pythonhosted.org', 'conda.anaconda.org', 'repo.anaconda.com'],
  ...['github.com', 'api.github.com', 'codeload.github.com'],
  ...['raw.githubusercontent.com', 'objects.githubusercontent.com', 'release-assets.githubusercontent.com'],
]

/** Ports of a host that is named without one. */
const USUAL_PORTS: ReadonlySet<number> = new Set([80, 443])

export type Verdict = 'allow' | 'allow_private' | 'ask' | { refused: string }

export interface Target {
  /** Lower case, without a final dot; an IPv6 address without brackets. */
  host: string
  port: number
}

/** `host:port` of a CONNECT request or of a list; null when it is not exactly that. */
export function parseTarget(text: string, defaultPort?: number): Target | null {
  const parts = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9*_](?:[a-z0-9_.-]*[a-z0-9_.])?))(?::(\d{1,5}))?$/i.exec(text)
  const name = parts?.[1] ?? parts?.[2]
  if (!parts || !name || name.length > 254) return null
  if (parts[1] !== undefined && isIP(parts[1]) !== 6) return null
  const port = parts[3] === undefined ? defaultPort : Number(parts[3])
  if (port === undefined || port < 1 || port > 65_535) return null
  const host = name.toLowerCase().replace(/\.$/, '')
  return host === '' || host.includes('..') ? null : { host, port }
}

/** What the lists say about a target, before its name is looked up. */
export function judge(policy: Exclude<NetworkPolicy, 'off'>, target: Target): Verdict {
  const { host, port } = target
  const listed = (list: readonly string[] | undefined): boolean =>
    list?.some((entry) => matches(entry, target)) ?? false
  if (listed(policy.deny)) return { refused: 'the host is on the list of denied ones' }
  const exact = (entry: string): boolean => {
    const wanted = parseTarget(entry)
    return wanted?.host === host && wanted.port === port
  }
  if (policy.allow_private?.some(exact)) return 'allow_private'
  if (listed(policy.allow)) return 'allow'
  if (isIP(host) !== 0 || /^[\d.]+$/.test(host) || /^0x/.test(host))
    return { refused: 'addresses in numbers are not allowed' }
  if (isLocalName(host)) return { refused: 'this machine and its local network are not reachable' }
  if (!USUAL_PORTS.has(port)) return { refused: `port ${port} is not allowed` }
  return policy.ask ? 'ask' : { refused: 'the host is not on the list of allowed ones' }
}

/** An entry without a port means the usual ones. */
function matches(entry: string, { host, port }: Target): boolean {
  const named = parseTarget(entry)
  const wanted = named ?? parseTarget(entry, 443)
  if (!wanted || (named ? named.port !== port : !USUAL_PORTS.has(port))) return false
  return wanted.host.startsWith('*.') ? host.endsWith(wanted.host.slice(1)) : wanted.host === host
}

function isLocalName(host: string): boolean {
  return !host.includes('.') || /(^|\.)(localhost|local|internal|intranet|lan|home\.arpa)$/.test(host)
}

const NOT_PUBLIC = new BlockList()
for (const [net, bits] of [
  ...[['0.0.0.0', 8] as const, ['10.0.0.0', 8] as const, ['100.64.0.0', 10] as const, ['127.0.0.0', 8] as const],
  ...[
    ['169.254.0.0', 16] as const,
    ['172.16.0.0', 12] as const,
    ['192.0.0.0', 24] as const,
    ['192.0.2.0', 24] as const,
  ],
  ...[['192.88.99.0', 24] as const, ['192.168.0.0', 16] as const, ['198.18.0.0', 15] as const],
  ...[['198.51.100.0', 24] as const, ['203.0.113.0', 24] as const, ['224.0.0.0', 3] as const],
]) {
  NOT_PUBLIC.addSubnet(net, bits, 'ipv4')
}
/** Only 2000::/3 is given out to the public; of it, what carries an IPv4 address or is documentation is not taken. */
const PUBLIC_V6 = new BlockList()
PUBLIC_V6.addSubnet('2000::', 3, 'ipv6')
const NOT_PUBLIC_V6 = new BlockList()
for (const [net, bits] of [['2001::', 23] as const, ['2001:db8::', 32] as const, ['2002::', 16] as const]) {
  NOT_PUBLIC_V6.addSubnet(net, bits, 'ipv6')
}

/** Whether an address is one of the public internet: not this machine, its network, or a cloud's metadata service. */
export function isPublicAddress(address: string): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  const plain = mapped ?? address
  if (isIP(plain) === 4) return !NOT_PUBLIC.check(plain, 'ipv4')
  return isIP(plain) === 6 && PUBLIC_V6.check(plain, 'ipv6') && !NOT_PUBLIC_V6.check(plain, 'ipv6')
}
