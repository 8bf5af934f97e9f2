import type { Terminal } from '@xterm/headless'

/** Lines above the screen that are kept. */
export const SCROLLBACK_LINES = 5000
/** Of a saved screen, in UTF-16 code units. */
export const MAX_SAVED_CHARS = 256 * 1024
/** Lines of the scrollback that are tried, largest first, until the text is short enough. */
const SAVED_LINES = [1000, 250, 60, 0]

/** Short output is kept as it is: the emulator costs more than most commands do. UTF-16 code units. */
const PLAIN_CHARS = 32 * 1024

interface Emulator {
  terminal: Terminal
  serialize: (scrollback: number) => string
}

/** The terminal as a window would show it, without a window. The emulator is made when it is needed. */
export class Screen {
  #cols: number
  #rows: number
  readonly #answer: (text: string) => void
  /** All that was written, while there is no emulator. */
  #plain = ''
  #emulator: Emulator | null = null
  #opening: Promise<void> | null = null
  /** What to do when the emulator is there, in order. */
  #queue: ((emulator: Emulator) => void)[] = []
  #backlog = 0
  #disposed = false

  /** `answer` gets what the terminal says to the program when it is asked something. */
  constructor(cols: number, rows: number, answer: (text: string) => void) {
    this.#cols = cols
    this.#rows = rows
    this.#answer = answer
  }

  /** Characters that are not drawn yet. */
  get backlog(): number {
    return this.#backlog
  }

  /** `asks`: there is a question in it, which only the emulator can answer. */
  write(text: string, asks: boolean, drawn: () => void): void {
    if (text === '') return
    if (!this.#opening && !asks && this.#plain.length + text.length <= PLAIN_CHARS) {
      this.#plain += text
      drawn()
      return
    }
    this.#backlog += text.length
    this.#do(({ terminal }) =>
      terminal.write(text, () => {
        this.#backlog -= text.length
        drawn()
      }),
    )
  }

  resize(cols: number, rows: number): void {
    this.#cols = cols
    this.#rows = rows
    if (this.#opening || this.#plain !== '') this.#do(({ terminal }) => terminal.resize(cols, rows))
  }

  /** The screen after all that was written so far, and nothing of what comes later. */
  snapshot(max = MAX_SAVED_CHARS): Promise<string> {
    if (!this.#opening) return Promise.resolve(this.#plain)
    return new Promise((resolve) => {
      this.#do(({ terminal, serialize }) => terminal.write('', () => resolve(draw(serialize, max))))
    })
  }

  dispose(): void {
    this.#disposed = true
    this.#emulator?.terminal.dispose()
  }

  #do(work: (emulator: Emulator) => void): void {
    if (this.#emulator) {
      work(this.#emulator)
      return
    }
    this.#queue.push(work)
    this.#opening ??= this.#open(this.#cols, this.#rows)
  }

  async #open(cols: number, rows: number): Promise<void> {
    const plain = this.#plain
    this.#plain = ''
    const emulator = await emulate(cols, rows)
    emulator.terminal.onData(this.#answer)
    if (plain !== '') emulator.terminal.write(plain)
    this.#emulator = emulator
    const queue = this.#queue
    this.#queue = []
    for (const work of queue) work(emulator)
    if (this.#disposed) emulator.terminal.dispose()
  }
}

async function emulate(cols: number, rows: number): Promise<Emulator> {
  const [headless, serialize, unicode] = await Promise.all([
    import('@xterm/headless'),
    import('@xterm/addon-serialize'),
    import('@xterm/addon-unicode11'),
  ])
  // Packages in the old module format: what they export is one object.
  const { Terminal: Headless } = inside(headless)
  const { SerializeAddon } = inside(serialize)
  const { Unicode11Addon } = inside(unicode)
  const terminal = new Headless({ cols, rows, scrollback: SCROLLBACK_LINES, allowProposedApi: true, logLevel: 'off' })
  const addon = new SerializeAddon()
  // Both addons are typed for the emulator with a window; they use nothing of it.
  terminal.loadAddon(addon as never)
  terminal.loadAddon(new Unicode11Addon() as never)
  terminal.unicode.activeVersion = '11'
  return { terminal, serialize: (scrollback) => addon.serialize({ scrollback }) }
}

function draw(serialize: (scrollback: number) => string, max: number): string {
  for (const lines of SAVED_LINES) {
    const text = serialize(lines)
    if (text.length <= max) return text
  }
  return ''
}

function inside<T extends object>(module: T): T {
  return 'default' in module ? (module.default as T) : module
}
