import type { TerminalInfo } from '@shared/terminals'
import { call, failureOf, getBridge } from '../../bridge/bridge'
import { OutputStream } from './flow'
import type { LiveScreen } from './live-terminal'

interface AttachOptions {
  session: string
  id: string
  screen: LiveScreen
  /** The screen is drawn; what is typed from now on arrives. */
  onReady: (info: TerminalInfo) => void
  onFailure: (thrown: unknown) => void
}

/** Shows a terminal's screen, then its output as it comes. Returns the function that ends it. */
export function attachTerminal({ session, id, screen, onReady, onFailure }: AttachOptions): () => void {
  const { terminal } = screen
  let gone = false
  const stream = new OutputStream({
    write: (data, done) => terminal.write(data, done),
    ack: (chars) => tell(call('terminals.ack', { session, id, chars })),
  })
  stream.begin()
  // Before the call: output may overtake its answer.
  const stop = getBridge().onPush((push) => {
    if (push.kind === 'terminal' && push.session === session && push.id === id) stream.push(push)
  })
  const { cols, rows } = terminal
  call('terminals.attach', { session, id, cols: Math.max(2, cols), rows: Math.max(1, rows) }).then(
    ({ info, screen: drawn, seq }) => {
      if (gone) return
      terminal.reset()
      // Drawn at its own width, then fitted: lines wrap as they did.
      if (info.cols > 1 && info.rows > 0) terminal.resize(info.cols, info.rows)
      terminal.write(drawn, () => {
        if (gone) return
        screen.fit()
        onReady(info)
      })
      stream.start(seq)
    },
    (thrown: unknown) => {
      if (!gone) onFailure(thrown)
    },
  )
  return () => {
    gone = true
    stop()
    stream.end()
    tell(call('terminals.detach', { session, id }))
  }
}

/** Calls that nobody waits for: without a connection, or when the terminal is gone, there is nothing to do about it. */
export function tell(calling: Promise<unknown>): void {
  calling.catch((thrown: unknown) => console.debug('a terminal call failed', failureOf(thrown).code))
}
