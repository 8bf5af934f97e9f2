import type { Denial, NetworkDenial, SandboxProfile } from './types'

/** Only the end is looked at: there the reason stands, and a long output costs nothing. */
const TAIL_CHARS = 20_000

const WIDER = 'If the task needs it, call the tool again with unsandboxed: true, which asks the user.'

/** What of an output looks like the sandbox's doing, as one or two sentences for the model; null: nothing. */
export function explainDenial(
  outcome: { exit_code: number | null },
  output: string,
  refused: readonly NetworkDenial[],
  profile: SandboxProfile,
  isHidden: (path: string) => boolean,
): Denial | null {
  const text = output.slice(-TAIL_CHARS)
  if (refused.length > 0) return networkDenial(refused)
  if (outcome.exit_code === 0) return null
  return explainWrite(text, profile) ?? explainRead(text, isHidden) ?? explainNetwork(text) ?? explainPrivilege(text)
}

function networkDenial(refused: readonly NetworkDenial[]): Denial {
  const hosts = refused.map(({ host, port }) => (port === 443 || port === 80 ? host : `${host}:${port}`))
  const first = refused[0]
  const named = hosts.slice(0, 5).join(', ') + (hosts.length > 5 ? ` and ${hosts.length - 5} more` : '')
  return {
    kind: 'network',
    subject: first?.host ?? '',
    hosts,
    message:
      `The sandbox refused the connection to ${named}: ${first?.reason ?? 'not allowed'}. If the task needs it, ` +
      `call the tool again with network: ${JSON.stringify(hosts.slice(0, 5))}, which asks the user.`,
  }
}

function explainWrite(text: string, profile: SandboxProfile): Denial | null {
  const line = lineWith(text, /Read-only file system|EROFS|\[Errno 30\]|Device or resource busy/)
  if (line === null) return null
  const subject = pathIn(line)
  const what = subject === '' ? 'That place' : subject
  const where =
    profile === 'read-only'
      ? 'cannot be written: the sandbox is read-only but for /tmp'
      : 'cannot be written: the sandbox allows writing to the workspace and /tmp only, and protects .git/config, .git/hooks, editor settings and shell start-up files in it'
  return { kind: 'write', subject, hosts: [], message: `${what} ${where}. ${WIDER}` }
}

function explainRead(text: string, isHidden: (path: string) => boolean): Denial | null {
  const line = lineWith(text, /Permission denied|EACCES|PermissionError/)
  if (line === null) return null
  const subject = pathIn(line)
  if (subject === '' || !isHidden(subject)) return null
  const message = `${subject} is hidden by the sandbox because it can hold credentials. Work without it, or ask the user for what you need from it.`
  return { kind: 'read', subject, hosts: [], message }
}

const UNRESOLVED =
  /could not resolve (?:host|proxy)|name or service not known|temporary failure in name resolution|nodename nor servname|getaddrinfo (?:ENOTFOUND|EAI_AGAIN)|network is unreachable|no route to host|ENETUNREACH/i

function explainNetwork(text: string): Denial | null {
  const line = lineWith(text, UNRESOLVED)
  if (line === null) return null
  const found = /(?:host(?: name)?[:=]? ?['"]?|https?:\/\/|ENOTFOUND |EAI_AGAIN )([a-z0-9-]+(?:\.[a-z0-9-]+)+)/i.exec(
    line,
  )?.[1]
  const host = found?.toLowerCase() ?? ''
  const grant = host === '' ? 'network: [HOST]' : `network: ["${host}"]`
  return {
    kind: 'network',
    subject: host,
    hosts: host === '' ? [] : [host],
    message: `The sandbox has no direct network: only programs that use HTTP_PROXY and HTTPS_PROXY reach allowed hosts. Ask for another host with ${grant}; a program that knows no proxy needs unsandboxed: true. Both ask the user.`,
  }
}

function explainPrivilege(text: string): Denial | null {
  const pattern =
    /Operation not permitted|EPERM|must be (?:run as )?root|no new privileges|are you root|Cannot connect to the Docker daemon|superuser privileges/i
  if (lineWith(text, pattern) === null) return null
  const message = `The sandbox gives no rights of an administrator, no mounts, no containers and no access to processes outside. ${WIDER}`
  return { kind: 'privilege', subject: '', hosts: [], message }
}

/** The last line that matches. */
function lineWith(text: string, pattern: RegExp): string | null {
  return text.split('\n').findLast((line) => pattern.test(line)) ?? null
}

/** A path in quotes, or one that stands alone. */
function pathIn(line: string): string {
  const quoted = /['"‘`]((?:\/|\.{1,2}\/|~\/|\.)[^'"’`]*)['"’`]/.exec(line)?.[1]
  return quoted ?? /(?:^|[\s:(])((?:~|\.{1,2})?\/[^\s:'"]+)/.exec(line)?.[1] ?? ''
}
