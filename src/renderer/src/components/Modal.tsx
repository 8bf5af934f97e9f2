import { Dialog } from '@base-ui/react/dialog'
import { clsx } from 'clsx'
import { X } from 'lucide-react'
import { type ReactNode, type RefObject, useRef } from 'react'
import { IconButton } from './IconButton'

interface ModalProps {
  open: boolean
  onClose: () => void
  title: string
  description?: ReactNode
  /** Width in CSS; never wider than the window. */
  width?: string
  initialFocus?: RefObject<HTMLElement | null>
  children: ReactNode
  className?: string
}

/** A dialog over the window: focus is held inside, Escape and the cross close it, focus goes back where it was. */
export function Modal({
  open,
  onClose,
  title,
  description,
  width = '440px',
  initialFocus,
  children,
  className,
}: ModalProps) {
  const popup = useRef<HTMLDivElement>(null)
  return (
    <Dialog.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="fixed inset-0 z-40 bg-ink/25 transition-opacity duration-100 data-ending-style:opacity-0 data-starting-style:opacity-0 dark:bg-bg/75" />
        <Dialog.Popup
          ref={popup}
          data-modal
          // Without a field to fill in, the dialog itself has the focus: the cross is not what it was opened for.
          initialFocus={initialFocus ?? popup}
          style={{ width }}
          className={clsx(
            'fixed top-1/2 left-1/2 z-40 flex max-h-[calc(100dvh-48px)] max-w-[calc(100vw-32px)] -translate-1/2 flex-col overflow-hidden rounded-lg border border-line-strong bg-raised shadow-float outline-none',
            'transition-opacity duration-100 data-ending-style:opacity-0 data-starting-style:opacity-0',
            className,
          )}
        >
          <header className="flex items-start gap-3 px-5 pt-4 pb-3">
            <div className="min-w-0 flex-1">
              <Dialog.Title className="text-title font-semibold">{title}</Dialog.Title>
              {description && <Dialog.Description className="mt-1 text-ink-2">{description}</Dialog.Description>}
            </div>
            <Dialog.Close render={<IconButton icon={X} label="Close" className="-mt-1 -mr-2" />} />
          </header>
          {children}
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  )
}

/** The buttons at the end of a dialog. */
export function ModalActions({ children }: { children: ReactNode }) {
  return <footer className="flex items-center justify-end gap-2 px-5 pt-2 pb-4">{children}</footer>
}
