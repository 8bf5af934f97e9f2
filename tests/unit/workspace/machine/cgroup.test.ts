import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { cgroupLimits } from '../../../../src/main/workspace/machine/cgroup'

const roots: string[] = []
afterEach(async () => {
  for (const root of roots.splice(0)) await rm(root, { recursive: true })
})

/** A file system as the kernel shows it (Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst). */
async function system(files: Record<string, string>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'ml-intern-cgroup-'))
  roots.push(root)
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true })
    await writeFile(join(root, name), content)
  }
  return root
}

const GIB = 1024 ** 3

describe('cgroupLimits', () => {
  it('version 2: takes the tightest limit of the group and those above it', async () => {
    const root = await system({
      'proc/self/cgroup': '0::/kubepods/pod1\n',
      'sys/fs/cgroup/kubepods/memory.max': `${8 * GIB}\n`,
      'sys/fs/cgroup/kubepods/memory.current': `${7 * GIB}\n`,
      'sys/fs/cgroup/kubepods/memory.stat': `anon 1\ninactive_file ${2 * GIB}\n`,
      'sys/fs/cgroup/kubepods/pod1/memory.max': 'max\n',
      'sys/fs/cgroup/kubepods/pod1/cpu.max': '150000 100000\n',
      'sys/fs/cgroup/kubepods/cpu.max': 'max 100000\n',
    })
    expect(await cgroupLimits(root)).toEqual({ memory: 8 * GIB, memory_left: 3 * GIB, cores: 1.5 })
  })

  it('version 2 in a container whose own group is the mount', async () => {
    const root = await system({ 'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/memory.max': `${GIB}\n` })
    expect(await cgroupLimits(root)).toEqual({ memory: GIB, memory_left: GIB, cores: null })
  })

  it('version 1: the path of the host is not there, the mount is', async () => {
    const root = await system({
      'proc/self/cgroup': '9:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n0::/\n',
      'sys/fs/cgroup/memory/memory.limit_in_bytes': `${4 * GIB}\n`,
      'sys/fs/cgroup/memory/memory.usage_in_bytes': `${GIB}\n`,
      'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '200000\n',
      'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
    })
    expect(await cgroupLimits(root)).toEqual({ memory: 4 * GIB, memory_left: 3 * GIB, cores: 2 })
  })

  it('does not take the words for "no limit" for limits', async () => {
    const root = await system({
      'proc/self/cgroup': '9:memory:/\n4:cpu:/\n',
      'sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
      'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
      'sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
    })
    expect(await cgroupLimits(root)).toEqual({ memory: null, memory_left: null, cores: null })
    expect(await cgroupLimits(await system({}))).toEqual({ memory: null, memory_left: null, cores: null })
  })
})
