import type { ApprovalRequest } from '@shared/events'
import { type KeyboardEvent, type ReactNode, useId, useState } from 'react'
import { Button } from '../../components/Button'
import { formatCost } from '../../lib/format'
import { StateIcon } from '../chat/StateIcon'
import { type Choice, MAX_FEEDBACK, questionOf, sessionScopeOf } from './decisions'
import { RequestPreview } from './RequestPreview'

interface RequestProps {
  request: ApprovalRequest
  cwd: string
  choice: Choice | undefined
  /** Alone in its card: a choice is sent at once. In a batch it can still be changed. */
  single: boolean
  disabled: boolean
  /** At the end of the line of buttons. */
  hint: ReactNode
  onChoose: (choice: Choice | null) => void
}

/** One step that asks. */
export function Request({ request, cwd, choice, single, disabled, hint, onChoose }: RequestProps) {
  const [denying, setDenying] = useState(false)
  return (
    <div className="px-4 pt-3 pb-3.5">
      <div className="mb-2.5 flex items-start gap-2.5">
        <span className="mt-[3px]">
          <StateIcon state="waiting_approval" />
        </span>
        <div className="min-w-0">
          <h3 className="text-title font-semibold">{questionOf(request)}</h3>
          <p className="text-ink-2">{request.block_reason || 'Your mode asks before this.'}</p>
        </div>
        <Price request={request} />
      </div>
      <RequestPreview request={request} cwd={cwd} lines={single ? 24 : 8} />
      {choice && !single ? (
        <Decided choice={choice} disabled={disabled} onChange={() => onChoose(null)} />
      ) : denying ? (
        <Reason
          disabled={disabled}
          onCancel={() => setDenying(false)}
          onDeny={(feedback) => onChoose({ approved: false, feedback })}
        />
      ) : (
        <div className="mt-3 flex flex-wrap items-center gap-2">
          <Button
            look={single ? 'primary' : 'plain'}
            disabled={disabled}
            onClick={() => onChoose({ approved: true, scope: 'once' })}
          >
            Approve
          </Button>
          <Button
            disabled={disabled}
            title={sessionScopeOf(request.tool)}
            onClick={() => onChoose({ approved: true, scope: 'session' })}
          >
            Approve for this session
          </Button>
          <Button look="quiet" disabled={disabled} onClick={() => setDenying(true)}>
            Deny with a reason
          </Button>
          {hint}
        </div>
      )}
    </div>
  )
}

function Price({ request }: { request: ApprovalRequest }) {
  const { estimated_cost_usd, remaining_cap_usd } = request
  if (estimated_cost_usd === undefined || estimated_cost_usd === null) return null
  return (
    <div className="ml-auto shrink-0 text-right tabular">
      <p className="text-title font-semibold">{formatCost(estimated_cost_usd)}</p>
      {typeof remaining_cap_usd === 'number' && <p className="text-ink-3">of {formatCost(remaining_cap_usd)} left</p>}
    </div>
  )
}

function Decided({ choice, disabled, onChange }: { choice: Choice; disabled: boolean; onChange: () => void }) {
  const said = !choice.approved ? 'Denied' : choice.scope === 'session' ? 'Approved for this session' : 'Approved'
  return (
    <p className="mt-3 flex h-7.5 items-center gap-3">
      <span className={choice.approved ? 'font-medium text-ok' : 'font-medium text-ink'}>{said}</span>
      {!choice.approved && choice.feedback && <span className="min-w-0 truncate text-ink-2">“{choice.feedback}”</span>}
      <Button size="sm" look="quiet" disabled={disabled} onClick={onChange}>
        Change
      </Button>
    </p>
  )
}

interface ReasonProps {
  disabled: boolean
  onCancel: () => void
  onDeny: (feedback: string) => void
}

function Reason({ disabled, onCancel, onDeny }: ReasonProps) {
  const [text, setText] = useState('')
  const id = useId()
  function pressed(event: KeyboardEvent<HTMLTextAreaElement>): void {
    if (event.nativeEvent.isComposing) return
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault()
      if (!disabled) onDeny(text)
    } else if (event.key === 'Escape') {
      event.stopPropagation()
      onCancel()
    }
  }
  return (
    <div className="mt-3">
      <label htmlFor={id} className="mb-1 block text-sm text-ink-2">
        Why not? The model reads this and takes another way.
      </label>
      <textarea
        id={id}
        ref={(field) => field?.focus()}
        rows={2}
        maxLength={MAX_FEEDBACK}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={pressed}
        className="block max-h-40 min-h-14 w-full resize-y rounded-md border border-line-strong bg-bg px-2.5 py-1.5"
      />
      <div className="mt-2 flex gap-2">
        <Button disabled={disabled} onClick={() => onDeny(text)}>
          Deny
        </Button>
        <Button look="quiet" disabled={disabled} onClick={onCancel}>
          Cancel
        </Button>
      </div>
    </div>
  )
}
