import { EXIT } from '../../errors'
import type { Command } from './args'
import type { CliIo } from './io'
import { prepare, startEngine } from './setup'

type ServeCommand = Extract<Command, { name: 'serve' | 'window' }>

/**
 * Serves the window until a signal comes. `serve` prints one line on stdout, the address; without a command the address
 * is also opened in the default browser. Returns the exit code. Throws UserError.
 */
export async function runServe(io: CliIo, command: ServeCommand): Promise<number> {
  const { host, port } = command.name === 'serve' ? command : { host: '127.0.0.1', port: 0 }
  const engine = await startEngine(io, await prepare(io, command), 'browser')
  let offSignal = (): void => undefined
  const signalled = new Promise<void>((resolve) => {
    offSignal = io.onSignal(() => resolve())
  })
  try {
    const server = await io.startBrowserHost(engine, { host, port, renderer_dir: io.renderer_dir })
    io.stdout.write(`${server.url}\n`)
    for (const warning of server.warnings) io.stderr.write(`ml-intern: ${warning}\n`)
    const opened = command.name === 'window' && command.open && (await io.openUrl(server.url))
    io.stderr.write(
      `${opened ? 'Opened in your browser.' : 'Open this address in a browser.'} Ctrl+C ends ML Intern.\n`,
    )
    await signalled
    // From here on a second signal ends the process at once.
    offSignal()
    await server.close()
    return EXIT.finished
  } finally {
    offSignal()
    await engine.close()
  }
}
