import { lstat, opendir, readFile, rm, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { isNodeError } from '../../errors'
import { type GitPlace, runGit } from './git'
import { dropRefs, listRecords, type StateRecord } from './records'
import { isThere, type Shadow, WORKSPACE_FILE } from './repository'

export interface CheckpointLimits {
  /** Older records go. */
  max_age_ms: number
  /** Records (two a turn) of one workspace; the newest stay. */
  max_records: number
  /** Bytes on the disk for one workspace; records go, the oldest first, until it fits. */
  max_bytes: number
}

export const DEFAULT_LIMITS: CheckpointLimits = {
  max_age_ms: 30 * 24 * 3600 * 1000,
  max_records: 1000,
  max_bytes: 2 * 1024 ** 3,
}

const ALL = 'refs/checkpoints/'
/** Every round halves the records: after so many, one is left. */
const MAX_ROUNDS = 10

/** Bytes of all files below a folder; 0 when it is not there. */
export async function bytesBelow(dir: string): Promise<number> {
  let sum = 0
  const folders = [dir]
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const here = folder
    try {
      for await (const entry of await opendir(here)) {
        const path = join(here, entry.name)
        if (entry.isDirectory()) folders.push(path)
        else sum += (await lstat(path).catch(() => null))?.size ?? 0
      }
    } catch (error) {
      // Packing removes folders while we look.
      if (!isNodeError(error) || error.code !== 'ENOENT') throw error
    }
  }
  return sum
}

/** Drops what is over the limits and packs the rest. The caller holds the lock. */
export async function collect(shadow: Shadow, limits: CheckpointLimits, signal: AbortSignal): Promise<void> {
  const { place, dir } = shadow
  const all = await listRecords(place, ALL, signal)
  const oldest = Date.now() - limits.max_age_ms
  let kept = all.filter(({ at }) => at >= oldest).slice(-limits.max_records)
  await keepOnly(place, all, kept, signal)
  await sweep(dir)
  await pack(place, signal)
  for (let round = 0; round < MAX_ROUNDS && kept.length > 0 && (await bytesBelow(dir)) > limits.max_bytes; round += 1) {
    const fewer = kept.slice(Math.ceil(kept.length / 2))
    await keepOnly(place, kept, fewer, signal)
    kept = fewer
    // The index holds what the work tree is now: it is made anew where even that is too much.
    if (kept.length === 0) await unlink(place.index).catch(ignoreMissing)
    await pack(place, signal)
  }
}

async function keepOnly(place: GitPlace, all: StateRecord[], kept: StateRecord[], signal: AbortSignal): Promise<void> {
  const refs = new Set(kept.map(({ ref }) => ref))
  await dropRefs(
    place,
    all.map(({ ref }) => ref).filter((ref) => !refs.has(ref)),
    signal,
  )
}

async function pack(place: GitPlace, signal: AbortSignal): Promise<void> {
  await runGit(place, ['pack-refs', '--all', '--prune'], { signal })
  await runGit(place, ['repack', '-a', '-d', '-q'], { signal })
  await runGit(place, ['prune', '--expire=now'], { signal })
}

/** What killed processes left: everything that is not in use while we hold the lock. */
async function sweep(dir: string): Promise<void> {
  for await (const entry of await opendir(dir)) {
    if (/^(index|restore)\.|^lock\.(new|claim)-/.test(entry.name) && !(await isFresh(join(dir, entry.name)))) {
      await unlink(join(dir, entry.name)).catch(ignoreMissing)
    }
  }
}

/** Others that wait for the lock have files of theirs, for moments. */
async function isFresh(path: string): Promise<boolean> {
  const stats = await lstat(path).catch(() => null)
  return stats === null || Date.now() - stats.mtimeMs < 60_000
}

/**
 * Whether a shadow folder is of no use any more: its workspace is gone, and has been for so long that it is not just a
 * disk that is not mounted.
 */
export async function isForgotten(dir: string, workspace: string, max_age_ms: number): Promise<boolean> {
  if (await isThere(workspace)) return false
  const used = await lstat(join(dir, 'index')).catch(() => lstat(dir))
  return Date.now() - used.mtimeMs > max_age_ms
}

/** The workspace that a shadow folder belongs to; null: it is none. */
export async function workspaceOf(dir: string): Promise<string | null> {
  return readFile(join(dir, WORKSPACE_FILE), 'utf8').catch(() => null)
}

export async function removeFolder(dir: string): Promise<void> {
  await rm(dir, { recursive: true, force: true, maxRetries: 3 })
}

function ignoreMissing(error: unknown): void {
  if (!isNodeError(error) || error.code !== 'ENOENT') throw error
}
