import { readFile } from 'node:fs/promises'
import { isNodeError, messageOf, UserError } from '../../errors'

/** What a line of `/etc/os-release` says the system is, and what its package is called. */
export function systemPackage(osRelease: string, what: 'python' | 'venv', version: string | null): string {
  const value = (key: string) => new RegExp(`^${key}="?([^"\\n]*)"?$`, 'm').exec(osRelease)?.[1] ?? ''
  const families = [value('ID'), ...value('ID_LIKE').split(' ')]
  const minor = version === null ? '3' : version.split('.').slice(0, 2).join('.')
  if (families.some((name) => name === 'debian' || name === 'ubuntu')) {
    return what === 'venv' ? `sudo apt install python${minor}-venv` : 'sudo apt install python3 python3-venv'
  }
  if (families.some((name) => name === 'fedora' || name === 'rhel')) return 'sudo dnf install python3 python3-pip'
  if (families.includes('arch')) return 'sudo pacman -S python'
  if (families.includes('alpine')) return 'apk add python3 py3-pip'
  if (families.some((name) => name === 'suse' || name === 'opensuse')) return 'sudo zypper install python3 python3-pip'
  return ''
}

async function advice(what: 'python' | 'venv', version: string | null): Promise<string> {
  if (process.platform === 'darwin') return 'Install it with: brew install python (or uv: brew install uv).'
  if (process.platform === 'win32') return 'Install Python from python.org, or uv.'
  // Not every system says what it is.
  const command = systemPackage(await readFile('/etc/os-release', 'utf8').catch(() => ''), what, version)
  const uv = 'uv (docs.astral.sh/uv) does without it.'
  return command === ''
    ? `Install it with the system's package manager; ${uv}`
    : `Install it with: ${command}. Or install uv, which needs neither.`
}

export async function noPython(skipped: string): Promise<UserError> {
  const tried = skipped === '' ? '' : ` These do not work: ${skipped}.`
  return new UserError('resource_missing', `No Python 3 was found.${tried}`, await advice('python', null))
}

export async function noVenv(python: string, version: string): Promise<UserError> {
  const message = `${python} (${version}) cannot make environments: its modules venv and ensurepip are not installed.`
  return new UserError('resource_missing', message, await advice('venv', version))
}

/** An error of the file system while an environment is made. */
export function folderProblem(error: unknown, folder: string): unknown {
  if (!isNodeError(error)) return error
  const options = { cause: error }
  if (error.code === 'ENOSPC' || error.code === 'EDQUOT') return fullDisk(folder, options)
  if (error.code === 'EACCES' || error.code === 'EPERM' || error.code === 'EROFS') {
    const message = `The environment ${folder} cannot be made: the folder may not be written to (${error.code}).`
    return new UserError(
      'permission',
      message,
      'Make it writable, or open a copy of the project in another folder.',
      options,
    )
  }
  if (error.code === 'ENOENT') return new UserError('not_found', `The folder of ${folder} does not exist.`, '', options)
  return new UserError('internal', `The environment ${folder} cannot be made: ${messageOf(error)}`, '', options)
}

export function fullDisk(folder: string, options?: ErrorOptions): UserError {
  const remedy = 'Free some space (an environment needs about 30 MB, with torch some GB) and try again.'
  return new UserError('resource_missing', `The disk is full: the environment ${folder} was not made.`, remedy, options)
}

const UNREACHABLE =
  /name resolution|Name or service not known|nodename nor servname|NewConnectionError|Connection refused|Network is unreachable|No route to host|ConnectTimeout|Read timed out|ReadTimeoutError|ProxyError|Max retries exceeded|dns error|error sending request|tcp connect error|Failed to fetch|Connection reset|CERTIFICATE_VERIFY_FAILED/i
const MISSING = /No matching distribution found for (.+)|Because (\S+) was not found in the package registry/
const FULL = /No space left on device|ENOSPC|os error 28|Disk quota exceeded/

/** What a failed `venv`, `uv` or `pip` means, by what it said. `doing`: "The environment X could not be made". */
export function toolProblem(doing: string, folder: string, tool: string, tail: readonly string[]): UserError {
  const said = tail.join('\n')
  const end = tail.slice(-6).join('\n')
  if (FULL.test(said)) return fullDisk(folder)
  // Before "no matching distribution": pip says that too when it has reached no index at all.
  if (UNREACHABLE.test(said)) {
    const remedy =
      'Check the network, the proxy (HTTPS_PROXY) and the index (PIP_INDEX_URL, UV_DEFAULT_INDEX), then try again.'
    return new UserError('network', `${doing}: the package index (PyPI) cannot be reached.\n${end}`, remedy)
  }
  const missing = MISSING.exec(said)
  if (missing) {
    const name = missing[1] ?? missing[2] ?? ''
    return new UserError(
      'not_found',
      `${doing}: no package ${name} fits this Python.`,
      'Check the name and the version.',
    )
  }
  if (/Permission denied|Read-only file system|Operation not permitted/.test(said)) {
    return new UserError('permission', `${doing}: something may not be written.\n${end}`, 'Make the folder writable.')
  }
  const wrong = new UserError('internal', `${doing}: ${tool} failed.${end === '' ? '' : `\n${end}`}`, '')
  return wrong
}
