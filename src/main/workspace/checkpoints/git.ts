import { spawn } from 'node:child_process'
import { devNull } from 'node:os'
import { delimiter, isAbsolute } from 'node:path'
import { isNodeError } from '../../errors'
import { findProgram } from '../programs'

/**
 * Git's output and input as `latin1`: one character a byte, so that file names that are not valid UTF-8 survive the
 * way to Node and back. `decodeName` is for what people see.
 */
export type RawName = string

export function decodeName(name: RawName): string {
  return Buffer.from(name, 'latin1').toString('utf8')
}

export function encodeName(name: string): RawName {
  return Buffer.from(name, 'utf8').toString('latin1')
}

export interface GitPlace {
  /** Absolute path of the program. */
  program: string
  /** The shadow repository. */
  git_dir: string
  /** What is recorded: the user's folder, which need not be a repository. */
  work_tree: string
  index: string
  path: string | undefined
  /** The file system of the work tree does not tell upper from lower case. */
  ignore_case: boolean
}

export interface GitOptions {
  signal: AbortSignal
  /** Written to its input, `latin1`. */
  input?: string
  /** Called for every record that ends in `separator` in place of returning the output. */
  onRecord?: (record: RawName) => void
  separator?: '\0' | '\n'
  /** What it wrote to stderr, when it succeeded. */
  onWarnings?: (text: string) => void
  /** Output over so many bytes ends the program without an error; what came before is returned. */
  max_bytes?: number
}

export class GitFailure extends Error {
  override readonly name = 'GitFailure'
  constructor(
    message: string,
    /** A full disk or a quota, as far as git says so. */
    readonly no_space: boolean,
  ) {
    super(message)
  }
}

/** No output of a well-behaved run comes near it: 100,000 paths of 200 bytes are 20 MB. */
const MAX_OUTPUT = 64_000_000
const MAX_ERROR = 20_000
const NO_SPACE = /No space left on device|Disk quota exceeded|File too large/i

/** Git on PATH; relative folders on PATH are passed over, since they may mean the workspace. */
export function findGit(env: NodeJS.ProcessEnv): Promise<string | null> {
  return findProgram('git', { PATH: absoluteFolders(env.PATH) })
}

function absoluteFolders(path: string | undefined): string {
  return (path ?? '').split(delimiter).filter(isAbsolute).join(delimiter)
}

/**
 * Settings that outrank everything: nothing in the workspace can make git run a program, change bytes on their way, or
 * look at another repository. (Filters, drivers and aliases need a configuration entry, and only ours is read.)
 */
function settings({ ignore_case }: GitPlace): string[] {
  return [
    'core.bare=false',
    `core.hooksPath=${devNull}`,
    `core.attributesFile=${devNull}`,
    `core.excludesFile=${devNull}`,
    'core.fsmonitor=false',
    'core.untrackedCache=false',
    'core.autocrlf=false',
    'core.safecrlf=false',
    'core.symlinks=true',
    'core.quotePath=false',
    'core.protectNTFS=false',
    'core.protectHFS=false',
    `core.ignoreCase=${ignore_case}`,
    // Speed before size: what is recorded is mostly small text, and gc packs it properly.
    'core.looseCompression=1',
    'commit.gpgSign=false',
    'gc.auto=0',
    'maintenance.auto=false',
    'safe.directory=*',
    'index.version=2',
    'index.threads=1',
    'diff.external=',
    'diff.noprefix=false',
    'diff.mnemonicPrefix=false',
  ].flatMap((setting) => ['-c', setting])
}

