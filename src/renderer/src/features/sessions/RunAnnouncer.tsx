import { useEffect, useRef, useState } from 'react'
import { useSessionPart } from '../../stores/sessions'
import { runStateOf } from './sessionState'

/** Tells screen readers when the run starts, waits or ends; not every step, which would never stop talking. */
export function RunAnnouncer({ id }: { id: string }) {
  const status = useSessionPart(id, (state) => state?.status)
  const outcome = useSessionPart(id, (state) => state?.last_outcome) ?? null
  const [message, setMessage] = useState('')
  const last = useRef(status)
  useEffect(() => {
    const before = last.current
    last.current = status
    // The first state is where the session stood, not something that happened.
    if (status === undefined || before === undefined || before === status) return
    setMessage(`${runStateOf({ status, last_outcome: outcome }).label}.`)
  }, [status, outcome])
  return (
    <div role="status" aria-live="polite" className="sr-only" data-testid="run-state">
      {message}
    </div>
  )
}
