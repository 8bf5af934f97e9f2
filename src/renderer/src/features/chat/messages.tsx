import type { AssistantItem, UserItem } from '@shared/state'
import { clsx } from 'clsx'
import { ChangesChip } from '../changes/ChangesChip'
import { CopyButton } from './CopyButton'
import { useDisclosure } from './disclosure'
import { EditMessage } from './EditMessage'
import { useEditDraft } from './edit-drafts'
import { ReplyActions, UserActions } from './MessageActions'
import { useTranscriptSession } from './session-context'
import { formatTime } from './text'

/** Longer messages are folded: a pasted log must not push the conversation away. */
const FOLD_CHARS = 2_400

/** Height of the line under a message: what it holds appears on hover, its place is always there. */
const FOOTER = 'flex h-5 items-center'

export function UserMessage({ item }: { item: UserItem }) {
  const { id } = useTranscriptSession()
  const [edited, setEdited] = useEditDraft(id, item.key)
  return (
    <article aria-label="Your message" className="hover-host">
      {edited === undefined ? (
        <UserText item={item} />
      ) : (
        <EditMessage session={id} item={item} text={edited} onChange={setEdited} onClose={() => setEdited(null)} />
      )}
      <div className={clsx(FOOTER, 'justify-end')}>
        {edited === undefined && (
          <div className="on-hover -mr-1 flex items-center">
            <Time iso={item.time} />
            <CopyButton text={item.text} label="Copy message" />
            <UserActions session={id} item={item} />
          </div>
        )}
      </div>
    </article>
  )
}

function UserText({ item }: { item: UserItem }) {
  const { id } = useTranscriptSession()
  const long = item.text.length > FOLD_CHARS
  const [open, toggle] = useDisclosure(id, item.key, false)
  const folded = long && !open
  return (
    <div className="ml-auto w-fit max-w-140 min-w-0 rounded-lg border border-line bg-sunken px-3.5 py-2.5 text-read">
      {item.source === 'steer' && <p className="mb-0.5 text-xs text-ink-3">Sent while it was running</p>}
      <p dir="auto" className="own-direction break-words whitespace-pre-wrap">
        {folded ? `${item.text.slice(0, FOLD_CHARS)}…` : item.text}
      </p>
      {long && (
        <button
          type="button"
          aria-expanded={open}
          onClick={toggle}
          className="mt-1 text-sm text-ink-2 underline underline-offset-2 hover:text-ink"
        >
          {open ? 'Show less' : `Show all ${item.text.length.toLocaleString('en')} characters`}
        </button>
      )}
    </div>
  )
}

interface ReplyFooterProps {
  reply: AssistantItem
  /** The notice that follows says why the reply ended. */
  explained: boolean
  /** The last reply of its turn, and of the conversation. */
  ends: boolean
  newest: boolean
}

/** Under the last piece of a reply: a note when it was cut, and on hover the time and what can be done with it. */
export function ReplyFooter({ reply, explained, ends, newest }: ReplyFooterProps) {
  const { id } = useTranscriptSession()
  const cut = explained ? undefined : reply.partial ? 'Stopped before the end' : CUTS[reply.stop_reason]
  return (
    <div
      className={clsx(
        FOOTER,
        'gap-1 text-sm text-ink-3 has-[[data-chip]]:mt-1 has-[[data-chip]]:mb-4',
        cut && 'mt-0.5 mb-3',
      )}
    >
      {cut && <span className="mr-1">{cut}</span>}
      {ends && <ChangesChip session={id} reply={reply} />}
      {reply.text !== '' && (
        <div className="on-hover -ml-1 flex items-center">
          <CopyButton text={reply.text} label="Copy reply" />
          {ends && <ReplyActions session={id} reply={reply} newest={newest} />}
          <Time iso={reply.time} />
        </div>
      )}
    </div>
  )
}

const CUTS: Partial<Record<string, string>> = {
  max_tokens: 'Cut at the output limit of the model',
  length: 'Cut at the output limit of the model',
  refusal: 'Declined by the model',
}

function Time({ iso }: { iso: string }) {
  const date = new Date(iso)
  if (Number.isNaN(date.getTime())) return null
  return (
    <time dateTime={iso} title={date.toLocaleString('en')} className="px-1 text-xs text-ink-3 tabular">
      {formatTime(iso, Date.now())}
    </time>
  )
}
