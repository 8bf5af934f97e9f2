import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** What the control groups of this process allow; null: no limit. Bytes and cores. */
export interface CgroupLimits {
  memory: number | null
  /** Bytes left under the tightest limit; null: no limit. */
  memory_left: number | null
  cores: number | null
}

/** Without a limit version 1 says the largest multiple of a page below 2^63 (kernel: PAGE_COUNTER_MAX). */
const NO_LIMIT = 2 ** 62

/**
 * Limits of versions 1 and 2, of the own group and of all above it (cgroups(7): a limit binds everything below).
 * `root` is the root of the file system.
 */
export async function cgroupLimits(root = '/'): Promise<CgroupLimits> {
  const groups = parseCgroups(await text(join(root, 'proc/self/cgroup')))
  const base = join(root, 'sys/fs/cgroup')
  const limits: CgroupLimits = { memory: null, memory_left: null, cores: null }
  for (const { controllers, path } of groups) {
    if (controllers.length === 0) {
      for (const mount of [base, join(base, 'unified')]) {
        for (const folder of foldersOf(mount, path)) await addVersion2(limits, folder)
      }
    }
    if (controllers.includes('memory')) {
      for (const folder of foldersOf(join(base, 'memory'), path)) await addMemory1(limits, folder)
    }
    if (controllers.includes('cpu')) {
      for (const mount of [join(base, 'cpu'), join(base, 'cpu,cpuacct')]) {
        for (const folder of foldersOf(mount, path)) await addCpu1(limits, folder)
      }
    }
  }
  return limits
}

/** `/proc/self/cgroup`: lines of `id:controllers:path`; version 2 has no controllers. */
export function parseCgroups(content: string): { controllers: string[]; path: string }[] {
  return content.split('\n').flatMap((line) => {
    const [, names, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? []
    return names === undefined || path === undefined ? [] : [{ controllers: names.split(',').filter(Boolean), path }]
  })
}

/** The group's folder and all above it. Inside a container the path may be that of the host, and only the mount is there. */
function foldersOf(mount: string, path: string): string[] {
  const folders = [mount]
  for (let at = path; at !== '/' && at !== '.'; at = dirname(at)) folders.push(join(mount, at))
  return folders
}

async function addVersion2(limits: CgroupLimits, folder: string): Promise<void> {
  const [max, current, stat, cpu] = await Promise.all(
    ['memory.max', 'memory.current', 'memory.stat', 'cpu.max'].map((name) => text(join(folder, name))),
  )
  addMemory(limits, max, current, statOf(stat, 'inactive_file'))
  const [quota, period] = (cpu ?? '').trim().split(' ')
  addCores(limits, Number(quota), Number(period))
}

async function addMemory1(limits: CgroupLimits, folder: string): Promise<void> {
  const [max, current, stat] = await Promise.all(
    ['memory.limit_in_bytes', 'memory.usage_in_bytes', 'memory.stat'].map((name) => text(join(folder, name))),
  )
  addMemory(limits, max, current, statOf(stat, 'total_inactive_file'))
}

async function addCpu1(limits: CgroupLimits, folder: string): Promise<void> {
  const [quota, period] = await Promise.all([
    text(join(folder, 'cpu.cfs_quota_us')),
    text(join(folder, 'cpu.cfs_period_us')),
  ])
  addCores(limits, quota.trim() === '' ? -1 : Number(quota), Number(period))
}

/** `reclaimable`: file pages that the kernel gives up before it kills anybody. */
function addMemory(limits: CgroupLimits, max = '', current = '', reclaimable = 0): void {
  const limit = max.trim() === '' ? Number.NaN : Number(max)
  if (!(limit > 0) || limit >= NO_LIMIT) return
  limits.memory = Math.min(limits.memory ?? limit, limit)
  const used = Math.max(0, (Number(current) || 0) - reclaimable)
  const left = Math.max(0, limit - used)
  limits.memory_left = Math.min(limits.memory_left ?? left, left)
}

/** Version 1 says -1 for no quota, version 2 says `max`. */
function addCores(limits: CgroupLimits, quota: number, period: number): void {
  if (!(quota > 0) || !(period > 0)) return
  const cores = quota / period
  limits.cores = Math.min(limits.cores ?? cores, cores)
}

function statOf(content: string | undefined, name: string): number {
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(content ?? '')?.[1] ?? 0)
}

/** Empty where there is no such file: not Linux, another version, or a controller that is not mounted. */
function text(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => '')
}
