import { Popover } from '@base-ui/react/popover'
import { clsx } from 'clsx'
import type { ReactElement, ReactNode, RefObject } from 'react'
import { Tip } from './Tip'

interface PopoverPanelProps {
  open: boolean
  onOpenChange: (open: boolean) => void
  /** The button that opens it. */
  trigger: ReactElement<Record<string, unknown>>
  /** What the button says on hover. */
  tip: ReactNode
  /** Accessible name of the panel. */
  label: string
  side?: 'top' | 'bottom'
  align?: 'start' | 'end'
  initialFocus?: RefObject<HTMLElement | null>
  className?: string
  children: ReactNode
}

/** A panel that hangs on a button: Escape and a press outside close it, and the button has the focus again. */
export function PopoverPanel(props: PopoverPanelProps) {
  const { open, onOpenChange, trigger, tip, label, side = 'bottom', align = 'end', initialFocus, className } = props
  return (
    <Popover.Root open={open} onOpenChange={onOpenChange}>
      <Tip label={tip} side={side} disabled={open}>
        <Popover.Trigger render={trigger} />
      </Tip>
      <Popover.Portal>
        <Popover.Positioner side={side} align={align} sideOffset={6} collisionPadding={8} className="z-50 outline-none">
          <Popover.Popup
            aria-label={label}
            initialFocus={initialFocus}
            className={clsx(
              'flex max-h-(--available-height) max-w-[calc(100vw-16px)] flex-col overflow-hidden rounded-lg border border-line-strong bg-raised text-base text-ink shadow-float outline-none',
              'transition-opacity duration-75 data-ending-style:opacity-0 data-starting-style:opacity-0',
              className,
            )}
          >
            {props.children}
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  )
}
