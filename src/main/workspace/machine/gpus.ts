import { readdir, readFile } from 'node:fs/promises'
import { arch } from 'node:os'
import { join } from 'node:path'
import type { Gpu } from '@shared/machine'
import { findProgram } from '../programs'
import { type AskOptions, ask } from './ask'
import {
  AMD_QUERY,
  NVIDIA_QUERY,
  parseAmd,
  parseDisplays,
  parseNvidia,
  parseRocm,
  ROCM_QUERY,
  visibleGpus,
} from './parse'

/** A healthy nvidia-smi answers within a second, even with the driver's persistence off; a hung one never does. */
export const GPU_TIMEOUT_MS = 3000

export interface Gpus {
  gpus: Gpu[]
  /** Why there are none, where that says more than nothing. */
  note: string
}

type GpuOptions = Pick<AskOptions, 'env' | 'signal'> & {
  timeout_ms?: number
  platform?: NodeJS.Platform
  /** Bytes, what Apple's GPUs share. */
  memory: number
  /** Root of the file system, for tests. */
  root?: string
}

/** Asks all tools that are there at the same time. Never rejects for what a tool does. */
export async function findGpus(options: GpuOptions): Promise<Gpus> {
  const platform = options.platform ?? process.platform
  const asking: AskOptions = {
    env: options.env,
    signal: options.signal,
    timeout_ms: options.timeout_ms ?? GPU_TIMEOUT_MS,
    // Not the project's folder: none of its files is meant.
    cwd: platform === 'win32' ? undefined : '/',
  }
  if (platform === 'darwin') return apple(asking, options.memory)
  const [nvidia, amd] = await Promise.all([nvidiaGpus(asking), amdGpus(asking)])
  const gpus = [...nvidia.gpus, ...amd.gpus]
  if (gpus.length > 0) return { gpus, note: '' }
  const notes = [nvidia.note, amd.note].filter((note) => note !== '')
  if (notes.length === 0 && platform === 'linux') notes.push(await undrivenGpu(options.root ?? '/'))
  return { gpus, note: notes.join(' ') }
}

async function nvidiaGpus(options: AskOptions): Promise<Gpus> {
  const program = await findProgram('nvidia-smi', options.env)
  if (!program) return { gpus: [], note: '' }
  const answer = await ask(program, NVIDIA_QUERY, options)
  const all = parseNvidia(answer.stdout)
  const gpus = visibleGpus(all, options.env.CUDA_VISIBLE_DEVICES)
  if (gpus.length > 0) return { gpus: gpus.map(({ index: _, uuid: __, ...gpu }) => gpu), note: '' }
  if (all.length > 0) {
    const value = options.env.CUDA_VISIBLE_DEVICES
    return {
      gpus: [],
      note: `CUDA_VISIBLE_DEVICES="${value}" hides ${all.length === 1 ? 'the GPU' : `all ${all.length} GPUs`}.`,
    }
  }
  return { gpus: [], note: silence('nvidia-smi', answer, options.timeout_ms) }
}

async function amdGpus(options: AskOptions): Promise<Gpus> {
  const tools = [
    { name: 'rocm-smi', query: ROCM_QUERY, parse: parseRocm },
    { name: 'amd-smi', query: AMD_QUERY, parse: parseAmd },
  ]
  let note = ''
  for (const { name, query, parse } of tools) {
    const program = await findProgram(name, options.env)
    if (!program) continue
    const answer = await ask(program, query, options)
    const gpus = parse(answer.stdout)
    if (gpus.length > 0) return { gpus, note: '' }
    note ||= silence(name, answer, options.timeout_ms)
  }
  return { gpus: [], note }
}

async function apple(options: AskOptions, memory: number): Promise<Gpus> {
  const answer = await ask('system_profiler', ['SPDisplaysDataType', '-json'], options)
  const gpus = parseDisplays(answer.stdout, memory)
  if (gpus.length > 0) return { gpus, note: '' }
  // Every Apple chip has a GPU, also when the profiler is too slow to say so.
  if (arch() !== 'arm64') return { gpus: [], note: silence('system_profiler', answer, options.timeout_ms) }
  const name = (await ask('sysctl', ['-n', 'machdep.cpu.brand_string'], options)).stdout.trim() || 'Apple GPU'
  return { gpus: [{ name, kind: 'mps', memory, memory_free: null, driver: null }], note: '' }
}

function silence(
  name: string,
  answer: { exit_code: number | null; stdout: string; stderr: string; error: string },
  ms: number,
): string {
  if (answer.error === 'timeout') return `${name} did not answer within ${ms / 1000} s: the driver may hang.`
  if (answer.error === 'aborted') return ''
  if (answer.error !== '') return `${name} could not be run (${answer.error}).`
  const said = oneLine(answer.stdout) || oneLine(answer.stderr)
  if (answer.exit_code === 0) return `${name} names no GPU${said === '' ? '' : ` ("${said}")`}.`
  return `${name} failed with exit code ${answer.exit_code}${said === '' ? '' : `: ${said}`}`
}

function oneLine(text: string): string {
  // Control characters have no place in a status bar.
  const line = text.replace(/\p{Cc}+/gu, ' ').trim()
  return line.length > 160 ? `${line.slice(0, 159)}…` : line
}

/** PCI vendor ids of makers of training hardware (pci.ids). */
const VENDORS = new Map([
  ['0x10de', { maker: 'NVIDIA', tool: 'nvidia-smi' }],
  ['0x1002', { maker: 'AMD', tool: 'rocm-smi' }],
])

/** A card without its driver, which no tool tells about: the kernel still lists it. Empty: there is none. */
async function undrivenGpu(root: string): Promise<string> {
  const folder = join(root, 'sys/bus/pci/devices')
  // No PCI bus (a container, a small board): then nothing is known.
  const devices = await readdir(folder).catch(() => [])
  const read = (device: string, name: string) => readFile(join(folder, device, name), 'utf8').catch(() => '')
  for (const device of devices) {
    const [vendor, kind] = await Promise.all([read(device, 'vendor'), read(device, 'class')])
    const known = VENDORS.get(vendor.trim())
    // Class 0x03: display controllers, of which 0x0302 are those without a screen; 0x1200: accelerators.
    if (!known || !/^0x(03|12)/.test(kind)) continue
    return `There is a card of ${known.maker}, but no ${known.tool}: its driver is not installed, or not passed into this container.`
  }
  return ''
}
