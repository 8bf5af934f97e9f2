import { constants, type Stats } from 'node:fs'
import {
  access,
  copyFile,
  link,
  lstat,
  open,
  readFile,
  rename,
  stat,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { isNodeError, UserError } from '../../errors'
import { decodeName, encodeName, GitFailure, type GitOptions, type GitPlace, type RawName, runGit } from './git'
import { EXCLUDED_PATTERNS, LeftOut, MAX_FILES, MAX_NEW_BYTES, printable, reasonOf, tooLarge } from './rules'

export interface Snapshot {
  tree: string
  left_out: string[]
  /** The raw names of all that was left out, folders with `/`; null: too many. */
  omitted: RawName[] | null
  /** Permission bits other than the usual ones, by raw name. */
  modes: Modes
}
export type Modes = [RawName, number][]

export interface SnapshotOptions {
  signal: AbortSignal
  /** Patterns for `ls-files -x` beside those of the rules: our own data, where it lies in the workspace. */
  exclude: readonly string[]
  /** How many new or changed files are recorded so far. */
  onProgress: (done: number, all: number) => void
}

/** The index is written after so many files: what is recorded until a time limit or a kill is not done again. */
const BATCH_FILES = 10_000
/** Node's thread pool has four threads; more only waits in its queue. */
const CONCURRENCY = 16
/** Files that git may refuse one by one, before the whole is given up. */
const MAX_REFUSED = 20
/** So many odd permissions are the user's umask, or a file system without any: git makes files with the same. */
const MAX_MODES = 500
const MODES_FILE = 'modes.json'
const modesSchema = z.array(z.tuple([z.string(), z.number()]))

/** Where the contents of a shadow folder are. */
export function indexFile(dir: string): string {
  return join(dir, 'index')
}

/**
 * Records the work tree as it is now and returns its tree. Only what changed since the last time is read: the index
 * keeps the times and sizes of all files. The caller holds the lock. Rejects with UserError `too_large`, with GitFailure,
 * or with the signal's reason.
 */
export async function takeSnapshot(place: GitPlace, dir: string, options: SnapshotOptions): Promise<Snapshot> {
  // A git that outlives us (kill -9 of this process) goes on with its own index and cannot break the next one's.
  const own: GitPlace = { ...place, index: join(dir, `index.${process.pid}.${Date.now().toString(36)}`) }
  try {
    await sameFile(place.index, own.index)
    return await new Recorder(own, dir, options).run()
  } finally {
    // Also after a failure: an index that is not complete is right in what it has.
    await rename(own.index, place.index).catch(ignoreMissing)
    await unlink(own.index).catch(ignoreMissing)
    await unlink(`${own.index}.lock`).catch(ignoreMissing)
  }
}

/** A second name is enough, since git never writes into an index but replaces it. */
async function sameFile(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
  } catch (error) {
    if (!isNodeError(error)) throw error
    if (error.code === 'ENOENT') return
    await copyFile(from, to)
    // Rounded down: git reads a file again that is as new as its index, and never misses a change.
    const { mtimeMs } = await stat(from)
    await utimes(to, Math.floor(mtimeMs / 1000), Math.floor(mtimeMs / 1000))
  }
}

function ignoreMissing(error: unknown): void {
  if (!isNodeError(error) || error.code !== 'ENOENT') throw error
}

interface Candidate {
  name: RawName
  size: number
}

class Recorder {
  readonly #leftOut = new LeftOut()
  /** Gone, or no longer to be recorded. */
  readonly #dropped: RawName[] = []
  /** Which folders are reached without a link. */
  readonly #folders = new Map<RawName, Promise<boolean>>()
  #found: Candidate[] = []
  #modes = new Map<RawName, number>()
  #modesChanged = false

  constructor(
    private readonly place: GitPlace,
    private readonly dir: string,
    private readonly options: SnapshotOptions,
  ) {}

