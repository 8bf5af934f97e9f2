import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Machine } from '@shared/machine'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { detectMachine, machineLine, machineStatus } from '../../../../src/main/workspace/machine'
import { findGpus } from '../../../../src/main/workspace/machine/gpus'
import { isAlive } from '../../tools/context'

let folder = ''
let env: NodeJS.ProcessEnv = {}
const never = new AbortController().signal

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ml-intern-machine-'))
  env = { PATH: `${folder}:/usr/bin:/bin` }
})
afterEach(async () => {
  await rm(folder, { recursive: true })
})

async function program(name: string, body: string): Promise<void> {
  await writeFile(join(folder, name), `#!/bin/sh\n${body}\n`)
  await chmod(join(folder, name), 0o755)
}

const CARD = 'echo "0, GPU-1234, NVIDIA H100 80GB HBM3, 81559, 80000, 550.54.14"'

describe('detectMachine', () => {
  it('tells this machine: processor, memory and disk', async () => {
    const machine = await detectMachine(join(folder, 'not', 'yet', 'there'), { signal: never, env })
    expect(machine.cpu.cores).toBeGreaterThan(0)
    expect(machine.memory.total).toBeGreaterThan(100e6)
    expect(machine.memory.available).toBeLessThanOrEqual(machine.memory.total)
    expect(machine.disk.total).toBeGreaterThan(machine.disk.free)
  })

  it('asks nvidia-smi once for callers at the same time and after, and again when told to', async () => {
    await program('nvidia-smi', `echo asked >> "${folder}/asked"\n${CARD}`)
    const [first, second] = await Promise.all([
      detectMachine(folder, { signal: never, env }),
      detectMachine(folder, { signal: never, env }),
    ])
    await detectMachine(folder, { signal: never, env })
    expect(first.gpus).toEqual(second.gpus)
    expect(first.gpus).toMatchObject([{ name: 'NVIDIA H100 80GB HBM3', kind: 'cuda' }])
    expect(await readFile(join(folder, 'asked'), 'utf8')).toBe('asked\n')
    await detectMachine(folder, { signal: never, env, refresh: true })
    expect(await readFile(join(folder, 'asked'), 'utf8')).toBe('asked\nasked\n')
  })

  it('rejects at once when it is aborted, and leaves no process', async () => {
    await mkdir(join(folder, 'x'))
    await program('nvidia-smi', `echo $$ > "${folder}/pid.new"; mv "${folder}/pid.new" "${folder}/pid"; exec sleep 600`)
    const controller = new AbortController()
    const { watch } = await import('node:fs/promises')
    const seen = (async () => {
      for await (const { filename } of watch(folder)) if (filename === 'pid') return
    })()
    const detecting = detectMachine(folder, { signal: controller.signal, env, refresh: true })
    await seen
    controller.abort(new Error('enough'))
    await expect(detecting).rejects.toThrow('enough')
    const pid = Number(await readFile(join(folder, 'pid'), 'utf8'))
    await expect.poll(() => isAlive(pid)).toBe(false)
  })
})

describe('findGpus', () => {
  const find = (more: Partial<Parameters<typeof findGpus>[0]> = {}) =>
    findGpus({ env, signal: never, memory: 1, root: folder, platform: 'linux', ...more })

  it('says nothing where there is no tool and no card', async () => {
    expect(await find()).toEqual({ gpus: [], note: '' })
  })

  it('gives up on a tool that hangs and says so', async () => {
    // A child that holds the pipes must not hold us.
    await program('nvidia-smi', 'sleep 600 & exec sleep 600')
    const { gpus, note } = await find({ timeout_ms: 200 })
    expect(gpus).toEqual([])
    expect(note).toBe('nvidia-smi did not answer within 0.2 s: the driver may hang.')
  })

  it('passes on why a tool failed, without control characters', async () => {
    await program('nvidia-smi', String.raw`printf 'Failed to initialize NVML:\033[31m mismatch\n'; exit 18`)
    expect((await find()).note).toBe('nvidia-smi failed with exit code 18: Failed to initialize NVML: [31m mismatch')
  })

  it('survives garbage of any kind', async () => {
    await program('nvidia-smi', 'head -c 3000000 /dev/urandom')
    await program('rocm-smi', 'echo "{]"')
    const { gpus, note } = await find()
    expect(gpus).toEqual([])
    expect(note).toMatch(/^nvidia-smi names no GPU/)
  })

  it('says when CUDA_VISIBLE_DEVICES hides what is there', async () => {
    await program('nvidia-smi', CARD)
    const { gpus, note } = await find({ env: { ...env, CUDA_VISIBLE_DEVICES: '' } })
    expect(gpus).toEqual([])
    expect(note).toBe('CUDA_VISIBLE_DEVICES="" hides the GPU.')
  })

  it('asks amd-smi where rocm-smi says nothing', async () => {
    await program('rocm-smi', 'exit 2')
    await program('amd-smi', `echo '[{"gpu": 0, "asic": {"market_name": "AMD Radeon PRO W7900"}}]'`)
    expect((await find()).gpus).toMatchObject([{ name: 'AMD Radeon PRO W7900', kind: 'rocm', memory: null }])
  })

  it('tells of a card whose driver is missing', async () => {
    const device = join(folder, 'sys/bus/pci/devices/0000:01:00.0')
    await mkdir(device, { recursive: true })
    await writeFile(join(device, 'vendor'), '0x10de\n')
    await writeFile(join(device, 'class'), '0x030200\n')
    expect((await find()).note).toMatch(/^There is a card of NVIDIA, but no nvidia-smi/)
  })
})

describe('the lines', () => {
  const GIB = 1024 ** 3
  const machine: Machine = {
    cpu: { model: 'AMD EPYC', cores: 2 },
    memory: { total: 23.54 * GIB, available: 22 * GIB },
    disk: { total: 252 * GIB, free: 78 * GIB },
    gpus: [],
    gpu_note: '',
  }
  const h100 = { name: 'NVIDIA H100', kind: 'cuda' as const, memory: 79.6 * GIB, memory_free: 70 * GIB, driver: '550' }

  it('status bar', () => {
    expect(machineStatus(machine)).toBe('2 cores · 24 GB · no GPU')
    expect(
      machineStatus({ ...machine, cpu: { model: '', cores: 1 }, memory: { total: 3.5 * GIB, available: 0 } }),
    ).toBe('1 core · 3.5 GB · no GPU')
    expect(machineStatus({ ...machine, gpus: [h100, h100] })).toBe('2 cores · 24 GB · 2 × H100 80 GB')
  })

  it('system prompt', () => {
    expect(machineLine({ ...machine, gpu_note: 'nvidia-smi hangs.' })).toBe(
      "2 CPU cores (AMD EPYC), 24 GB RAM (22 GB available), 78 GB free on the workspace's disk, no GPU (nvidia-smi hangs.)",
    )
    expect(machineLine({ ...machine, gpus: [h100] })).toMatch(
      /GPU: NVIDIA H100 \(CUDA; 80 GB, 70 GB free; driver 550\)$/,
    )
  })
})
