import type { TerminalInfo } from '@shared/terminals'
import { formatDuration } from '../chat/text'

/** Ended terminals that have a tab; what older commands printed stands in the conversation. */
const RECENT_ENDED = 8

/** Newest first. ISO times of one zone compare as text. */
export function newestFirst(list: readonly TerminalInfo[]): TerminalInfo[] {
  return [...list].sort((a, b) => (a.started_at < b.started_at ? 1 : a.started_at > b.started_at ? -1 : 0))
}

/** The terminal that is shown: the user's choice while it exists, else the newest running one, else the newest. */
export function selectTab(list: readonly TerminalInfo[], chosen: string | null): TerminalInfo | null {
  const own = chosen === null ? undefined : list.find((info) => info.id === chosen)
  if (own) return own
  const sorted = newestFirst(list)
  return sorted.find((info) => info.state === 'running') ?? sorted[0] ?? null
}

/** What a press on a tab means: on the one that would be shown anyway, to go on with the newest. */
export function chooseTab(list: readonly TerminalInfo[], id: string): string | null {
  return selectTab(list, null)?.id === id ? null : id
}

/** The terminals that get a tab, newest first: all that run, the newest of the others, and the one that is shown. */
export function tabsOf(list: readonly TerminalInfo[], selected: string | null): TerminalInfo[] {
  let ended = 0
  return newestFirst(list).filter((info) => {
    if (info.state === 'running') return true
    ended += 1
    return ended <= RECENT_ENDED || info.id === selected
  })
}

/** "exit 1", "SIGKILL"; empty while it runs, and where nobody knows. */
export function endOfTerminal({ state, exit_code, signal }: TerminalInfo): string {
  if (state === 'running') return ''
  if (signal) return signal
  return exit_code === null ? 'ended' : `exit ${exit_code}`
}

/** "exit 1 · 2.1 s" of a terminal that has ended. */
export function endLine(info: TerminalInfo): string {
  const how = endOfTerminal(info)
  const ms = info.ended_at === null ? Number.NaN : Date.parse(info.ended_at) - Date.parse(info.started_at)
  return how === '' || Number.isNaN(ms) ? how : `${how} · ${formatDuration(Math.max(0, ms))}`
}

/** True where the end is bad news. A shell that the user left says what its last command said. */
export function hasFailed({ kind, state, exit_code, signal }: TerminalInfo): boolean {
  return kind === 'command' && state === 'ended' && (signal !== null || (exit_code ?? 0) !== 0)
}

/** A command in one line. */
export function titleOf({ title, kind }: Pick<TerminalInfo, 'title' | 'kind'>): string {
  const line = title.replace(/\s+/g, ' ').trim()
  return line || (kind === 'shell' ? 'Shell' : 'Command')
}
