import type { Stats } from 'node:fs'
import { lstat, realpath } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, dirname, extname, join, parse, posix, relative, sep } from 'node:path'
import { formatBytes } from '../files'
import { decodeName, type RawName } from './git'

/** A larger file is not recorded: it is data or a result, and every change of it would be kept whole. */
export const MAX_FILE_BYTES = 20 * 1024 * 1024
/** The same for the binary data formats below, of which every change is a new whole. */
const MAX_DATA_BYTES = 5 * 1024 * 1024
/** More than this many files are not a project but a disk. */
export const MAX_FILES = 100_000
/** New content of one checkpoint; the largest files are left out until it fits. */
export const MAX_NEW_BYTES = 500 * 1024 * 1024
const SHOWN_NAMES = 5
/** More names than that are not kept with a checkpoint. */
const MAX_OMITTED = 5000

/** Made by tools from what lies beside them, and large. */
const FOLDERS = ['.venv', 'venv', 'node_modules', '__pycache__', '.ipynb_checkpoints', '.mypy_cache', '.pytest_cache']
/** Results of training. */
const RESULT_FOLDERS = ['checkpoints', 'wandb', 'mlruns']
const WEIGHTS = ['.ckpt', '.safetensors', '.bin', '.pt', '.pth', '.gguf', '.onnx']
const DATA = new Set(
  '.parquet .arrow .feather .npy .npz .h5 .hdf5 .tfrecord .pkl .pickle .zip .tar .gz .tgz .zst .xz .bz2 .7z .mp4 .wav'.split(
    ' ',
  ),
)

/** For `git ls-files -x`: these outrank every .gitignore. */
export const EXCLUDED_PATTERNS: readonly string[] = [
  ...[...FOLDERS, ...RESULT_FOLDERS].map((name) => `${name}/`),
  ...WEIGHTS.map((extension) => `*${extension}`),
]

export type LeftOutReason =
  | 'large'
  | 'data'
  | 'full'
  | 'weights'
  | 'tools'
  | 'results'
  | 'ignored'
  | 'own'
  | 'unreadable'

/** Why an ignored path is; a folder ends in `/`. */
export function reasonOf(name: RawName): LeftOutReason {
  const path = name.endsWith('/') ? name.slice(0, -1) : name
  const parts = path.split('/')
  const folders = name.endsWith('/') ? parts : parts.slice(0, -1)
  if (folders.some((part) => FOLDERS.includes(part))) return 'tools'
  if (folders.some((part) => RESULT_FOLDERS.includes(part))) return 'results'
  return WEIGHTS.includes(posix.extname(path)) && !name.endsWith('/') ? 'weights' : 'ignored'
}

/** Why a file is too large to be recorded; null: it is not. Links are small whatever they mean. */
export function tooLarge(name: RawName, stats: Stats): LeftOutReason | null {
  if (!stats.isFile()) return null
  if (stats.size > MAX_FILE_BYTES) return 'large'
  return stats.size > MAX_DATA_BYTES && DATA.has(extname(name).toLowerCase()) ? 'data' : null
}

const SENTENCES: Record<LeftOutReason, string> = {
  large: `Files over ${formatBytes(MAX_FILE_BYTES)}`,
  data: `Data files over ${formatBytes(MAX_DATA_BYTES)}`,
  full: `Files for which there was no room (a checkpoint takes ${formatBytes(MAX_NEW_BYTES)} of new content)`,
  weights: 'Model weights',
  tools: 'Environments and caches',
  results: 'Folders of training results',
  ignored: 'Ignored by .gitignore',
  own: 'The data of ML Intern',
  unreadable: 'Could not be read',
}

/** What a checkpoint does not hold, by reason. Folders count as one. */
export class LeftOut {
  readonly #found = new Map<LeftOutReason, { count: number; names: string[] }>()

  readonly #names: RawName[] = []

  /** All of them, for a rewind: what was there and is not recorded must not be removed. Null: too many to keep. */
  names(): RawName[] | null {
    return this.#names.length > MAX_OMITTED ? null : this.#names
  }

  add(reason: LeftOutReason, name: RawName, size?: number): void {
    const entry = this.#found.get(reason) ?? { count: 0, names: [] }
    this.#found.set(reason, entry)
    entry.count += 1
    if (this.#names.length <= MAX_OMITTED) this.#names.push(name)
    const shown = printable(decodeName(name))
    if (entry.names.length < SHOWN_NAMES) {
      entry.names.push(size === undefined ? shown : `${shown} (${formatBytes(size)})`)
    }
  }

  /** Sentences for the user, in a fixed order. */
  sentences(): string[] {
    const reasons = (Object.keys(SENTENCES) as LeftOutReason[]).filter((reason) => this.#found.has(reason))
    return reasons.map((reason) => {
      const { count, names } = this.#found.get(reason) ?? { count: 0, names: [] }
      const more = count > names.length ? ` and ${(count - names.length).toLocaleString('en')} more` : ''
      return `${SENTENCES[reason]}: ${names.join(', ')}${more}.`
    })
  }
}

/** A name may hold line feeds and escape sequences; a sentence may not. */
export function printable(name: string): string {
  return name.replace(/\p{Cc}/gu, '�')
}

/**
 * Why a folder is not recorded at all, as a sentence; null: it can be. `workspace` is a real path.
 */
export async function unsuitable(workspace: string): Promise<string | null> {
  const home = await realpath(homedir()).catch(() => homedir())
  if (workspace === parse(workspace).root) return 'The workspace is the root of the file system.'
  if (workspace === home) return 'The workspace is your home folder.'
  return isInside(workspace, home) ? 'The workspace holds your home folder.' : null
}

/** `path` below `folder`. */
export function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path)
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !parse(way).root
}

/** Whether names that differ in case only are one file there; seen from the folder's own name, nothing is written. */
export async function ignoresCase(folder: string): Promise<boolean> {
  const name = basename(folder)
  const swapped = name === name.toLowerCase() ? name.toUpperCase() : name.toLowerCase()
  if (swapped === name) return process.platform === 'darwin' || process.platform === 'win32'
  const other = await lstat(join(dirname(folder), swapped)).catch(() => null)
  const own = await lstat(folder)
  return other !== null && other.ino === own.ino && other.dev === own.dev
}

/** A pattern for `git ls-files -x` that means exactly this path below the work tree. */
export function literalPattern(path: string): string {
  return `/${path
    .split(sep)
    .join('/')
    .replace(/[\\*?[\]!#]/g, '\\$&')}/`
}
