import { AlertDialog } from '@base-ui/react/alert-dialog'
import { type ReactNode, useRef, useState } from 'react'
import { type BridgeFailure, failureOf } from '../bridge/bridge'
import { FailureBanner } from './Banner'
import { Button } from './Button'

interface ConfirmDialogProps {
  open: boolean
  title: string
  children: ReactNode
  confirm: string
  /** Rejects with a failure to keep the dialog open and say why. */
  onConfirm: () => Promise<void>
  onClose: () => void
}

/** A question before something that cannot be taken back. The safe answer has the focus. */
export function ConfirmDialog({ open, title, children, confirm, onConfirm, onClose }: ConfirmDialogProps) {
  const [failure, setFailure] = useState<BridgeFailure | null>(null)
  const [busy, setBusy] = useState(false)
  const cancel = useRef<HTMLButtonElement>(null)

  async function run(): Promise<void> {
    setBusy(true)
    setFailure(null)
    try {
      await onConfirm()
      onClose()
    } catch (thrown) {
      setFailure(failureOf(thrown))
    } finally {
      setBusy(false)
    }
  }

  function close(): void {
    setFailure(null)
    onClose()
  }

  return (
    <AlertDialog.Root open={open} onOpenChange={(next) => !next && close()}>
      <AlertDialog.Portal>
        <AlertDialog.Backdrop className="fixed inset-0 z-40 bg-ink/25 dark:bg-bg/75" />
        <AlertDialog.Popup
          data-modal
          initialFocus={cancel}
          className="fixed top-1/2 left-1/2 z-40 w-100 max-w-[calc(100vw-32px)] -translate-1/2 rounded-lg border border-line-strong bg-raised p-5 shadow-float"
        >
          <AlertDialog.Title className="text-title font-semibold">{title}</AlertDialog.Title>
          <AlertDialog.Description className="mt-1.5 break-words text-ink-2">{children}</AlertDialog.Description>
          {failure && <FailureBanner failure={failure} className="mt-3" />}
          <div className="mt-5 flex justify-end gap-2">
            <Button ref={cancel} onClick={close}>
              Cancel
            </Button>
            <Button look="danger" disabled={busy} onClick={() => void run()}>
              {confirm}
            </Button>
          </div>
        </AlertDialog.Popup>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  )
}
