import type { QueuedMessage } from '@shared/state'
import { clsx } from 'clsx'
import { Clock, CornerDownLeft, type LucideIcon, Pencil, X } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { useApp } from '../../stores/app'
import { useSessionPart } from '../../stores/sessions'
import { reportFailure } from '../../stores/ui'
import { plural } from '../chat/tool-text'
import { useQueue } from './useQueue'

interface QueueStripProps {
  id: string
  readOnly: boolean
}

/** Messages that wait for the end of the turn, above the message field. Nothing is drawn while none waits. */
export function QueueStrip({ id, readOnly }: QueueStripProps) {
  const { queue, sendNow, edit, remove } = useQueue(id)
  const running = useSessionPart(id, (state) => state !== undefined && state.status !== 'idle')
  const connected = useApp((app) => app.connection === 'connected')
  const [busy, setBusy] = useState<string | null>(null)
  const strip = useRef<HTMLElement>(null)
  const held = useRef(false)

  // A row that goes takes the focus with it; the strip itself keeps it.
  const count = queue.length
  useEffect(() => {
    if (held.current && count > 0 && document.activeElement === document.body) strip.current?.focus()
  }, [count])

  if (count === 0) return null

  async function act(message: QueuedMessage, failed: string, action: (message: QueuedMessage) => Promise<void>) {
    setBusy(message.id)
    try {
      await action(message)
    } catch (thrown) {
      reportFailure(failed, thrown)
    } finally {
      setBusy(null)
    }
  }

  return (
    <section
      ref={strip}
      tabIndex={-1}
      aria-label={`${plural(count, 'message')} in the queue`}
      onFocus={() => {
        held.current = true
      }}
      onBlur={(event) => {
        // Without a next element the focus was lost, not moved.
        if (event.relatedTarget) held.current = strip.current?.contains(event.relatedTarget) ?? false
      }}
      className="mx-2 rounded-t-lg border-x border-t border-line bg-sunken pt-1 pb-1"
    >
      <ul className="max-h-45 overflow-y-auto">
        {queue.map((message) => (
          <Waiting
            key={message.id}
            message={message}
            running={running}
            editable={!readOnly && connected}
            busy={busy === message.id}
            onSend={() => void act(message, 'The message was not sent.', sendNow)}
            onEdit={() => void act(message, 'The message was not taken back.', edit)}
            onRemove={() => void act(message, 'The message was not removed.', remove)}
          />
        ))}
      </ul>
    </section>
  )
}

interface WaitingProps {
  message: QueuedMessage
  running: boolean
  editable: boolean
  busy: boolean
  onSend: () => void
  onEdit: () => void
  onRemove: () => void
}

function Waiting({ message, running, editable, busy, onSend, onEdit, onRemove }: WaitingProps) {
  const [open, setOpen] = useState(false)
  return (
    <li className={clsx('flex items-start gap-2 pr-1.5 pl-3', busy && 'opacity-50')} aria-busy={busy}>
      <Clock size={13} strokeWidth={1.75} className="mt-[7px] shrink-0 text-ink-3" aria-hidden />
      <button
        type="button"
        aria-expanded={open}
        title={open ? 'Show less' : 'Show all of it'}
        onClick={() => setOpen(!open)}
        className={clsx(
          'my-1 min-w-0 flex-1 rounded-sm text-left',
          open ? 'max-h-32 overflow-y-auto break-words whitespace-pre-wrap' : 'truncate',
        )}
      >
        {open ? message.content : oneLine(message.content)}
      </button>
      {editable && (
        <span className="flex h-7 shrink-0 items-center">
          <Small
            icon={CornerDownLeft}
            label="Send now"
            hint={running ? 'Send now: the model reads it before its next step' : 'Send now'}
            disabled={busy}
            onClick={onSend}
          />
          <Small icon={Pencil} label="Edit" hint="Edit: back into the message field" disabled={busy} onClick={onEdit} />
          <Small icon={X} label="Remove" hint="Remove from the queue" disabled={busy} onClick={onRemove} />
        </span>
      )}
    </li>
  )
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}

interface SmallProps {
  icon: LucideIcon
  label: string
  hint: string
  disabled: boolean
  onClick: () => void
}

function Small({ icon: Icon, label, hint, disabled, onClick }: SmallProps) {
  return (
    <button
      type="button"
      aria-label={label}
      title={hint}
      disabled={disabled}
      onClick={onClick}
      className="inline-grid size-6 place-items-center rounded-sm text-ink-3 transition-colors duration-100 enabled:hover:bg-ink/5 enabled:hover:text-ink"
    >
      <Icon size={13} strokeWidth={1.75} aria-hidden />
    </button>
  )
}
