import { parseCommand, runCommand } from '@shared/commands'
import { MAX_INPUT_CHARS, type Operation } from '@shared/operations'
import { useCallback, useEffect, useState } from 'react'
import { type BridgeFailure, failureOf } from '../../bridge/bridge'
import { findModel, isAnthropic, whyUnavailable } from '../../lib/models'
import { useApp } from '../../stores/app'
import { getSessionState, submit, useSessionPart } from '../../stores/sessions'
import { say, showDialog } from '../../stores/ui'
import { keepDraft, onDraftOffered, readDraft } from './drafts'
import { windowHost } from './window-host'

export interface ComposerState {
  text: string
  change: (text: string) => void
  running: boolean
  waiting: boolean
  sending: boolean
  stopping: boolean
  connected: boolean
  /** The model has no key, and that is the one that can be added here. */
  needsKey: boolean
  /** Why nothing can be sent now; null when something can. */
  blocked: string | null
  canSend: boolean
  tooLong: boolean
  /** What the last command answered, until the text changes. */
  note: string | null
  failure: BridgeFailure | null
  dismiss: () => void
  /** `queue`: for the end of the turn. `written`: instead of the text of the field. */
  send: (how?: 'now' | 'queue', written?: string) => Promise<void>
  stop: () => Promise<void>
  /** Brings the last message back. */
  recall: () => void
}

/** What the composer holds and does: messages, commands, stop. */
export function useComposer(id: string, readOnly: boolean): ComposerState {
  const status = useSessionPart(id, (state) => state?.status ?? 'idle')
  const model = useSessionPart(id, (state) => state?.model ?? '')
  const connected = useApp((app) => app.connection === 'connected')
  const known = useApp((app) => findModel(model, app.info))
  const [text, setText] = useState(() => readDraft(id))
  const [sending, setSending] = useState(false)
  const [stopping, setStopping] = useState(false)
  const [note, setNote] = useState<string | null>(null)
  const [failure, setFailure] = useState<BridgeFailure | null>(null)
  const running = status !== 'idle'
  const unusable = known ? whyUnavailable(known) : null
  const needsKey = unusable !== null && isAnthropic(model)
  const tooLong = text.length > MAX_INPUT_CHARS
  const isCommand = parseCommand(text, 'window') !== null
  const blocked = readOnly
    ? 'Another ML Intern works in this session. Here it can only be read.'
    : !connected
      ? 'Not connected. What you write is kept.'
      : unusable === null || isCommand
        ? null
        : needsKey
          ? 'This model needs an Anthropic key.'
          : `${unusable}. Choose another model.`
  const canSend = !blocked && !sending && !tooLong && text.trim() !== ''

  useEffect(() => {
    if (!running) setStopping(false)
  }, [running])

  const change = useCallback(
    (next: string) => {
      setText(next)
      setNote(null)
      keepDraft(id, next)
    },
    [id],
  )
  useEffect(() => onDraftOffered(id, change), [id, change])

  /** True when the text was a command: it was run, or nobody knows it. */
  async function runAsCommand(written: string): Promise<boolean> {
    const parsed = parseCommand(written, 'window')
    if (!parsed) return false
    change('')
    const name = parsed.kind === 'command' ? parsed.spec.name : parsed.name
    const answer = (answered: string): void => {
      if (answered.includes('\n')) say(`/${name}`, answered)
      else setNote(answered)
    }
    const done = await runCommand(parsed, windowHost(id, name, answer))
    // It comes back to be mended, unless something else was written meanwhile. The note about it stays.
    if (!done && readDraft(id) === '') {
      setText(written)
      keepDraft(id, written)
    }
    return true
  }

  async function send(how: 'now' | 'queue' = 'now', written = text): Promise<void> {
    if (readOnly || !connected || sending || written.trim() === '' || written.length > MAX_INPUT_CHARS) return
    setFailure(null)
    if (await runAsCommand(written)) return
    if (needsKey) showDialog('key')
    if (unusable !== null) return
    const now = running ? 'steer' : 'user_input'
    const operation: Operation = { op: how === 'queue' ? 'enqueue' : now, text: written.trim() }
    setSending(true)
    try {
      await submit(id, operation)
      change('')
    } catch (thrown) {
      setFailure(failureOf(thrown))
    } finally {
      setSending(false)
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

  function recall(): void {
    const last = getSessionState(id)?.items.findLast((item) => item.kind === 'user')
    if (last?.kind === 'user') change(last.text)
  }

  return {
    text,
    change,
    running,
    waiting: status === 'waiting_approval',
    sending,
    stopping,
    connected,
    needsKey,
    blocked,
    canSend,
    tooLong,
    note,
    failure,
    dismiss: () => setFailure(null),
    send,
    stop,
    recall,
  }
}
