import { type ApprovalRequest, type ApprovalScope, type Rule, scopeAllows } from '@shared/approvals'
import { sentence } from '@shared/commands'
import { type AnyEvent, isUnknownEvent } from '@shared/events'
import type { ApprovalDecision, Operation, OperationReceipt } from '@shared/operations'
import type { SessionState } from '@shared/state'
import { describeRequest } from '../headless/approvals'
import { clean, dollars, oneLine, type Style, visible } from '../headless/style'
import { type Editable, editable } from './external-editor'

/** Longest reason that a decision carries, in characters. */
const MAX_REASON = 10_000

/** What the questions need of the terminal. Null answers: Ctrl+C, or the signal. */
export interface ApprovalUi {
  say(text: string): void
  choose(label: string, keys: string, signal?: AbortSignal): Promise<string | null>
  ask(label: string, initial?: string, signal?: AbortSignal): Promise<string | null>
  /** The text after the user has edited it; null: nothing was changed. */
  edit(what: Editable, signal: AbortSignal): Promise<string | null>
}

export interface ApprovalSession {
  readonly state: SessionState
  submit(operation: Operation): Promise<OperationReceipt>
}

const SCOPES: readonly { key: string; scope: ApprovalScope; label: string }[] = [
  { key: 'y', scope: 'once', label: '[y]es' },
  { key: 't', scope: 'turn', label: 'this [t]urn' },
  { key: 's', scope: 'session', label: '[s]ession' },
  { key: 'p', scope: 'project', label: '[p]roject' },
  { key: 'a', scope: 'always', label: '[a]lways' },
]

/** Asks about the calls of one session that wait for the user, and takes a question back that nobody needs answered. */
export class Approvals {
  private asking: { ids: string[]; withdrawn: AbortController } | null = null
  /** The user stopped the turn instead of answering: nothing is asked until what waited is gone. */
  private stopped = false
  private closed = false

  constructor(
    private readonly session: ApprovalSession,
    private readonly ui: ApprovalUi,
    private readonly style: Style,
    /** Ctrl+C in a question. */
    private readonly interrupt: () => void,
  ) {}

  /** To be called for every event, and once when the session is shown: what waits in it already is asked. */
  look(event: AnyEvent | null): void {
    const { state } = this.session
    if (event && !isUnknownEvent(event) && event.type === 'approval_explained') this.explained(event.data.text)
    const pending = state.pending_approvals.map((request) => request.tool_call_id)
    if (pending.length === 0) this.stopped = false
    if (this.asking?.ids.some((id) => !pending.includes(id))) this.asking.withdrawn.abort()
    if (pending.length > 0 && !this.asking && !this.stopped && !this.closed) void this.run()
  }

  /** The session is left. */
  close(): void {
    this.closed = true
    this.asking?.withdrawn.abort()
  }

  private async run(): Promise<void> {
    for (;;) {
      const requests = this.session.state.pending_approvals
      if (requests.length === 0 || this.stopped || this.closed) return
      const withdrawn = new AbortController()
      this.asking = { ids: requests.map((request) => request.tool_call_id), withdrawn }
      try {
        const decisions = await this.decide(requests, withdrawn.signal)
        if (decisions) await this.session.submit({ op: 'exec_approval', approvals: decisions })
        else if (!withdrawn.signal.aborted) {
          this.stopped = true
          this.interrupt()
        }
      } catch (error) {
        // The turn may have ended while the answer was typed, or what was edited does not fit the tool.
        this.ui.say(this.style.yellow(clean(sentence(error))))
      } finally {
        this.asking = null
      }
    }
  }

  private async decide(requests: ApprovalRequest[], signal: AbortSignal): Promise<ApprovalDecision[] | null> {
    const [only, second] = requests
    if (only && !second) {
      this.ui.say(describe(only, this.style))
      return this.one(only, signal)
    }
    this.ui.say(this.style.bold(`${requests.length} calls wait for you:`))
    for (const [at, request] of requests.entries()) this.ui.say(describe(request, this.style, at + 1))
    const answer = await this.ui.choose('Run all of them? [y]es to all, [n]o to all, [o]ne by one:', 'yno', signal)
    if (answer === null) return null
    if (answer !== 'o') {
      return requests.map(({ tool_call_id }) => ({ tool_call_id, approved: answer === 'y', ...once(answer) }))
    }
    const decisions: ApprovalDecision[] = []
    for (const [at, request] of requests.entries()) {
      this.ui.say(describe(request, this.style, at + 1))
      const decided = await this.one(request, signal)
      if (!decided) return null
      decisions.push(...decided)
    }
    return decisions
  }

