import type { Gpu } from '@shared/machine'

const MIB = 1024 * 1024
const KIB = 1024

/** Bytes of one line of `/proc/meminfo` (proc(5): kB are KiB); null when it is not there. */
export function parseMeminfo(text: string, name: 'MemTotal' | 'MemAvailable'): number | null {
  const kib = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1]
  return kib === undefined ? null : Number(kib) * KIB
}

/** Name of the processor in `/proc/cpuinfo`; empty on ARM, where the kernel does not tell. */
export function parseCpuModel(text: string): string {
  return /^model name\s*:\s*(.+)$/m.exec(text)?.[1]?.replace(/\s+/g, ' ').trim() ?? ''
}

/** Bytes that macOS could give at once, of `vm_stat`: free, inactive and speculative pages; null when unreadable. */
export function parseVmStat(text: string): number | null {
  const page = Number(/page size of (\d+) bytes/.exec(text)?.[1])
  const pages = ['free', 'inactive', 'speculative'].map((kind) =>
    Number(new RegExp(`^Pages ${kind}:\\s+(\\d+)\\.`, 'm').exec(text)?.[1] ?? Number.NaN),
  )
  const sum = pages.reduce((total, count) => total + count, 0) * page
  return Number.isFinite(sum) ? sum : null
}

/** The fields asked of nvidia-smi (`nvidia-smi --help-query-gpu`). */
export const NVIDIA_QUERY = [
  '--query-gpu=index,uuid,name,memory.total,memory.free,driver_version',
  '--format=csv,noheader,nounits',
]

export interface NvidiaGpu extends Gpu {
  index: string
  uuid: string
}

/**
 * Answer to NVIDIA_QUERY: a line a GPU, memory in MiB; `[N/A]` and the like where the driver does not tell (chips that
 * share the system's memory). Lines that are something else (warnings, garbage) are left out.
 */
export function parseNvidia(text: string): NvidiaGpu[] {
  return text.split('\n').flatMap((line) => {
    const fields = line.split(',').map((field) => field.trim())
    // The name is the only field that might hold a comma.
    const [index, uuid, ...rest] = fields
    const [total, free, driver] = rest.splice(-3)
    const name = rest.join(', ')
    if (!index || !/^\d+$/.test(index) || !uuid || !/^(GPU|MIG)-/.test(uuid) || name === '') return []
    const known = driver !== undefined && /^[\d.]+$/.test(driver) ? driver : null
    const gpu: NvidiaGpu = {
      index,
      uuid,
      name,
      kind: 'cuda',
      memory: mib(total),
      memory_free: mib(free),
      driver: known,
    }
    return [gpu]
  })
}

function mib(field: string | undefined): number | null {
  return field !== undefined && /^\d+$/.test(field) ? Number(field) * MIB : null
}

/**
 * GPUs that CUDA_VISIBLE_DEVICES leaves (CUDA programming guide, environment variables): indexes or the beginnings of
 * UUIDs; the first entry that means none ends the list. Not set: all.
 */
export function visibleGpus(gpus: readonly NvidiaGpu[], visible: string | undefined): NvidiaGpu[] {
  if (visible === undefined) return [...gpus]
  const left: NvidiaGpu[] = []
  for (const entry of visible.split(',').map((part) => part.trim())) {
    const gpu = gpus.find(({ index, uuid }) =>
      /^\d+$/.test(entry) ? index === entry : entry !== '' && uuid.startsWith(entry),
    )
    if (!gpu) break
    if (!left.includes(gpu)) left.push(gpu)
  }
  return left
}

/** What is asked of rocm-smi (ROCm documentation, "ROCm SMI CLI"). */
export const ROCM_QUERY = ['--showproductname', '--showmeminfo', 'vram', '--showdriverversion', '--json']

/** Answer to ROCM_QUERY: an object a card, values are strings; the spelling of keys differs between versions. */
export function parseRocm(text: string): Gpu[] {
  const answer = record(parseJson(text))
  const driver = stringOf(field(record(answer.system), 'driver version'))
  return Object.entries(answer).flatMap(([key, value]) => {
    if (!/^card\d+$/.test(key)) return []
    const card = record(value)
    const total = numberOf(field(card, 'vram total memory (b)'))
    const used = numberOf(field(card, 'vram total used memory (b)'))
    const name = stringOf(field(card, 'card series')) ?? stringOf(field(card, 'card model')) ?? 'AMD GPU'
    const memory_free = total === null || used === null ? null : total - used
    return [{ name, kind: 'rocm' as const, memory: total, memory_free, driver }]
  })
}

/** What is asked of amd-smi, which replaces rocm-smi (ROCm documentation, "AMD SMI CLI tool"). */
export const AMD_QUERY = ['static', '--asic', '--vram', '--driver', '--json']

/** Answer to AMD_QUERY: a list of GPUs, since version 26 under `gpu_data`. It does not tell what memory is free. */
export function parseAmd(text: string): Gpu[] {
  const answer = parseJson(text)
  const list = Array.isArray(answer) ? answer : record(answer).gpu_data
  if (!Array.isArray(list)) return []
  return list.flatMap((entry: unknown) => {
    const gpu = record(entry)
    if (!('asic' in gpu)) return []
    const size = record(record(gpu.vram).size)
    const amount = numberOf(size.value)
    // The tool says MB and counts in MiB.
    const memory = amount === null ? null : amount * (size.unit === 'GB' ? 1024 * MIB : MIB)
    const name = stringOf(record(gpu.asic).market_name) ?? 'AMD GPU'
    return [{ name, kind: 'rocm' as const, memory, memory_free: null, driver: stringOf(record(gpu.driver).version) }]
  })
}

/**
 * Answer to `system_profiler SPDisplaysDataType -json`: GPUs that Metal (and so MPS) can use. On Apple silicon they share
 * the memory of the system, `memory` in bytes.
 */
export function parseDisplays(text: string, memory: number): Gpu[] {
  const list = record(parseJson(text)).SPDisplaysDataType
  if (!Array.isArray(list)) return []
  return list.flatMap((entry: unknown) => {
    const display = record(entry)
    const name = stringOf(display.sppci_model)
    const metal = stringOf(display.spdisplays_mtlgpufamilysupport) ?? stringOf(display.spdisplays_metal)
    if (name === null || metal === null) return []
    const own = /^(\d+) GB$/.exec(stringOf(display.spdisplays_vram) ?? '')?.[1]
    const shared = name.startsWith('Apple') ? memory : null
    const bytes = own === undefined ? shared : Number(own) * 1024 * MIB
    return [{ name, kind: 'mps' as const, memory: bytes, memory_free: null, driver: null }]
  })
}

/** The first JSON value of a text that may begin with warnings; null when there is none. */
function parseJson(text: string): unknown {
  for (const start of [0, text.search(/[[{]/), text.indexOf('{')]) {
    if (start < 0) continue
    try {
      return JSON.parse(text.slice(start))
    } catch {
      // A warning stands before it, or it is no JSON at all: the next start tells.
    }
  }
  return null
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {}
}

function field(values: Record<string, unknown>, name: string): unknown {
  return Object.entries(values).find(([key]) => key.toLowerCase() === name)?.[1]
}

function stringOf(value: unknown): string | null {
  return typeof value === 'string' && value.trim() !== '' && value !== 'N/A' ? value.trim() : null
}

function numberOf(value: unknown): number | null {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : null
}
