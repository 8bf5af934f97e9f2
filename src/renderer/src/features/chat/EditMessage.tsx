import { MAX_INPUT_CHARS } from '@shared/operations'
import type { UserItem } from '@shared/state'
import { useEffect, useRef, useState } from 'react'
import { type BridgeFailure, failureOf } from '../../bridge/bridge'
import { Button } from '../../components/Button'
import { getSessionState, submit } from '../../stores/sessions'
import { PromptArea } from '../composer/PromptArea'
import { useBlocked } from './MessageActions'
import { describeAfter, whatFollows } from './message-actions'

interface EditMessageProps {
  session: string
  item: UserItem
  text: string
  onChange: (text: string) => void
  onClose: () => void
}

/** A message of the user, in its own place, to be changed and sent again. */
export function EditMessage({ session, item, text, onChange, onClose }: EditMessageProps) {
  const [sending, setSending] = useState(false)
  const [failure, setFailure] = useState<BridgeFailure | null>(null)
  const blocked = useBlocked(session)
  const area = useRef<HTMLTextAreaElement>(null)
  const [lost] = useState(() => describeAfter(whatFollows(getSessionState(session)?.items ?? [], item.key)))
  const tooLong = text.length > MAX_INPUT_CHARS
  const canSend = blocked === null && !sending && !tooLong && text.trim() !== ''

  useEffect(() => {
    const field = area.current
    field?.focus()
    field?.setSelectionRange(field.value.length, field.value.length)
  }, [])

  async function send(): Promise<void> {
    if (!canSend) return
    setSending(true)
    setFailure(null)
    try {
      await submit(session, { op: 'edit', user_message_id: item.key, text: text.trim() })
      onClose()
    } catch (thrown) {
      setFailure(failureOf(thrown))
      setSending(false)
    }
  }

  const warning = lost && `Takes back ${lost} after it. Files that were changed stay as they are.`
  const note = blocked ? `Not now: ${blocked}.` : tooLong ? 'Too long to be sent.' : warning
  return (
    <div className="rounded-lg border border-line-strong bg-raised px-3.5 pt-2.5 pb-2.5 shadow-float focus-within:border-ink-3/70">
      <PromptArea
        ref={area}
        aria-label="Edited message"
        value={text}
        onChange={onChange}
        onSend={() => void send()}
        onEscape={() => text === item.text && onClose()}
        readOnly={sending}
        minHeight={24}
      />
      <div className="mt-2 flex items-center gap-2">
        <p className="min-w-0 flex-1 text-sm text-ink-2" aria-live="polite">
          {note}
        </p>
        <Button size="sm" look="quiet" disabled={sending} onClick={onClose}>
          Cancel
        </Button>
        <Button size="sm" look="primary" disabled={!canSend} onClick={() => void send()}>
          Send again
        </Button>
      </div>
      {failure && (
        <p role="alert" className="mt-2 text-sm text-bad">
          {failure.message} {failure.remedy}
        </p>
      )}
    </div>
  )
}
