import { clsx } from 'clsx'
import { ArrowUp, Square } from 'lucide-react'
import { type KeyboardEvent, useId, useLayoutEffect, useRef, useState } from 'react'
import { FailureBanner } from '../../components/Banner'
import { Button } from '../../components/Button'
import { Tip } from '../../components/Tip'
import { useActive } from '../../hooks/useActive'
import { useEscape } from '../../hooks/useEscape'
import { showDialog } from '../../stores/ui'
import { complete, type Suggestion } from './completion'
import { tooLongText } from './drafts'
import { PromptArea } from './PromptArea'
import { QueueStrip } from './QueueStrip'
import { RoundButton } from './RoundButton'
import { SuggestionList } from './SuggestionList'
import { type ComposerState, useComposer } from './useComposer'
import { useSuggestions } from './useSuggestions'

interface ComposerProps {
  id: string
  readOnly: boolean
}

export function Composer({ id, readOnly }: ComposerProps) {
  const composer = useComposer(id, readOnly)
  const { text, change, running, waiting, sending, stopping, connected, blocked, canSend, failure } = composer
  const area = useRef<HTMLTextAreaElement>(null)
  const list = useSuggestionKeys(id, composer, area)

  useEscape(running && !readOnly && connected, () => void composer.stop())

  async function send(how: 'now' | 'queue', written?: string): Promise<void> {
    await composer.send(how, written)
    area.current?.focus()
  }

  return (
    <div className="shrink-0 pb-4">
      <div className="mx-auto w-full max-w-180 px-6 max-md:px-3">
        {failure && (
          <FailureBanner
            failure={failure}
            className="mb-2"
            action={
              <Button size="sm" look="quiet" onClick={composer.dismiss}>
                Dismiss
              </Button>
            }
          />
        )}
        <QueueStrip id={id} readOnly={readOnly} />
        <div className="relative rounded-lg border border-line-strong bg-raised px-3 pt-2.5 pb-2 shadow-float transition-colors duration-100 focus-within:border-ink-3/70">
          {list.popup}
          <PromptArea
            ref={area}
            autoFocus
            aria-label="Message"
            aria-autocomplete="list"
            aria-controls={list.controls}
            aria-activedescendant={list.active}
            value={text}
            onChange={change}
            onSelect={list.onSelect}
            onBlur={list.close}
            onListKey={list.onKey}
            onSend={() => void send('now')}
            onQueue={() => void send('queue')}
            onRecall={composer.recall}
            onEscape={() => void composer.stop()}
            // The text stays readable and can be copied; it cannot be sent twice.
            readOnly={sending}
            disabled={readOnly}
            minHeight={24}
            placeholder={placeholder(readOnly, running, waiting)}
          />
          <div className="mt-1.5 flex min-h-7 items-center gap-2">
            <p
              className={clsx(
                'min-w-0 flex-1 text-sm text-ink-3',
                composer.note === null ? 'truncate' : 'line-clamp-3',
              )}
              title={composer.note ?? undefined}
              aria-live="polite"
            >
              <Hint composer={composer} />
            </p>
            {!readOnly && connected && composer.needsKey && (
              <Button size="sm" onClick={() => showDialog('key')}>
                Add a key
              </Button>
            )}
            {running && !readOnly && (
              <Tip label="Stop" keys={['Esc']} side="top">
                <RoundButton
                  look={text.trim() ? 'plain' : 'primary'}
                  icon={Square}
                  label={stopping ? 'Stopping' : 'Stop'}
                  disabled={stopping || !connected}
                  onClick={() => void composer.stop()}
                />
              </Tip>
            )}
            {(!running || text.trim() !== '') && !readOnly && (
              <Tip label={blocked ?? (running ? 'Steer' : 'Send')} keys={blocked ? undefined : ['Enter']} side="top">
                <RoundButton
                  look="primary"
                  icon={ArrowUp}
                  label={running ? 'Steer' : 'Send'}
                  disabled={!canSend}
                  onClick={() => void send('now')}
                />
              </Tip>
            )}
          </div>
        </div>
      </div>
    </div>
  )
}

