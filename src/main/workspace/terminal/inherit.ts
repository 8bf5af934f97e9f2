import { openSync } from 'node:fs'

/**
 * The library opens the controlling side of a terminal without close-on-exec, so that on Linux every program started
 * later would inherit it, and with it could type into the user's shell and read it. Nothing in Node sets the flag: a
 * child gets /dev/null under these numbers instead. (On macOS Node starts programs with no descriptor but those named.)
 */
const controlling = new Set<number>()
let nothing: number | null = null

export function hideFromChildren(fd: number): void {
  controlling.add(fd)
}

/** When it is closed: its number may become something else. */
export function forgetDescriptor(fd: number): void {
  controlling.delete(fd)
}

export type Stdio = 'ignore' | 'pipe' | 'ipc' | 'inherit' | number

/**
 * `stdio` of `spawn`, with every terminal of ours kept from the child. Whoever starts programs that the user did not
 * write uses it.
 */
export function withoutTerminals<T extends Stdio>(stdio: readonly T[]): (T | 'ignore' | number)[] {
  if (controlling.size === 0 || process.platform !== 'linux') return [...stdio]
  // Opened once and for good, without waiting: it is a device, and a spawn cannot wait.
  nothing ??= openSync('/dev/null', 'r+')
  const result: (T | 'ignore' | number)[] = [...stdio]
  for (const fd of controlling) {
    while (result.length <= fd) result.push('ignore')
    if (fd >= stdio.length) result[fd] = nothing
  }
  return result
}
