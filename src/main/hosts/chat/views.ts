import type { ModelChoice, SearchHit } from '@shared/bridge'
import { commandsOf } from '@shared/commands'
import type { Settings } from '@shared/settings'
import type { SessionState, SessionSummary } from '@shared/state'
import { clip, count, dollars, modelLabel, oneLine, type Style, tildePath } from '../headless/style'
import { ruleText } from './approvals'

/** Texts of the commands that show something. All end with a line end. */
type Row = readonly [string, string]

const KEYS: readonly Row[] = [
  ['Enter', 'send; while a turn runs the model reads it before its next step'],
  ['Alt+Q', 'send when the running turn has ended'],
  ['Alt+Enter, Ctrl+J, \\ Enter', 'a new line'],
  ['Tab', 'complete a /command, its argument, or a path after @'],
  ['Up, Down, Ctrl+R', 'what was typed before; search it'],
  ['Ctrl+A E U K W Y', 'start, end, delete to the start, to the end, a word, put it back'],
  ['Ctrl+C', 'stop the turn; twice within a second: leave'],
  ['Ctrl+D', 'leave'],
]

export function helpText(style: Style): string {
  const commands = commandsOf('chat').map((spec): Row => [spec.usage, spec.summary])
  const width = 28
  const line = ([left, right]: Row): string =>
    left.length < width
      ? `  ${style.cyan(left.padEnd(width))} ${right}\n`
      : `  ${style.cyan(left)}\n  ${' '.repeat(width)} ${right}\n`
  return `${style.bold('Commands')}\n${commands.map(line).join('')}${style.bold('Keys')}\n${KEYS.map(line).join('')}`
}

export function statusText(state: SessionState, style: Style, home: string | undefined): string {
  const { usage, context } = state
  const tools = state.items.filter((item) => item.kind === 'tool').length
  const rows: Row[] = [
    ['session', `${state.id}${state.title ? `  ${oneLine(state.title)}` : ''}`],
    ['folder', tildePath(oneLine(state.cwd), home)],
    ['model', modelLabel(state.model)],
    ['effort', state.effort ?? 'off'],
    ['mode', state.mode],
    ['context', contextText(context)],
    ['turns', `${state.turns}, ${count(tools)} tool calls`],
    [
      'usage',
      `${count(usage.calls)} model calls, ${count(usage.prompt_tokens)} tokens in, ${count(usage.completion_tokens)} out`,
    ],
    ['cost', costText(state)],
    ['waiting', `${state.queue.length} messages, ${state.pending_approvals.length} approvals`],
  ]
  return table(rows, style)
}

function contextText({ used_tokens, window }: SessionState['context']): string {
  if (window === null) return `${count(used_tokens)} tokens`
  return `${count(used_tokens)} of ${count(window)} tokens (${Math.round((used_tokens / window) * 100)} %)`
}

function costText({ usage }: Pick<SessionState, 'usage'>): string {
  const unknown = usage.unpriced_calls > 0 ? `, and ${usage.unpriced_calls} calls without a known price` : ''
  return `${dollars(usage.cost_usd)}${unknown}`
}

export function budgetText(state: SessionState, settings: Settings, style: Style): string {
  const cap = state.max_cost_usd === undefined ? settings.max_cost_usd : state.max_cost_usd
  const day = state.budget?.day
  const parts = state.usage.parts.map(
    (part): Row => [
      `  ${part.kind}`,
      `${dollars(part.cost_usd)}  ${count(part.calls)} calls  ${modelLabel(part.model)}`,
    ],
  )
  const rows: Row[] = [
    ['spent', costText(state)],
    ...parts,
    ['cap', cap === null ? 'none; /budget USD sets one' : `${dollars(cap)} for this session`],
    ...(day ? [['today', `${dollars(day.spent_usd)} of ${dollars(day.cap_usd)} in all sessions`] as const] : []),
  ]
  return table(rows, style)
}

export function rulesText(state: SessionState, settings: Settings, style: Style): string {
  const groups: [string, readonly Parameters<typeof ruleText>[0][]][] = [
    ['This turn', state.turn_rules],
    ['This session', state.rules],
    [`Sessions in ${state.cwd}`, settings.project_rules[state.cwd] ?? []],
    ['Every session', settings.approval_rules],
  ]
  const shown = groups.filter(([, rules]) => rules.length > 0)
  const head = `Mode ${state.mode} decides where no rule speaks; deny goes before ask, and ask before allow.\n`
  if (shown.length === 0) return `No rules. ${head}`
  return `${shown.map(([name, rules]) => `${style.bold(name)}\n${rules.map((rule) => `  ${ruleText(rule)}\n`).join('')}`).join('')}${style.dim(head)}`
}

export function sessionRows(sessions: readonly SessionSummary[], style: Style, columns: number): string {
  return sessions
    .map((session, at) => {
      const state = session.locked ? 'in use' : session.status === 'idle' ? '' : session.status
      const facts = `${session.updated_at.slice(0, 16).replace('T', ' ')}  ${session.id.slice(0, 8)}${state ? `  ${state}` : ''}`
      const title = clip(oneLine(session.title) || '(untitled)', Math.max(10, columns - facts.length - 8))
      return `${number(at)} ${title}  ${style.dim(facts)}\n`
    })
    .join('')
}

export function modelRows(models: readonly ModelChoice[], current: string, style: Style): string {
  return models
    .map((model, at) => {
      const price =
        model.input_price === null || model.output_price === null
          ? 'price not known'
          : `$${model.input_price} in, $${model.output_price} out per million tokens`
      const size = model.context_window === null ? '' : `${count(model.context_window)} tokens`
      const facts = [size, price, model.available ? '' : 'a key is missing', oneLine(model.note)].filter(
        (fact) => fact !== '',
      )
      const mark = model.id === current ? style.green('●') : ' '
      return `${number(at)} ${mark} ${oneLine(model.id)}  ${style.dim(facts.join(', '))}\n`
    })
    .join('')
}

export function hitRows(hits: readonly SearchHit[], style: Style, columns: number): string {
  return hits
    .map((hit, at) => {
      const title = clip(oneLine(hit.title) || '(untitled)', columns - 20)
      const where = `${hit.session.slice(0, 8)}${hit.kind === 'title' ? '' : `  ${hit.kind}`}`
      return `${number(at)} ${style.bold(title)}  ${style.dim(where)}\n       ${clip(oneLine(hit.snippet), columns - 7)}\n`
    })
    .join('')
}

/** The line under the input. */
export function statusLine(state: SessionState): string {
  const { used_tokens, window } = state.context
  const parts = [
    modelLabel(state.model),
    `mode ${state.mode}`,
    ...(state.effort ? [`effort ${state.effort}`] : []),
    ...(window ? [`context ${Math.round((used_tokens / window) * 100)} %`] : []),
    ...(state.usage.cost_usd > 0 ? [dollars(state.usage.cost_usd)] : []),
    ...(state.queue.length > 0 ? [`${state.queue.length} waiting`] : []),
    state.status === 'idle' ? '/help' : 'Enter steers, Alt+Q queues, Ctrl+C stops',
  ]
  return oneLine(parts.join(' · '))
}

function number(at: number): string {
  return `${String(at + 1).padStart(3)}.`
}

function table(rows: readonly Row[], style: Style): string {
  return rows.map(([name, value]) => `${style.dim(name.padEnd(12))} ${value}\n`).join('')
}
