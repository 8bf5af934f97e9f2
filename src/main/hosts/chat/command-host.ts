import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { BridgeInput, BridgeMethod, BridgeResults, ExportFormat } from '@shared/bridge'
import { argumentChoices, type CommandHost, type CommandView, parseCommand, runCommand } from '@shared/commands'
import type { Operation, OperationReceipt } from '@shared/operations'
import type { SessionState } from '@shared/state'
import type { Engine, EngineClient } from '../../engine-types'
import { isNodeError, messageOf, UserError } from '../../errors'
import type { Session } from '../../session/types'
import { findSession } from '../headless/find-session'
import { clean, oneLine } from '../headless/style'
import type { Terminal } from './terminal'
import { budgetText, helpText, hitRows, modelRows, rulesText, sessionRows, statusText } from './views'

/** Sessions and hits that are listed at once; more is what the search is for. */
const LISTED = 20
/** Models that are listed at once: the catalogue has hundreds. */
const LISTED_MODELS = 30

export interface ChatSessions {
  readonly session: Session
  /** Leaves the session that is shown. */
  show(id: string): Promise<void>
  fresh(options: { clear: boolean }): Promise<void>
  quit(): void
}

/** The slash commands in the terminal. */
export class ChatCommands implements CommandHost {
  private models: Promise<BridgeResults['models.list']> | null = null

  constructor(
    private readonly engine: Engine,
    private readonly client: EngineClient,
    private readonly terminal: Terminal,
    private readonly chat: ChatSessions,
    private readonly env: NodeJS.ProcessEnv,
    /** Where files that are named go. */
    private readonly cwd: string,
  ) {}

  state(): SessionState {
    return this.chat.session.state
  }

  async submit(op: Operation): Promise<OperationReceipt> {
    const { session } = this.chat
    // A turn that has ended is still being written for a moment, in which the session would call itself busy.
    if (session.state.status === 'idle') await session.idle()
    return session.submit(op)
  }

  /** Of an error, or of what was typed: nothing in it has a look of its own. */
  say(text: string): void {
    this.terminal.say(clean(text))
  }

  confirm(question: string): Promise<boolean> {
    return this.terminal.confirm(question)
  }

  quit(): void {
    this.chat.quit()
  }

  async newSession(options: { clear: boolean }): Promise<void> {
    if (await this.mayLeave()) await this.chat.fresh(options)
  }

  async openSession(id: string): Promise<void> {
    const found = await findSession(this.engine, id)
    if (found === this.chat.session.id) this.terminal.say('This is the session that is open.')
    else if (await this.mayLeave()) await this.chat.show(found)
  }

  async rename(title: string): Promise<void> {
    await this.request('sessions.rename', { id: this.chat.session.id, title })
    this.say(`This session is called "${title}" now.`)
  }

  async exportSession(format: ExportFormat, target: string): Promise<void> {
    const made = await this.request('sessions.export', { id: this.chat.session.id, format })
    const file = resolve(this.cwd, target || made.file_name)
    if (await this.write(file, made.text)) this.say(`Written to ${file}`)
  }

  async uploadTrace(): Promise<void> {
    this.terminal.say('Uploading …')
    const { url } = await this.request('sessions.upload', { id: this.chat.session.id })
    this.terminal.say(`Uploaded: ${oneLine(url)}`)
  }

  async open(view: CommandView, argument: string): Promise<void> {
    const { style, columns } = this.terminal
    const state = this.state()
    switch (view) {
      case 'help':
        return this.terminal.say(helpText(style))
      case 'status':
        return this.terminal.say(statusText(state, style, this.env.HOME))
      case 'rules':
        return this.terminal.say(rulesText(state, this.engine.settings, style))
      case 'budget':
        return this.terminal.say(budgetText(state, this.engine.settings, style))
      case 'effort':
      case 'mode':
        return this.pick(view, argumentChoices(view), view === 'mode' ? state.mode : (state.effort ?? 'off'))
      case 'model': {
        const models = (await this.modelList()).slice(0, LISTED_MODELS)
        this.terminal.say(modelRows(models, state.model, style))
        return this.answer(
          'Which model? Number or id:',
          'model',
          models.map((model) => model.id),
        )
      }
      case 'sessions': {
        const others = (await this.engine.listSessions()).filter(({ id }) => id !== state.id).slice(0, LISTED)
        if (others.length === 0) return this.terminal.say('There is no other session.')
        this.terminal.say(sessionRows(others, style, columns))
        return this.answer(
          'Which session? Number or id:',
          'resume',
          others.map(({ id }) => id),
        )
      }
      case 'search': {
        const { hits, pending } = await this.request('sessions.search', { query: argument, limit: LISTED })
        const more = pending > 0 ? ` ${pending} sessions are not read yet: search again in a moment.` : ''
        if (hits.length === 0) return this.terminal.say(`Nothing found.${more}`)
        this.terminal.say(`${hitRows(hits, style, columns)}${more}`)
        return this.answer(
          'Which one? Number:',
          'resume',
          hits.map(({ session }) => session),
        )
      }
    }
  }

  async modelIds(): Promise<string[]> {
    // Completion is a help: without the list there is none.
    return (await this.modelList().catch(() => [])).map(({ id }) => id)
  }

  private modelList(): Promise<BridgeResults['models.list']> {
    this.models ??= this.request('models.list', {})
    this.models.catch(() => {
      this.models = null
    })
    return this.models
  }

  private async pick(command: string, choices: readonly string[], current: string): Promise<void> {
    const lines = choices.map(
      (choice, at) => `${String(at + 1).padStart(3)}. ${choice === current ? '●' : ' '} ${choice}`,
    )
    this.terminal.say(lines.join('\n'))
    await this.answer(`Which ${command}?`, command, choices)
  }

  /** What was chosen from a list is the command with it as its argument. */
  private async answer(label: string, command: string, values: readonly string[]): Promise<void> {
    const typed = (await this.terminal.ask(`${label} (Escape: none)`))?.trim()
    if (!typed) return
    const chosen = /^\d{1,3}$/.test(typed) ? values[Number(typed) - 1] : typed
    if (chosen === undefined) throw new UserError('usage', `There is no number ${typed}.`)
    const parsed = parseCommand(`/${command} ${chosen}`, 'chat')
    if (parsed) await runCommand(parsed, this)
  }

  private async mayLeave(): Promise<boolean> {
    if (this.state().status === 'idle') return true
    return this.confirm('The turn that runs here is stopped. Go on?')
  }

  /** False: the user would not overwrite it. */
  private async write(file: string, text: string): Promise<boolean> {
    try {
      await writeFile(file, text, { mode: 0o600, flag: 'wx' })
      return true
    } catch (error) {
      const code = isNodeError(error) ? error.code : messageOf(error)
      if (code !== 'EEXIST') {
        throw new UserError('usage', `${file} cannot be written: ${code}.`, 'Name another file.', { cause: error })
      }
    }
    if (!(await this.confirm(`${file} exists. Overwrite it?`))) return false
    const { default: writeFileAtomic } = await import('write-file-atomic')
    await writeFileAtomic(file, text, { mode: 0o600 })
    return true
  }

  private async request<M extends BridgeMethod>(method: M, input: BridgeInput<M>): Promise<BridgeResults[M]> {
    const reply = await this.client.request(method, input)
    if (reply.ok) return reply.value as BridgeResults[M]
    const { message, remedy } = reply.error
    throw new UserError('invalid_request', message, remedy)
  }
}
