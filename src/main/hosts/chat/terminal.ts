import type { CliIo } from '../headless/io'
import { clip, type Style } from '../headless/style'
import { Writer } from '../headless/writer'
import { Editor } from './editor'
import { type Key, type KeySource, PASTE_OFF, PASTE_ON, readKeys } from './keys'
import { layout } from './layout'
import { type Frame, Screen } from './screen'

/** A question that the keys belong to until it is answered. */
type Focus =
  | { kind: 'key'; label: string; keys: string; answer: (key: string | null) => void }
  | { kind: 'line'; label: string; editor: Editor; answer: (line: string | null) => void }

export interface TerminalHandlers {
  /** Rows above the input, at most `limit`. */
  rows(limit: number): string[]
  /** One line under the input. */
  status(): string
  submit(text: string): void
  queue(text: string): void
  /** Ctrl+C. */
  interrupt(): void
  /** Ctrl+D with nothing typed. */
  eof(): void
  /**
   * Puts into the line what can stand at the cursor. Resolves with what is left to choose from; nothing when more was
   * typed meanwhile. Never rejects.
   */
  complete(editor: Editor): Promise<string[]>
}

/** Choices that are shown under the line. */
const MAX_CHOICES = 12

/** The terminal of a chat: text for good above, what happens now below it, and the line that is written at the bottom. */
export class Terminal {
  readonly screen: Screen
  private readonly out: Writer
  private readonly focuses: Focus[] = []
  private choices: string[] = []
  private release: (() => void) | null = null
  private hint = ''
  private hintTimer: NodeJS.Timeout | undefined

  constructor(
    private readonly io: CliIo,
    private readonly input: KeySource & NodeJS.ReadableStream,
    readonly style: Style,
    readonly editor: Editor,
    private readonly handlers: TerminalHandlers,
    onClosed: () => void,
  ) {
    this.out = new Writer(io.stdout, onClosed)
    this.screen = new Screen(
      this.out,
      () => this.compose(),
      () => io.stdout.columns ?? 80,
    )
  }

  get columns(): number {
    // The last column stays free: some terminals wrap already when it is written.
    return Math.max(20, (this.io.stdout.columns ?? 80) - 1)
  }

  open(): void {
    this.take()
    this.io.stdout.on('resize', this.resized)
    this.screen.refresh()
  }

  /** Gives the terminal back, with everything on it that was said. */
  async close(): Promise<void> {
    this.io.stdout.off('resize', this.resized)
    clearTimeout(this.hintTimer)
    for (const focus of this.focuses.splice(0)) focus.answer(null)
    this.screen.suspend()
    this.give()
    await this.out.flush()
    this.out.release()
  }

  say(text: string): void {
    this.screen.print(text.endsWith('\n') ? text : `${text}\n`)
  }

  /** A line under the input until the next key; `ms`: for no longer than that. */
  note(text: string, ms?: number): void {
    this.hint = text
    clearTimeout(this.hintTimer)
    if (ms !== undefined) {
      this.hintTimer = setTimeout(() => {
        this.hint = ''
        this.screen.refresh()
      }, ms)
    }
    this.screen.refresh()
  }

  /** One of `keys` (lower case), or null: Ctrl+C, Ctrl+D, or `signal`. */
  choose(label: string, keys: string, signal?: AbortSignal): Promise<string | null> {
    return this.focused((answer) => ({ kind: 'key', label, keys, answer }), signal)
  }

  /** A text that is typed, or null: Escape, Ctrl+C, Ctrl+D, or `signal`. */
  ask(label: string, initial = '', signal?: AbortSignal): Promise<string | null> {
    const editor = new Editor()
    editor.set(initial)
    return this.focused((answer) => ({ kind: 'line', label, editor, answer }), signal)
  }

  async confirm(question: string): Promise<boolean> {
    return (await this.choose(`${question} [y/n]`, 'yn')) === 'y'
  }

  /** Another program has the terminal while `work` runs. */
  async lend<T>(work: () => Promise<T>): Promise<T> {
    this.screen.suspend()
    this.give()
    await this.out.flush()
    try {
      return await work()
    } finally {
      this.take()
      this.screen.resume()
    }
  }

  private take(): void {
    this.out.write(PASTE_ON)
    this.release = readKeys(this.input, (key) => this.key(key))
  }

