import { MAX_INPUT_CHARS, type Operation } from '@shared/operations'
import { ArrowUp, Square } from 'lucide-react'
import { useCallback, useEffect, useRef, useState } from 'react'
import { type BridgeFailure, failureOf } from '../../bridge/bridge'
import { FailureBanner } from '../../components/Banner'
import { Button } from '../../components/Button'
import { Tip } from '../../components/Tip'
import { useEscape } from '../../hooks/useEscape'
import { isModelUsable } from '../../lib/models'
import { useApp } from '../../stores/app'
import { getSessionState, submit, useSessionPart } from '../../stores/sessions'
import { showDialog } from '../../stores/ui'
import { keepDraft, readDraft } from './drafts'
import { PromptArea } from './PromptArea'
import { RoundButton } from './RoundButton'

interface ComposerProps {
  id: string
  readOnly: boolean
}

export function Composer({ id, readOnly }: ComposerProps) {
  const status = useSessionPart(id, (state) => state?.status ?? 'idle')
  const model = useSessionPart(id, (state) => state?.model ?? '')
  const connected = useApp((app) => app.connection === 'connected')
  const usable = useApp((app) => isModelUsable(model, app.info))
  const [text, setText] = useState(() => readDraft(id))
  const [sending, setSending] = useState(false)
  const [stopping, setStopping] = useState(false)
  const [failure, setFailure] = useState<BridgeFailure | null>(null)
  const area = useRef<HTMLTextAreaElement>(null)
  const running = status !== 'idle'
  const tooLong = text.length > MAX_INPUT_CHARS
  const blocked = readOnly
    ? 'Another ML Intern works in this session. Here it can only be read.'
    : !connected
      ? 'Not connected. What you write is kept.'
      : usable
        ? null
        : 'This model needs an Anthropic key.'
  const canSend = !blocked && !sending && !tooLong && text.trim() !== ''

  useEffect(() => {
    if (!running) setStopping(false)
  }, [running])

  const change = useCallback(
    (next: string) => {
      setText(next)
      keepDraft(id, next)
    },
    [id],
  )

  async function send(): Promise<void> {
    if (!usable && !readOnly && connected) showDialog('key')
    if (!canSend) return
    const operation: Operation = { op: running ? 'steer' : 'user_input', text: text.trim() }
    setSending(true)
    setFailure(null)
    try {
      await submit(id, operation)
      change('')
    } catch (thrown) {
      setFailure(failureOf(thrown))
    } finally {
      setSending(false)
      area.current?.focus()
    }
  }

  async function stop(): Promise<void> {
    if (!running || stopping || readOnly) return
    setStopping(true)
    setFailure(null)
    try {
      await submit(id, { op: 'interrupt' })
    } catch (thrown) {
      setStopping(false)
      setFailure(failureOf(thrown))
    }
  }

  useEscape(running && !readOnly && connected, () => void stop())

  function recall(): void {
    const last = getSessionState(id)?.items.findLast((item) => item.kind === 'user')
    if (last?.kind === 'user') change(last.text)
  }

  return (
    <div className="shrink-0 pb-4">
      <div className="mx-auto w-full max-w-180 px-6 max-md:px-3">
        {failure && (
          <FailureBanner
            failure={failure}
            className="mb-2"
            action={
              <Button size="sm" look="quiet" onClick={() => setFailure(null)}>
                Dismiss
              </Button>
            }
          />
        )}
        <div className="rounded-lg border border-line-strong bg-raised px-3 pt-2.5 pb-2 shadow-float transition-colors duration-100 focus-within:border-ink-3/70">
          <PromptArea
            ref={area}
            autoFocus
            aria-label="Message"
            value={text}
            onChange={change}
            onSend={() => void send()}
            onRecall={recall}
            onEscape={() => void stop()}
            // The text stays readable and can be copied; it cannot be sent twice.
            readOnly={sending}
            disabled={readOnly}
            minHeight={24}
            placeholder={placeholder(readOnly, running, status === 'waiting_approval')}
          />
          <div className="mt-1.5 flex h-7 items-center gap-2">
            <p className="min-w-0 flex-1 truncate text-sm text-ink-3" aria-live="polite">
              {blocked ?? (tooLong ? tooLongText(text.length) : hint(running, stopping))}
            </p>
            {!readOnly && connected && !usable && (
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
                  onClick={() => void stop()}
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
                  onClick={() => void send()}
                />
              </Tip>
            )}
          </div>
        </div>
      </div>
    </div>
  )
}

function placeholder(readOnly: boolean, running: boolean, waiting: boolean): string {
  if (readOnly) return 'Read-only'
  if (waiting) return 'Decide above, or steer: the model reads this before its next step'
  if (running) return 'Steer: the model reads this before its next step'
  return 'What should be done?'
}

function hint(running: boolean, stopping: boolean): string {
  if (stopping) return 'Stopping…'
  return running ? 'Esc stops the run' : 'Enter sends, Shift+Enter starts a new line'
}

export function tooLongText(length: number): string {
  const over = (length - MAX_INPUT_CHARS).toLocaleString('en')
  return `${over} characters too long. Put it into a file and name the file here.`
}
