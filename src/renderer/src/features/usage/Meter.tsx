import { type ReactNode, Suspense } from 'react'
import { PopoverPanel } from '../../components/Popover'
import { type MeterName, showMeter, useUi } from '../../stores/ui'

interface MeterProps {
  name: MeterName
  label: string
  tip: ReactNode
  /** What the status bar shows. */
  shown: ReactNode
  className?: string
  /** Made only while it is open. */
  children: (close: () => void) => ReactNode
}

/** A number of the status bar that opens what it is made of. */
export function Meter({ name, label, tip, shown, className, children }: MeterProps) {
  const open = useUi((ui) => ui.meter === name)
  const setOpen = (next: boolean): void => showMeter(next ? name : null)
  return (
    <PopoverPanel
      open={open}
      onOpenChange={setOpen}
      label={label}
      tip={tip}
      side="top"
      className={className}
      trigger={
        <button type="button" className="rounded-sm whitespace-nowrap hover:text-ink data-popup-open:text-ink">
          {shown}
        </button>
      }
    >
      <Suspense fallback={null}>{children(() => setOpen(false))}</Suspense>
    </PopoverPanel>
  )
}
