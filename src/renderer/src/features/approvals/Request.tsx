import type { ApprovalRequest } from '@shared/approvals'
import { clsx } from 'clsx'
import { type RefObject, useEffect, useId, useRef, useState } from 'react'
import { Button } from '../../components/Button'
import { DenyForm } from './DenyForm'
import { type Choice, choiceLabel, type LongerScope, longerScopes, scopeLimit } from './decisions'
import { EditForm } from './EditForm'
import { Explanation } from './Explanation'
import { type Arguments, sameArguments } from './edits'
import { KeyHint } from './KeyHint'
import { RequestHead, Subjects } from './RequestHead'
import { RequestPreview } from './RequestPreview'
import { ScopeForm } from './ScopeForm'
import { ScopeMenu } from './ScopeMenu'

interface RequestProps {
  request: ApprovalRequest
  cwd: string
  choice: Choice | undefined
  /** In the place of the model's arguments. */
  edited: Arguments | undefined
  /** What the model said about it. */
  explanation: string | undefined
  explaining: boolean
  /** Alone in its card: a choice is sent at once. In a batch it can still be changed. */
  single: boolean
  disabled: boolean
  /** It is answered in another window. */
  readOnly: boolean
  onChoose: (choice: Choice | null) => void
  onEdit: (args: Arguments | null) => void
  onExplain: () => void
}

type View = { kind: 'ask' } | { kind: 'deny' } | { kind: 'edit' } | { kind: 'scope'; scope: LongerScope }
const ASK: View = { kind: 'ask' }

/** One step that asks. */
export function Request(props: RequestProps) {
  const { request: original, cwd, choice, edited, single, disabled, onChoose, onEdit } = props
  const [view, setView] = useState<View>(ASK)
  const approve = useReturn(view.kind === 'ask')
  const title = useId()
  const request = edited ? { ...original, arguments: edited } : original
  const decided = choice !== undefined && !single

  function keep(args: Arguments): void {
    onEdit(sameArguments(args, original.arguments) ? null : args)
    setView(ASK)
  }

  return (
    <section aria-labelledby={title} className="px-4 pt-3 pb-3.5">
      <RequestHead request={request} titleId={title} edited={edited !== undefined} />
      {view.kind === 'edit' ? (
        <EditForm request={request} disabled={disabled} onCancel={() => setView(ASK)} onKeep={keep} />
      ) : (
        <>
          <RequestPreview
            request={request}
            cwd={cwd}
            lines={single ? 24 : 8}
            disabled={disabled || decided}
            onEdit={() => setView({ kind: 'edit' })}
            onReset={edited && (() => onEdit(null))}
          />
          <Subjects request={original} />
        </>
      )}
      <Explanation text={props.explanation} busy={props.explaining} />
      {props.readOnly ? (
        <p className="mt-3 text-sm text-ink-3">It is answered in the ML Intern that works in this session.</p>
      ) : decided ? (
        <Decided choice={choice} disabled={disabled} onChange={() => onChoose(null)} />
      ) : view.kind === 'deny' ? (
        <DenyForm
          disabled={disabled}
          onCancel={() => setView(ASK)}
          onDeny={(feedback) => {
            setView(ASK)
            onChoose({ approved: false, feedback })
          }}
        />
      ) : view.kind === 'scope' ? (
        <ScopeForm
          key={view.scope.scope}
          request={original}
          scope={view.scope}
          edited={edited !== undefined}
          disabled={disabled}
          onCancel={() => setView(ASK)}
          onConfirm={(rules) => {
            setView(ASK)
            onChoose({ approved: true, scope: view.scope.scope, rules })
          }}
        />
      ) : (
        view.kind === 'ask' && (
          <Answers
            {...props}
            approve={approve}
            onScope={(scope) => setView({ kind: 'scope', scope })}
            onDeny={() => setView({ kind: 'deny' })}
          />
        )
      )}
    </section>
  )
}

/** Brings the focus back to the first answer when a form closes that had it. */
function useReturn(asking: boolean) {
  const approve = useRef<HTMLButtonElement>(null)
  const before = useRef(asking)
  useEffect(() => {
    if (asking && !before.current && document.activeElement === document.body) approve.current?.focus()
    before.current = asking
  }, [asking])
  return approve
}

interface AnswersProps extends RequestProps {
  approve: RefObject<HTMLButtonElement | null>
  onScope: (scope: LongerScope) => void
  onDeny: () => void
}

function Answers({ request, single, disabled, explanation, explaining, approve, ...on }: AnswersProps) {
  const scopes = longerScopes(request)
  return (
    <div className="@container mt-3">
      <div className="flex flex-wrap items-center gap-2">
        <span className="inline-flex">
          <Button
            ref={approve}
            look={single ? 'primary' : 'plain'}
            disabled={disabled}
            className={scopes.length > 0 ? 'rounded-r-none' : undefined}
            onClick={() => on.onChoose({ approved: true, scope: 'once' })}
          >
            Approve once
          </Button>
          {scopes.length > 0 && <ScopeMenu scopes={scopes} primary={single} disabled={disabled} onScope={on.onScope} />}
        </span>
        <Button disabled={disabled} onClick={() => on.onChoose({ approved: false, feedback: '' })}>
          Deny
        </Button>
        <Button look="quiet" disabled={disabled} onClick={on.onDeny}>
          Deny with a reason
        </Button>
        {explanation === undefined && (
          <Button
            look="quiet"
            disabled={disabled || explaining}
            title="Asks the model what this does and why. That is one more call of the model."
            onClick={on.onExplain}
          >
            Explain
          </Button>
        )}
        {/* One place for both, so that the focus moves nothing. */}
        <span className="ml-auto grid justify-items-end text-sm text-ink-3 *:col-start-1 *:row-start-1">
          <span className={clsx(single && 'group-focus/card:invisible')}>{scopeLimit(request)}</span>
          {single && <KeyHint />}
        </span>
      </div>
    </div>
  )
}

function Decided({ choice, disabled, onChange }: { choice: Choice; disabled: boolean; onChange: () => void }) {
  return (
    <p className="mt-3 flex h-7.5 items-center gap-3">
      <span className={choice.approved ? 'font-medium text-ok' : 'font-medium text-ink'}>{choiceLabel(choice)}</span>
      {!choice.approved && choice.feedback && <span className="min-w-0 truncate text-ink-2">“{choice.feedback}”</span>}
      <Button size="sm" look="quiet" disabled={disabled} onClick={onChange}>
        Change
      </Button>
    </p>
  )
}
