import { Tooltip } from '@base-ui/react/tooltip'
import type { ReactElement, ReactNode } from 'react'
import { Kbd } from './Kbd'

interface TipProps {
  label: ReactNode
  keys?: string[]
  side?: 'top' | 'bottom' | 'left' | 'right'
  /** What it explains is open and speaks for itself. */
  disabled?: boolean
  /** The element that is explained; it must accept a ref and the usual handlers. */
  children: ReactElement<Record<string, unknown>>
}

/** A short explanation on hover and on focus. The element keeps its own accessible name. */
export function Tip({ label, keys, side = 'bottom', disabled, children }: TipProps) {
  return (
    <Tooltip.Root
      disabled={disabled}
      onOpenChange={(_open, details) => {
        // Escape closes what lies under the explanation too: nobody opened that by itself.
        if (details.reason === 'escape-key') details.allowPropagation()
      }}
    >
      <Tooltip.Trigger render={children} />
      <Tooltip.Portal>
        <Tooltip.Positioner side={side} sideOffset={6} collisionPadding={8} className="z-50">
          <Tooltip.Popup className="flex max-w-80 items-center gap-2 rounded-md border border-line-strong bg-raised px-2 py-1 text-sm text-ink shadow-float transition-opacity duration-100 data-ending-style:opacity-0 data-starting-style:opacity-0">
            <span className="min-w-0 break-words">{label}</span>
            {keys && <Kbd keys={keys} />}
          </Tooltip.Popup>
        </Tooltip.Positioner>
      </Tooltip.Portal>
    </Tooltip.Root>
  )
}
