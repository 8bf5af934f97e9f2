import type { BackgroundProcess } from '@shared/terminals'
import { useCallback, useEffect, useMemo, useState } from 'react'
import { call, failureOf } from '../../bridge/bridge'

/** Milliseconds between two looks while something is known to run: a process ends without telling anybody. */
const LOOK_MS = 4_000

/** What commands of a session left running; looked up again whenever `changed` is another value. */
export function useProcesses(session: string, active: boolean, changed: string): [BackgroundProcess[], () => void] {
  const [processes, setProcesses] = useState<BackgroundProcess[]>([])
  const [asked, setAsked] = useState(0)
  // Another object is another reason to look.
  const request = useMemo(() => ({ session, changed, asked }), [session, changed, asked])

  useEffect(() => {
    if (!active) return
    let gone = false
    let timer: ReturnType<typeof setTimeout> | null = null
    const look = (): void => {
      call('processes.list', { session: request.session }).then(
        (found) => {
          if (gone) return
          setProcesses(found)
          if (found.length > 0) timer = setTimeout(look, LOOK_MS)
        },
        (thrown: unknown) => {
          // The list is an extra: the terminal works without it.
          console.debug('the processes could not be listed', failureOf(thrown).code)
        },
      )
    }
    look()
    return () => {
      gone = true
      if (timer) clearTimeout(timer)
    }
  }, [active, request])

  const again = useCallback(() => setAsked((n) => n + 1), [])
  return [processes, again]
}
