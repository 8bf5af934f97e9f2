import type { SearchHit } from '@shared/bridge'
import { useEffect, useState } from 'react'
import { call, failureOf } from '../../bridge/bridge'
import { useNow } from '../../hooks/useNow'
import { formatAgo } from '../../lib/format'
import { useApp } from '../../stores/app'
import { scrollTo, setDrawer } from '../../stores/ui'
import { UNTITLED } from '../sessions/groups'
import { LiveSearch, NOTHING } from './live-search'
import { piecesOf } from './marks'

const MAX_HITS = 40
const RENEW_MS = 60_000

interface SearchResultsProps {
  query: string
  /** Sessions that the list above already names: their titles are not repeated. */
  listed: ReadonlySet<string>
  onClear: () => void
}

/** What was said and done in all sessions that fits the query. */
export function SearchResults({ query, listed, onClear }: SearchResultsProps) {
  const [view, setView] = useState(NOTHING)
  const [search] = useState(
    () => new LiveSearch((text) => call('sessions.search', { query: text, limit: MAX_HITS }), setView),
  )
  const now = useNow(RENEW_MS)
  useEffect(() => search.want(query), [search, query])
  useEffect(() => () => search.close(), [search])

  const hits = (view.result?.hits ?? []).filter((hit) => hit.kind !== 'title' || !listed.has(hit.session))
  const pending = view.result?.pending ?? 0
  return (
    <section aria-label="Found in conversations" aria-busy={view.busy} className="pb-1">
      <h2 className="px-2 pt-3 pb-1 text-xs font-medium text-ink-3">In conversations</h2>
      <ul className="flex flex-col gap-px">
        {hits.map((hit) => (
          <Hit key={`${hit.session} ${hit.seq}`} hit={hit} now={now} />
        ))}
      </ul>
      <p role="status" className="px-2 py-1 text-ink-2">
        {statusOf()}
      </p>
    </section>
  )

  function statusOf() {
    if (view.failure) return failureOf(view.failure).message
    if (view.result === null) return view.busy ? 'Searching…' : ''
    if (pending > 0) return `${pending} ${pending === 1 ? 'session is' : 'sessions are'} still being read…`
    if (hits.length > 0 || view.busy) return ''
    return (
      <>
        {listed.size > 0 ? 'Nothing more' : 'Nothing'} was found for “{view.query}”.{' '}
        <button type="button" className="text-ink underline underline-offset-2" onClick={onClear}>
          Clear the search
        </button>
      </>
    )
  }
}

const KINDS: Record<SearchHit['kind'], string> = {
  title: 'Title',
  user: 'You',
  assistant: 'Reply',
  tool: 'Tool',
  notice: 'Notice',
}

function Hit({ hit, now }: { hit: SearchHit; now: number }) {
  const open = useApp((app) => app.actions.open)

  function show(): void {
    if (hit.seq !== null) scrollTo({ session: hit.session, seq: hit.seq })
    open(hit.session)
    setDrawer(null)
  }

  return (
    <li>
      <button
        type="button"
        data-session-row={hit.session}
        tabIndex={-1}
        onClick={show}
        className="row-hover flex w-full flex-col rounded-md px-2 py-1.5 text-left focus-visible:-outline-offset-1"
      >
        <span className="flex w-full items-baseline gap-2">
          <span className="min-w-0 flex-1 truncate font-medium">{hit.title || UNTITLED}</span>
          <time dateTime={hit.updated_at} className="tabular shrink-0 text-xs text-ink-3">
            {formatAgo(hit.updated_at, now)}
          </time>
        </span>
        <span className="line-clamp-2 text-sm break-words text-ink-2">
          <span className="text-ink-3">{KINDS[hit.kind]}: </span>
          {piecesOf(hit.snippet, hit.marks).map(({ text, marked, at }) =>
            marked ? (
              <mark key={at} className="rounded-[2px] bg-accent-soft font-medium text-ink">
                {text}
              </mark>
            ) : (
              <span key={at}>{text}</span>
            ),
          )}
        </span>
      </button>
    </li>
  )
}
