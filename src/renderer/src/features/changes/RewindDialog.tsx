import type { RewindTarget } from '@shared/checkpoints'
import { ConfirmDialog } from '../../components/ConfirmDialog'
import { getSessionState, submit } from '../../stores/sessions'
import { describeAfter, whatFollows } from '../chat/message-actions'
import { plural } from '../chat/tool-text'
import { offerDraft } from '../composer/drafts'
import { keyOf, useChanges } from './store'
import { describeFiles, firstLine, rewindScope, type Turn } from './turns'

/** Files named in the question; the others are counted. */
const NAMED = 6

interface RewindDialogProps {
  session: string
  turns: Turn[]
  turn: Turn
  target: Exclude<RewindTarget, 'conversation'>
  onClose: () => void
}

/** Says what a rewind does before it is done. */
export function RewindDialog({ session, turns, turn, target, onClose }: RewindDialogProps) {
  const { loaded } = useChanges.getState()
  const scope = rewindScope(turns, (id) => loaded[keyOf(session, id)]?.changes ?? undefined, turn.id)
  const both = target === 'both'
  const lost = both ? describeAfter(whatFollows(getSessionState(session)?.items ?? [], turn.id)) : ''
  const others = scope.files.length - NAMED
  const message = turn.message && firstLine(turn.message.text)
  return (
    <ConfirmDialog
      open
      title={both ? 'Rewind files and conversation?' : 'Rewind files?'}
      confirm={both ? 'Rewind both' : 'Rewind files'}
      onClose={onClose}
      onConfirm={async () => {
        await submit(session, { op: 'rewind', user_message_id: turn.id, target })
        if (both && turn.message) offerDraft(session, turn.message.text)
      }}
    >
      <span className="block">
        {capital(describeFiles(scope))} {scope.files.length === 1 && !scope.more ? 'goes' : 'go'} back to how they were
        before {message ? <q className="text-ink">{short(message)}</q> : 'that message'}
        {scope.later > 0 && `, with the changes of ${plural(scope.later, 'later turn')}`}. What you changed in them
        yourself since then goes too.
      </span>
      {scope.files.length > 0 && (
        <span className="mt-2 block rounded-md border border-line bg-sunken px-2.5 py-1.5 font-mono text-xs leading-relaxed">
          {scope.files.slice(0, NAMED).map((path) => (
            <span key={path} className="block truncate">
              {path}
            </span>
          ))}
          {others > 0 && <span className="block text-ink-3">and {others.toLocaleString('en')} more</span>}
        </span>
      )}
      {both && (
        <span className="mt-2 block">
          The message is taken back{lost && ` with ${lost} after it`}; its text comes back into the message field.
        </span>
      )}
      {scope.left_out.map((sentence) => (
        <span key={sentence} className="mt-2 block">
          {sentence}
        </span>
      ))}
      <span className="mt-2 block">
        {both
          ? 'The files can be brought back with Undo; the messages stay in the session’s log.'
          : 'Undo brings them back.'}
      </span>
    </ConfirmDialog>
  )
}

function short(text: string): string {
  return text.length > 80 ? `${text.slice(0, 79)}…` : text
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
