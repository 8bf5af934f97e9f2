import { Keyboard, PanelLeftClose, Plus, Search, Settings } from 'lucide-react'
import { type KeyboardEvent, lazy, Suspense, useDeferredValue, useMemo, useRef } from 'react'
import { BrandMark } from '../../components/Brand'
import { Button } from '../../components/Button'
import { IconButton } from '../../components/IconButton'
import { Kbd } from '../../components/Kbd'
import { Skeleton } from '../../components/Skeleton'
import { IS_MAC, MOD } from '../../lib/keys'
import { useApp } from '../../stores/app'
import { setDrawer, setSearch, showDialog, useUi } from '../../stores/ui'
import { SEARCH_ID } from '../search/open-search'
import { matches } from './groups'
import { SessionList } from './SessionList'

const SearchResults = lazy(async () => ({ default: (await import('../search/SearchResults')).SearchResults }))

export function Sidebar({ onHide }: { onHide: () => void }) {
  const sessions = useApp((app) => app.sessions)
  const loaded = useApp((app) => app.sessionsLoaded)
  const refused = useApp((app) => app.connection === 'refused')
  const open = useApp((app) => app.actions.open)
  const query = useUi((ui) => ui.search)
  const search = useDeferredValue(query)
  const found = useMemo(() => sessions.filter((session) => matches(session, search)), [sessions, search])
  const listed = useMemo(() => new Set(found.map((session) => session.id)), [found])
  const nav = useRef<HTMLElement>(null)

  function onSearchKey(event: KeyboardEvent): void {
    if (event.nativeEvent.isComposing) return
    const first = nav.current?.querySelector<HTMLElement>('[data-session-row]')
    if (event.key === 'ArrowDown') first?.focus()
    else if (event.key === 'Enter') first?.click()
    else if (event.key === 'Escape' && query) setSearch('')
    else return
    event.preventDefault()
  }

  /** Arrows move through everything that can be opened, sessions and hits. */
  function onRowKey(event: KeyboardEvent): void {
    const step = { ArrowDown: 1, ArrowUp: -1, Home: Number.NEGATIVE_INFINITY, End: Number.POSITIVE_INFINITY }[event.key]
    const here = event.target instanceof HTMLElement ? event.target.closest('li') : null
    if (step === undefined || !here) return
    const rows = [...event.currentTarget.querySelectorAll<HTMLElement>('[data-session-row]')]
    const at = rows.findIndex((row) => here.contains(row))
    if (at + step < 0 && event.key === 'ArrowUp' && query) document.getElementById(SEARCH_ID)?.focus()
    else rows[Math.max(0, Math.min(rows.length - 1, at + step))]?.focus()
    event.preventDefault()
  }

  function startNew(): void {
    open(null)
    setDrawer(null)
  }

  return (
    <nav
      ref={nav}
      aria-label="Sessions"
      onKeyDown={onRowKey}
      className="flex h-full min-h-0 flex-col bg-sunken px-2 pt-2"
    >
      <div className="flex h-7.5 items-center gap-2 pl-2 font-semibold">
        <BrandMark />
        ML Intern
        <IconButton
          icon={PanelLeftClose}
          label="Hide sessions"
          keys={[MOD, 'B']}
          onClick={onHide}
          className="ml-auto text-ink-3"
        />
      </div>
      <Button onClick={startNew} className="mt-2 justify-start px-2.5!">
        <Plus size={15} strokeWidth={2} aria-hidden /> New session
      </Button>
      <div className="relative mt-2">
        <Search
          size={14}
          className="pointer-events-none absolute top-1/2 left-2.5 -translate-y-1/2 text-ink-3"
          aria-hidden
        />
        <input
          id={SEARCH_ID}
          type="search"
          value={query}
          placeholder="Search sessions"
          aria-label="Search sessions"
          aria-keyshortcuts={IS_MAC ? 'Meta+K' : 'Control+K'}
          onChange={(event) => setSearch(event.target.value)}
          onKeyDown={onSearchKey}
          className="peer h-7.5 w-full rounded-md border border-line bg-raised pr-2 pl-8 focus-visible:outline-offset-0 [&::-webkit-search-cancel-button]:hidden"
        />
        {!query && (
          <Kbd
            keys={[MOD, 'K']}
            className="pointer-events-none absolute top-1/2 right-2 -translate-y-1/2 peer-focus:hidden"
          />
        )}
      </div>
      <div className="-mx-2 min-h-0 flex-1 overflow-y-auto px-2 pb-3">
        {!loaded && !refused && <LoadingRows />}
        {loaded && sessions.length === 0 && <NoSessions />}
        {found.length > 0 && <SessionList sessions={found} />}
        {query.trim() !== '' && sessions.length > 0 && (
          <Suspense fallback={null}>
            <SearchResults query={query} listed={listed} onClear={() => setSearch('')} />
          </Suspense>
        )}
      </div>
      <div className="-mx-2 flex items-center gap-1 border-t border-line px-2 py-1.5">
        <button
          type="button"
          onClick={() => showDialog('settings')}
          className="row-hover flex h-7.5 flex-1 items-center gap-2 rounded-md px-2 text-ink-2 hover:text-ink"
        >
          <Settings size={15} strokeWidth={1.75} aria-hidden /> Settings
        </button>
        <IconButton
          icon={Keyboard}
          label="Keyboard shortcuts"
          keys={['?']}
          side="top"
          onClick={() => showDialog('shortcuts')}
        />
      </div>
    </nav>
  )
}

function NoSessions() {
  return (
    <div className="px-2 pt-4">
      <p className="font-medium">No sessions yet</p>
      <p className="mt-1 text-ink-2">What you start appears here, grouped by folder.</p>
    </div>
  )
}

function LoadingRows() {
  return (
    <div role="status" aria-label="Loading sessions" className="flex flex-col gap-3 px-2 pt-5">
      {['w-24', 'w-44', 'w-36', 'w-40'].map((width) => (
        <Skeleton key={width} className={`h-3 ${width}`} />
      ))}
    </div>
  )
}
