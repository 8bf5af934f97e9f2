import type { TerminalInfo } from '@shared/terminals'
import { useEffect, useState } from 'react'
import { call, failureOf, getBridge } from '../../bridge/bridge'
import { useApp } from '../../stores/app'

/** `unsupported`: the host has no terminals. */
export type Terminals = { phase: 'loading' | 'unsupported' } | { phase: 'live'; list: TerminalInfo[] }

interface Known {
  session: string
  terminals: Terminals
}

/** The terminals of a session, as they come and go. */
export function useTerminals(session: string): { terminals: Terminals; add: (info: TerminalInfo) => void } {
  const connected = useApp((app) => app.connection === 'connected')
  const [known, setKnown] = useState<Known>({ session, terminals: { phase: 'loading' } })

  useEffect(() => {
    if (!connected) return
    let gone = false
    let pushed = false
    const show = (terminals: Terminals): void => setKnown({ session, terminals })
    const stop = getBridge().onPush((push) => {
      if (push.kind !== 'terminals' || push.session !== session) return
      pushed = true
      show({ phase: 'live', list: push.terminals })
    })
    call('terminals.list', { session }).then(
      (list) => {
        // A push that overtook the answer is newer.
        if (!gone && !pushed) show({ phase: 'live', list })
      },
      (thrown: unknown) => {
        const { code, message } = failureOf(thrown)
        if (gone || pushed || code === 'disconnected') return
        console.debug('the host has no terminals', message)
        show({ phase: 'unsupported' })
      },
    )
    return () => {
      gone = true
      stop()
    }
  }, [session, connected])

  const terminals: Terminals = known.session === session ? known.terminals : { phase: 'loading' }
  const add = (info: TerminalInfo): void =>
    setKnown((before) => {
      const list = before.terminals.phase === 'live' ? before.terminals.list : []
      if (before.session !== session || list.some((other) => other.id === info.id)) return before
      return { session, terminals: { phase: 'live', list: [...list, info] } }
    })
  return { terminals, add }
}
