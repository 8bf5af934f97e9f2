import type { SessionState } from '@shared/state'
import { useState } from 'react'
import { activityOf, openTools } from './activity'
import { useSecond } from './clocks'
import { StateIcon } from './StateIcon'
import { formatSeconds, lastLines, plainOutput } from './text'

/** The last line of the transcript while a turn runs: what it does now, and the newest line of its output. */
export function ActivityLine({ state }: { state: SessionState }) {
  const [retry, setRetry] = useState({ of: state.retry, since: Date.now() })
  if (retry.of !== state.retry) setRetry({ of: state.retry, since: Date.now() })
  const activity = activityOf(state, retry.since)
  if (!activity) return null
  const line = outputLine(state)
  return (
    <div className="text-sm text-ink-2">
      <p className="flex min-h-6 items-start gap-2.5 py-0.5">
        <span className="mt-0.5">
          <StateIcon state={state.status === 'waiting_approval' ? 'waiting_approval' : 'running'} />
        </span>
        {/* Why it is tried again is a sentence of the server's: it wraps. Beside a command the words keep their width. */}
        <span className={activity.code ? 'shrink-0' : 'min-w-0 break-words'}>
          {activity.retryAt !== null && <Countdown until={activity.retryAt} />}
          {activity.text}
        </span>
        {activity.code && <code className="mono-line min-w-0 truncate leading-[18px]">{activity.code}</code>}
      </p>
      {line && <p className="mono-line truncate pl-6 text-ink-3">{line}</p>}
    </div>
  )
}

function Countdown({ until }: { until: number }) {
  const left = Math.ceil((until - useSecond()) / 1_000)
  return <span className="tabular">{left > 0 ? `Trying again in ${formatSeconds(left)} — ` : 'Trying again — '}</span>
}

/** Enough of the end of a log to hold one line. */
const TAIL_CHARS = 2_000

function outputLine(state: SessionState): string {
  const [only, more] = openTools(state)
  const log = only && !more ? state.live_logs[only.call_id] : undefined
  return log ? lastLines(plainOutput(log.slice(-TAIL_CHARS)).trimEnd(), 1).text.trim() : ''
}
