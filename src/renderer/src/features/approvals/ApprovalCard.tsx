import type { ApprovalRequest } from '@shared/approvals'
import { clsx } from 'clsx'
import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from 'react'
import { type BridgeFailure, failureOf } from '../../bridge/bridge'
import { Button } from '../../components/Button'
import { useApp } from '../../stores/app'
import { submit, useSessionPart } from '../../stores/sessions'
import { useReadOnly } from '../chat/useReadOnly'
import { keepAnswers, setChoice, setEdited, useAnswers } from './answers'
import { type Choice, type Choices, decisionsOf, fillChoices } from './decisions'
import { KeyHint } from './KeyHint'
import { Request } from './Request'

interface ApprovalCardProps {
  session: string
  cwd: string
  requests: ApprovalRequest[]
}

const APPROVE: Choice = { approved: true, scope: 'once' }
const DENY: Choice = { approved: false, feedback: '' }

interface Failure {
  /** The call that was to be explained; null: the answers could not be sent. */
  explaining: string | null
  why: BridgeFailure
}

/**
 * The question before something changes: what will happen, why it is asked, and the answers. Several requests are
 * answered together, because the engine waits for all of them.
 */
export function ApprovalCard({ session, cwd, requests }: ApprovalCardProps) {
  const ids = useMemo(() => requests.map((request) => request.tool_call_id), [requests])
  const { choices, edits } = useAnswers(session, ids)
  const explanations = useSessionPart(session, (state) => state?.explanations)
  const readOnly = useReadOnly(session)
  const connected = useApp((app) => app.connection === 'connected')
  const [explaining, setExplaining] = useState<readonly string[]>([])
  const [sending, setSending] = useState(false)
  const [failure, setFailure] = useState<Failure | null>(null)
  const card = useRef<HTMLElement>(null)
  const title = useId()
  const single = requests.length === 1
  const disabled = sending || readOnly || !connected
  const decided = ids.filter((id) => choices[id]).length
  const rest = decided === 0 ? 'all' : 'the rest'

  useEffect(() => keepAnswers(session, ids), [session, ids])

  // The keyboard is offered once the card is seen, and never taken away from somebody who is typing.
  useEffect(() => {
    const element = card.current
    if (!element || readOnly) return
    const seen = new IntersectionObserver(([entry]) => {
      if (!entry?.isIntersecting) return
      seen.disconnect()
      if (document.activeElement === document.body) element.focus({ preventScroll: true })
    })
    seen.observe(element)
    return () => seen.disconnect()
  }, [readOnly])

  async function send(answers: Choices): Promise<void> {
    const approvals = decisionsOf(requests, answers, edits)
    if (!approvals || disabled) return
    setSending(true)
    setFailure(null)
    try {
      await submit(session, { op: 'exec_approval', approvals })
      // Stays disabled: the event that resolves the requests takes the card away.
    } catch (thrown) {
      setFailure({ explaining: null, why: failureOf(thrown) })
      setSending(false)
    }
  }

  function choose(id: string, choice: Choice | null): void {
    // In a batch an answer is kept until all are there; alone it goes at once, and is not kept if that fails.
    if (!single) setChoice(session, id, choice)
    else if (choice) void send({ [id]: choice })
  }

  async function explain(id: string): Promise<void> {
    setExplaining((before) => [...before.filter((one) => one !== id), id])
    setFailure(null)
    try {
      // Taken at once; the answer, or why there is none, comes as an event.
      await submit(session, { op: 'explain', tool_call_id: id })
    } catch (thrown) {
      setFailure({ explaining: id, why: failureOf(thrown) })
      setExplaining((before) => before.filter((one) => one !== id))
    }
  }

  const isExplaining = (id: string): boolean => explaining.includes(id) && explanations?.[id] === undefined

  function pressed(event: KeyboardEvent<HTMLElement>): void {
    if (event.target !== event.currentTarget || event.repeat || disabled) return
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const key = event.key.toLowerCase()
    if (key === 'enter' || key === 'y') void send(fillChoices(requests, choices, APPROVE))
    else if (key === 'n') void send(fillChoices(requests, choices, DENY))
    else return
    event.preventDefault()
  }

  return (
    // Its keys repeat what its buttons do.
    <section
      ref={card}
      tabIndex={-1}
      aria-labelledby={title}
      aria-busy={sending}
      onKeyDown={pressed}
      className="group/card overflow-hidden rounded-lg border border-line-strong bg-raised shadow-float"
    >
      {single ? (
        <h2 id={title} className="sr-only">
          Approval needed
        </h2>
      ) : (
        <header className="flex items-center gap-3 border-b border-line px-4 py-3">
          <h2 id={title} className="text-title font-semibold">
            {requests.length} steps need your approval
          </h2>
          <span className={clsx('ml-auto flex items-center gap-2', readOnly && 'hidden')}>
            <Button size="sm" disabled={disabled} onClick={() => void send(fillChoices(requests, choices, APPROVE))}>
              Approve {rest}
            </Button>
            <Button
              size="sm"
              look="quiet"
              disabled={disabled}
              onClick={() => void send(fillChoices(requests, choices, DENY))}
            >
              Deny {rest}
            </Button>
          </span>
        </header>
      )}
      <div className={clsx(!single && 'divide-y divide-line')}>
        {requests.map((request) => (
          <Request
            key={request.tool_call_id}
            request={request}
            cwd={cwd}
            choice={choices[request.tool_call_id]}
            edited={edits[request.tool_call_id]}
            explanation={explanations?.[request.tool_call_id]}
            explaining={isExplaining(request.tool_call_id)}
            single={single}
            disabled={disabled}
            readOnly={readOnly}
            onChoose={(choice) => choose(request.tool_call_id, choice)}
            onEdit={(args) => setEdited(session, request.tool_call_id, args)}
            onExplain={() => void explain(request.tool_call_id)}
          />
        ))}
      </div>
      {!single && !readOnly && (
        <footer className="flex items-center gap-3 border-t border-line px-4 py-3">
          <Button look="primary" disabled={disabled || decided < requests.length} onClick={() => void send(choices)}>
            Send answers
          </Button>
          <span className="text-sm text-ink-3 tabular">
            {decided} of {requests.length} decided
          </span>
          <span className="ml-auto">
            <KeyHint what={rest} />
          </span>
        </footer>
      )}
      {failure && (failure.explaining === null || explanations?.[failure.explaining] === undefined) && (
        <p role="alert" className="border-t border-bad/30 bg-bad-soft px-4 py-2.5 text-bad">
          {failure.why.message} {failure.why.remedy}
        </p>
      )}
    </section>
  )
}
