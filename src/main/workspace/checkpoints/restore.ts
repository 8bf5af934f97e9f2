import type { Stats } from 'node:fs'
import { chmod, lstat, rmdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { isNodeError, messageOf } from '../../errors'
import type { Difference } from './compare'
import { GitFailure, type GitPlace, type RawName, runGit } from './git'
import { absolute, type Modes, shown } from './snapshot'

export interface Restoration {
  place: GitPlace
  dir: string
  /** From what is there now (and recorded, so that it can be brought back) to what is wanted. */
  differences: readonly Difference[]
  /** What the wanted state does not hold although it was there, by raw name, folders with `/`; null: not known. */
  omitted: readonly RawName[] | null
  /** Permission bits that git does not keep, by raw name. */
  modes: Modes
  signal: AbortSignal
}

/**
 * Makes files what another tree says. Only what the present tree holds is ever removed or replaced: a file that was too
 * large to be recorded, or ignored, stays, and is reported. Never goes through a link. Returns what could not be done.
 */
export async function restore({ place, dir, differences, omitted, modes, signal }: Restoration): Promise<string[]> {
  const problems: string[] = []
  const root = place.work_tree
  const wanted = differences.filter((difference) => difference.new !== null)
  const recorded = new Map(modes)
  const kept = new Map<RawName, number>()
  for (const { name, new: target } of wanted) {
    const stats = await look(root, name)
    if (stats?.isFile() && target?.mode !== '120000') kept.set(name, stats.mode & 0o777)
  }
  for (const { name, new: target } of differences) {
    if (target !== null) continue
    if (wasThere(omitted, name)) problems.push(`${shown(name)} was left as it is: what it was before is not recorded.`)
    else await attempt(problems, name, 'could not be removed', () => removeFile(root, name))
  }

  const lines: string[] = []
  const names: RawName[] = []
  for (const { name, old, new: target } of wanted) {
    if (target === null) continue
    const obstacle = await obstacleTo(root, name, old !== null)
    if (obstacle === null) {
      lines.push(`${target.mode} ${target.oid}\t${name}\0`)
      names.push(name)
    } else {
      problems.push(`${shown(name)} was not restored: ${obstacle}.`)
    }
  }
  if (names.length === 0) return problems
  const own: GitPlace = { ...place, index: join(dir, `restore.${process.pid}`) }
  try {
    await unlink(own.index).catch(ignoreMissing)
    await runGit(own, ['update-index', '-z', '--index-info'], { signal, input: lines.join('') })
    await runGit(own, ['checkout-index', '-f', '-z', '--stdin'], { signal, input: names.map((n) => `${n}\0`).join('') })
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error
    // It does what it can and goes on: which files are not right is seen when the result is recorded.
    problems.push(error.no_space ? 'The disk is full.' : `Not every file could be written (${shown(error.message)}).`)
  } finally {
    await unlink(own.index).catch(ignoreMissing)
  }
  for (const { name, new: target } of wanted) {
    if (target === null || target.mode === '120000') continue
    const mode = recorded.get(name) ?? kept.get(name)
    if (mode !== undefined)
      await attempt(problems, name, 'has other permissions', () => setMode(root, name, mode, target.mode))
  }
  return problems
}

/** Whether a file may have been there before, so that it must not be removed. */
function wasThere(omitted: readonly RawName[] | null, name: RawName): boolean {
  if (omitted === null) return true
  return omitted.some((other) => other === name || (other.endsWith('/') && name.startsWith(other)))
}

async function attempt(problems: string[], name: RawName, what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    problems.push(`${shown(name)} ${what}: ${isNodeError(error) ? (error.code ?? error.message) : messageOf(error)}.`)
  }
}

async function look(root: string, name: RawName): Promise<Stats | null> {
  try {
    return await lstat(absolute(root, name))
  } catch (error) {
    if (isNodeError(error) && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return null
    throw error
  }
}

/** The folders above a name, the outermost first. */
function foldersAbove(name: RawName): RawName[] {
  const parts = name.split('/').slice(0, -1)
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'))
}

/** Whether all folders above are folders of the workspace itself. */
async function reachable(root: string, name: RawName): Promise<boolean> {
  for (const folder of foldersAbove(name)) {
    if (!(await look(root, folder))?.isDirectory()) return false
  }
  return true
}

async function removeFile(root: string, name: RawName): Promise<void> {
  if (!(await reachable(root, name))) return
  const stats = await look(root, name)
  // A folder under this name holds what was not recorded.
  if (stats === null || stats.isDirectory()) return
  await unlink(absolute(root, name))
  for (const folder of foldersAbove(name).toReversed()) {
    try {
      await rmdir(absolute(root, folder))
    } catch (error) {
      if (isNodeError(error) && ['ENOTEMPTY', 'EEXIST', 'EBUSY', 'EACCES', 'EPERM'].includes(error.code ?? '')) return
      ignoreMissing(error)
    }
  }
}

/** What stands where a file shall be written and is recorded nowhere; null: nothing. */
async function obstacleTo(root: string, name: RawName, recorded: boolean): Promise<string | null> {
  for (const folder of foldersAbove(name)) {
    const stats = await look(root, folder)
    if (stats === null) return null
    if (!stats.isDirectory()) return `${shown(folder)} is not a folder now, and is not recorded`
  }
  const stats = await look(root, name)
  if (stats === null) return null
  if (stats.isDirectory()) return 'a folder with files that are not recorded has its name'
  return recorded ? null : 'what is there now is not recorded and would be lost'
}

async function setMode(root: string, name: RawName, mode: number, gitMode: string): Promise<void> {
  const stats = await look(root, name)
  if (!stats?.isFile()) return
  // Who may read it may run it, where git says that it can be run.
  const wanted = gitMode === '100755' ? mode | ((mode & 0o444) >> 2) : mode & ~0o111
  if ((stats.mode & 0o777) !== wanted) await chmod(absolute(root, name), wanted)
}

function ignoreMissing(error: unknown): void {
  if (!isNodeError(error) || error.code !== 'ENOENT') throw error
}