  private give(): void {
    this.release?.()
    this.release = null
    this.out.write(PASTE_OFF)
    this.out.push()
  }

  private readonly resized = (): void => this.screen.refresh()

  private focused<T extends string>(make: (answer: (value: T | null) => void) => Focus, signal?: AbortSignal) {
    return new Promise<T | null>((resolve) => {
      if (signal?.aborted) {
        resolve(null)
        return
      }
      const withdrawn = (): void => answer(null)
      const answer = (value: T | null): void => {
        signal?.removeEventListener('abort', withdrawn)
        const at = this.focuses.indexOf(focus)
        if (at >= 0) this.focuses.splice(at, 1)
        this.screen.refresh()
        resolve(value)
      }
      const focus = make(answer)
      signal?.addEventListener('abort', withdrawn, { once: true })
      this.focuses.push(focus)
      this.screen.refresh()
    })
  }

  private key(key: Key): void {
    this.choices = []
    this.hint = ''
    this.screen.refresh()
    const focus = this.focuses.at(-1)
    if (focus?.kind === 'key') {
      if (key.ctrl && (key.name === 'c' || key.name === 'd')) focus.answer(null)
      else if (key.text !== '' && focus.keys.includes(key.text.toLowerCase())) focus.answer(key.text.toLowerCase())
      return
    }
    const editor = focus ? focus.editor : this.editor
    const event = editor.key(key)
    if (focus) {
      if (event === 'submit') focus.answer(editor.text)
      else if (event === 'interrupt' || event === 'eof' || event === 'cancel') focus.answer(null)
      return
    }
    switch (event) {
      case 'submit':
        this.handlers.submit(editor.text)
        break
      case 'queue':
        this.handlers.queue(editor.text)
        break
      case 'interrupt':
        this.handlers.interrupt()
        break
      case 'eof':
        this.handlers.eof()
        break
      case 'clear':
        this.screen.clear()
        break
      case 'complete':
        void this.complete()
        break
      default:
        break
    }
  }

  private async complete(): Promise<void> {
    this.choices = await this.handlers.complete(this.editor)
    this.screen.refresh()
  }

  private compose(): Frame {
    const { columns, style } = this
    const total = Math.max(6, (this.io.stdout.rows ?? 24) - 1)
    const focus = this.focuses.at(-1)
    const paint = { paintNote: style.dim, columns, max_rows: Math.max(3, Math.floor(total / 3)) }
    const label = focus ? wrapLabel(focus.label, columns) : []
    const editor = focus?.kind === 'line' ? focus.editor : this.editor
    const searching = editor.search
    const prompt = searching ? `(search: ${clip(searching.query, 20)}${searching.at < 0 ? ', not found' : ''}) ` : '› '
    const line =
      focus?.kind === 'key'
        ? { rows: [] as string[], row: -1, column: (label.at(-1) ?? '').length + 1 }
        : layout({ text: editor.text, cursor: editor.cursor, prompt, paintPrompt: style.cyan, ...paint })
    const below = this.below(columns, focus !== undefined, Math.max(1, Math.min(MAX_CHOICES, Math.floor(total / 3))))
    const room = Math.max(0, total - label.length - line.rows.length - below.length)
    // A question stands right under what it is about.
    const above = focus ? [] : this.handlers.rows(room)
    const rows = [...above, ...label.map((text) => style.bold(text)), ...line.rows, ...below]
    const row = above.length + label.length + line.row
    return { rows, cursor: { row, column: Math.min(line.column, columns) } }
  }

  private below(columns: number, asking: boolean, choices: number): string[] {
    const { style } = this
    if (this.choices.length > 0) {
      const shown = this.choices.slice(0, choices).map((choice) => `  ${style.cyan(clip(choice, columns - 2))}`)
      const left = this.choices.length - shown.length
      return left > 0 ? [...shown, style.dim(`  … ${left} more`)] : shown
    }
    if (this.hint) return [style.yellow(clip(this.hint, columns))]
    return asking ? [] : [style.dim(clip(this.handlers.status(), columns))]
  }
}

function wrapLabel(label: string, columns: number): string[] {
  const rows = ['']
  for (const word of label.split(' ')) {
    const row = rows.at(-1) ?? ''
    if (row !== '' && row.length + 1 + word.length >= columns) rows.push(word)
    else rows[rows.length - 1] = row === '' ? word : `${row} ${word}`
  }
  return rows
}
