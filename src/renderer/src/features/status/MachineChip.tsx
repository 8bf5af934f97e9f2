import type { Machine, PythonInfo } from '@shared/machine'
import { useState } from 'react'
import { PopoverPanel } from '../../components/Popover'
import { Fact } from './Fact'
import { formatMemory, gpuFacts, keyedGpus, machineLine, pythonLabel, pythonSource } from './machine-text'

interface MachineChipProps {
  machine: Machine | undefined
  python: PythonInfo | undefined
  /** What is known without `python`. */
  interpreter: string | null
}

/** What training has here: Python, processor, memory, GPU. */
export function MachineChip({ machine, python, interpreter }: MachineChipProps) {
  const [open, setOpen] = useState(false)
  const label = pythonLabel(python, interpreter)
  return (
    <PopoverPanel
      open={open}
      onOpenChange={setOpen}
      label="This machine"
      tip={machine ? `${label} · ${machineLine(machine)}` : 'What commands run with'}
      side="top"
      align="start"
      className="w-92"
      trigger={
        <button
          type="button"
          className="flex gap-4.5 rounded-sm whitespace-nowrap hover:text-ink data-popup-open:text-ink"
        >
          <span>{label}</span>
          {machine && <span className="max-lg:hidden">{machineLine(machine)}</span>}
        </button>
      }
    >
      <div className="tabular overflow-y-auto p-4">
        <h2 className="font-semibold">This machine</h2>
        <dl className="mt-2 grid gap-1.5 text-sm">
          {machine && <Hardware machine={machine} />}
          <Interpreter python={python} interpreter={interpreter} />
        </dl>
      </div>
    </PopoverPanel>
  )
}

function Hardware({ machine: { cpu, memory, disk, gpus, gpu_note } }: { machine: Machine }) {
  return (
    <>
      <Fact name="Processor">
        {cpu.cores} {cpu.cores === 1 ? 'core' : 'cores'}
        {cpu.model && <span className="block text-ink-2">{cpu.model}</span>}
      </Fact>
      <Fact name="Memory">
        {formatMemory(memory.total)}, {formatMemory(memory.available)} available
      </Fact>
      <Fact name="Disk">
        {formatMemory(disk.free)} free of {formatMemory(disk.total)}
      </Fact>
      {keyedGpus(gpus).map(({ key, gpu }) => (
        <Fact key={key} name="GPU">
          {gpu.name}
          <span className="block text-ink-2">{gpuFacts(gpu)}</span>
        </Fact>
      ))}
      {gpus.length === 0 && (
        <Fact name="GPU">
          none
          {gpu_note && <span className="block text-ink-2">{gpu_note}</span>}
        </Fact>
      )}
    </>
  )
}

function Interpreter({ python, interpreter }: Pick<MachineChipProps, 'python' | 'interpreter'>) {
  if (!python) {
    return <Fact name="Python">{interpreter ?? 'none: install Python 3 to run training code'}</Fact>
  }
  return (
    <>
      <Fact name="Python">
        {python.version}
        <span className="block font-mono text-xs break-all text-ink-2">{python.path}</span>
      </Fact>
      <Fact name="Environment">
        {pythonSource(python)}
        {python.environment && (
          <span className="block font-mono text-xs break-all text-ink-2">{python.environment}</span>
        )}
      </Fact>
    </>
  )
}
