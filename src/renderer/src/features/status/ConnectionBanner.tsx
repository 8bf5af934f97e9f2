import { useEffect, useState } from 'react'
import { Banner } from '../../components/Banner'
import { useApp } from '../../stores/app'

/** A start that takes longer than this (milliseconds) is worth a word. */
const PATIENCE_MS = 1_500

/** `width`: the column it stands over. */
export function ConnectionBanner({ width = 'max-w-180' }: { width?: string }) {
  const connection = useApp((app) => app.connection)
  const wasConnected = useApp((app) => app.wasConnected)
  const running = useApp((app) => app.sessions.some((session) => session.status !== 'idle'))
  const slow = useSlow(connection === 'connecting')

  if (connection === 'connected' || (connection === 'connecting' && !slow)) return null
  return <div className={`mx-auto w-full px-6 pt-4 ${width}`}>{banner()}</div>

  function banner() {
    if (connection === 'refused') {
      return (
        <Banner tone="bad" title="This address is no longer valid.">
          Its token is used up or belongs to an earlier start. Open the URL that ML Intern printed in its terminal.
        </Banner>
      )
    }
    if (connection === 'connecting' || !wasConnected) {
      return (
        <Banner tone="info" title="Connecting to ML Intern…">
          It answers as soon as it has started.
        </Banner>
      )
    }
    return (
      <Banner tone="warn" title="Connection lost. Reconnecting…">
        {running ? 'Your run goes on as long as ML Intern does. ' : 'Nothing is lost. '}
        If this stays, check that ML Intern still runs in its terminal.
      </Banner>
    )
  }
}

function useSlow(active: boolean): boolean {
  const [slow, setSlow] = useState(false)
  useEffect(() => {
    if (!active) return
    const timer = setTimeout(() => setSlow(true), PATIENCE_MS)
    return () => {
      clearTimeout(timer)
      setSlow(false)
    }
  }, [active])
  return slow
}
