import type { TerminalInfo } from '@shared/terminals'
import { useEffect, useRef, useState } from 'react'
import { type BridgeFailure, call, failureOf } from '../../bridge/bridge'
import { FailureBanner } from '../../components/Banner'
import { Button } from '../../components/Button'
import { ConfirmDialog } from '../../components/ConfirmDialog'
import { reportFailure, say } from '../../stores/ui'
import { safeLink } from '../chat/markdown-rules'
import { attachTerminal, tell } from './attach'
import { cleanPaste, InputQueue, MAX_PASTE, type PasteQuestion, pasteQuestion } from './input'
import { type LiveScreen, openLive } from './live-terminal'
import { HIDE_CURSOR, terminalFontLoaded } from './open-terminal'
import { SearchBar } from './SearchBar'
import { TerminalFooter } from './TerminalFooter'
import { titleOf } from './tabs'

interface LiveTerminalProps {
  session: string
  info: TerminalInfo
  /** On screen: one that nobody sees is not attached, so that it never holds its program back. */
  live: boolean
  readOnly: boolean
  /** For screen readers: the terminal says what is printed. */
  spoken: boolean
  /** Takes the keyboard as soon as it is there. */
  focused: boolean
  searching: boolean
  onSearching: (searching: boolean) => void
  onSpoken: () => void
  onStop: () => void
  onTyped: () => void
  onLeave: () => void
  /** Begins anew after a failure. */
  onRetry: () => void
}

/** One terminal, live. Another terminal is another component: give it a key. */
export function LiveTerminal(props: LiveTerminalProps) {
  const { session, info, live, readOnly, spoken, focused, searching, onSearching, onSpoken, onStop, onRetry } = props
  const { id } = info
  const host = useRef<HTMLDivElement>(null)
  const latest = useRef(props)
  const attached = useRef(false)
  const [screen, setScreen] = useState<LiveScreen | null>(null)
  const [ready, setReady] = useState(false)
  const [failure, setFailure] = useState<BridgeFailure | null>(null)
  const [link, setLink] = useState<string | null>(null)
  const [typing, setTyping] = useState(false)
  const [selected, setSelected] = useState(false)
  const [paste, setPaste] = useState<{ text: string; question: PasteQuestion } | null>(null)
  const running = info.state === 'running'

  useEffect(() => {
    latest.current = props
  })

  useEffect(() => {
    const element = host.current
    if (!element) return
    let opened: LiveScreen | null = null
    let gone = false
    const { info: first } = latest.current
    const input = new InputQueue(
      (data) => call('terminals.input', { session, id, data }),
      (thrown) => reportFailure('What you typed did not reach the terminal.', thrown),
    )
    const isOpen = (): boolean => latest.current.info.state === 'running' && !latest.current.readOnly
    void terminalFontLoaded().then(() => {
      if (gone) return
      const label = `${first.kind === 'shell' ? 'Shell' : 'Command'} ${titleOf(first)}`
      opened = openLive(element, first, label, {
        onInput: (data) => {
          if (!isOpen()) return
          input.write(data)
          latest.current.onTyped()
        },
        onPaste: (raw) => {
          const text = cleanPaste(raw)
          if (!isOpen() || text === '') return
          if (text.length > MAX_PASTE) {
            say(
              'That is too much to paste.',
              'Save it as a file in the folder, and use the file. The limit is a million characters.',
            )
            return
          }
          const question = pasteQuestion(text)
          if (question === null) opened?.terminal.paste(text)
          else setPaste({ text, question })
        },
        onSize: (cols, rows) => {
          // Before it is attached there is nobody to tell: attaching says the size.
          if (attached.current && isOpen()) resize(session, id, cols, rows)
        },
        onLink: (address) => setLink(address === null ? null : safeLink(address)),
        onSelection: setSelected,
        onFocus: setTyping,
        onSearch: () => latest.current.onSearching(true),
        onLeave: () => latest.current.onLeave(),
      })
      setScreen(opened)
    })
    return () => {
      gone = true
      input.clear()
      opened?.dispose()
      setScreen(null)
    }
  }, [session, id])

  useEffect(() => {
    if (!screen || !live) return
    setFailure(null)
    let detach: (() => void) | null = null
    const onReady = (shown: TerminalInfo): void => {
      attached.current = true
      setReady(true)
      const { cols, rows } = screen.terminal
      // The pane got another size while the answer was on its way.
      if (shown.state === 'running' && !latest.current.readOnly && (cols !== shown.cols || rows !== shown.rows)) {
        resize(session, id, cols, rows)
      }
    }
    const onFailure = (thrown: unknown): void => {
      const failed = failureOf(thrown)
      if (failed.code !== 'disconnected') setFailure(failed)
    }
    // With the next frame: a pane that is being shown has its size then.
    const frame = requestAnimationFrame(() => {
      screen.fit()
      detach = attachTerminal({ session, id, screen, onReady, onFailure })
    })
    return () => {
      cancelAnimationFrame(frame)
      attached.current = false
      setReady(false)
      detach?.()
    }
  }, [screen, live, session, id])

  useEffect(() => {
    if (!screen) return
    screen.terminal.options.disableStdin = readOnly || !running
    screen.terminal.options.screenReaderMode = spoken
  }, [screen, readOnly, running, spoken])

  useEffect(() => {
    // Nothing is typed into what has ended.
    if (ready && !running) screen?.terminal.write(HIDE_CURSOR)
  }, [ready, running, screen])

  useEffect(() => {
    if (ready && focused) screen?.terminal.focus()
  }, [ready, focused, screen])

  function closeSearch(): void {
    onSearching(false)
    screen?.terminal.focus()
  }

  return (
    <div className="flex h-full min-h-0 flex-col">
      {searching && screen && <SearchBar screen={screen} onClose={closeSearch} />}
      {failure && (
        <FailureBanner
          failure={failure}
          className="m-3"
          action={
            <Button size="sm" onClick={onRetry}>
              Try again
            </Button>
          }
        />
      )}
      <div className="min-h-0 flex-1 py-2 pr-1 pl-4">
        <div ref={host} className="h-full overflow-hidden" aria-busy={live && !ready && !failure} />
      </div>
      <TerminalFooter
        info={info}
        link={link}
        typing={typing && !readOnly}
        readOnly={readOnly}
        spoken={spoken}
        onSpoken={onSpoken}
        onSearch={() => onSearching(!searching)}
        onStop={running && !readOnly ? onStop : null}
        onCopy={selected ? () => void copy(screen) : null}
      />
      {paste && (
        <ConfirmDialog
          open
          title="Paste into the terminal?"
          confirm="Paste"
          onClose={() => setPaste(null)}
          onConfirm={async () => {
            screen?.terminal.paste(paste.text)
            screen?.terminal.focus()
          }}
        >
          {paste.question.said}
          <span className="mt-2 block max-h-60 overflow-y-auto rounded-md border border-line bg-sunken px-2.5 py-1.5 font-mono text-xs leading-relaxed break-all whitespace-pre-wrap">
            {paste.question.shown}
          </span>
        </ConfirmDialog>
      )}
    </div>
  )
}

async function copy(screen: LiveScreen | null): Promise<void> {
  try {
    await screen?.copy()
  } catch (thrown) {
    reportFailure('The selection was not copied.', thrown)
  }
}

function resize(session: string, id: string, cols: number, rows: number): void {
  tell(call('terminals.resize', { session, id, cols: clamp(cols, 2, 1000), rows: clamp(rows, 1, 500) }))
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value))
}
