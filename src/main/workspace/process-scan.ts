import { readdir, readFile } from 'node:fs/promises'

/** Set in the environment of every command, so that what it started is found even after it left the process group. */
export const MARKER_VARIABLE = 'ML_INTERN_COMMAND_ID'

export interface LivingProcesses {
  /** Members of the command's process group. */
  group: number[]
  /** Outside the group, but started by the command: torchrun, for one, gives every worker its own session. */
  strays: number[]
}

/**
 * What is alive of a command. Linux reads /proc, where zombies that nobody reaps (a container without an init) do not
 * count. Elsewhere only the group can be asked, and strays are not seen.
 */
export async function findLiving(group: number, marker: string): Promise<LivingProcesses> {
  if (process.platform !== 'linux') return { group: groupExists(group) ? [group] : [], strays: [] }
  const living: LivingProcesses = { group: [], strays: [] }
  const tag = Buffer.from(`${MARKER_VARIABLE}=${marker}\0`)
  const pids = (await readdir('/proc')).map(Number).filter((pid) => Number.isInteger(pid) && pid !== process.pid)
  await Promise.all(
    pids.map(async (pid) => {
      const stat = await readProc(pid, 'stat')
      // "pid (name) state ppid pgrp ...": the name may hold spaces and parentheses, so fields count from its end.
      const [state, , pgrp] = stat
        .subarray(stat.lastIndexOf(') ') + 2)
        .toString('latin1')
        .split(' ')
      if (stat.length === 0 || state === 'Z' || state === 'X') return
      if (Number(pgrp) === group) living.group.push(pid)
      else if ((await readProc(pid, 'environ')).includes(tag)) living.strays.push(pid)
    }),
  )
  return living
}

/** All living processes that some command of ours started, with its marker (Linux). */
export async function findMarked(): Promise<{ pid: number; group: number; marker: string }[]> {
  const pids = (await readdir('/proc')).map(Number).filter((pid) => Number.isInteger(pid) && pid !== process.pid)
  const tag = `\0${MARKER_VARIABLE}=`
  const found = await Promise.all(
    pids.map(async (pid) => {
      const environ = `\0${(await readProc(pid, 'environ')).toString('latin1')}`
      const at = environ.indexOf(tag)
      if (at < 0) return []
      const stat = (await readProc(pid, 'stat')).toString('latin1')
      const [state = 'X', , group] = stat.slice(stat.lastIndexOf(') ') + 2).split(' ')
      if (stat === '' || state === 'Z' || state === 'X') return []
      const from = at + tag.length
      return [{ pid, group: Number(group), marker: environ.slice(from, environ.indexOf('\0', from)) }]
    }),
  )
  return found.flat()
}

/** Empty when the process is gone by now or belongs to somebody else: neither is a process of ours to end. */
async function readProc(pid: number, file: 'stat' | 'environ'): Promise<Buffer> {
  return readFile(`/proc/${pid}/${file}`).catch(() => Buffer.alloc(0))
}

function groupExists(group: number): boolean {
  try {
    process.kill(-group, 0)
    return true
  } catch {
    // ESRCH: nobody is left. (EPERM would mean somebody else's processes only, which are not ours to end either.)
    return false
  }
}
