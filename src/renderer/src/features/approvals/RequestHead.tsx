import type { ApprovalRequest, ApprovalSubject } from '@shared/approvals'
import { clsx } from 'clsx'
import { type ReactNode, useState } from 'react'
import { StateIcon } from '../chat/StateIcon'
import { plural } from '../chat/tool-text'
import { costOf, intentOf, questionOf, riskOf } from './decisions'

interface RequestHeadProps {
  request: ApprovalRequest
  titleId: string
  edited: boolean
}

/** What is asked, why, and what it costs. */
export function RequestHead({ request, titleId, edited }: RequestHeadProps) {
  const risk = riskOf(request)
  const intent = intentOf(request)
  return (
    <div className="mb-2.5 flex items-start gap-2.5">
      <span className="mt-[3px]">
        <StateIcon state="waiting_approval" />
      </span>
      <div className="min-w-0 flex-1">
        <div className="flex flex-wrap items-center gap-x-2 gap-y-1">
          <h3 id={titleId} className="text-title font-semibold">
            {questionOf(request)}
          </h3>
          {risk && <Badge tone="warn">{risk.badge}</Badge>}
          {edited && <Badge tone="info">Edited by you</Badge>}
        </div>
        {intent && <p className="break-words">{intent}</p>}
        <p className="break-words text-ink-2">{request.block_reason || 'Your mode asks before this.'}</p>
      </div>
      <Price request={request} />
    </div>
  )
}

function Badge({ tone, children }: { tone: 'warn' | 'info'; children: ReactNode }) {
  return (
    <span
      className={clsx(
        'rounded-sm px-1.5 py-0.5 text-xs font-medium whitespace-nowrap',
        tone === 'warn' ? 'bg-warn-soft text-warn' : 'bg-info-soft text-info',
      )}
    >
      {children}
    </span>
  )
}

function Price({ request }: { request: ApprovalRequest }) {
  const cost = costOf(request)
  if (!cost) return null
  return (
    <div className="shrink-0 text-right tabular">
      <p className={cost.known ? 'text-title font-semibold' : 'font-medium text-warn'}>{cost.amount}</p>
      {cost.left && <p className={cost.over ? 'text-warn' : 'text-ink-3'}>{cost.left}</p>}
    </div>
  )
}

/** Parts that are shown before the user asks for all. */
const FIRST_PARTS = 6

/** The parts of a shell line, as rules see them. One part is what the preview shows already. */
export function Subjects({ request }: { request: ApprovalRequest }) {
  const [all, setAll] = useState(false)
  const { subjects = [] } = request
  if (subjects.length < 2) return null
  const shown = keyed(all ? subjects : subjects.slice(0, FIRST_PARTS))
  return (
    <div className="mt-2.5 text-sm">
      <p className="text-ink-3">It does {plural(subjects.length, 'thing')}</p>
      <ul className="mt-0.5">
        {shown.map(({ key, operation, text }) => (
          <li key={key} className="flex gap-2.5 py-px">
            <span className="w-16 shrink-0 truncate text-ink-2" title={operation}>
              {operation}
            </span>
            <code className="mono-line min-w-0 break-all whitespace-pre-wrap">{text}</code>
          </li>
        ))}
      </ul>
      {shown.length < subjects.length && (
        <button
          type="button"
          onClick={() => setAll(true)}
          className="mt-0.5 text-ink-2 underline underline-offset-2 hover:text-ink"
        >
          Show all {subjects.length}
        </button>
      )}
    </div>
  )
}

/** The same part may be there twice. */
function keyed(parts: ApprovalSubject[]): (ApprovalSubject & { key: string })[] {
  const seen = new Map<string, number>()
  return parts.map((part) => {
    const name = `${part.operation} ${part.text}`
    const count = (seen.get(name) ?? 0) + 1
    seen.set(name, count)
    return { ...part, key: `${count} ${name}` }
  })
}
