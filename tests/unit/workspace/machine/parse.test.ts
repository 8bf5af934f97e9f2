import { describe, expect, it } from 'vitest'
import {
  parseAmd,
  parseCpuModel,
  parseDisplays,
  parseMeminfo,
  parseNvidia,
  parseRocm,
  parseVmStat,
  visibleGpus,
} from '../../../../src/main/workspace/machine/parse'

const MIB = 1024 * 1024

// Written after the fields of `nvidia-smi --help-query-gpu` and the samples of NVIDIA's "Useful nvidia-smi Queries".
const TWO_CARDS = `0, GPU-11111111-2222-3333-4444-555555555555, NVIDIA GeForce RTX 4090, 24564, 23010, 550.54.14
1, GPU-aaaaaaaa-2222-3333-4444-555555555555, NVIDIA A100-SXM4-80GB, 81920, 81000, 550.54.14
`

describe('parseNvidia', () => {
  it('reads name, memory in bytes and driver of every card', () => {
    const [first, second] = parseNvidia(TWO_CARDS)
    expect(first).toMatchObject({ name: 'NVIDIA GeForce RTX 4090', memory: 24564 * MIB, memory_free: 23010 * MIB })
    expect(second).toMatchObject({ kind: 'cuda', memory: 81920 * MIB, driver: '550.54.14', index: '1' })
  })

  it('does not take a missing memory for zero: chips that share memory say [N/A]', () => {
    const [gpu] = parseNvidia('0, GPU-11111111-2222, NVIDIA GB10, [N/A], [N/A], 580.95.05\n')
    expect(gpu).toMatchObject({ name: 'NVIDIA GB10', memory: null, memory_free: null })
  })

  it('invents no card from failures, warnings or garbage', () => {
    for (const text of [
      'No devices were found\n',
      "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that it is installed.\n",
      'Failed to initialize NVML: Driver/library version mismatch\n',
      '\u0000\u0001,,,,,\n,,\n0, GPU-1\n',
      '',
    ]) {
      expect(parseNvidia(text)).toEqual([])
    }
    expect(parseNvidia(`WARNING: infoROM is corrupted\n${TWO_CARDS}`)).toHaveLength(2)
  })
})

describe('visibleGpus', () => {
  const gpus = parseNvidia(TWO_CARDS)
  const names = (value: string | undefined) => visibleGpus(gpus, value).map((gpu) => gpu.index)

  it('leaves what CUDA_VISIBLE_DEVICES leaves, in its order', () => {
    expect(names(undefined)).toEqual(['0', '1'])
    expect(names('1,0')).toEqual(['1', '0'])
    expect(names('GPU-aaaaaaaa')).toEqual(['1'])
    expect(names('')).toEqual([])
    expect(names('-1')).toEqual([])
    // What follows an entry that names no card does not count.
    expect(names('0,7,1')).toEqual(['0'])
  })
})

describe('AMD', () => {
  it('reads rocm-smi, behind a warning', () => {
    // After the keys that "ROCm SMI CLI" documents for --showproductname, --showmeminfo and --showdriverversion.
    const text = `WARNING: AMD GPU device(s) is/are in a low-power state.
{"card0": {"VRAM Total Memory (B)": "68702699520", "VRAM Total Used Memory (B)": "10960896",
 "Card Series": "AMD Instinct MI210", "Card Model": "0x740f"}, "system": {"Driver version": "6.3.6"}}`
    expect(parseRocm(text)).toEqual([
      { name: 'AMD Instinct MI210', kind: 'rocm', memory: 68702699520, memory_free: 68691738624, driver: '6.3.6' },
    ])
  })

  it('reads amd-smi, as a list and under gpu_data', () => {
    // After "AMD SMI CLI tool", `amd-smi static --asic --vram --driver --json`.
    const list = [
      {
        gpu: 0,
        asic: { market_name: 'AMD Instinct MI300X', vendor_id: '0x1002' },
        driver: { name: 'amdgpu', version: '6.10.5' },
        vram: { type: 'HBM', size: { value: 196592, unit: 'MB' } },
      },
    ]
    const wanted = {
      name: 'AMD Instinct MI300X',
      kind: 'rocm',
      memory: 196592 * MIB,
      memory_free: null,
      driver: '6.10.5',
    }
    expect(parseAmd(JSON.stringify(list))).toEqual([wanted])
    expect(parseAmd(JSON.stringify({ gpu_data: list }))).toEqual([wanted])
  })

  it('invents no card from garbage', () => {
    for (const text of ['', 'not json', '[]', '{}', 'null', '[1, null]', '{"card0": 5']) {
      expect(parseAmd(text)).toEqual([])
      expect(parseRocm(text)).toEqual([])
    }
  })
})

describe('macOS', () => {
  it('reads what system_profiler says of an Apple chip and of a card', () => {
    // After `system_profiler SPDisplaysDataType -json` of macOS 14; only the keys that are read.
    const text = JSON.stringify({
      SPDisplaysDataType: [
        { _name: 'Apple M2 Pro', sppci_model: 'Apple M2 Pro', spdisplays_mtlgpufamilysupport: 'spdisplays_metal3' },
        { sppci_model: 'AMD Radeon Pro 5500M', spdisplays_vram: '8 GB', spdisplays_metal: 'spdisplays_supported' },
        { sppci_model: 'Old card', spdisplays_vram: '512 MB' },
      ],
    })
    expect(parseDisplays(text, 32 * 1024 * MIB)).toMatchObject([
      { name: 'Apple M2 Pro', kind: 'mps', memory: 32 * 1024 * MIB },
      { name: 'AMD Radeon Pro 5500M', memory: 8 * 1024 * MIB },
    ])
    expect(parseDisplays('garbage', 1)).toEqual([])
  })

  it('counts what vm_stat calls free, inactive and speculative', () => {
    // After vm_stat(1).
    const text = `Mach Virtual Memory Statistics: (page size of 16384 bytes)
Pages free:                               10000.
Pages active:                            500000.
Pages inactive:                           20000.
Pages speculative:                         3000.
`
    expect(parseVmStat(text)).toBe(33_000 * 16_384)
    expect(parseVmStat('')).toBeNull()
  })
})

describe('Linux', () => {
  it('reads /proc/meminfo and /proc/cpuinfo', () => {
    // After proc(5).
    const text = 'MemTotal:       24684084 kB\nMemFree:        22281908 kB\nMemAvailable:   23576812 kB\n'
    expect(parseMeminfo(text, 'MemTotal')).toBe(24684084 * 1024)
    expect(parseMeminfo(text, 'MemAvailable')).toBe(23576812 * 1024)
    expect(parseMeminfo('', 'MemTotal')).toBeNull()
    expect(parseCpuModel('processor\t: 0\nmodel name\t: AMD EPYC 7B13  64-Core\n')).toBe('AMD EPYC 7B13 64-Core')
    expect(parseCpuModel('processor\t: 0\nBogoMIPS\t: 50.00\n')).toBe('')
  })
})
