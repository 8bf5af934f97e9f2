import type { BridgeMethod, BridgePush } from '@shared/bridge'
import { UserError } from '../errors'
import type { BridgeEngine } from './types'
import type { Handlers } from './window'

export type TerminalMethod = Extract<BridgeMethod, `terminals.${string}` | `processes.${string}`>

/** Longer than a process that ignores SIGTERM is waited for, in milliseconds. */
const KILL_MS = 10_000

/** The calls of one window about terminals; `window` names it. */
export function terminalHandlers(
  engine: BridgeEngine,
  window: string,
  push: (message: BridgePush) => void,
): Pick<Handlers, TerminalMethod> {
  const { terminals } = engine
  return {
    'terminals.list': async ({ session }) => (await terminals.hub()).list(session),
    'terminals.open': async ({ session }) => terminals.open(session, (await engine.readSession(session)).cwd),
    'terminals.attach': async ({ session, id, cols, rows }) =>
      (await terminals.hub()).attach(session, id, window, { cols, rows }, ({ data, seq }) =>
        push({ kind: 'terminal', session, id, data, seq }),
      ),
    'terminals.detach': async ({ session, id }) => {
      const hub = await terminals.hub()
      hub.detach(session, id, window)
      return null
    },
    'terminals.input': async ({ session, id, data }) => {
      const hub = await terminals.hub()
      hub.input(session, id, data)
      return null
    },
    'terminals.resize': async ({ session, id, cols, rows }) => {
      const hub = await terminals.hub()
      hub.resize(session, id, { cols, rows })
      return null
    },
    'terminals.ack': async ({ session, id, chars }) => {
      const hub = await terminals.hub()
      hub.ack(session, id, window, chars)
      return null
    },
    'terminals.close': async ({ session, id }) => {
      await (await terminals.hub()).close(session, id)
      return null
    },
    'processes.list': async ({ session }) => (await terminals.hub()).background.list(session),
    'processes.kill': async ({ session, pid, start_time }) => {
      const { background } = await terminals.hub()
      // Another process may have got the number since the window was told.
      const same = (await background.list(session)).some((one) => one.pid === pid && one.start_time === start_time)
      if (!same) throw new UserError('not_found', 'This process has ended already.')
      await background.kill(session, pid, AbortSignal.timeout(KILL_MS))
      return null
    },
  }
}
