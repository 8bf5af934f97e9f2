import type { CommandHost, CommandView } from '@shared/commands'
import { isSessionId } from '@shared/ids'
import { initialState, type SessionState } from '@shared/state'
import { formatCost, formatTokens } from '../../lib/format'
import { effortChoices, findModel } from '../../lib/models'
import { effortLabel, modeLabel } from '../../lib/modes'
import { useApp } from '../../stores/app'
import { getSessionState, submit } from '../../stores/sessions'
import { ask, askAbout, showDialog, showHeaderMenu, showMeter } from '../../stores/ui'
import { openSearch } from '../search/open-search'
import { exportSession } from '../sessions/export-file'

/** What the commands do in the window. `command`: the one that runs. */
export function windowHost(id: string, command: string, say: (text: string) => void): CommandHost {
  const state = (): SessionState => getSessionState(id) ?? initialState(id)
  const { actions } = useApp.getState()
  return {
    state,
    submit: (operation) => submit(id, operation),
    say,
    open: (view, argument) => shows[view](state(), say, argument),
    newSession: async () => actions.open(null),
    openSession: async (wanted) => actions.open(findSession(wanted)),
    rename: (title) => actions.rename(id, title),
    exportSession: (format, target) => exportSession(id, format, target),
    uploadTrace: async () => askAbout({ kind: 'upload', id, title: state().title }),
    // The dialog of the upload asks by itself, and says more.
    confirm: (question) => (command === 'share-traces' ? Promise.resolve(true) : ask(question)),
    quit: () => window.close(),
  }
}

type Show = (state: SessionState, say: (text: string) => void, argument: string) => void

const shows: Record<CommandView, Show> = {
  help: () => showDialog('shortcuts'),
  model: () => showHeaderMenu('model'),
  effort: ({ model }, say) =>
    effortChoices(findModel(model, useApp.getState().info), null).length > 1
      ? showHeaderMenu('effort')
      : say('This model has no levels of effort.'),
  mode: () => showHeaderMenu('mode'),
  sessions: () => openSearch(),
  search: (_state, _say, query) => openSearch(query),
  rules: () => showDialog('approvals'),
  budget: () => showMeter('cost'),
  status: (state, say) => say(statusText(state)),
}

export function statusText({ model, effort, mode, context, usage, budget, turns }: SessionState): string {
  const { used_tokens, window } = context
  const cap = budget?.cap_usd ?? null
  return [
    `Model: ${model}`,
    `Effort: ${effortLabel(effort)}`,
    `Mode: ${modeLabel(mode)}`,
    `Context: ${formatTokens(used_tokens)}${window ? ` of ${formatTokens(window)}` : ''} tokens`,
    `Cost: ${formatCost(usage.cost_usd, usage.unpriced_calls > 0)}${cap === null ? '' : ` of $${cap}`}`,
    `Turns: ${turns}`,
  ].join('\n')
}

/** A session by its id or the beginning of it. */
function findSession(wanted: string): string {
  if (isSessionId(wanted)) return wanted
  const found = useApp.getState().sessions.filter(({ id }) => id.startsWith(wanted))
  const [only] = found
  if (only && found.length === 1) return only.id
  throw new Error(
    found.length === 0 ? `No session has an id that begins with ${wanted}.` : `${found.length} sessions begin so.`,
  )
}
