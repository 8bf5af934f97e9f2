import type { Dirent } from 'node:fs'
import { opendir, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { fileProblem } from '../files'
import { IgnoreRules, SKIPPED_FOLDERS } from './ignored'

/** Entries that are read before others get their turn: about 1 ms of work. */
const BUFFER = 128
/** Longest work in one piece, in milliseconds. */
const SLICE_MS = 4

export interface WalkOptions {
  /** Absolute, real: it is entered whatever the rules say. */
  root: string
  /** Levels of entries; 1: those of the root. Absent: all. */
  depth?: number
  /** `enter`: ignored folders too, and those that are skipped by rule, but .git. */
  ignored: 'leave_out' | 'mark' | 'enter'
  /** For the user's global excludes. */
  env: NodeJS.ProcessEnv
  max_entries: number
  max_ms: number
  signal: AbortSignal
}

export interface WalkEntry {
  /** Relative to the root, `/` between its parts. */
  path: string
  kind: 'file' | 'folder' | 'link' | 'other'
  ignored: boolean
  /** A folder that is never entered. */
  skipped: boolean
}

/** A look at a tree, nearest entries first. Links are not followed. Never longer than SLICE_MS in one piece. */
export class Walk {
  /** Names of folders that were not entered by rule. */
  readonly skipped = new Set<string>()
  /** Entries that were left out because they are ignored; a folder counts as one. */
  ignored = 0
  /** Folders that could not be read. */
  unreadable = 0
  /** Why it ended early. */
  stopped: 'time' | 'entries' | null = null
  readonly #options: WalkOptions
  #seen = 0
  #until = 0
  #slice = 0

  constructor(options: WalkOptions) {
    this.#options = options
  }

  /** The entries of one folder after the other, by name. Throws when aborted, and UserError for a root that cannot be read. */
  async *folders(): AsyncGenerator<WalkEntry[]> {
    const { root, env, depth = Number.POSITIVE_INFINITY, max_ms } = this.#options
    this.#until = performance.now() + max_ms
    this.#slice = performance.now()
    const rules = this.#options.ignored === 'enter' ? null : await IgnoreRules.for(root, env)
    const waiting = [{ folder: root, prefix: '', rules, level: 1 }]
    for (let at = 0; at < waiting.length && this.stopped === null; at += 1) {
      const task = waiting[at]
      if (!task) break
      const found = await this.#read(task.folder, task.prefix === '')
      if (found.length === 0) continue
      // The root's own rules are there already; of the others only what their folder really has is read.
      const names = new Set(found.map(({ name }) => name))
      const own = task.level === 1 ? task.rules : ((await task.rules?.enter(task.folder, names)) ?? null)
      const entries = found.flatMap((entry) => this.#judge(entry, task.folder, task.prefix, own) ?? [])
      for (const entry of entries) {
        if (entry.kind !== 'folder' || entry.ignored || entry.skipped || task.level >= depth) continue
        const folder = join(root, entry.path)
        waiting.push({ folder, prefix: `${entry.path}/`, rules: own, level: task.level + 1 })
      }
      // A queue of what is done would keep a large tree in memory.
      if (at > 1000) {
        waiting.splice(0, at + 1)
        at = -1
      }
      if (entries.length > 0) yield entries
    }
  }

  async #read(folder: string, isRoot: boolean): Promise<Dirent[]> {
    const found: Dirent[] = []
    try {
      for await (const entry of await opendir(folder, { bufferSize: BUFFER })) {
        found.push(entry)
        this.#seen += 1
        if (this.#seen % BUFFER === 0) await this.#pause()
        if (this.#seen > this.#options.max_entries) this.stopped = 'entries'
        else if (performance.now() > this.#until) this.stopped = 'time'
        if (this.stopped) break
      }
      // It was exchanged for a link meanwhile: what is there belongs to another tree.
      if ((await realpath(folder)) !== folder) return []
    } catch (error) {
      this.#options.signal.throwIfAborted()
      if (isRoot) throw await fileProblem(error, folder)
      this.unreadable += 1
      return []
    }
    await this.#pause()
    return found.sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  #judge(entry: Dirent, folder: string, prefix: string, rules: IgnoreRules | null): WalkEntry | null {
    const { name } = entry
    const kind = kindOf(entry)
    const path = prefix + name
    const enters = this.#options.ignored === 'enter'
    const skipped = name === '.git' || (!enters && kind === 'folder' && SKIPPED_FOLDERS.has(name))
    if (skipped) {
      this.skipped.add(name)
      return this.#options.ignored === 'mark' ? { path, kind, ignored: false, skipped } : null
    }
    const ignored = rules?.ignores(join(folder, name), kind === 'folder') ?? false
    if (ignored && this.#options.ignored === 'leave_out') {
      this.ignored += 1
      return null
    }
    return { path, kind, ignored, skipped }
  }

  async #pause(): Promise<void> {
    this.#options.signal.throwIfAborted()
    if (performance.now() - this.#slice < SLICE_MS) return
    await nextTurn()
    this.#slice = performance.now()
  }
}

function kindOf(entry: Dirent): WalkEntry['kind'] {
  if (entry.isFile()) return 'file'
  if (entry.isDirectory()) return 'folder'
  return entry.isSymbolicLink() ? 'link' : 'other'
}