  async run(): Promise<Snapshot> {
    const [listed] = await Promise.all([this.#list(), this.#listIgnored(), this.#readModes()])
    const nested = await this.#listNested(listed.folders)
    for (const name of listed.gone) this.#drop(name)
    await this.#inspect([...listed.present, ...nested])
    this.#makeRoom()
    await this.#update()
    if (this.#modesChanged)
      await writeFile(join(this.dir, MODES_FILE), JSON.stringify([...this.#modes]), { mode: 0o600 })
    const tree = (await this.#git(['write-tree'])).trim()
    const modes = this.#modes.size > MAX_MODES ? [] : [...this.#modes]
    return { tree, left_out: this.#leftOut.sentences(), omitted: this.#leftOut.names(), modes }
  }

  #git(args: readonly string[], more: Omit<GitOptions, 'signal'> = {}): Promise<string> {
    return runGit(this.place, args, { signal: this.options.signal, ...more })
  }

  async #excludes(): Promise<string[]> {
    const patterns = [...EXCLUDED_PATTERNS, ...this.options.exclude].flatMap((pattern) => ['-x', pattern])
    // What the user told their own repository to ignore without saying so in a .gitignore.
    const local = join(this.place.work_tree, '.git', 'info', 'exclude')
    const there = await lstat(local).catch(() => null)
    return [...patterns, ...(there?.isFile() ? ['-X', local] : []), '--exclude-per-directory=.gitignore']
  }

  /** What is new, changed or gone since the index was written. */
  async #list(): Promise<{ present: RawName[]; gone: Set<RawName>; folders: RawName[] }> {
    const present = new Set<RawName>()
    const gone = new Set<RawName>()
    const folders: RawName[] = []
    const known = await countEntries(this.place.index)
    const onRecord = (record: string) => {
      const name = record.slice(2)
      if (record.startsWith('R ')) gone.add(name)
      else if (name.endsWith('/')) folders.push(name)
      else present.add(name)
      if (known + present.size - gone.size > MAX_FILES) throw tooMany()
    }
    const closed: RawName[] = []
    const onWarnings = (text: string) => {
      for (const [, folder = ''] of text.matchAll(/could not open directory '(.*?)\/?': /g)) {
        closed.push(`${encodeName(folder)}/`)
      }
    }
    const args = ['ls-files', '-z', '-t', '-d', '-m', '-o', ...(await this.#excludes())]
    await this.#git(args, { onRecord, onWarnings })
    for (const folder of closed) this.#leftOut.add('unreadable', folder)
    // What cannot be looked at is as it was, as far as anybody knows.
    const hidden = [...gone].filter((name) => closed.some((folder) => name.startsWith(folder)))
    for (const name of hidden) {
      gone.delete(name)
      present.delete(name)
    }
    // What is gone is listed as changed, too.
    return { present: [...present].filter((name) => !gone.has(name)), gone, folders }
  }

  async #listIgnored(): Promise<void> {
    const own = new Set(this.options.exclude.map((pattern) => pattern.slice(1)))
    const onRecord = (name: string) => this.#leftOut.add(own.has(decodeName(name)) ? 'own' : reasonOf(name), name)
    await this.#git(['ls-files', '-z', '-o', '-i', '--directory', ...(await this.#excludes())], { onRecord })
  }

  /** Repositories within the workspace: git names their folder only, and goes in once a file of them is recorded. */
  async #listNested(folders: readonly RawName[]): Promise<RawName[]> {
    const found: RawName[] = []
    const waiting = [...folders]
    for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
      const here = folder
      const work_tree = join(this.place.work_tree, decodeName(here))
      const inner: GitPlace = { ...this.place, work_tree, index: join(this.dir, 'no-index') }
      const onRecord = (name: string) => {
        ;(name.endsWith('/') ? waiting : found).push(here + name)
        if (found.length > MAX_FILES) throw tooMany()
      }
      const args = ['ls-files', '-z', '-o', ...EXCLUDED_PATTERNS.flatMap((pattern) => ['-x', pattern])]
      const { signal } = this.options
      try {
        await runGit(inner, [...args, '--exclude-per-directory=.gitignore'], { signal, onRecord })
      } catch (error) {
        if (!(error instanceof GitFailure)) throw error
        this.#leftOut.add('unreadable', here)
      }
    }
    return found
  }

  async #inspect(names: readonly RawName[]): Promise<void> {
    let next = 0
    const work = async () => {
      for (let name = names[next++]; name !== undefined; name = names[next++]) {
        this.options.signal.throwIfAborted()
        const there = await this.#isReal(parentOf(name))
        this.#sort(name, there ? await this.#look(name) : null)
      }
    }
    await Promise.all(Array.from({ length: CONCURRENCY }, work))
  }

  #look(name: RawName): Promise<Stats | null> {
    return lstat(absolute(this.place.work_tree, name)).catch(() => null)
  }

  /** Git lists what lies behind a link that has taken the place of a folder as if it were in the workspace. */
  #isReal(folder: RawName): Promise<boolean> {
    if (folder === '') return Promise.resolve(true)
    const known = this.#folders.get(folder)
    if (known) return known
    const real = this.#isReal(parentOf(folder)).then(
      async (above) => above && ((await this.#look(folder))?.isDirectory() ?? false),
    )
    this.#folders.set(folder, real)
    return real
  }

  #sort(name: RawName, stats: Stats | null): void {
    if (stats === null || !(stats.isFile() || stats.isSymbolicLink())) {
      this.#drop(name)
      return
    }
    const reason = tooLarge(name, stats)
    if (reason !== null) {
      this.#leftOut.add(reason, name, stats.size)
      this.#drop(name)
      return
    }
    this.#found.push({ name, size: stats.size })
    const mode = stats.mode & 0o777
    // Execution for the owner is what git keeps by itself.
    const usual = mode & 0o100 ? 0o755 : 0o644
    this.#setMode(name, stats.isFile() && mode !== usual ? mode : null)
  }

  /** The largest files first, until the rest fits. */
  #makeRoom(): void {
    let sum = this.#found.reduce((bytes, { size }) => bytes + size, 0)
    if (sum <= MAX_NEW_BYTES) return
    const kept = this.#found.toSorted((a, b) => a.size - b.size)
    while (sum > MAX_NEW_BYTES) {
      const largest = kept.pop()
      if (largest === undefined) break
      sum -= largest.size
      this.#leftOut.add('full', largest.name, largest.size)
      this.#drop(largest.name)
    }
    this.#found = kept
  }

