import { join } from 'node:path'
import { parseCommand, runCommand, sentence } from '@shared/commands'
import { MAX_INPUT_CHARS, type Operation } from '@shared/operations'
import type { SessionState } from '@shared/state'
import type { Engine, EngineClient, RunOptions } from '../../engine-types'
import { EXIT } from '../../errors'
import type { Session } from '../../session/types'
import { completePath } from '../../workspace/complete-path'
import type { CliIo } from '../headless/io'
import { clean, modelLabel, oneLine, type Style, tildePath } from '../headless/style'
import { Approvals } from './approvals'
import { ChatCommands, type ChatSessions } from './command-host'
import { applyCompletion, complete } from './completion'
import { Conversation } from './conversation'
import { Editor } from './editor'
import { type Editable, editInProgram, editorCommand } from './external-editor'
import { History } from './history'
import type { KeySource } from './keys'
import { openSession } from './open-session'
import { Terminal } from './terminal'
import { statusLine } from './views'

/** A second Ctrl+C within this time leaves, as in the reference. */
const TWICE_MS = 1_000
/** Turns of an opened session that are shown again. */
const SHOWN_TURNS = 2

export interface ChatOptions {
  io: CliIo
  input: KeySource & NodeJS.ReadableStream
  engine: Engine
  session: Session
  run: RunOptions
  style: Style
  env: NodeJS.ProcessEnv
  secrets: () => readonly string[]
  /** The session was there before. */
  resumed: boolean
}

/** The conversation in a terminal, from the first prompt until the user leaves. */
export class Chat implements ChatSessions {
  session: Session
  private readonly terminal: Terminal
  private readonly history: History
  private readonly client: EngineClient
  private readonly commands: ChatCommands
  private conversation: Conversation
  private approvals: Approvals
  private offEvent: () => void = () => undefined
  /** When Ctrl+C was pressed last, and whether it stopped a turn. */
  private pressed = { at: Number.NEGATIVE_INFINITY, stopped: false }
  private leave: (code: number) => void = () => undefined
  private readonly left = new Promise<number>((resolve) => {
    this.leave = resolve
  })

  constructor(private readonly options: ChatOptions) {
    const { io, engine, style, env } = options
    this.session = options.session
    this.history = new History(join(engine.home, 'chat-history.jsonl'), options.secrets)
    this.client = engine.connect(() => undefined)
    const gone = (): void => this.leave(EXIT.interrupted)
    this.terminal = new Terminal(io, options.input, style, new Editor(this.history.entries), this.handlers(), gone)
    this.commands = new ChatCommands(engine, this.client, this.terminal, this, env, io.cwd)
    this.conversation = this.newConversation()
    this.approvals = this.newApprovals()
    options.input.once('end', gone)
    options.input.once('error', gone)
  }

  /** Resolves with the exit code when the user has left; the engine is still open then. */
  async run(): Promise<number> {
    await this.history.load()
    this.terminal.open()
    try {
      await this.attach(this.session, this.options.resumed)
      if (this.history.fault) this.terminal.say(`What you type is not remembered: ${this.history.fault}`)
      return await this.left
    } finally {
      this.detach()
      const { id, turns } = this.session.state
      if (turns > 0)
        this.terminal.say(this.options.style.dim(`Go on with: ml-intern chat --session ${id.slice(0, 13)}`))
      await this.terminal.close()
      await this.history.settled()
      this.client.close()
    }
  }

  /** Ctrl+C, or the signal that means it: the first stops the turn, the second leaves. */
  interrupt(): void {
    const now = performance.now()
    const running = this.session.state.status !== 'idle'
    if (!running && this.terminal.editor.text !== '') {
      this.terminal.editor.set('')
      return
    }
    if (now - this.pressed.at < TWICE_MS) {
      this.leave(this.pressed.stopped ? EXIT.interrupted : EXIT.finished)
      return
    }
    this.pressed = { at: now, stopped: running }
    this.terminal.note(running ? 'Stopping; Ctrl+C again leaves.' : 'Ctrl+C again leaves.', TWICE_MS)
    if (running) void this.submit({ op: 'interrupt' })
  }

  /** The process is asked to end. */
  end(): void {
    this.leave(EXIT.interrupted)
  }

  quit(): void {
    this.leave(EXIT.finished)
  }

  async show(id: string): Promise<void> {
    await this.attach(await openSession(this.options.engine, id, this.options.run), true)
  }

  async fresh({ clear }: { clear: boolean }): Promise<void> {
    const { cwd, model, mode, effort, max_cost_usd } = this.session.state
    const { engine, run } = this.options
    const session = await engine.createSession({ cwd, model, mode, effort, max_cost_usd }, run)
    if (clear) this.terminal.screen.clear()
    await this.attach(session, false)
  }

  private newConversation(): Conversation {
    return new Conversation({
      style: this.options.style,
      print: (text) => this.terminal.screen.print(text),
      columns: () => this.terminal.columns,
    })
  }

