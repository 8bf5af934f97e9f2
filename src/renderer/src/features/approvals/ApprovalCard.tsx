import type { ApprovalRequest } from '@shared/events'
import { clsx } from 'clsx'
import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react'
import { type BridgeFailure, failureOf } from '../../bridge/bridge'
import { Button } from '../../components/Button'
import { Kbd } from '../../components/Kbd'
import { submit } from '../../stores/sessions'
import { type Choice, type Choices, choiceForAll, decisionsOf } from './decisions'
import { Request } from './Request'

interface ApprovalCardProps {
  session: string
  cwd: string
  requests: ApprovalRequest[]
}

const APPROVE: Choice = { approved: true, scope: 'once' }
const DENY: Choice = { approved: false, feedback: '' }

/**
 * The question before something changes: what will happen, why it is asked, and the answers. Several requests are
 * answered together, because the engine waits for all of them.
 */
export function ApprovalCard({ session, cwd, requests }: ApprovalCardProps) {
  const [choices, setChoices] = useState<Choices>({})
  const [sending, setSending] = useState(false)
  const [failure, setFailure] = useState<BridgeFailure | null>(null)
  const card = useRef<HTMLElement>(null)
  const title = useId()
  const single = requests.length === 1

  // The keyboard is offered once the card is seen, and never taken away from somebody who is typing.
  useEffect(() => {
    const element = card.current
    if (!element) return
    const seen = new IntersectionObserver(([entry]) => {
      if (!entry?.isIntersecting) return
      seen.disconnect()
      if (document.activeElement === document.body) element.focus({ preventScroll: true })
    })
    seen.observe(element)
    return () => seen.disconnect()
  }, [])

  async function send(answers: Choices): Promise<void> {
    const approvals = decisionsOf(requests, answers)
    if (!approvals || sending) return
    setSending(true)
    setFailure(null)
    try {
      await submit(session, { op: 'exec_approval', approvals })
      // Stays disabled: the event that resolves the requests takes the card away.
    } catch (thrown) {
      setFailure(failureOf(thrown))
      setSending(false)
    }
  }

  function choose(id: string, choice: Choice | null): void {
    const { [id]: _before, ...others } = choices
    const next = choice ? { ...others, [id]: choice } : others
    setChoices(next)
    if (single && choice) void send(next)
  }

  function pressed(event: KeyboardEvent<HTMLElement>): void {
    if (
      event.target !== event.currentTarget ||
      event.repeat ||
      event.ctrlKey ||
      event.metaKey ||
      event.altKey ||
      sending
    )
      return
    const key = event.key.toLowerCase()
    if (key === 'enter' || key === 'y') void send(choiceForAll(requests, APPROVE))
    else if (key === 'n') void send(choiceForAll(requests, DENY))
    else return
    event.preventDefault()
  }

  const decided = requests.filter((request) => choices[request.tool_call_id]).length
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
          <span className="ml-auto flex items-center gap-2">
            <Button size="sm" disabled={sending} onClick={() => void send(choiceForAll(requests, APPROVE))}>
              Approve all
            </Button>
            <Button size="sm" look="quiet" disabled={sending} onClick={() => void send(choiceForAll(requests, DENY))}>
              Deny all
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
            single={single}
            disabled={sending}
            hint={single && <KeyHint />}
            onChoose={(choice) => choose(request.tool_call_id, choice)}
          />
        ))}
      </div>
      {!single && (
        <footer className="flex items-center gap-3 border-t border-line px-4 py-3">
          <Button look="primary" disabled={sending || decided < requests.length} onClick={() => void send(choices)}>
            Send answers
          </Button>
          <span className="text-sm text-ink-3 tabular">
            {decided} of {requests.length} decided
          </span>
          <KeyHint all />
        </footer>
      )}
      {failure && (
        <p role="alert" className="border-t border-bad/30 bg-bad-soft px-4 py-2.5 text-bad">
          {failure.message} {failure.remedy}
        </p>
      )}
    </section>
  )
}

/** The keys work while the card itself has the focus, and are shown only then. */
function KeyHint({ all = false }: { all?: boolean }) {
  return (
    <span className="ml-auto hidden items-center gap-1.5 text-sm text-ink-3 group-focus/card:flex">
      <Kbd keys={['Y']} /> {all ? 'approve all' : 'approve'} <Kbd keys={['N']} /> {all ? 'deny all' : 'deny'}
    </span>
  )
}
