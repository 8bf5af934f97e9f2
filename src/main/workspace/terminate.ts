import { setTimeout as delay } from 'node:timers/promises'
import { isNodeError } from '../errors'
import { findLiving } from './process-scan'

/** Between SIGTERM and SIGKILL. */
const GRACE_MS = 2000
/** How often the end of a stopped process group is looked for. */
const POLL_MS = 20
/** After SIGKILL only a process stuck in the kernel still lives: it is not waited for longer than this. */
const AFTER_KILL_MS = 500

const livingGroups = new Set<number>()
let exitHook = false

/** From now on the group is ended when this process exits, until `releaseGroup`. */
export function holdGroup(group: number): void {
  livingGroups.add(group)
  if (exitHook) return
  exitHook = true
  process.once('exit', killAllProcesses)
}

export function releaseGroup(group: number): void {
  livingGroups.delete(group)
}

/** Ends the groups of all running commands at once. Called by itself when this process exits. */
export function killAllProcesses(): void {
  for (const group of livingGroups) signalProcess(-group, 'SIGKILL')
  livingGroups.clear()
}

/** Ends everything a command started: asks first, forces after GRACE_MS. */
export async function terminate(group: number, marker: string, isClosed: () => boolean): Promise<void> {
  signalProcess(-group, 'SIGTERM')
  for (const pid of (await findLiving(group, marker)).strays) signalProcess(pid, 'SIGTERM')
  const gone = async () => {
    if (!isClosed()) return false
    const living = await findLiving(group, marker)
    return living.group.length + living.strays.length === 0
  }
  if (await within(GRACE_MS, gone)) return
  signalProcess(-group, 'SIGKILL')
  for (const pid of (await findLiving(group, marker)).strays) signalProcess(pid, 'SIGKILL')
  await within(AFTER_KILL_MS, gone)
}

async function within(ms: number, condition: () => Promise<boolean>): Promise<boolean> {
  const end = performance.now() + ms
  while (!(await condition())) {
    if (performance.now() >= end) return false
    await delay(POLL_MS)
  }
  return true
}

/** A negative id is a process group. Signal 0 only asks. False when nobody got it. */
export function signalProcess(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    // Windows knows no groups: only the shell itself is ended there.
    return process.kill(process.platform === 'win32' ? Math.abs(pid) : pid, signal)
  } catch (error) {
    // ESRCH: it is gone already. EPERM: it runs as another user (sudo) and cannot be ended by us.
    if (isNodeError(error) && (error.code === 'ESRCH' || error.code === 'EPERM')) return false
    throw error
  }
}
