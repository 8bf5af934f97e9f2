import type { Walk } from './walk'

/** What a search did not look at, in short sentences for the end of its result. */
export function walkRemarks(walk: Walk, max: { entries: number; ms: number }): string[] {
  const remarks: string[] = []
  if (walk.stopped === 'time') remarks.push(`Stopped after ${max.ms / 1000} s: not everything was looked at.`)
  if (walk.stopped === 'entries') remarks.push(`Stopped after ${max.entries} entries: not everything was looked at.`)
  if (walk.skipped.size > 0) remarks.push(`Not entered by rule: ${[...walk.skipped].sort().join(', ')}.`)
  if (walk.ignored > 0) {
    remarks.push(`Left out by ignore files: ${walk.ignored} ${walk.ignored === 1 ? 'entry' : 'entries'}.`)
  }
  if (walk.unreadable > 0) remarks.push(`${walk.unreadable} folders could not be read.`)
  return remarks
}

/** Files that are not searched unless they are named: reading them is a question for the user. */
export function secretRemark(paths: readonly string[]): string[] {
  if (paths.length === 0) return []
  const named = paths.slice(0, 3).join(', ')
  const more = paths.length > 3 ? ` and ${paths.length - 3} more` : ''
  return [`Left out because they may hold secrets: ${named}${more}. Name such a file itself to search it.`]
}
