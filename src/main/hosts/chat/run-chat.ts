import type { Settings } from '@shared/settings'
import { EXIT, messageOf, UserError } from '../../errors'
import { secretValues } from '../../workspace/environment'
import type { CliIo, InputStream } from '../headless/io'
import { prepare, startEngine } from '../headless/setup'
import { styleFor } from '../headless/style'
import { Chat } from './chat'
import type { KeySource } from './keys'
import { type ChatCommand, firstSession } from './open-session'

/** `ml-intern chat`. Returns the exit code. Throws UserError before the conversation begins. */
export async function runChat(io: CliIo, command: ChatCommand): Promise<number> {
  const input = io.stdin
  if (!isTerminal(input) || io.stdout.isTTY !== true || io.env.TERM === 'dumb') {
    throw new UserError(
      'usage',
      'ml-intern chat needs a terminal for its input and its output.',
      'Without one: ml-intern "prompt", and ml-intern "prompt" --continue for the next turn.',
    )
  }
  const { model, effort, max_iterations } = command
  const flags: Partial<Settings> = { model, effort, max_iterations }
  const setup = await prepare(io, { ...command, flags })
  const engine = await startEngine(io, setup, 'headless')
  let at_once = false
  try {
    const run = { max_iterations: setup.loaded.settings.max_iterations, streaming: true, approvals: 'wait' } as const
    const session = await firstSession(engine, command, setup.cwd, run)
    const { env } = setup.loaded
    const known = secretValues(env)
    const chat = new Chat({
      io,
      input,
      engine,
      session,
      run,
      style: styleFor(io.stdout, command.no_color ? { ...io.env, NO_COLOR: '1' } : io.env),
      env,
      secrets: () => [...known, ...setup.credentials.known_secrets()],
      resumed: session.state.turns > 0,
    })
    let ended: () => void = () => undefined
    const second = new Promise<number>((resolve) => {
      ended = () => {
        at_once = true
        resolve(EXIT.interrupted)
      }
    })
    let ending = false
    const offSignal = io.onSignal((signal) => {
      // In a chat Ctrl+C is a key; this is somebody else's SIGINT.
      if (signal === 'SIGINT') chat.interrupt()
      else if (ending) ended()
      else {
        ending = true
        chat.end()
      }
    })
    try {
      return await Promise.race([chat.run(), second])
    } finally {
      offSignal()
    }
  } finally {
    const closed = engine.close()
    if (at_once) closed.catch((error: unknown) => io.stderr.write(`ml-intern: ${messageOf(error)}\n`))
    else await closed
  }
}

function isTerminal(stream: InputStream): stream is InputStream & KeySource {
  return stream.isTTY === true && 'setRawMode' in stream && typeof stream.setRawMode === 'function'
}
