import { X } from 'lucide-react'
import { useMemo, useState } from 'react'
import { Banner } from '../../components/Banner'
import { Button } from '../../components/Button'
import { IconButton } from '../../components/IconButton'
import { Skeleton } from '../../components/Skeleton'
import { submit, useSessionPart } from '../../stores/sessions'
import { reportFailure } from '../../stores/ui'
import { useBlocked } from '../chat/MessageActions'
import { plural } from '../chat/tool-text'
import { useReadOnly } from '../chat/useReadOnly'
import { setRewind, useChanges } from './store'
import { TurnSection } from './TurnSection'
import { turnsOf } from './turns'
import { useRewinds } from './useTurnChanges'

/** Turns that are looked up at once: each is a comparison of folders. */
const PAGE = 10

interface ChangesPaneProps {
  id: string
  /** The pane is on screen: what nobody sees is not asked for. */
  active: boolean
}

/** What each turn changed in the working folder, newest first. */
export function ChangesPane({ id, active }: ChangesPaneProps) {
  const items = useSessionPart(id, (state) => state?.items)
  const checkpoints = useSessionPart(id, (state) => state?.checkpoints)
  const turns = useMemo(() => (items && checkpoints ? turnsOf(items, checkpoints) : null), [items, checkpoints])
  const busy = useBlocked(id)
  const readOnly = useReadOnly(id)
  const focus = useChanges((store) => (store.focus?.session === id ? store.focus.turn : null))
  const [pages, setPages] = useState(1)
  useRewinds(id)

  if (!turns) {
    return (
      <div role="status" aria-label="Loading the changes" className="p-4">
        <Skeleton className="h-4 w-3/5" />
        <Skeleton className="mt-2 h-4 w-4/5" />
      </div>
    )
  }
  if (turns.length === 0) return <Empty />
  const blocked = readOnly ? 'another process has this session open' : busy
  const asked = turns.findIndex((turn) => turn.id === focus)
  const count = Math.max(pages * PAGE, asked + 1)
  const shown = turns.slice(0, count)
  return (
    <section aria-label="Changes" className="h-full overflow-y-auto">
      <UndoBar id={id} blocked={blocked} />
      {blocked !== null && (
        <p className="border-b border-line bg-sunken px-4 py-1.5 text-sm text-ink-2">
          Nothing can be rewound now: {blocked}.
        </p>
      )}
      {shown.map((turn) => (
        <TurnSection key={turn.id} session={id} turn={turn} turns={turns} active={active} blocked={blocked} />
      ))}
      {shown.length < turns.length && (
        <div className="p-3 text-center">
          <Button size="sm" look="quiet" onClick={() => setPages(Math.ceil(count / PAGE) + 1)}>
            Show older turns ({turns.length - shown.length})
          </Button>
        </div>
      )}
    </section>
  )
}

/** After a rewind: what it did, and the way back. */
function UndoBar({ id, blocked }: { id: string; blocked: string | null }) {
  const rewind = useChanges((store) => store.rewinds[id])
  const [undoing, setUndoing] = useState(false)
  if (!rewind) return null

  async function undo(undo_id: string): Promise<void> {
    setUndoing(true)
    try {
      await submit(id, { op: 'undo_rewind', undo_id })
      setRewind(id, null)
    } catch (thrown) {
      reportFailure('The rewind was not taken back.', thrown)
    } finally {
      setUndoing(false)
    }
  }

  return (
    <Banner
      tone={rewind.problems.length > 0 ? 'warn' : 'info'}
      title={`${plural(rewind.files, 'file')} rewound`}
      className="m-3"
      action={
        <>
          <Button
            size="sm"
            disabled={undoing || blocked !== null}
            title={blocked === null ? undefined : `Not now: ${blocked}`}
            onClick={() => void undo(rewind.undo_id)}
          >
            Undo
          </Button>
          <IconButton icon={X} label="Dismiss" className="-my-0.5 -mr-1.5" onClick={() => setRewind(id, null)} />
        </>
      }
    >
      {rewind.problems.length > 0 && rewind.problems.map((problem) => <p key={problem}>{problem}</p>)}
    </Banner>
  )
}

function Empty() {
  return (
    <div className="grid h-full place-items-center p-6 text-center">
      <div className="max-w-64">
        <p className="font-medium">No changes yet</p>
        <p className="mt-1 text-balance text-ink-2">
          What each turn changes in the working folder is shown here, and can be taken back.
        </p>
      </div>
    </div>
  )
}
