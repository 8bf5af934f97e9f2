import type { FileChange } from '@shared/checkpoints'
import { clsx } from 'clsx'
import { useEffect, useMemo, useState } from 'react'
import { type BridgeFailure, call, failureOf } from '../../bridge/bridge'
import { FailureBanner } from '../../components/Banner'
import { Button } from '../../components/Button'
import { Skeleton } from '../../components/Skeleton'
import { Changes } from '../chat/Changes'
import { Chevron } from '../chat/Chevron'
import { DiffView } from '../chat/DiffView'

interface FileRowProps {
  session: string
  turn: string
  file: FileChange
  /** Changes when the turn may have changed the file again. */
  version: string
}

const KINDS: Record<FileChange['kind'], { letter: string; said: string; ink: string }> = {
  added: { letter: 'A', said: 'Added', ink: 'text-ok' },
  changed: { letter: 'M', said: 'Changed', ink: 'text-info' },
  deleted: { letter: 'D', said: 'Deleted', ink: 'text-bad' },
}

/** A changed file; a press shows how. */
export function FileRow({ session, turn, file, version }: FileRowProps) {
  const [open, setOpen] = useState(false)
  const { letter, said, ink } = KINDS[file.kind]
  const at = file.path.lastIndexOf('/') + 1
  return (
    <li>
      <button
        type="button"
        aria-expanded={open}
        title={file.path}
        onClick={() => setOpen(!open)}
        className="flex h-7 w-full items-center gap-2.5 rounded-sm px-1.5 text-left text-sm hover:bg-ink/4"
      >
        <span className={clsx('w-3 shrink-0 text-center font-mono text-xs font-semibold', ink)}>
          <span aria-hidden>{letter}</span>
          <span className="sr-only">{said}: </span>
        </span>
        <span className="flex min-w-0 flex-1 font-mono text-xs">
          <span className="min-w-0 truncate text-ink-3">{file.path.slice(0, at)}</span>
          <span className={clsx('max-w-full shrink-0 truncate', file.kind === 'deleted' && 'line-through')}>
            {file.path.slice(at)}
          </span>
        </span>
        {file.added === null && file.removed === null ? (
          <span className="shrink-0 text-xs text-ink-3">not text</span>
        ) : (
          <Changes added={file.added ?? 0} removed={file.removed ?? 0} />
        )}
        <Chevron open={open} />
      </button>
      {open && <FileDiffBox session={session} turn={turn} path={file.path} version={version} />}
    </li>
  )
}

type Shown = { patch: string; truncated: boolean } | BridgeFailure | null

interface FileDiffBoxProps {
  session: string
  turn: string
  path: string
  version: string
}

function FileDiffBox({ session, turn, path, version }: FileDiffBoxProps) {
  const [shown, setShown] = useState<Shown>(null)
  const [attempt, setAttempt] = useState(0)
  // Another object is another question; what is shown stays until its answer is here.
  const request = useMemo(
    () => ({ id: session, user_message_id: turn, path, version, attempt }),
    [session, turn, path, version, attempt],
  )

  useEffect(() => {
    let gone = false
    const { id, user_message_id } = request
    call('session.changeDiff', { id, user_message_id, path: request.path }).then(
      (diff) => !gone && setShown(diff),
      (thrown: unknown) => !gone && setShown(failureOf(thrown)),
    )
    return () => {
      gone = true
    }
  }, [request])

  if (shown === null) {
    return (
      <div role="status" aria-label="Loading the diff" className="px-1.5 py-2">
        <Skeleton className="h-16 w-full" />
      </div>
    )
  }
  if (shown instanceof Error) {
    return (
      <FailureBanner
        failure={shown}
        className="my-1.5"
        action={
          <Button size="sm" onClick={() => setAttempt((n) => n + 1)}>
            Try again
          </Button>
        }
      />
    )
  }
  return (
    <div className="mt-0.5 mb-2 overflow-hidden rounded-md border border-line bg-raised">
      {shown.patch.trim() === '' ? (
        <p className="px-3.5 py-2 text-sm text-ink-2">There is no text to compare.</p>
      ) : (
        <DiffView patch={shown.patch} />
      )}
      {shown.truncated && (
        <p className="border-t border-line px-3.5 py-1.5 text-sm text-ink-2">
          The diff is cut here: the file is large.
        </p>
      )}
    </div>
  )
}
