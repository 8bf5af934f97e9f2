import { spawn } from 'node:child_process'
import { join, relative } from 'node:path'
import { TextDecoder } from 'node:util'
import { isBelow } from '../bounds'
import { findProgram } from '../programs'
import { isSecretPath } from '../shell/secrets'
import { compileInclude } from './glob'
import { SKIPPED_FOLDERS } from './ignored'
import { secretRemark } from './remarks'
import { cutLine, type GrepFile, type GrepRequest, type GrepResult, MAX_KEPT, MAX_MS } from './types'

/** Bytes of a line that ripgrep prints: enough for MAX_LINE_CHARS characters of four bytes. */
const MAX_COLUMNS = 2000
const MAX_ERROR_CHARS = 2000
/** 2 GB of memory: an ignore file that is a link to an endless device would take all there is. */
const LIMITED = 'ulimit -d 2000000 2>/dev/null; exec "$0" "$@"'

/** The ripgrep to use, or null. One inside the folder that is worked on is not run: it could be anything. */
export async function findRipgrep(env: NodeJS.ProcessEnv, cwd: string): Promise<string | null> {
  const path = await findProgram('rg', env)
  return path === null || !path.startsWith('/') || isBelow(path, cwd) ? null : path
}

/** Arguments of ripgrep for a search in its working folder, the root. Pure. */
export function ripgrepArguments(request: GrepRequest): string[] {
  const { mode, before, after, include, file, root } = request
  const args = ['--no-config', '--no-messages', '--color=never', '--null', '--hidden', '--with-filename']
  if (mode === 'files') args.push('--files-with-matches')
  else if (mode === 'count') args.push('--count')
  else {
    args.push('--no-heading', '--line-number', `--before-context=${before}`, `--after-context=${after}`)
    args.push(`--max-columns=${MAX_COLUMNS}`, '--max-columns-preview')
  }
  if (request.ignore_case) args.push('--ignore-case')
  if (request.multiline) args.push('--multiline', '--multiline-dotall')
  if (request.literal) args.push('--fixed-strings')
  if (file === null) {
    args.push('--glob=!.git')
    if (request.ignored) args.push('--no-ignore')
    else {
      args.push('--no-require-git')
      for (const name of SKIPPED_FOLDERS) if (name !== '.git') args.push(`--glob=!${name}/`)
    }
    // As types and not as globs: a glob that includes would take in what is ignored as well.
    if (include.length > 0 && include.every((glob) => !glob.includes('/'))) {
      for (const glob of include) args.push(`--type-add=wanted:${glob}`)
      args.push('--type=wanted')
    }
  }
  return [...args, '-e', request.pattern, '--', file === null ? './' : `./${relative(root, file)}`]
}

/** The search by ripgrep; null when it does not understand the pattern, or broke down. Throws when aborted. */
export async function ripgrep(
  program: string,
  request: GrepRequest,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<GrepResult | null> {
  signal.throwIfAborted()
  const { PATH, HOME, XDG_CONFIG_HOME } = env
  const child = spawn('/bin/sh', ['-c', LIMITED, program, ...ripgrepArguments(request)], {
    cwd: request.root,
    env: { PATH, HOME, XDG_CONFIG_HOME, LC_ALL: 'C.UTF-8' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const collector = new Collector(request)
  let errors = ''
  let late = false
  let crashed = false
  const kill = (): void => {
    child.kill('SIGKILL')
  }
  signal.addEventListener('abort', kill, { once: true })
  const timer = setTimeout(() => {
    late = true
    kill()
  }, MAX_MS)
  try {
    const decoder = new TextDecoder('utf-8')
    child.stdout.on('data', (piece: Buffer) => {
      if (!collector.full) collector.add(decoder.decode(piece, { stream: true }))
      if (collector.full) kill()
    })
    child.stderr.on('data', (piece: Buffer) => {
      if (errors.length < MAX_ERROR_CHARS) errors += piece.toString('utf8')
    })
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, by) => {
        crashed = code === null ? by !== 'SIGKILL' : code > 2
        resolve()
      })
    })
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', kill)
  }
  signal.throwIfAborted()
  const files = collector.end()
  if (crashed || (errors !== '' && files.length === 0 && !late)) return null
  const remarks = late ? [`Stopped after ${MAX_MS / 1000} s: not everything was searched.`] : []
  return { files, remarks: [...remarks, ...secretRemark([...collector.secrets])], more: collector.full }
}

class Collector {
  readonly secrets = new Set<string>()
  readonly #request: GrepRequest
  readonly #fits: (path: string) => boolean
  readonly #files = new Map<string, GrepFile>()
  readonly #end: string
  #rest = ''
  #kept = 0

  constructor(request: GrepRequest) {
    const includes = request.file === null ? request.include.map(compileInclude) : []
    this.#request = request
    this.#fits = (path) => includes.length === 0 || includes.some((fits) => fits(path))
    this.#end = request.mode === 'files' ? '\0' : '\n'
  }

  get full(): boolean {
    return this.#kept >= MAX_KEPT
  }

  add(text: string): void {
    const parts = (this.#rest + text).split(this.#end)
    this.#rest = parts.pop() ?? ''
    for (const part of parts) {
      if (this.full) return
      this.#take(part)
    }
  }

  end(): GrepFile[] {
    if (this.#rest !== '') this.#take(this.#rest)
    return [...this.#files.values()]
  }

  /** `./path`, or `./path`, a NUL, and a count, or a line with its number: `12:match`, `13-context`. */
  #take(part: string): void {
    const nul = this.#request.mode === 'files' ? part.length : part.indexOf('\0')
    // A separator between groups, or a remark of ripgrep about a binary file.
    if (nul < 0) return
    const path = part.slice(part.startsWith('./') ? 2 : 0, nul)
    if (!this.#fits(path)) return
    if (this.#request.file === null && isSecretPath(join(this.#request.root, path))) {
      this.secrets.add(path)
      return
    }
    const rest = part.slice(nul + 1)
    if (this.#request.mode !== 'content') {
      this.#kept += 1
      this.#files.set(path, { path, count: Number(rest) || 1, lines: [] })
      return
    }
    const line = /^(\d+)([:-])/.exec(rest)
    if (!line) return
    const match = line[2] === ':'
    const file = this.#files.get(path) ?? { path, count: 0, lines: [] }
    file.lines.push({ number: Number(line[1]), text: cutLine(rest.slice(line[0].length)), match })
    if (match) file.count += 1
    this.#files.set(path, file)
    this.#kept += 1
  }
}
