import './chat.css'
import type { SessionState } from '@shared/state'
import { ArrowDown } from 'lucide-react'
import { useEffect, useMemo, useRef, useState } from 'react'
import { Virtualizer, type VirtualizerHandle } from 'virtua'
import { useScrollTarget } from '../search/useScrollTarget'
import { noteDraft, noteTool } from './clocks'
import { followsState, RowView } from './RowView'
import { DraftRows, itemRows, type Row, tailRows } from './rows'
import { TranscriptSessionProvider } from './session-context'
import { useFollow } from './useFollow'

interface TranscriptProps {
  state: SessionState
  /** Offered under the newest error. */
  onRetry?: () => void
}

/** The conversation of one session: what was said, what was done, what goes on. */
export function Transcript({ state, onRetry }: TranscriptProps) {
  // Another session is another list: its scroll position, its measured heights and what is followed start anew.
  return <SessionTranscript key={state.id} state={state} onRetry={onRetry} />
}

function SessionTranscript({ state, onRetry }: TranscriptProps) {
  const scroller = useRef<HTMLElement>(null)
  const list = useRef<VirtualizerHandle>(null)
  const { following, settle, jump, leave } = useFollow(scroller)
  const rows = useRows(state)
  useScrollTarget({ state, rows, list, scroller, leave })
  const { id, cwd } = state
  // Every row depends on this object: it must not change because a parent was drawn again.
  const latestRetry = useRef(onRetry)
  const canRetry = onRetry !== undefined && state.status === 'idle'
  const session = useMemo(
    () => ({ id, cwd, onRetry: canRetry ? () => latestRetry.current?.() : undefined }),
    [id, cwd, canRetry],
  )
  useEffect(() => {
    latestRetry.current = onRetry
  }, [onRetry])

  useEffect(() => noteDraft(state.draft), [state.draft])
  useEffect(() => {
    for (const item of state.items.slice(-RECENT_ITEMS)) if (item.kind === 'tool') noteTool(item)
  }, [state.items])

  // A question with a half-written answer must not be thrown away when it is scrolled out of view.
  const last = rows.length - 1
  const keepMounted = useMemo(() => (last >= 0 ? [last] : []), [last])

  return (
    <TranscriptSessionProvider value={session}>
      <div className="relative min-h-0 flex-1">
        <section
          ref={scroller}
          aria-label="Conversation"
          tabIndex={-1}
          className="transcript absolute inset-0 overflow-x-hidden overflow-y-auto pb-6 -outline-offset-2"
        >
          <Virtualizer
            ref={list}
            scrollRef={scroller}
            data={rows}
            onResize={settle}
            keepMounted={keepMounted}
            bufferSize={400}
          >
            {(row: Row) => (
              <RowView
                key={row.key}
                row={row}
                log={row.kind === 'tool' ? state.live_logs[row.item.call_id] : undefined}
                state={followsState(row) ? state : null}
              />
            )}
          </Virtualizer>
        </section>
        {rows.length === 0 && <Empty cwd={cwd} />}
        {!following && (
          <button
            type="button"
            onClick={jump}
            className="animate-appear absolute bottom-3 left-1/2 flex h-7.5 -translate-x-1/2 items-center gap-1.5 rounded-full border border-line-strong bg-raised px-3 text-sm font-medium shadow-float hover:border-ink-3"
          >
            <ArrowDown size={13} aria-hidden />
            Jump to latest
          </button>
        )}
      </div>
      <Announcer state={state} />
    </TranscriptSessionProvider>
  )
}

function Empty({ cwd }: { cwd: string }) {
  return (
    <div className="absolute inset-0 grid place-items-center p-6 text-center">
      <div className="max-w-110">
        <p className="text-title font-semibold">What should be built?</p>
        <p className="mt-1.5 text-balance text-ink-2">
          Name the data and the goal: “Train a classifier on tickets.csv and report macro-F1.” The agent looks at the
          data, plans, writes the code and runs it in front of you.
        </p>
        {cwd && <p className="mt-3 truncate font-mono text-sm text-ink-3">{cwd}</p>}
      </div>
    </div>
  )
}

/** Calls that can be open at once are at the end. */
const RECENT_ITEMS = 60

function useRows(state: SessionState): Row[] {
  const drafts = useRef<DraftRows>(null)
  drafts.current ??= new DraftRows()
  const finished = useMemo(() => itemRows(state.items), [state.items])
  const draft = state.draft ? drafts.current.rows(state.draft, finished.at(-1)) : []
  const tail = tailRows(state, draft.at(-1) ?? finished.at(-1))
  return [...finished, ...draft, ...tail]
}

/** Characters of a reply that are read out; the rest is read on the page. */
const ANNOUNCED_CHARS = 600

/** Tells screen readers of replies that are finished while the session is open; never of every word. */
function Announcer({ state }: { state: SessionState }) {
  const newest = state.items.findLast((item) => item.kind === 'assistant' && item.text.trim() !== '')
  const [first] = useState(newest?.key)
  const text = newest?.kind === 'assistant' && newest.key !== first ? newest.text.slice(0, ANNOUNCED_CHARS) : ''
  return (
    <p aria-live="polite" className="sr-only">
      {text}
    </p>
  )
}
