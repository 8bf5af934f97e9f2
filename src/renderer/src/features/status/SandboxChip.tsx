import { clsx } from 'clsx'
import { useState } from 'react'
import { Button } from '../../components/Button'
import { PopoverPanel } from '../../components/Popover'
import { showDialog } from '../../stores/ui'
import { Fact } from './Fact'

interface SandboxChipProps {
  kind: 'none' | 'bubblewrap' | 'seatbelt'
  reason: string
}

/** Whether commands are locked in, and what that means. */
export function SandboxChip({ kind, reason }: SandboxChipProps) {
  const [open, setOpen] = useState(false)
  const safe = kind !== 'none'
  const mark = clsx('inline-block size-1.5 shrink-0', safe ? 'rounded-full bg-ok' : 'rotate-45 bg-warn')
  return (
    <PopoverPanel
      open={open}
      onOpenChange={setOpen}
      label="Sandbox"
      tip={safe ? 'Commands cannot write outside the working folder' : reason || 'Commands have your rights'}
      side="top"
      align="start"
      className="w-84"
      trigger={
        <button type="button" className="rounded-sm whitespace-nowrap hover:text-ink data-popup-open:text-ink">
          <span className={clsx(mark, 'mr-1.5')} />
          <span className="font-medium text-ink">{safe ? 'Sandboxed' : 'Not sandboxed'}</span>
          {safe && ` · ${kind}`}
        </button>
      }
    >
      <div className="overflow-y-auto p-4">
        <h2 className="flex items-center gap-2 font-semibold">
          <span className={mark} aria-hidden />
          {safe ? 'Commands run in a sandbox' : 'Commands run without a sandbox'}
        </h2>
        {reason && <p className="mt-1 break-words text-ink-2">{reason}</p>}
        {safe ? (
          <dl className="mt-3 grid gap-1.5 text-sm">
            <Fact name="Made by">{kind === 'bubblewrap' ? 'bubblewrap (Linux)' : 'Seatbelt (macOS)'}</Fact>
            <Fact name="May write">the working folder and temporary files</Fact>
            <Fact name="Cannot read">keys, tokens and browser profiles</Fact>
            <Fact name="Network">allowed hosts; a new one asks first</Fact>
          </dl>
        ) : (
          <p className="mt-2">Each command asks before it runs, unless you allowed it.</p>
        )}
        <Button
          size="sm"
          className="mt-3"
          onClick={() => {
            setOpen(false)
            showDialog('diagnostics')
          }}
        >
          {safe ? 'Diagnostics' : 'How to get one'}
        </Button>
      </div>
    </PopoverPanel>
  )
}