  private newApprovals(): Approvals {
    const { terminal } = this
    const ui = {
      say: (text: string) => terminal.say(text),
      choose: (label: string, keys: string, signal?: AbortSignal) => terminal.choose(label, keys, signal),
      ask: (label: string, initial?: string, signal?: AbortSignal) => terminal.ask(label, initial, signal),
      edit: (what: Editable, signal: AbortSignal) => this.edit(what, signal),
    }
    return new Approvals(this.session, ui, this.options.style, () => this.interrupt())
  }

  /** Leaves the session that was shown, and shows this one. */
  private async attach(session: Session, resumed: boolean): Promise<void> {
    const before = this.session
    this.detach()
    this.session = session
    // The engine closes what nobody watches; a turn that runs there is stopped, as the user has confirmed.
    if (before !== session) {
      if (before.state.status !== 'idle') await before.submit({ op: 'interrupt' })
      await this.client.request('sessions.unsubscribe', { id: before.id })
    }
    this.conversation = this.newConversation()
    this.approvals = this.newApprovals()
    if (resumed) await this.replay(session.state)
    this.terminal.say(header(session.state, this.options.style, this.options.env.HOME))
    this.conversation.start(session.state)
    const { approvals, conversation } = this
    this.offEvent = session.onEvent((event) => {
      conversation.event(event, session.state)
      approvals.look(event)
      this.terminal.screen.update()
    })
    approvals.look(null)
  }

  private detach(): void {
    this.offEvent()
    this.approvals.close()
  }

  private async replay(state: SessionState): Promise<void> {
    const { transcript } = await import('../headless/export')
    const starts = state.items.flatMap((item, at) => (item.kind === 'user' && item.source === 'user' ? [at] : []))
    const from = starts.at(-SHOWN_TURNS) ?? 0
    if (from > 0) this.terminal.say(this.options.style.dim(`… ${starts.length - SHOWN_TURNS} earlier turns`))
    this.terminal.say(transcript({ ...state, items: state.items.slice(from) }, this.options.style))
  }

  private handlers() {
    return {
      rows: (limit: number) => this.conversation.rows(this.session.state, limit),
      status: () => statusLine(this.session.state),
      submit: (text: string) => this.entered(text, false),
      queue: (text: string) => this.entered(text, true),
      interrupt: () => this.interrupt(),
      eof: () => this.quit(),
      complete: (editor: Editor) => this.complete(editor),
    }
  }

  private entered(text: string, queue: boolean): void {
    const { editor } = this.terminal
    if (text.trim() === '') return
    if (text.length > MAX_INPUT_CHARS) {
      const most = MAX_INPUT_CHARS.toLocaleString('en-US')
      this.terminal.note(`Longer than ${most} characters: put it into a file, and name that file.`)
      return
    }
    this.history.add(text)
    editor.set('')
    const parsed = parseCommand(text, 'chat')
    if (parsed) {
      this.terminal.say(this.options.style.dim(`› ${clean(text).trim()}`))
      void runCommand(parsed, this.commands)
    } else if (/^\s*(exit|quit)\s*$/i.test(text)) this.quit()
    else void this.send(text, queue)
  }

  private async send(text: string, queue: boolean): Promise<void> {
    const running = this.session.state.status !== 'idle'
    const op = queue ? 'enqueue' : running ? 'steer' : 'user_input'
    const sent = await this.submit({ op, text: text.trim() })
    // What could not be sent is not lost.
    if (!sent && this.terminal.editor.text === '') this.terminal.editor.set(text)
  }

  private async submit(operation: Operation): Promise<boolean> {
    try {
      await this.session.submit(operation)
      return true
    } catch (error) {
      this.terminal.say(this.options.style.red(clean(sentence(error))))
      return false
    }
  }

  private async complete(editor: Editor): Promise<string[]> {
    const { text, cursor } = editor
    const { engine } = this.options
    const completion = await complete(text, cursor, {
      paths: (prefix) => completePath(this.session.state.cwd, prefix, 50),
      models: () => this.commands.modelIds(),
      sessions: async () => (await engine.listSessions()).map(({ id }) => id.slice(0, 13)),
    }).catch(() => null)
    // Typed on meanwhile: the answer is to another question.
    if (!completion || editor.text !== text || editor.cursor !== cursor) return []
    return applyCompletion(editor, completion)
  }

  private async edit(what: Editable, signal: AbortSignal): Promise<string | null> {
    const command = editorCommand(this.options.env)
    if (command === null)
      return this.terminal.ask('Edit it; Enter takes it, Escape leaves it as it is.', what.text, signal)
    return this.terminal.lend(() => editInProgram(command, what, this.options.env))
  }
}

function header(state: SessionState, style: Style, home: string | undefined): string {
  const parts = [
    `session ${state.id.slice(0, 13)}`,
    ...(state.title ? [oneLine(state.title)] : []),
    `model ${modelLabel(state.model)}`,
    `mode ${state.mode}`,
    `in ${tildePath(state.cwd, home)}`,
  ]
  return `${style.bold('ML Intern')}  ${style.dim(clean(parts.join('  ')))}\n`
}
