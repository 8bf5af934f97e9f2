import { Tabs } from '@base-ui/react/tabs'
import type { TerminalInfo } from '@shared/terminals'
import { useMemo, useRef, useState, useSyncExternalStore } from 'react'
import { call } from '../../bridge/bridge'
import { readStored, writeStored } from '../../lib/storage'
import { useApp } from '../../stores/app'
import { reportFailure } from '../../stores/ui'
import { useReadOnly } from '../chat/useReadOnly'
import { LiveTerminal } from './LiveTerminal'
import { LogPane } from './LogPane'
import { ProcessList } from './ProcessList'
import { LOG_TAB, TerminalTabs } from './TerminalTabs'
import { chooseTab, selectTab, tabsOf } from './tabs'
import { useProcesses } from './useProcesses'
import { useTerminals } from './useTerminals'

interface TerminalPaneProps {
  sessionId: string
  /** The pane is on screen: a hidden terminal draws nothing. */
  active: boolean
}

/** The terminals of the session; where the host has none, what its commands print. */
export function TerminalPane({ sessionId, active }: TerminalPaneProps) {
  const { terminals, add } = useTerminals(sessionId)
  switch (terminals.phase) {
    case 'loading':
      return <div className="h-full" aria-busy />
    case 'unsupported':
      return <LogPane sessionId={sessionId} active={active} />
    case 'live':
      return <LivePane session={sessionId} list={terminals.list} active={active} add={add} />
  }
}

interface LivePaneProps {
  session: string
  list: TerminalInfo[]
  active: boolean
  add: (info: TerminalInfo) => void
}

function LivePane({ session, list, active, add }: LivePaneProps) {
  const [chosen, setChosen] = useState<string | null>(null)
  const [searching, setSearching] = useState(false)
  const [focused, setFocused] = useState<string | null>(null)
  const [attempt, setAttempt] = useState(0)
  const [opening, setOpening] = useState(false)
  const [spoken, setSpoken] = useState(() => readStored('terminalSpoken') === 'on')
  const pane = useRef<HTMLElement>(null)
  const readOnly = useReadOnly(session)
  const connected = useApp((app) => app.connection === 'connected')
  const visible = useSyncExternalStore(onVisibility, isVisible)
  // Without a terminal for each command, what they print is a log, and the shells stand beside it.
  const hasLog = list.every((info) => info.kind === 'shell')
  const selected = hasLog ? (list.find((info) => info.id === chosen) ?? null) : selectTab(list, chosen)
  const tabs = tabsOf(list, selected?.id ?? null)
  const ids = useMemo(() => new Set(list.map((info) => info.id)), [list])
  const running = list.map((info) => `${info.id} ${info.state}`).join()
  const [processes, lookAgain] = useProcesses(session, active && connected, running)

  async function open(): Promise<void> {
    setOpening(true)
    try {
      const info = await call('terminals.open', { session })
      add(info)
      setChosen(info.id)
      setFocused(info.id)
    } catch (thrown) {
      reportFailure('The shell was not opened.', thrown)
    } finally {
      setOpening(false)
    }
  }

  function stop(): void {
    if (!selected) return
    call('terminals.close', { session, id: selected.id }).catch((thrown: unknown) =>
      reportFailure(selected.kind === 'shell' ? 'The shell was not closed.' : 'The command was not stopped.', thrown),
    )
  }

  function show(id: string): void {
    setChosen(id === LOG_TAB ? null : hasLog ? id : chooseTab(list, id))
    setFocused(null)
    setSearching(false)
  }

  return (
    <Tabs.Root
      render={<section ref={pane} aria-label="Terminal" />}
      value={selected?.id ?? LOG_TAB}
      onValueChange={(next: string) => show(next)}
      className="relative flex h-full flex-col"
      onKeyDown={(event) => {
        // The terminal itself has said so to `onSearch`; here for the rest of the pane.
        if (!selected || event.defaultPrevented || !(event.ctrlKey || event.metaKey) || event.shiftKey) return
        if (event.key.toLowerCase() !== 'f') return
        event.preventDefault()
        setSearching(true)
      }}
    >
      <TerminalTabs
        tabs={tabs}
        selected={selected}
        hasLog={hasLog}
        readOnly={readOnly || !connected}
        opening={opening}
        onOpen={() => void open()}
      />
      {processes.length > 0 && (
        <ProcessList
          session={session}
          processes={processes}
          readOnly={readOnly || !connected}
          terminals={ids}
          onWatch={show}
          onChanged={lookAgain}
        />
      )}
      {selected ? (
        <Tabs.Panel key={selected.id} value={selected.id} tabIndex={-1} className="min-h-0 flex-1 outline-none">
          <LiveTerminal
            key={attempt}
            session={session}
            info={selected}
            live={active && visible && connected}
            readOnly={readOnly}
            spoken={spoken}
            focused={focused === selected.id}
            searching={searching}
            onSearching={setSearching}
            onStop={stop}
            onSpoken={() => {
              writeStored('terminalSpoken', spoken ? null : 'on')
              setSpoken(!spoken)
            }}
            // Nobody wants the terminal changed under their hands.
            onTyped={() => setChosen(selected.id)}
            onRetry={() => setAttempt((n) => n + 1)}
            onLeave={() => pane.current?.querySelector<HTMLElement>('[role="tab"][data-active]')?.focus()}
          />
        </Tabs.Panel>
      ) : (
        <Tabs.Panel value={LOG_TAB} tabIndex={-1} className="min-h-0 flex-1 outline-none">
          <LogPane sessionId={session} active={active} label="Output of commands" />
        </Tabs.Panel>
      )}
    </Tabs.Root>
  )
}

/** A browser slows a page in the background down to a word a minute: it must not be what a command waits for. */
function isVisible(): boolean {
  return document.visibilityState === 'visible'
}

function onVisibility(changed: () => void): () => void {
  document.addEventListener('visibilitychange', changed)
  return () => document.removeEventListener('visibilitychange', changed)
}
