import type { SessionState } from '@shared/state'
import { Square } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { Button } from '../../components/Button'
import { getSessionState, onSessionEvent, onSessionSnapshot, submit, useSessionPart } from '../../stores/sessions'
import { reportFailure } from '../../stores/ui'
import { countRunning, hasCommands } from './commands'
import { TerminalFeed } from './feed'
import { type OpenTerminal, openTerminal, terminalFontLoaded } from './open-terminal'

interface LogPaneProps {
  sessionId: string
  /** The pane is on screen: a hidden terminal draws nothing. */
  active: boolean
  /** Its name, where it is a part of the terminal pane. */
  label?: string
}

/** What the commands of a session print, told from its events: for hosts and logs without terminals of their own. */
export function LogPane({ sessionId, active, label = 'Terminal' }: LogPaneProps) {
  const host = useRef<HTMLDivElement>(null)
  const [terminal, setTerminal] = useState<OpenTerminal | null>(null)
  const running = useSessionPart(sessionId, countRunning)
  const used = useSessionPart(sessionId, hasCommands)
  const known = useSessionPart(sessionId, (state) => state !== undefined)

  useEffect(() => {
    const element = host.current
    if (!element) return
    let opened: OpenTerminal | null = null
    let gone = false
    void terminalFontLoaded().then(() => {
      if (gone) return
      opened = openTerminal(element)
      setTerminal(opened)
    })
    return () => {
      gone = true
      opened?.dispose()
      setTerminal(null)
    }
  }, [])

  useEffect(() => {
    terminal?.writer.setPaused(!active)
  }, [terminal, active])

  useEffect(() => {
    if (!terminal || !known) return
    return feedTerminal(terminal, sessionId)
  }, [terminal, sessionId, known])

  return (
    <section aria-label={label} className="relative flex h-full flex-col">
      {running > 0 && (
        <header className="flex h-9 shrink-0 items-center gap-2 border-b border-line pr-2 pl-4 text-sm text-ink-2">
          <span className="tabular">{running === 1 ? '1 command running' : `${running} commands running`}</span>
          <Button
            size="sm"
            look="quiet"
            className="ml-auto"
            title="Stops the turn and every command it runs"
            onClick={() => stop(sessionId)}
          >
            <Square size={10} fill="currentColor" aria-hidden />
            Stop
          </Button>
        </header>
      )}
      <div className="min-h-0 flex-1 py-2 pr-1 pl-4">
        <div ref={host} className="h-full overflow-hidden" />
      </div>
      {!used && (
        <div className="pointer-events-none absolute inset-0 grid place-items-center bg-bg p-6 text-center text-ink-2">
          Commands run here, live.
        </div>
      )}
    </section>
  )
}

/** Shows the session as it is, then every event. Returns the function that ends it. */
function feedTerminal(terminal: OpenTerminal, sessionId: string): () => void {
  const feed = new TerminalFeed((text) => terminal.writer.write(text))
  const show = (state: SessionState): void => {
    terminal.reset()
    feed.rebuild(state)
  }
  const state = getSessionState(sessionId)
  if (state) show(state)
  const stopEvents = onSessionEvent(sessionId, (event) => feed.take(event))
  const stopSnapshots = onSessionSnapshot(sessionId, show)
  return () => {
    stopEvents()
    stopSnapshots()
  }
}

function stop(sessionId: string): void {
  submit(sessionId, { op: 'interrupt' }).catch((thrown: unknown) =>
    reportFailure('The commands were not stopped.', thrown),
  )
}
