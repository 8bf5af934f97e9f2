import type { Gpu, Machine, PythonInfo } from '@shared/machine'
import { baseName } from '../../lib/format'

const GIB = 1024 ** 3

/** "24 GB", "1.5 GB", "2 TB" of bytes. As makers of memory count: 1 GB is 1024³ bytes. */
export function formatMemory(bytes: number): string {
  const gb = bytes / GIB
  if (gb >= 1000) return `${trim(gb / 1024)} TB`
  return gb < 0.05 ? '0 GB' : `${trim(gb)} GB`
}

function trim(value: number): string {
  return value >= 10 ? String(Math.round(value)) : value.toFixed(1).replace(/\.0$/, '')
}

/** "2 cores · 24 GB · no GPU" */
export function machineLine(machine: Machine): string {
  const { cores } = machine.cpu
  return [`${cores} ${cores === 1 ? 'core' : 'cores'}`, formatMemory(machine.memory.total), gpuLine(machine.gpus)].join(
    ' · ',
  )
}

/** "RTX 4090", "2 × A100"; unlike ones by their number. */
export function gpuLine(gpus: readonly Gpu[]): string {
  const [first, ...others] = gpus
  if (!first) return 'no GPU'
  if (others.length === 0) return first.name
  return others.every((gpu) => gpu.name === first.name) ? `${gpus.length} × ${first.name}` : `${gpus.length} GPUs`
}

/** "24 GB, 21 GB free · CUDA · driver 550.54" */
export function gpuFacts({ kind, memory, memory_free, driver }: Gpu): string {
  const free = memory_free === null ? '' : `${formatMemory(memory_free)} free`
  const size = [memory === null ? '' : formatMemory(memory), free].filter(Boolean).join(', ')
  return [size, KINDS[kind], driver && `driver ${driver}`].filter(Boolean).join(' · ')
}

/** With a key each: equal cards are told apart by their place only. */
export function keyedGpus(gpus: readonly Gpu[]): { key: string; gpu: Gpu }[] {
  return gpus.map((gpu, at) => ({ key: `${at} ${gpu.name}`, gpu }))
}

const KINDS: Record<Gpu['kind'], string> = { cuda: 'CUDA', rocm: 'ROCm', mps: 'Metal' }

const SOURCES: Record<PythonInfo['source'], string> = {
  project: 'the project’s own environment',
  uv: 'uv',
  venv: 'venv',
  conda: 'conda',
  system: 'the system’s',
}

/** What the status bar says: "Python 3.12 · uv". `interpreter`: what a host says that does not know more. */
export function pythonLabel(python: PythonInfo | undefined, interpreter: string | null): string {
  if (python) return `Python ${minor(python.version)} · ${python.source}`
  if (!interpreter) return 'No Python'
  if (/[/\\]/.test(interpreter)) return baseName(interpreter)
  return /^python/i.test(interpreter) ? interpreter : `Python ${interpreter}`
}

export function pythonSource({ source }: PythonInfo): string {
  return SOURCES[source]
}

function minor(version: string): string {
  return /^\d+\.\d+/.exec(version)?.[0] ?? version
}