  private async one(request: ApprovalRequest, signal: AbortSignal): Promise<ApprovalDecision[] | null> {
    const { tool_call_id } = request
    let edited: Record<string, unknown> | undefined
    // What an edit left that could not be used is not lost: the next one begins with it.
    let draft: string | null = null
    for (;;) {
      // The rules are about the call as it was asked for.
      const scopes = SCOPES.filter(({ scope }) =>
        scopeAllows(edited ? 'once' : (request.max_scope ?? 'session'), scope),
      )
      const labels = [...scopes.map(({ label }) => label), '[n]o', 'no, with a [r]eason', '[e]dit', 'e[x]plain']
      const keys = `${scopes.map(({ key }) => key).join('')}nrex`
      const answer = await this.ui.choose(
        `${edited ? 'Run it as edited?' : 'Run it?'} ${labels.join(', ')}:`,
        keys,
        signal,
      )
      const chosen = scopes.find(({ key }) => key === answer)
      if (answer === null) return null
      if (chosen) return [{ tool_call_id, approved: true, scope: chosen.scope, ...(edited && { arguments: edited }) }]
      if (answer === 'n') return [{ tool_call_id, approved: false }]
      if (answer === 'r') {
        const reason = await this.ui.ask('Why not? The model reads it.', '', signal)
        if (signal.aborted) return null
        const feedback = clean(reason ?? '')
          .trim()
          .slice(0, MAX_REASON)
        if (reason !== null) return [{ tool_call_id, approved: false, ...(feedback && { feedback }) }]
      } else if (answer === 'x') this.explain(request)
      else {
        const what = editable(edited ?? request.arguments)
        try {
          const text = await this.ui.edit({ ...what, text: draft ?? what.text }, signal)
          if (signal.aborted) return null
          draft = text
          if (text !== null && text !== what.text) {
            edited = what.parse(text)
            this.ui.say(
              describe({ ...request, intent: 'As edited', arguments: edited, subjects: undefined }, this.style),
            )
          }
          draft = null
        } catch (error) {
          this.ui.say(this.style.yellow(clean(sentence(error))))
        }
      }
    }
  }

  private explain({ tool_call_id }: ApprovalRequest): void {
    const known = this.session.state.explanations[tool_call_id]
    if (known !== undefined) {
      this.explained(known)
      return
    }
    this.ui.say(this.style.dim('Asking the model what this does and why …'))
    this.session.submit({ op: 'explain', tool_call_id }).catch((error: unknown) => this.ui.say(clean(sentence(error))))
  }

  private explained(text: string): void {
    const lines = clean(text).trim().split('\n')
    this.ui.say(lines.map((line) => `  ${this.style.dim('│')} ${line}`).join('\n'))
  }
}

function once(answer: string): { scope?: ApprovalScope } {
  return answer === 'y' ? { scope: 'once' } : {}
}

/** What will happen, why it is asked, what it costs, and what a longer scope would allow. */
export function describe(request: ApprovalRequest, style: Style, number?: number): string {
  const lines = [
    `${number === undefined ? '' : `${style.bold(`${number}.`)} `}${describeRequest(request, style).trimEnd()}`,
  ]
  const { estimated_cost_usd: cost, remaining_cap_usd: left, subjects = [], suggested_rules: rules = [] } = request
  // One part says no more than the arguments do.
  if (subjects.length > 1) {
    lines.push(
      style.dim('  does:'),
      ...subjects.map(({ operation, text }) => `    ${oneLine(operation)}  ${visible(text)}`),
    )
  }
  if (request.risk) lines.push(style.yellow(`  ${RISKS[request.risk]}`))
  if (cost !== undefined) {
    const price = cost === null ? 'Cost: not known' : `Cost: about ${dollars(cost)}`
    lines.push(`  ${price}${left === undefined || left === null ? '' : `; ${dollars(left)} of the cap remains`}`)
  }
  const longer = SCOPES.filter(({ scope }) => scope !== 'once' && scopeAllows(request.max_scope ?? 'session', scope))
  if (longer.length > 0 && rules.length > 0) {
    lines.push(
      style.dim(`  ${longer.map(({ key }) => key).join(', ')} would keep:`),
      ...rules.map((rule) => `    ${ruleText(rule)}`),
    )
  }
  return `\n${lines.join('\n')}\n`
}

const RISKS = {
  money: 'This spends money.',
  secrets: 'This touches secrets.',
  hub_deletion: 'This deletes on the Hub.',
  schedule: 'This runs again and again until it is stopped.',
  rights: 'This changes the settings or records of ML Intern itself.',
} as const

/** `allow bash run: git push *` */
export function ruleText({ effect, tool, operation, pattern }: Rule): string {
  const what = [effect, oneLine(tool), ...(operation ? [oneLine(operation)] : [])].join(' ')
  return pattern === undefined ? what : `${what}: ${visible(pattern).replace(/\s+/g, ' ')}`
}