/** The list over the field, and what its keys do there. */
function useSuggestionKeys(
  id: string,
  { text, change, send }: ComposerState,
  area: React.RefObject<HTMLTextAreaElement | null>,
) {
  const [caret, setCaret] = useState(text.length)
  /** Text for which the list was closed: it stays away until something is typed. */
  const [closedFor, setClosedFor] = useState<string | null>(text)
  const { typed, list } = useSuggestions(id, text, Math.min(caret, text.length))
  const open = typed !== null && list.length > 0 && closedFor !== text
  // What an argument is stays as it was typed, unless somebody goes into the list.
  const first = typed?.kind === 'argument' ? -1 : 0
  const { at, setAt, onMoveKey } = useActive(open ? list.length : 0, `${typed?.kind} ${typed?.word}`, first)
  const listId = useId()
  const nextCaret = useRef<number | null>(null)

  // React puts the caret at the end of a text that it sets.
  useLayoutEffect(() => {
    if (nextCaret.current === null || !area.current) return
    area.current.setSelectionRange(nextCaret.current, nextCaret.current)
    nextCaret.current = null
  })
  // Pasted and dictated text moves the caret without an event of its own.
  useLayoutEffect(() => {
    if (area.current?.value === text) setCaret(area.current.selectionStart)
  }, [text, area])

  function take(suggestion: Suggestion, run: boolean): void {
    if (!typed) return
    const next = complete(text, typed, suggestion)
    if (run && suggestion.runs) {
      setClosedFor(next.text)
      void send('now', next.text)
      return
    }
    change(next.text)
    setCaret(next.caret)
    nextCaret.current = next.caret
    // A command and a folder are followed by more of the list; a value is the end of it.
    setClosedFor(typed.kind === 'argument' ? next.text : null)
    area.current?.focus()
  }

  function onKey(event: KeyboardEvent<HTMLTextAreaElement>): boolean {
    if (!open) return false
    if (event.key === 'Escape') setClosedFor(text)
    else if (event.key === 'Tab' && !event.shiftKey) {
      const suggestion = list[Math.max(0, at)]
      if (suggestion) take(suggestion, false)
    } else if (event.key === 'Enter' && !event.shiftKey && !event.altKey) {
      const suggestion = list[at]
      if (!suggestion) return false
      if (isWhole(suggestion)) {
        // Where it could not be run it comes back, and needs no list.
        setClosedFor(text)
        return false
      }
      take(suggestion, true)
    } else return onMoveKey(event)
    // Escape here closes the list, and must not stop the run as well.
    event.stopPropagation()
    return true
  }

  /** The command stands there already: Enter runs it. */
  function isWhole(suggestion: Suggestion): boolean {
    return typed?.kind === 'command' && suggestion.insert.trim() === typed.word.toLowerCase()
  }

  return {
    controls: open ? listId : undefined,
    active: open && at >= 0 ? `${listId}-${at}` : undefined,
    onKey,
    onSelect: () => setCaret(area.current?.selectionStart ?? text.length),
    close: () => setClosedFor(text),
    popup: open && (
      <SuggestionList
        id={listId}
        label={typed.kind === 'file' ? 'Files' : typed.kind === 'command' ? 'Commands' : 'Values'}
        list={list}
        at={at}
        mono={typed.kind === 'file' || typed.kind === 'command'}
        onHover={setAt}
        onTake={(suggestion) => take(suggestion, true)}
      />
    ),
  }
}

function placeholder(readOnly: boolean, running: boolean, waiting: boolean): string {
  if (readOnly) return 'Read-only'
  if (waiting) return 'Decide above, or steer: the model reads this before its next step'
  if (running) return 'Steer: the model reads this before its next step'
  return 'What should be done?'
}

function Hint({ composer }: { composer: ComposerState }) {
  const { blocked, note, tooLong, text, running, stopping } = composer
  if (note !== null) return <span className="text-ink">{note}</span>
  if (blocked !== null) return blocked
  if (tooLong) return tooLongText(text.length)
  if (stopping) return 'Stopping…'
  return running
    ? 'Enter steers · Alt+Enter queues for the end of the turn · Esc stops'
    : 'Enter sends · Shift+Enter new line · / commands · @ files'
}
