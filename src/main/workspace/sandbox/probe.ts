import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { isNodeError } from '../../errors'
import { findProgram } from '../programs'
import type { BubblewrapFacts, ProbeResult, RunProbe } from './types'

/** The first with `--perms`, which hidden folders need. */
const MIN_VERSION: readonly [number, number] = [0, 5]
const NONE: ProbeResult = { kind: 'none', version: '', reason: '', remedy: '', bubblewrap: null }
/** What every sandboxed command is started with, as far as a system can forbid it. */
const ESSENTIAL = [
  '--ro-bind',
  '/',
  '/',
  '--dev',
  '/dev',
  '--proc',
  '/proc',
  '--unshare-pid',
  '--unshare-net',
  '--cap-drop',
  'ALL',
]

/** Which sandbox works here. It is really started, because being installed says little. Never rejects. */
export async function probeSandbox(
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
  platform: NodeJS.Platform = process.platform,
  run: RunProbe = runProgram,
): Promise<ProbeResult> {
  if (platform === 'linux') return probeBubblewrap(env, signal, run)
  if (platform === 'darwin') {
    const result = await run('sandbox-exec', ['-p', '(version 1)(allow default)', '/usr/bin/true'], { env, signal })
    if (result.exit_code === 0) return { ...NONE, kind: 'seatbelt' }
    return { ...NONE, reason: `sandbox-exec does not work: ${reasonOf(result)}.` }
  }
  const remedy = platform === 'win32' ? 'Run it inside WSL 2, where bubblewrap works.' : ''
  return { ...NONE, reason: 'There is no supported sandbox on this system.', remedy }
}

async function probeBubblewrap(env: NodeJS.ProcessEnv, signal: AbortSignal, run: RunProbe): Promise<ProbeResult> {
  const options = { env, signal }
  const version = await run('bwrap', ['--version'], options)
  if (version.error === 'ENOENT') {
    return {
      ...NONE,
      reason: 'bubblewrap is not installed.',
      remedy: `Install it: ${await installHint('bubblewrap')}.`,
    }
  }
  const number = version.stdout.trim().replace(/^bubblewrap\s*/, '')
  const [major = 0, minor = 0] = number.split('.').map(Number)
  const newer = (wanted: readonly [number, number]) => major > wanted[0] || (major === wanted[0] && minor >= wanted[1])
  if (version.exit_code === 0 && !newer(MIN_VERSION)) {
    const remedy = 'Update it, or the system: Debian 12, Ubuntu 22.04, Fedora 36 and later have one.'
    return { ...NONE, version: number, reason: `bubblewrap ${number} is too old: 0.5 or later is needed.`, remedy }
  }
  const [confined, signals, socat, python, bash] = await Promise.all([
    run('bwrap', [...ESSENTIAL, '--unshare-user', 'true'], options),
    run('env', ['--default-signal=TERM', 'true'], options),
    findProgram('socat', env),
    findProgram('python3', env),
    findProgram('bash', env),
  ])
  // Root in a container may have the right to make the other namespaces, but none for users.
  const plain = confined.exit_code === 0 ? confined : await run('bwrap', [...ESSENTIAL, 'true'], options)
  if (plain.exit_code !== 0) {
    return {
      ...NONE,
      version: number,
      reason: `bubblewrap is installed but cannot start: ${reasonOf(confined)}.`,
      remedy: await namespaceHint(),
    }
  }
  const bubblewrap: BubblewrapFacts = {
    path: (await findProgram('bwrap', env)) ?? '/usr/bin/bwrap',
    shell: bash ?? '/bin/sh',
    user_namespace: confined.exit_code === 0,
    disable_userns: newer([0, 8]),
    env_signals: signals.exit_code === 0,
    forwarder: socat ? 'socat' : python ? 'python3' : null,
  }
  if (bubblewrap.forwarder) return { ...NONE, kind: 'bubblewrap', version: number, bubblewrap }
  return {
    ...{ ...NONE, kind: 'bubblewrap', version: number, bubblewrap },
    reason: 'Neither socat nor python3 is installed, so commands in the sandbox have no network at all.',
    remedy: `Install it: ${await installHint('socat')}.`,
  }
}

/** How this distribution installs a package. */
async function installHint(name: string): Promise<string> {
  const release = (await readOrNull('/etc/os-release')) ?? ''
  const ids = [...release.matchAll(/^ID(?:_LIKE)?="?([^"\n]*)"?$/gm)].flatMap((found) => (found[1] ?? '').split(' '))
  const known: [string[], string][] = [
    [['debian', 'ubuntu'], `sudo apt-get install ${name}`],
    [['fedora', 'rhel', 'centos'], `sudo dnf install ${name}`],
    [['arch'], `sudo pacman -S ${name}`],
    [['suse', 'opensuse'], `sudo zypper install ${name}`],
    [['alpine'], `sudo apk add ${name}`],
    [['nixos'], `add pkgs.${name} to environment.systemPackages`],
  ]
  const own = known.find(([names]) => names.some((id) => ids.includes(id)))
  return own?.[1] ?? `sudo apt-get install ${name} (Debian, Ubuntu) or sudo dnf install ${name} (Fedora)`
}

/** What forbids user namespaces here, and how to permit them. */
async function namespaceHint(): Promise<string> {
  const [apparmor, clone, maximum, docker] = await Promise.all([
    readOrNull('/proc/sys/kernel/apparmor_restrict_unprivileged_userns'),
    readOrNull('/proc/sys/kernel/unprivileged_userns_clone'),
    readOrNull('/proc/sys/user/max_user_namespaces'),
    readOrNull('/.dockerenv'),
  ])
  const start = 'Unprivileged user namespaces are forbidden here'
  if (docker !== null) {
    return `${start}, as usual in a container: start it with --security-opt seccomp=unconfined --security-opt apparmor=unconfined, or take the container itself for the sandbox (--no-sandbox).`
  }
  if (apparmor?.trim() === '1') {
    return `${start} by AppArmor (Ubuntu 24.04 and later): install the profile for bwrap (sudo apt-get install apparmor-profiles, then link bwrap-userns-restrict into /etc/apparmor.d), or sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0.`
  }
  if (clone?.trim() === '0') return `${start}: sudo sysctl kernel.unprivileged_userns_clone=1.`
  if (maximum?.trim() === '0') return `${start}: sudo sysctl user.max_user_namespaces=15000.`
  return `${start.replace('are', 'are probably')} (a container, or a security module).`
}

async function readOrNull(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    // Not on this system: that is what is asked.
    if (isNodeError(error)) return null
    throw error
  }
}

function reasonOf(result: { exit_code: number | null; stderr: string; error: string }): string {
  const said = result.stderr.trim().split('\n').at(-1)
  return said || result.error || `exit code ${result.exit_code}`
}

const runProgram: RunProbe = (file, args, { env, signal }) =>
  new Promise((resolve) => {
    const options = { env, signal, cwd: '/', killSignal: 'SIGKILL' as const, windowsHide: true }
    execFile(file, [...args], options, (error, stdout, stderr) => {
      const code = error?.code
      const exit_code = error ? (typeof code === 'number' ? code : null) : 0
      resolve({ exit_code, stdout, stderr, error: error && typeof code !== 'number' ? (code ?? error.message) : '' })
    })
  })
