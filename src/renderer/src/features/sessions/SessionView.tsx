import { useCallback } from 'react'
import { FailureBanner } from '../../components/Banner'
import { Button } from '../../components/Button'
import { Skeleton } from '../../components/Skeleton'
import { useApp } from '../../stores/app'
import {
  getSessionState,
  retryFollow,
  submit,
  useSessionFollow,
  useSessionPart,
  useSessionState,
} from '../../stores/sessions'
import { reportFailure } from '../../stores/ui'
import { Transcript } from '../chat/Transcript'
import { Composer } from '../composer/Composer'
import { ConnectionBanner } from '../status/ConnectionBanner'
import { Header } from './Header'
import { RunAnnouncer } from './RunAnnouncer'

/** The conversation: header, transcript, composer. */
export function SessionView({ id }: { id: string }) {
  const loaded = useSessionPart(id, (state) => state !== undefined)
  const follow = useSessionFollow(id)
  const readOnly = useApp((app) => app.sessions.find((session) => session.id === id)?.locked ?? false)
  const open = useApp((app) => app.actions.open)

  return (
    <main className="flex h-full min-h-0 min-w-0 flex-col">
      <Header key={`header-${id}`} id={id} readOnly={readOnly} />
      <ConnectionBanner />
      <div className="relative flex min-h-0 flex-1 flex-col">
        {follow?.failure && (
          <div className="mx-auto w-full max-w-180 px-6 pt-6">
            <FailureBanner
              failure={follow.failure}
              action={
                <>
                  <Button size="sm" onClick={() => retryFollow(id)}>
                    Try again
                  </Button>
                  <Button size="sm" look="quiet" onClick={() => open(null)}>
                    Close
                  </Button>
                </>
              }
            />
          </div>
        )}
        {loaded ? <Conversation id={id} readOnly={readOnly} /> : !follow?.failure && <LoadingTranscript />}
      </div>
      {loaded && <Composer key={id} id={id} readOnly={readOnly} />}
      <RunAnnouncer key={`run-${id}`} id={id} />
    </main>
  )
}

/** The only part that follows every event. */
function Conversation({ id, readOnly }: { id: string; readOnly: boolean }) {
  const state = useSessionState(id)

  const retry = useCallback((): void => {
    const last = getSessionState(id)?.items.findLast((item) => item.kind === 'user')
    if (last?.kind !== 'user') return
    submit(id, { op: 'user_input', text: last.text }).catch((thrown: unknown) =>
      reportFailure('The message was not sent again.', thrown),
    )
  }, [id])

  return state && <Transcript key={id} state={state} onRetry={readOnly ? undefined : retry} />
}

function LoadingTranscript() {
  return (
    <div role="status" aria-label="Loading the session" className="mx-auto w-full max-w-180 px-6 pt-8">
      <Skeleton className="ml-auto h-14 w-96 max-w-full rounded-lg" />
      <Skeleton className="mt-6 h-4 w-full" />
      <Skeleton className="mt-2 h-4 w-4/5" />
      <Skeleton className="mt-6 h-26 w-full rounded-lg" />
    </div>
  )
}
