import { TERMINAL_HIGH_WATER, TERMINAL_LOW_WATER, type TerminalInfo, type TerminalSnapshot } from '@shared/terminals'
import { StreamRedactor } from '../../redact'
import { safeInput, TerminalFilter } from './filter'
import { MAX_SAVED_CHARS, Screen } from './screen'
import type { SavedTerminal } from './store'

export interface TerminalPiece {
  kind: 'terminal'
  id: string
  data: string
  seq: number
}

/** What types into a program and sets its size. */
export interface TerminalPort {
  write: (data: string) => boolean
  resize: (cols: number, rows: number) => void
}

/** Output is sent on together for so long, or when there is this much of it (UTF-16 code units). */
const BATCH_MS = 12
const BATCH_CHARS = 64 * 1024
/** A prompt may look like the beginning of a secret and is held back: shown when nothing follows for so long. */
const PROMPT_MS = 250
/** Characters that our own emulator has not drawn yet, above and below which the program is held back and goes on. */
const SCREEN_HIGH = 1_000_000
const SCREEN_LOW = 200_000
/** Bytes handled in one go: the patterns of secrets take some 20 ms a megabyte. */
const SLICE_BYTES = 64 * 1024
const SCREEN_PIECE = 4096

/** In pieces: a screen may be one line of some 100,000 characters, on which patterns take time that grows as its square. */
export function redactScreen(text: string, secrets: () => readonly string[]): string {
  const redactor = new StreamRedactor(secrets)
  let result = ''
  for (let at = 0; at < text.length; at += SCREEN_PIECE) result += redactor.push(text.slice(at, at + SCREEN_PIECE))
  return result + redactor.flush()
}

interface View {
  push: (piece: TerminalPiece) => void
  unconfirmed: number
  /** Pieces that came while its snapshot was drawn. */
  waiting: TerminalPiece[] | null
}

/** One terminal with its windows. Bytes come in as the program wrote them; nothing goes out unredacted or unfiltered. */
export class LiveTerminal {
  info: TerminalInfo
  /** Something came since the last `save`. */
  changed = true
  readonly #screen: Screen
  readonly #secrets: () => readonly string[]
  readonly #redactor: StreamRedactor
  readonly #filter = new TerminalFilter()
  readonly #decoder = new TextDecoder('utf-8')
  readonly #views = new Map<string, View>()
  #port: TerminalPort | null = null
  #text = ''
  #forScreen = ''
  #seq = 0
  #timer: NodeJS.Timeout | undefined
  #prompt: NodeJS.Timeout | undefined
  #gate: { promise: Promise<void>; open: () => void } | null = null
  #disposed = false

  constructor(info: TerminalInfo, secrets: () => readonly string[]) {
    this.info = info
    this.#screen = new Screen(info.cols, info.rows, (answer) => this.#port?.write(answer))
    this.#secrets = secrets
    this.#redactor = new StreamRedactor(secrets)
  }

  connect(port: TerminalPort | null): void {
    this.#port = port
    port?.resize(this.info.cols, this.info.rows)
  }

