import { Dialog } from '@base-ui/react/dialog'
import { clsx } from 'clsx'
import { type ReactNode, useRef } from 'react'

interface DrawerProps {
  open: boolean
  side: 'left' | 'right'
  label: string
  onClose: () => void
  /** Keep the content while closed: it holds something that must go on. */
  keepMounted?: boolean
  children: ReactNode
}

/** A pane over the conversation, where the window is too narrow for both. */
export function Drawer({ open, side, label, onClose, keepMounted, children }: DrawerProps) {
  const popup = useRef<HTMLDivElement>(null)
  return (
    <Dialog.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Dialog.Portal keepMounted={keepMounted}>
        <Dialog.Backdrop className="fixed inset-0 z-30 bg-ink/25 dark:bg-bg/75" />
        <Dialog.Popup
          ref={popup}
          aria-label={label}
          initialFocus={popup}
          className={clsx(
            'fixed top-0 bottom-6.5 z-30 flex flex-col overflow-hidden border-line-strong bg-bg shadow-float outline-none transition-transform duration-150 ease-out',
            side === 'left'
              ? 'left-0 w-66 border-r data-ending-style:-translate-x-full data-starting-style:-translate-x-full'
              : 'right-0 w-110 border-l data-ending-style:translate-x-full data-starting-style:translate-x-full',
            'max-w-[calc(100vw-40px)]',
          )}
        >
          {children}
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  )
}
