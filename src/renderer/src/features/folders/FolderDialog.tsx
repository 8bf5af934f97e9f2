import { CornerLeftUp, Folder } from 'lucide-react'
import { type FormEvent, type KeyboardEvent, useEffect, useRef, useState } from 'react'
import { FailureBanner } from '../../components/Banner'
import { Button } from '../../components/Button'
import { IconButton } from '../../components/IconButton'
import { Modal, ModalActions } from '../../components/Modal'
import { Skeleton } from '../../components/Skeleton'
import { TextField } from '../../components/TextField'
import { baseName } from '../../lib/format'
import { useFolders } from './useFolders'

interface FolderDialogProps {
  open: boolean
  /** Where to start; empty: the default folder. */
  start: string
  /** Folders worked in before, newest first. */
  recent: string[]
  onChoose: (path: string) => void
  onClose: () => void
}

export function FolderDialog({ open, onClose, ...rest }: FolderDialogProps) {
  const field = useRef<HTMLInputElement>(null)
  return (
    <Modal
      open={open}
      onClose={onClose}
      title="Choose a working folder"
      description="ML Intern reads and writes files here, and runs commands in it."
      width="560px"
      initialFocus={field}
    >
      <Chooser {...rest} field={field} onClose={onClose} />
    </Modal>
  )
}

interface ChooserProps extends Omit<FolderDialogProps, 'open'> {
  field: React.RefObject<HTMLInputElement | null>
}

function Chooser({ start, recent, field, onChoose, onClose }: ChooserProps) {
  const { listing, failure, loading, go } = useFolders(start)
  const [typed, setTyped] = useState(start)
  const list = useRef<HTMLUListElement>(null)
  /** The user is typing: a listing that arrives meanwhile must not take their path away. */
  const typing = useRef(false)
  const edited = typed.trim() !== (listing?.path ?? start)

  useEffect(() => {
    if (listing && !typing.current) setTyped(listing.path)
  }, [listing])

  function open(path: string): void {
    typing.current = false
    go(path)
  }

  function submit(event: FormEvent): void {
    event.preventDefault()
    if (edited || failure) open(typed.trim())
    else if (listing) onChoose(listing.path)
  }

  function onListKey(event: KeyboardEvent): void {
    const rows = [...(list.current?.querySelectorAll('button') ?? [])]
    const at = rows.findIndex((row) => row.contains(document.activeElement))
    const step = { ArrowDown: 1, ArrowUp: -1, Home: Number.NEGATIVE_INFINITY, End: Number.POSITIVE_INFINITY }[event.key]
    if (event.key === 'ArrowLeft' && listing?.parent) open(listing.parent)
    else if (event.key === 'ArrowRight' && at >= 0) rows[at]?.click()
    else if (step !== undefined) rows[Math.max(0, Math.min(rows.length - 1, at + step))]?.focus()
    else return
    event.preventDefault()
  }

  return (
    <form onSubmit={submit} className="flex min-h-0 flex-col">
      <div className="flex items-center gap-2 px-5">
        <IconButton
          icon={CornerLeftUp}
          label="Parent folder"
          disabled={!listing?.parent}
          onClick={() => listing?.parent && open(listing.parent)}
        />
        <TextField
          ref={field}
          value={typed}
          aria-label="Path"
          aria-invalid={failure !== null}
          className="font-mono text-sm!"
          onChange={(event) => {
            typing.current = true
            setTyped(event.target.value)
          }}
          onKeyDown={(event) => {
            if (event.key !== 'ArrowDown') return
            event.preventDefault()
            list.current?.querySelector('button')?.focus()
          }}
        />
      </div>
      {recent.length > 0 && (
        <div className="flex flex-wrap items-center gap-1.5 px-5 pt-2 text-sm text-ink-3">
          Recent
          {recent.map((path) => (
            <button
              key={path}
              type="button"
              title={path}
              onClick={() => open(path)}
              className="max-w-40 truncate rounded-md border border-line px-1.5 py-px text-ink-2 hover:border-line-strong hover:text-ink"
            >
              {baseName(path)}
            </button>
          ))}
        </div>
      )}
      <div className="mx-5 mt-3 h-72 min-h-30 shrink overflow-y-auto rounded-md border border-line bg-bg p-1">
        {failure && <FailureBanner failure={failure} className="m-2" />}
        {!failure && loading && !listing && <Loading />}
        {!failure && listing && (
          <ul ref={list} aria-label={`Folders in ${listing.path}`} aria-busy={loading} onKeyDown={onListKey}>
            {listing.folders.map((name) => (
              <li key={name}>
                <button
                  type="button"
                  onClick={() => open(joinPath(listing.path, name))}
                  className="row-hover flex h-7 w-full items-center gap-2 rounded-sm px-2 text-left"
                >
                  <Folder size={14} strokeWidth={1.75} className="shrink-0 text-ink-3" aria-hidden />
                  <span className="truncate">{name}</span>
                </button>
              </li>
            ))}
            {listing.folders.length === 0 && <li className="p-2 text-ink-2">There are no folders in this one.</li>}
            {listing.truncated && (
              <li className="p-2 text-ink-2">There are more folders than fit here: type the path above.</li>
            )}
          </ul>
        )}
      </div>
      <div className="pt-2" />
      <ModalActions>
        <Button onClick={onClose}>Cancel</Button>
        {edited || failure ? (
          <Button type="submit" look="primary" disabled={typed.trim() === '' || loading}>
            Go to this path
          </Button>
        ) : (
          <Button type="submit" look="primary" disabled={!listing}>
            Choose {listing ? `“${baseName(listing.path)}”` : ''}
          </Button>
        )}
      </ModalActions>
    </form>
  )
}

function Loading() {
  return (
    <div role="status" aria-label="Reading the folder" className="flex flex-col gap-3 p-3">
      {['w-40', 'w-52', 'w-32'].map((width) => (
        <Skeleton key={width} className={`h-3 ${width}`} />
      ))}
    </div>
  )
}

function joinPath(folder: string, name: string): string {
  const separator = folder.includes('\\') && !folder.includes('/') ? '\\' : '/'
  return folder.endsWith(separator) ? `${folder}${name}` : `${folder}${separator}${name}`
}
