import type { Operation } from '@shared/operations'
import type { AssistantItem, UserItem } from '@shared/state'
import { clsx } from 'clsx'
import { GitFork, type LucideIcon, Pencil, RotateCcw, Undo2 } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { call } from '../../bridge/bridge'
import { ConfirmDialog } from '../../components/ConfirmDialog'
import { useApp } from '../../stores/app'
import { getSessionState, submit, useSessionPart } from '../../stores/sessions'
import { reportFailure } from '../../stores/ui'
import { keepDraft, offerDraft } from '../composer/drafts'
import { setEditDraft } from './edit-drafts'
import { describeAfter, forkAfter, forkBefore, whatFollows, whyNotNow } from './message-actions'
import { useReadOnly } from './useReadOnly'

/** Null while the conversation may be changed. */
export function useBlocked(session: string): string | null {
  const status = useSessionPart(session, (state) => state?.status)
  const connected = useApp((app) => app.connection === 'connected')
  return whyNotNow(status, connected)
}

type Question = 'take_back' | 'regenerate'

/** What can be done with a message of the user. */
export function UserActions({ session, item }: { session: string; item: UserItem }) {
  const readOnly = useReadOnly(session)
  const blocked = useBlocked(session)
  const connected = useApp((app) => app.connection === 'connected')
  const [question, setQuestion] = useState<Question | null>(null)
  if (readOnly) return null
  const fork = (
    <Action
      icon={GitFork}
      label="Fork before this message"
      blocked={connected ? null : 'not connected'}
      onClick={() => void forkSession(session, forkBefore(item), item.text)}
    />
  )
  // One that was sent while a turn ran belongs to that turn: it is not taken back by itself.
  if (item.source === 'steer') return fork

  function regenerate(): void {
    const { messages } = later()
    if (messages > 0) setQuestion('regenerate')
    else change('It was not asked again.', { op: 'regenerate', user_message_id: item.key })
  }

  function later() {
    return whatFollows(getSessionState(session)?.items ?? [], item.key)
  }

  function change(failed: string, operation: Operation): void {
    submit(session, operation).catch((thrown: unknown) => reportFailure(failed, thrown))
  }

  return (
    <>
      <Action
        icon={Pencil}
        label="Edit and send again"
        blocked={blocked}
        onClick={() => setEditDraft(session, item.key, item.text)}
      />
      <Action icon={RotateCcw} label="Ask again" blocked={blocked} onClick={regenerate} />
      {fork}
      <Action icon={Undo2} label="Take back" blocked={blocked} onClick={() => setQuestion('take_back')} />
      {question && (
        <ConfirmDialog
          open
          title={question === 'take_back' ? 'Take this message back?' : 'Ask again from here?'}
          confirm={question === 'take_back' ? 'Take back' : 'Ask again'}
          onClose={() => setQuestion(null)}
          onConfirm={async () => {
            const op = question === 'take_back' ? 'undo' : 'regenerate'
            await submit(session, { op, user_message_id: item.key })
            if (op === 'undo') offerDraft(session, item.text)
          }}
        >
          <Consequence lost={describeAfter(later())} takeBack={question === 'take_back'} />
        </ConfirmDialog>
      )}
    </>
  )
}

function Consequence({ lost, takeBack }: { lost: string; takeBack: boolean }) {
  const goes = lost && (takeBack ? `It goes with ${lost} after it.` : `${capital(lost)} after it go.`)
  return (
    <>
      {goes} {takeBack && 'Its text comes back into the message field.'} Files that were changed stay as they are, and
      the session’s log keeps everything.
    </>
  )
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

interface ReplyActionsProps {
  session: string
  reply: AssistantItem
  /** No message of the user comes after it. */
  newest: boolean
}

/** What can be done with the last reply of a turn. */
export function ReplyActions({ session, reply, newest }: ReplyActionsProps) {
  const readOnly = useReadOnly(session)
  const blocked = useBlocked(session)
  const connected = useApp((app) => app.connection === 'connected')
  if (readOnly) return null

  function regenerate(): void {
    submit(session, { op: 'regenerate' }).catch((thrown: unknown) => reportFailure('It was not asked again.', thrown))
  }

  function fork(): void {
    const state = getSessionState(session)
    if (state) void forkSession(session, forkAfter(state, reply.key))
  }

  return (
    <>
      {newest && <Action icon={RotateCcw} label="Ask again" blocked={blocked} onClick={regenerate} />}
      <Action
        icon={GitFork}
        label="Fork after this reply"
        // The turn of an older reply is over, whatever runs now.
        blocked={newest ? blocked : connected ? null : 'not connected'}
        onClick={fork}
      />
    </>
  )
}

/** Opens a new session with everything up to `at_seq`, and `draft` in its message field. */
async function forkSession(session: string, at_seq: number, draft = ''): Promise<void> {
  try {
    const { id } = await call('sessions.fork', { id: session, at_seq })
    if (draft) keepDraft(id, draft)
    useApp.getState().actions.open(id)
  } catch (thrown) {
    reportFailure('The session was not forked.', thrown)
  }
}

interface ActionProps {
  icon: LucideIcon
  label: string
  /** Why not now: the button stays reachable and says so. */
  blocked: string | null
  onClick: () => void
}

function Action({ icon: Icon, label, blocked, onClick }: ActionProps): ReactNode {
  const said = blocked ? `${label}: not now, ${blocked}` : label
  return (
    <button
      type="button"
      title={said}
      aria-label={said}
      aria-disabled={blocked !== null}
      onClick={() => blocked === null && onClick()}
      className={clsx(
        'inline-grid size-6 shrink-0 place-items-center rounded-sm text-ink-3 transition-colors duration-100',
        blocked === null ? 'hover:bg-ink/5 hover:text-ink' : 'opacity-45',
      )}
    >
      <Icon size={13} strokeWidth={1.75} aria-hidden />
    </button>
  )
}
