import { useState } from 'react'
import { useApp } from '../../stores/app'
import { reportFailure, setDrawer } from '../../stores/ui'

/** Starts the bundled demo and opens it; a second press while it starts does nothing. */
export function useDemo(): { busy: boolean; disabled: boolean; start: () => void } {
  const [busy, setBusy] = useState(false)
  const connected = useApp((app) => app.connection === 'connected')
  const startDemo = useApp((app) => app.actions.startDemo)

  async function run(): Promise<void> {
    setBusy(true)
    try {
      await startDemo()
      setDrawer(null)
    } catch (thrown) {
      reportFailure('The demo did not start.', thrown)
    } finally {
      setBusy(false)
    }
  }
  return {
    busy,
    disabled: busy || !connected,
    start: () => {
      if (!busy) void run()
    },
  }
}