  /** A promise when the program should be held back. It never rejects, and settles when the terminal is closed. */
  feed(bytes: Buffer): Promise<void> | undefined {
    if (this.#disposed) return undefined
    for (let at = 0; at < bytes.length; at += SLICE_BYTES) {
      const piece = bytes.subarray(at, at + SLICE_BYTES)
      this.#add(this.#redactor.push(this.#decoder.decode(piece, { stream: true })))
    }
    clearTimeout(this.#prompt)
    this.#prompt = setTimeout(() => this.#add(this.#redactor.flush()), PROMPT_MS)
    return this.#overfull() ? this.#closeGate() : undefined
  }

  /** The program has ended; `exit` and the rest of its output are final. */
  finish(exit: Pick<TerminalInfo, 'exit_code' | 'signal'>): void {
    this.info = { ...this.info, ...exit, state: 'ended', ended_at: new Date().toISOString() }
    this.flush()
  }

  /** Sends on all that was held back. */
  flush(): void {
    clearTimeout(this.#prompt)
    this.#add(this.#redactor.push(this.#decoder.decode()) + this.#redactor.flush())
    this.#send()
  }

  async attach(window: string, push: View['push']): Promise<TerminalSnapshot> {
    this.#send()
    const view: View = { push, unconfirmed: 0, waiting: [] }
    this.#views.set(window, view)
    const seq = this.#seq
    const screen = await this.#draw()
    // The window gets the snapshot first.
    setImmediate(() => {
      const waiting = view.waiting ?? []
      view.waiting = null
      if (this.#views.get(window) === view) for (const piece of waiting) push(piece)
    })
    return { info: this.info, screen, seq }
  }

  detach(window: string): void {
    this.#views.delete(window)
    this.#openGate()
  }

  ack(window: string, chars: number): void {
    const view = this.#views.get(window)
    if (!view) return
    view.unconfirmed = Math.max(0, view.unconfirmed - chars)
    this.#openGate()
  }

  /** False when the program does not read, or has ended. */
  input(data: string): boolean {
    return this.#port?.write(safeInput(data)) ?? false
  }

  /** True when the size is another one now. */
  resize(cols: number, rows: number): boolean {
    if (cols === this.info.cols && rows === this.info.rows) return false
    // What was printed for the old size is drawn in it.
    this.#send()
    this.info = { ...this.info, cols, rows }
    this.#screen.resize(cols, rows)
    this.#port?.resize(cols, rows)
    return true
  }

  async save(): Promise<SavedTerminal> {
    this.changed = false
    this.#send()
    return { info: this.info, screen: await this.#draw() }
  }

  dispose(): void {
    this.#disposed = true
    clearTimeout(this.#timer)
    clearTimeout(this.#prompt)
    this.#views.clear()
    this.#port = null
    this.#openGate()
    this.#screen.dispose()
  }

  /** Once more redacted: a secret that was typed or printed letter by letter is whole only here. */
  async #draw(): Promise<string> {
    return redactScreen(await this.#screen.snapshot(MAX_SAVED_CHARS), this.#secrets)
  }

  #add(text: string): void {
    if (text === '' || this.#disposed) return
    const filtered = this.#filter.push(text)
    this.#text += filtered.text
    this.#forScreen += filtered.screen
    this.changed = true
    if (this.#forScreen.length >= BATCH_CHARS) this.#send()
    else if (this.#forScreen !== '') this.#timer ??= setTimeout(() => this.#send(), BATCH_MS)
  }

  #send(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#forScreen === '') return
    const data = this.#text
    const drawn = this.#forScreen
    this.#text = ''
    this.#forScreen = ''
    this.#screen.write(drawn, drawn.length !== data.length, () => this.#openGate())
    if (data === '') return
    this.#seq += 1
    const piece: TerminalPiece = { kind: 'terminal', id: this.info.id, data, seq: this.#seq }
    for (const view of this.#views.values()) {
      view.unconfirmed += data.length
      if (view.waiting) view.waiting.push(piece)
      else view.push(piece)
    }
  }

  #overfull(): boolean {
    if (this.#screen.backlog > SCREEN_HIGH) return true
    for (const view of this.#views.values()) if (view.unconfirmed > TERMINAL_HIGH_WATER) return true
    return false
  }

  #closeGate(): Promise<void> {
    if (this.#gate) return this.#gate.promise
    let open = () => {}
    const promise = new Promise<void>((resolve) => {
      open = resolve
    })
    this.#gate = { promise, open }
    return promise
  }

  #openGate(): void {
    if (!this.#gate) return
    if (!this.#disposed) {
      if (this.#screen.backlog > SCREEN_LOW) return
      for (const view of this.#views.values()) if (view.unconfirmed > TERMINAL_LOW_WATER) return
    }
    const { open } = this.#gate
    this.#gate = null
    open()
  }
}