  #drop(name: RawName): void {
    this.#dropped.push(name)
    this.#setMode(name, null)
  }

  #setMode(name: RawName, mode: number | null): void {
    if ((this.#modes.get(name) ?? null) === mode) return
    this.#modesChanged = true
    if (mode === null) this.#modes.delete(name)
    else this.#modes.set(name, mode)
  }

  async #readModes(): Promise<void> {
    try {
      this.#modes = new Map(modesSchema.parse(JSON.parse(await readFile(join(this.dir, MODES_FILE), 'utf8'))))
    } catch {
      // Not there yet, or cut off by a power cut: permissions are learnt again as files change.
      this.#modes = new Map()
    }
  }

  async #update(): Promise<void> {
    if (this.#dropped.length > 0) {
      await this.#git(['update-index', '-z', '--force-remove', '--stdin'], { input: join0(this.#dropped) })
    }
    const all = this.#found.length
    let before = 0
    let names = this.#found.map(({ name }) => name)
    for (; names.length > 0; names = names.slice(BATCH_FILES)) {
      let done = 0
      const onRecord = () => {
        done += 1
        this.options.onProgress(before + done, all)
      }
      await this.#updateBatch(names.slice(0, BATCH_FILES), onRecord)
      before += Math.min(BATCH_FILES, names.length)
    }
  }

  async #updateBatch(names: readonly RawName[], onRecord: () => void): Promise<void> {
    const args = ['update-index', '--verbose', '--add', '--remove', '--replace', '-z', '--stdin']
    let left = names
    for (let refused = 0; ; refused += 1) {
      try {
        await runGit(this.place, args, {
          signal: this.options.signal,
          input: join0(left),
          onRecord,
          separator: '\n',
        })
        return
      } catch (error) {
        if (!(error instanceof GitFailure) || error.no_space || refused > MAX_REFUSED) throw error
        const rest = await this.#without(left, error, refused === 0)
        if (rest.length === left.length) throw error
        left = rest
      }
    }
  }

  /** The names without those that may not be read, or without the one that git stopped at (it changes right now). */
  async #without(names: readonly RawName[], error: GitFailure, first: boolean): Promise<RawName[]> {
    const bad = new Set<RawName>()
    if (first) {
      for (const name of names) if (!(await readable(absolute(this.place.work_tree, name)))) bad.add(name)
    }
    const named = names.find((name) => error.message.includes(`Unable to process path ${decodeName(name)}`))
    if (bad.size === 0 && named !== undefined) bad.add(named)
    for (const name of bad) this.#leftOut.add('unreadable', name)
    return names.filter((name) => !bad.has(name))
  }
}

function tooMany(): UserError {
  return new UserError('too_large', `The workspace has more than ${MAX_FILES.toLocaleString('en')} files.`)
}

async function readable(path: Buffer): Promise<boolean> {
  const stats = await lstat(path).catch(() => null)
  if (!stats?.isFile()) return true
  return access(path, constants.R_OK).then(
    () => true,
    () => false,
  )
}

function parentOf(name: RawName): RawName {
  return name.slice(0, Math.max(0, name.lastIndexOf('/')))
}

function join0(names: readonly RawName[]): string {
  return names.map((name) => `${name}\0`).join('')
}

/** A name below a folder, byte for byte. */
export function absolute(folder: string, name: RawName): Buffer {
  return Buffer.concat([Buffer.from(`${folder}/`, 'utf8'), Buffer.from(name, 'latin1')])
}

/** Files that an index names: bytes 8 to 11 of it, big-endian (gitformat-index). */
async function countEntries(index: string): Promise<number> {
  try {
    const handle = await open(index, 'r')
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(12), 0, 12, 0)
      return bytesRead === 12 ? buffer.readUInt32BE(8) : 0
    } finally {
      await handle.close()
    }
  } catch (error) {
    ignoreMissing(error)
    return 0
  }
}

/** For messages: a raw name as one line. */
export function shown(name: RawName): string {
  return printable(decodeName(name))
}
