import { open, readFile, statfs } from 'node:fs/promises'
import { availableParallelism, cpus, freemem, totalmem } from 'node:os'
import { dirname } from 'node:path'
import type { Gpu, Machine } from '@shared/machine'
import { isNodeError } from '../../errors'
import { ask } from './ask'
import { cgroupLimits } from './cgroup'
import { findGpus, type Gpus } from './gpus'
import { parseCpuModel, parseMeminfo, parseVmStat } from './parse'
import { Shared } from './share'

export interface MachineOptions {
  signal: AbortSignal
  /** Where tools are looked for, and what hides GPUs; default: that of this process. */
  env?: NodeJS.ProcessEnv
  /** Asks the GPU tools again, whatever is known. */
  refresh?: boolean
  /** Milliseconds for each GPU tool. */
  timeout_ms?: number
}

/** GPUs come and go with drivers and docks, not with turns. Their free memory is as old as this. */
const GPU_TTL_MS = 60_000

const asking = new Shared<Gpus>()
const known = new Map<string, { at: number; gpus: Gpus }>()
let model: Promise<string> | null = null

/**
 * What the machine has for training; memory and disk are of this moment, GPUs at most a minute old. `cwd` need not exist:
 * the disk is that of the nearest folder above it. Rejects only with the reason of the signal.
 */
export async function detectMachine(cwd: string, options: MachineOptions): Promise<Machine> {
  options.signal.throwIfAborted()
  const env = options.env ?? process.env
  const [name, cgroup, disk, host] = await Promise.all([
    cpuModel(),
    cgroupLimits(),
    diskOf(cwd),
    hostMemory(options, env),
  ])
  const total = Math.min(host.total, cgroup.memory ?? host.total)
  const available = Math.min(host.available, cgroup.memory_left ?? host.available, total)
  const { gpus, note } = await gpusOf(options, env, total)
  // Respects the affinity of the process; a quota of a control group comes on top, and may be a part of a core.
  const cores = Math.min(availableParallelism(), cgroup.cores ?? Number.POSITIVE_INFINITY)
  return {
    cpu: { model: name, cores: Math.max(0.1, Math.round(cores * 10) / 10) },
    memory: { total, available },
    disk,
    gpus,
    gpu_note: gpus.length > 0 ? '' : note,
  }
}

async function gpusOf(options: MachineOptions, env: NodeJS.ProcessEnv, memory: number): Promise<Gpus> {
  const key = JSON.stringify([env.PATH, env.CUDA_VISIBLE_DEVICES])
  const last = known.get(key)
  if (!options.refresh && last && performance.now() - last.at < GPU_TTL_MS) return last.gpus
  return asking.run(key, { signal: options.signal }, async (signal) => {
    const gpus = await findGpus({ env, signal, memory, timeout_ms: options.timeout_ms })
    signal.throwIfAborted()
    known.set(key, { at: performance.now(), gpus })
    return gpus
  })
}

function cpuModel(): Promise<string> {
  model ??= readCpuModel()
  return model
}

async function readCpuModel(): Promise<string> {
  // The whole of os.cpus() reads every core's clock: tens of milliseconds of a blocked loop on a large machine.
  if (process.platform !== 'linux') return cpus()[0]?.model.trim() ?? ''
  const file = await open('/proc/cpuinfo', 'r').catch(() => null)
  if (!file) return ''
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4096), 0, 4096, 0)
    return parseCpuModel(buffer.subarray(0, bytesRead).toString('utf8'))
  } finally {
    await file.close()
  }
}

async function hostMemory({ signal }: MachineOptions, env: NodeJS.ProcessEnv): Promise<Machine['memory']> {
  const total = totalmem()
  if (process.platform === 'linux') {
    const text = await readFile('/proc/meminfo', 'utf8').catch(() => '')
    return {
      total: parseMeminfo(text, 'MemTotal') ?? total,
      available: parseMeminfo(text, 'MemAvailable') ?? freemem(),
    }
  }
  if (process.platform === 'darwin') {
    const { stdout } = await ask('vm_stat', [], { env, signal, timeout_ms: 1000 })
    return { total, available: parseVmStat(stdout) ?? freemem() }
  }
  return { total, available: freemem() }
}

async function diskOf(folder: string): Promise<Machine['disk']> {
  try {
    const { bsize, blocks, bavail } = await statfs(folder)
    return { total: blocks * bsize, free: bavail * bsize }
  } catch (error) {
    if (!isNodeError(error)) throw error
    const parent = dirname(folder)
    return parent === folder ? { total: 0, free: 0 } : diskOf(parent)
  }
}

const GIB = 1024 ** 3

/** `24 GB`, as memory is sold; below ten with a digit after the point. */
function gigabytes(bytes: number): string {
  const amount = bytes / GIB
  return `${amount >= 9.95 || Number.isInteger(amount) ? Math.round(amount) : amount.toFixed(1)} GB`
}

/** For the status bar: `2 cores · 24 GB · no GPU`. */
export function machineStatus({ cpu, memory, gpus }: Machine): string {
  const cores = `${cpu.cores} ${cpu.cores === 1 ? 'core' : 'cores'}`
  return [cores, gigabytes(memory.total), gpus.length === 0 ? 'no GPU' : grouped(gpus, shortName)].join(' · ')
}

/** One line for the system prompt. */
export function machineLine({ cpu, memory, disk, gpus, gpu_note }: Machine): string {
  const cores = `${cpu.cores} CPU ${cpu.cores === 1 ? 'core' : 'cores'}${cpu.model === '' ? '' : ` (${cpu.model})`}`
  const ram = `${gigabytes(memory.total)} RAM (${gigabytes(memory.available)} available)`
  const free = `${gigabytes(disk.free)} free on the workspace's disk`
  const gpu = gpus.length === 0 ? `no GPU${gpu_note === '' ? '' : ` (${gpu_note})`}` : `GPU: ${grouped(gpus, fullName)}`
  return [cores, ram, free, gpu].join(', ')
}

function grouped(gpus: readonly Gpu[], nameOf: (gpu: Gpu) => string): string {
  const counts = new Map<string, number>()
  for (const gpu of gpus) counts.set(nameOf(gpu), (counts.get(nameOf(gpu)) ?? 0) + 1)
  return [...counts].map(([name, count]) => (count === 1 ? name : `${count} × ${name}`)).join(', ')
}

function shortName({ name, memory }: Gpu): string {
  const short = name.replace(/^(NVIDIA|AMD)\s+/i, '').replace(/^GeForce\s+/i, '')
  return memory === null ? short : `${short} ${gigabytes(memory)}`
}

function fullName({ name, kind, memory, memory_free, driver }: Gpu): string {
  const free = memory_free === null ? '' : `, ${gigabytes(memory_free)} free`
  const size = memory === null ? [] : [`${gigabytes(memory)}${kind === 'mps' ? ' shared with the system' : ''}${free}`]
  const backend = { cuda: 'CUDA', rocm: 'ROCm', mps: 'MPS' }[kind]
  return `${name} (${[backend, ...size, ...(driver === null ? [] : [`driver ${driver}`])].join('; ')})`
}
