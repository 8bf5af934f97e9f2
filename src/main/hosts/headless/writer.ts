import { UserError } from '../../errors'
import type { OutputStream } from './io'

/** EOF is what Windows says. */
const READER_GONE: ReadonlySet<string> = new Set(['EPIPE', 'ECONNRESET', 'EOF', 'ERR_STREAM_DESTROYED'])

/**
 * Writes to a stream that may be slow or go away. Text of one tick is written at once, and nothing is written while the
 * stream is full. When the stream ends, `onClosed` is called and the rest is dropped: quietly when its reader has gone
 * (EPIPE), and with a `failure` when it is something else, such as a full disk.
 */
export class Writer {
  private pending: string[] = []
  private scheduled = false
  private full = false
  private gone = false
  private fault: UserError | null = null
  private waiting: (() => void)[] = []
  private whenGone: (() => void)[] = []

  constructor(
    private readonly stream: OutputStream,
    private readonly onClosed: () => void = () => undefined,
  ) {
    stream.on('error', this.failed)
    stream.on('close', this.close)
    stream.on('drain', this.drained)
  }

  get closed(): boolean {
    return this.gone
  }

  write(text: string): void {
    if (this.gone || text === '') return
    this.pending.push(text)
    if (this.scheduled || this.full) return
    this.scheduled = true
    setImmediate(() => {
      this.scheduled = false
      this.push()
    })
  }

  /** Everything written so far, now: for text that must stand before what another stream writes. */
  push(): void {
    if (this.full || this.gone) return
    if (this.pending.length > 0) {
      const text = this.pending.join('')
      this.pending = []
      this.full = !this.stream.write(text)
    }
    if (!this.full) this.settle()
  }

  /** Resolves when everything was handed to the stream and the stream has taken it, or has gone. */
  async flush(): Promise<void> {
    if (!this.scheduled) this.push()
    if (!this.gone && (this.scheduled || this.full)) await new Promise<void>((resolve) => this.waiting.push(resolve))
    if (this.gone) return
    await new Promise<void>((resolve) => {
      this.whenGone.push(resolve)
      // An empty write calls back after everything before it.
      this.stream.write('', () => resolve())
    })
  }

  /** Waits for the end of the output, and stops listening. Throws UserError when it could not be written. */
  async finish(): Promise<void> {
    await this.flush()
    this.release()
    if (this.fault) throw this.fault
  }

  /** Stops listening; the stream itself stays open. */
  release(): void {
    this.stream.off('close', this.close)
    this.stream.off('drain', this.drained)
    // The error listener stays: a late EPIPE must not become an uncaught exception.
  }

  private readonly drained = (): void => {
    this.full = false
    this.push()
  }

  private readonly failed = (error: NodeJS.ErrnoException): void => {
    if (!this.gone && !READER_GONE.has(error.code ?? '')) {
      const reason = error.code ?? error.message
      this.fault = new UserError('internal', `The output cannot be written: ${reason}.`, 'Check the disk it goes to.')
    }
    this.close()
  }

  private readonly close = (): void => {
    if (this.gone) return
    this.gone = true
    this.pending = []
    this.settle()
    for (const resolve of this.whenGone) resolve()
    this.onClosed()
  }

  private settle(): void {
    const { waiting } = this
    this.waiting = []
    for (const resolve of waiting) resolve()
  }
}
