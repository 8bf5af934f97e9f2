import { mkdir, rmdir } from 'node:fs/promises'
import { isNodeError } from '../../errors'

/**
 * Empty folders at places where nothing may be made, as mount points. Several commands at once share them: they are
 * removed when the last one has ended, and only while they are empty, so nothing of anybody is ever deleted.
 */
export class Placeholders {
  readonly #users = new Map<string, number>()

  /** Of the given paths those that are ours now. A path that appeared meanwhile is somebody's, and not taken. */
  async take(paths: readonly string[]): Promise<string[]> {
    const taken = await Promise.all(paths.map((path) => this.#takeOne(path)))
    return taken.filter((path): path is string => path !== null)
  }

  /** Whether a folder is one of ours at the moment. */
  has(path: string): boolean {
    return this.#users.has(path)
  }

  async release(paths: readonly string[]): Promise<void> {
    await Promise.all(paths.map((path) => this.#releaseOne(path)))
  }

  async #takeOne(path: string): Promise<string | null> {
    const users = this.#users.get(path) ?? 0
    this.#users.set(path, users + 1)
    if (users > 0) return path
    try {
      await mkdir(path, { mode: 0o755 })
      return path
    } catch (error) {
      // Two commands that start at once: the other one is making it.
      if (isNodeError(error) && error.code === 'EEXIST' && (this.#users.get(path) ?? 0) > 1) return path
      this.#users.delete(path)
      // A folder that cannot be made here cannot be made by the command either.
      if (isNodeError(error)) return null
      throw error
    }
  }

  async #releaseOne(path: string): Promise<void> {
    const users = (this.#users.get(path) ?? 1) - 1
    if (users > 0) {
      this.#users.set(path, users)
      return
    }
    this.#users.delete(path)
    await rmdir(path).catch(() => undefined)
  }
}