function environment(place: GitPlace): NodeJS.ProcessEnv {
  const { SystemRoot, TEMP, TMP, TMPDIR } = process.env
  const who = { NAME: 'ML Intern', EMAIL: 'checkpoints@localhost' }
  return {
    ...(SystemRoot ? { SystemRoot } : {}),
    ...(TEMP ? { TEMP } : {}),
    ...(TMP ? { TMP } : {}),
    ...(TMPDIR ? { TMPDIR } : {}),
    PATH: absoluteFolders(place.path),
    LC_ALL: 'C',
    // Git before 2.32 knows no GIT_CONFIG_GLOBAL: it finds nothing in this home.
    HOME: place.git_dir,
    XDG_CONFIG_HOME: place.git_dir,
    GIT_CONFIG_GLOBAL: devNull,
    GIT_CONFIG_SYSTEM: devNull,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_LITERAL_PATHSPECS: '1',
    GIT_DIR: place.git_dir,
    GIT_WORK_TREE: place.work_tree,
    GIT_INDEX_FILE: place.index,
    GIT_AUTHOR_NAME: who.NAME,
    GIT_AUTHOR_EMAIL: who.EMAIL,
    GIT_COMMITTER_NAME: who.NAME,
    GIT_COMMITTER_EMAIL: who.EMAIL,
  }
}

/**
 * Runs git and returns what it wrote, as `latin1`. Rejects with GitFailure when it failed and with the signal's reason
 * when that fired; the program is gone by then.
 */
export function runGit(place: GitPlace, args: readonly string[], options: GitOptions): Promise<string> {
  const { signal, input, onRecord, separator = '\0', max_bytes = MAX_OUTPUT } = options
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const child = spawn(place.program, [...settings(place), ...args], {
      cwd: place.work_tree,
      env: environment(place),
      stdio: ['pipe', 'pipe', 'pipe'],
      // A group of its own, so that what it starts (packing) ends with it.
      detached: process.platform !== 'win32',
      windowsHide: true,
    })
    let written = 0
    let cut = false
    let errors = ''
    let rest = ''
    let thrown: { error: unknown } | null = null
    const pieces: string[] = []
    const end = () => {
      if (child.pid !== undefined) killGroup(child.pid)
    }
    const stop = (error: unknown) => {
      thrown ??= { error }
      end()
    }
    const onAbort = () => stop(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    child.stdout.setEncoding('latin1')
    child.stdout.on('data', (text: string) => {
      if (cut) return
      written += text.length
      if (written > max_bytes) {
        cut = true
        if (options.max_bytes === undefined) stop(new GitFailure(`git ${args[0]} wrote more than can be used.`, false))
        else end()
      }
      if (!onRecord) {
        pieces.push(text)
        return
      }
      const records = (rest + text).split(separator)
      rest = records.pop() ?? ''
      try {
        for (const record of records) onRecord(record)
      } catch (error) {
        stop(error)
      }
    })
    child.stderr.setEncoding('utf8')
    child.stderr.on('data', (text: string) => {
      if (errors.length < MAX_ERROR) errors += text.slice(0, MAX_ERROR)
    })
    // It ended before it had read everything: its exit code says why.
    child.stdin.on('error', (error) => {
      if (!isNodeError(error) || (error.code !== 'EPIPE' && error.code !== 'ECONNRESET')) stop(error)
    })
    child.on('error', (error) => {
      signal.removeEventListener('abort', onAbort)
      reject(new GitFailure(`git could not be started: ${error.message}`, false))
    })
    child.on('close', (code, by) => {
      signal.removeEventListener('abort', onAbort)
      if (thrown) reject(thrown.error)
      else if (code === 0 || cut) {
        options.onWarnings?.(errors)
        resolve(pieces.join(''))
      } else reject(failure(args[0] ?? '', code, by, errors))
    })
    child.stdin.end(input === undefined ? undefined : Buffer.from(input, 'latin1'))
  })
}

function failure(command: string, code: number | null, by: NodeJS.Signals | null, errors: string): GitFailure {
  const said = errors.trim() || (by ? `ended by ${by}` : `exit code ${code}`)
  // SIGXFSZ: a file grew over the limit that the system sets for this user.
  return new GitFailure(`git ${command}: ${said}`, NO_SPACE.test(errors) || by === 'SIGXFSZ')
}

function killGroup(pid: number): void {
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL')
  } catch (error) {
    // It has just ended by itself.
    if (!isNodeError(error) || error.code !== 'ESRCH') throw error
  }
}
