import type { AssistantItem, GuardItem, NoticeItem, NoticeKind, UserItem } from '@shared/state'
import { clsx } from 'clsx'
import {
  CircleAlert,
  CirclePause,
  CircleStop,
  GitFork,
  History,
  type LucideIcon,
  Minimize2,
  RotateCcw,
  ShieldHalf,
} from 'lucide-react'
import { Button } from '../../components/Button'
import { showDialog } from '../../stores/ui'
import { Chevron } from './Chevron'
import { CopyButton } from './CopyButton'
import { useDisclosure } from './disclosure'
import { useTranscriptSession } from './session-context'
import { formatTime } from './text'

/** Longer messages are folded: a pasted log must not push the conversation away. */
const FOLD_CHARS = 2_400

export function UserMessage({ item }: { item: UserItem }) {
  const { id } = useTranscriptSession()
  const long = item.text.length > FOLD_CHARS
  const [open, toggle] = useDisclosure(id, item.key, false)
  const folded = long && !open
  return (
    <article aria-label="Your message" className="hover-host flex items-end justify-end gap-1">
      <div className="on-hover flex shrink-0 items-center pb-1">
        <Time iso={item.time} />
        <CopyButton text={item.text} label="Copy message" />
      </div>
      <div className="min-w-0 max-w-140 rounded-lg border border-line bg-sunken px-3.5 py-2.5 text-read">
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
    </article>
  )
}

interface ReplyFooterProps {
  reply: AssistantItem
  /** The notice that follows says why the reply ended. */
  explained: boolean
}

/** Under the last piece of a reply: a note when it was cut, and on hover the time and a copy button. */
export function ReplyFooter({ reply, explained }: ReplyFooterProps) {
  const cut = explained ? undefined : reply.partial ? 'Stopped before the end' : CUTS[reply.stop_reason]
  return (
    <div className={clsx('flex h-5 items-center gap-1 text-sm text-ink-3', cut && 'mt-0.5 mb-3')}>
      {cut && <span className="mr-1">{cut}</span>}
      {reply.text !== '' && (
        <div className="on-hover -ml-1 flex items-center">
          <CopyButton text={reply.text} label="Copy reply" />
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

/** What the loop itself told the model: visible as such, and quiet. */
export function GuardNotice({ item }: { item: GuardItem }) {
  const { id } = useTranscriptSession()
  const [open, toggle] = useDisclosure(id, item.key, false)
  return (
    <div className="text-sm text-ink-2">
      <button
        type="button"
        aria-expanded={open}
        onClick={toggle}
        className="-mx-1.5 flex items-center gap-2 rounded-sm px-1.5 py-0.5 hover:text-ink"
      >
        <ShieldHalf size={14} strokeWidth={1.75} className="text-ink-3" aria-hidden />
        <span>
          Guard: {GUARDS[item.guard] ?? item.guard.replaceAll('_', ' ')}
          <span className="text-ink-3"> · a message from ML Intern to the model</span>
        </span>
        <Chevron open={open} />
      </button>
      {open && (
        <p className="mt-1 ml-1.5 border-l-2 border-line-strong py-0.5 pl-4 break-words whitespace-pre-wrap">
          {item.text}
        </p>
      )}
    </div>
  )
}

const GUARDS: Partial<Record<string, string>> = {
  doom_loop: 'the same step was repeated',
  malformed_arguments: 'arguments could not be read',
  unfinished_plan: 'the plan is not finished',
  truncated_output: 'the reply was cut',
  empty_reply: 'the reply was empty',
}

/** Code of the error that another key mends. */
const KEY_REFUSED = 'auth'

interface NoticeLook {
  icon: LucideIcon
  box: string
  ink: string
}
const quiet = (icon: LucideIcon): NoticeLook => ({ icon, box: '', ink: 'text-ink-3' })
const NOTICES: Record<NoticeKind, NoticeLook> = {
  error: { icon: CircleAlert, box: 'rounded-lg border border-bad/30 bg-bad-soft px-3.5 py-2.5', ink: 'text-bad' },
  limit: { icon: CirclePause, box: 'rounded-lg border border-warn/30 bg-warn-soft px-3.5 py-2.5', ink: 'text-warn' },
  interrupted: quiet(CircleStop),
  compacted: quiet(Minimize2),
  resumed: quiet(History),
  forked: quiet(GitFork),
}

export function Notice({ item, newest }: { item: NoticeItem; newest: boolean }) {
  const { onRetry } = useTranscriptSession()
  const { icon: Icon, box, ink } = NOTICES[item.notice]
  const boxed = box !== ''
  const failed = item.notice === 'error'
  return (
    <div className={clsx('flex items-start gap-2.5', box, !boxed && 'text-sm text-ink-2')}>
      <Icon
        size={boxed ? 15 : 14}
        strokeWidth={boxed ? 2 : 1.75}
        className={clsx('shrink-0', boxed ? 'mt-0.5' : 'mt-[2px]', ink)}
        aria-hidden
      />
      <div className="min-w-0 flex-1 break-words whitespace-pre-wrap">
        <p className={clsx(boxed && 'font-medium')}>{item.text}</p>
        {item.remedy && <p className="text-ink-2">{item.remedy}</p>}
      </div>
      {failed && (
        <div className="flex shrink-0 items-center gap-1">
          <CopyButton
            text={() => [item.text, item.remedy, item.code && `(${item.code})`].filter(Boolean).join('\n')}
            label="Copy error"
          />
          {newest && item.code === KEY_REFUSED && (
            <Button size="sm" onClick={() => showDialog('key')}>
              Change the key
            </Button>
          )}
          {newest && onRetry && (
            <Button size="sm" onClick={onRetry}>
              <RotateCcw size={12} aria-hidden />
              Try again
            </Button>
          )}
        </div>
      )}
    </div>
  )
}
