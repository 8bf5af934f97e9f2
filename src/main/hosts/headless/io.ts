import type { Readable, Writable } from 'node:stream'
import type { Engine, EngineOptions } from '../../engine-types'
import type { BrowserHost } from '../browser/serve'

export type Signal = 'SIGINT' | 'SIGTERM' | 'SIGHUP'

export type InputStream = Readable & { isTTY?: boolean }
export type OutputStream = Writable & { isTTY?: boolean; columns?: number; rows?: number }

/** What the command line needs of the browser host. */
export type ServedWindow = Pick<BrowserHost, 'url' | 'warnings' | 'close'>

/** Everything the command line takes from the process around it, so that a test can be that process. */
export interface CliIo {
  stdin: InputStream
  stdout: OutputStream
  stderr: OutputStream
  env: NodeJS.ProcessEnv
  /** Where the program was started; absolute. */
  cwd: string
  version: string
  /** The built window. */
  renderer_dir: string
  /** From the first call on, signals no longer end the process by themselves. Returns a function that undoes it. */
  onSignal(listener: (signal: Signal) => void): () => void
  createEngine(options: EngineOptions): Promise<Engine>
  startBrowserHost(engine: Engine, options: { host: string; port: number; renderer_dir: string }): Promise<ServedWindow>
  /** Shows a page in the default browser; false when there is none. */
  openUrl(url: string): Promise<boolean>
}
