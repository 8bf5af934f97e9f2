import type { TurnChanges } from '@shared/checkpoints'
import { Info } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { FailureBanner } from '../../components/Banner'
import { Button } from '../../components/Button'
import { Skeleton } from '../../components/Skeleton'
import { useNow } from '../../hooks/useNow'
import { formatAgo } from '../../lib/format'
import { Changes } from '../chat/Changes'
import { plural } from '../chat/tool-text'
import { FileRow } from './FileRow'
import { RewindDialog } from './RewindDialog'
import { retryChanges, useChanges } from './store'
import { firstLine, type Turn, totals } from './turns'
import { useTurnChanges } from './useTurnChanges'

/** Files of a turn that are drawn before the user asks for all of them. */
const FIRST_FILES = 100
const MINUTE = 60_000

interface TurnSectionProps {
  session: string
  turn: Turn
  turns: Turn[]
  active: boolean
  /** Why nothing can be rewound now; null when it can. */
  blocked: string | null
}

/** What one turn changed, and the way back to before it. */
export function TurnSection({ session, turn, turns, active, blocked }: TurnSectionProps) {
  const loaded = useTurnChanges(session, turn, active)
  const [target, setTarget] = useState<'files' | 'both' | null>(null)
  const now = useNow(MINUTE)
  const section = useRef<HTMLElement>(null)
  const wanted = useChanges(({ focus }) => focus?.session === session && focus.turn === turn.id)

  useEffect(() => {
    if (!wanted || !active) return
    section.current?.scrollIntoView({ block: 'start' })
    section.current?.focus({ preventScroll: true })
    useChanges.setState({ focus: null })
  }, [wanted, active])

  const changes = loaded?.changes
  const time = changes?.recorded_at ?? turn.message?.time
  const title = turn.message ? firstLine(turn.message.text) : 'A message that was taken back'
  const sum = changes ? totals(changes.files) : null
  // A turn whose message is gone and that changes nothing any more says nothing to anybody.
  if (!turn.message && changes?.files.length === 0) return null
  return (
    <section ref={section} tabIndex={-1} aria-label={title} className="border-b border-line px-4 py-3 outline-none">
      <header className="flex items-baseline gap-2">
        <h3 className="min-w-0 flex-1 truncate font-medium" title={title}>
          {title}
        </h3>
        {time && (
          <time
            dateTime={time}
            title={new Date(time).toLocaleString('en')}
            className="tabular shrink-0 text-xs text-ink-3"
          >
            {formatAgo(time, now)}
          </time>
        )}
      </header>
      {changes && (
        <p className="mt-0.5 flex items-center gap-2 text-sm text-ink-2">
          {changes.files.length === 0 ? 'No files are different' : plural(changes.files.length, 'file')}
          {sum && <Changes added={sum.added} removed={sum.removed} />}
        </p>
      )}
      {loaded?.failure && (
        <FailureBanner
          failure={loaded.failure}
          className="mt-2"
          action={
            <Button size="sm" onClick={() => retryChanges(session, turn.id)}>
              Try again
            </Button>
          }
        />
      )}
      {!changes && !loaded?.failure && (
        <div role="status" aria-label="Loading the changes" className="mt-2">
          <Skeleton className="h-4 w-3/5" />
          <Skeleton className="mt-2 h-4 w-2/5" />
        </div>
      )}
      {changes && <Files session={session} turn={turn.id} changes={changes} version={loaded.version} />}
      {changes?.left_out.map((sentence) => (
        <p key={sentence} className="mt-1.5 flex items-start gap-2 text-sm text-ink-2">
          <Info size={13} strokeWidth={1.75} className="mt-[2.5px] shrink-0 text-ink-3" aria-hidden />
          <span className="min-w-0 break-words">{sentence}</span>
        </p>
      ))}
      {changes && (
        <div className="mt-2 flex flex-wrap gap-1.5">
          <Action label="Rewind files" blocked={blocked} onClick={() => setTarget('files')} />
          {turn.message && (
            <Action label="Rewind files and conversation" blocked={blocked} onClick={() => setTarget('both')} />
          )}
        </div>
      )}
      {target && (
        <RewindDialog session={session} turns={turns} turn={turn} target={target} onClose={() => setTarget(null)} />
      )}
    </section>
  )
}

interface FilesProps {
  session: string
  turn: string
  changes: TurnChanges
  version: string
}

function Files({ session, turn, changes, version }: FilesProps) {
  const [all, setAll] = useState(false)
  const { files } = changes
  const shown = all ? files : files.slice(0, FIRST_FILES)
  return (
    <>
      <ul className="-mx-1.5 mt-1.5">
        {shown.map((file) => (
          <FileRow key={file.path} session={session} turn={turn} file={file} version={version} />
        ))}
      </ul>
      {shown.length < files.length && (
        <Button size="sm" look="quiet" className="mt-1" onClick={() => setAll(true)}>
          Show {plural(files.length - shown.length, 'more file')}
        </Button>
      )}
    </>
  )
}

interface ActionProps {
  label: string
  blocked: string | null
  onClick: () => void
}

/** Stays reachable while it cannot be pressed, and says why. */
function Action({ label, blocked, onClick }: ActionProps) {
  return (
    <Button
      size="sm"
      aria-disabled={blocked !== null}
      title={blocked === null ? undefined : `Not now: ${blocked}`}
      className="aria-disabled:cursor-not-allowed aria-disabled:opacity-45"
      onClick={() => blocked === null && onClick()}
    >
      {label}
    </Button>
  )
}
