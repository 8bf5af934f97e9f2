import type { GuardItem, NoticeItem, NoticeKind } from '@shared/state'
import { clsx } from 'clsx'
import {
  CircleAlert,
  CirclePause,
  CircleStop,
  GitFork,
  History,
  Info,
  type LucideIcon,
  Minimize2,
  RotateCcw,
  ShieldHalf,
} from 'lucide-react'
import type { ReactNode } from 'react'
import { Button } from '../../components/Button'
import { useSessionPart } from '../../stores/sessions'
import { showDialog, showMeter } from '../../stores/ui'
import { OtherModels } from '../models/OtherModels'
import { Chevron } from './Chevron'
import { CopyButton } from './CopyButton'
import { useDisclosure } from './disclosure'
import { Markdown } from './Markdown'
import { useTranscriptSession } from './session-context'
import { summaryOf } from './summary'

interface MarkerProps {
  icon: LucideIcon
  /** Key of the item: whether it is open is kept by it. */
  name: string
  line: ReactNode
  children: ReactNode
}

/** A quiet line of the program's own that opens to what is behind it. */
function Marker({ icon: Icon, name, line, children }: MarkerProps) {
  const { id } = useTranscriptSession()
  const [open, toggle] = useDisclosure(id, name, false)
  return (
    <div className="text-sm text-ink-2">
      <button
        type="button"
        aria-expanded={open}
        onClick={toggle}
        className="-mx-1.5 flex max-w-full items-start gap-2.5 rounded-sm px-1.5 py-0.5 text-left hover:text-ink"
      >
        <Icon size={14} strokeWidth={1.75} className="mt-[2px] shrink-0 text-ink-3" aria-hidden />
        <span className="min-w-0">{line}</span>
        <Chevron open={open} className="mt-[2.5px]" />
      </button>
      {open && <div className="mt-1 ml-1.5 border-l-2 border-line-strong py-0.5 pl-4 break-words">{children}</div>}
    </div>
  )
}

/** What the loop itself told the model: visible as such, and quiet. */
export function GuardNotice({ item }: { item: GuardItem }) {
  return (
    <Marker
      icon={ShieldHalf}
      name={item.key}
      line={
        <>
          Guard: {GUARDS[item.guard] ?? item.guard.replaceAll('_', ' ')}
          <span className="text-ink-3"> · a message from ML Intern to the model</span>
        </>
      }
    >
      <p className="whitespace-pre-wrap">{item.text}</p>
    </Marker>
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
/** Codes of errors of a summary that was asked for: there is no message to be sent again. */
const NO_RETRY: ReadonlySet<string> = new Set(['nothing_to_compact', 'budget'])
/** Code of the notice that another model may not need. */
const REFUSED = 'refusal'

/** Code of the notice that a cap has ended the turn. What the terminal says to do about it is no help in the window. */
const OVER_BUDGET = 'budget'
const OVER_BUDGET_REMEDY = 'Nothing is lost: the cost panel makes room, and the model goes on where it stopped.'

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
  info: quiet(Info),
}

export function Notice({ item, newest }: { item: NoticeItem; newest: boolean }) {
  return item.notice === 'compacted' ? <Compacted item={item} /> : <Said item={item} newest={newest} />
}

function Said({ item, newest }: { item: NoticeItem; newest: boolean }) {
  const { id, onRetry } = useTranscriptSession()
  const { icon: Icon, box, ink } = NOTICES[item.notice]
  const boxed = box !== ''
  const failed = item.notice === 'error'
  const overBudget = item.code === OVER_BUDGET
  const remedy = overBudget ? OVER_BUDGET_REMEDY : item.remedy
  return (
    <div className={clsx('flex items-start gap-x-2.5 gap-y-2', box, boxed ? 'flex-wrap' : 'text-sm text-ink-2')}>
      <Icon
        size={boxed ? 15 : 14}
        strokeWidth={boxed ? 2 : 1.75}
        className={clsx('shrink-0', boxed ? 'mt-0.5' : 'mt-[2px]', ink)}
        aria-hidden
      />
      <div className={clsx('min-w-0 flex-1 break-words whitespace-pre-wrap', boxed && 'basis-60')}>
        <p className={clsx(boxed && 'font-medium')}>{item.text}</p>
        {remedy && <p className={boxed ? 'text-ink-2' : 'text-ink-3'}>{remedy}</p>}
        {newest && item.code === REFUSED && <OtherModels session={id} />}
      </div>
      {overBudget && newest && (
        <Button size="sm" className="ml-auto" onClick={() => showMeter('cost')}>
          Cost and caps
        </Button>
      )}
      {failed && (
        <div className="ml-auto flex shrink-0 items-center gap-1">
          <CopyButton
            text={() => [item.text, item.remedy, item.code && `(${item.code})`].filter(Boolean).join('\n')}
            label="Copy error"
          />
          {newest && item.code === KEY_REFUSED && (
            <Button size="sm" onClick={() => showDialog('key')}>
              Change the key
            </Button>
          )}
          {newest && onRetry && !NO_RETRY.has(item.code ?? '') && (
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

/** Where the model's memory of the conversation begins anew, and what it remembers instead. */
function Compacted({ item }: { item: NoticeItem }) {
  const { id } = useTranscriptSession()
  const summary = useSessionPart(id, (state) => summaryOf(state, item.seq))
  if (!summary) return <Said item={item} newest={false} />
  return (
    <Marker
      icon={NOTICES.compacted.icon}
      name={item.key}
      line={
        <>
          {item.text.replace(/\.$/, '')}
          <span className="text-ink-3"> · what the model goes on with</span>
        </>
      }
    >
      <div className="max-h-100 overflow-y-auto">
        <Markdown text={summary} />
      </div>
    </Marker>
  )
}
