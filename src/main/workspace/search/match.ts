import { UserError } from '../../errors'
import { cutLine, type GrepFile, type GrepRequest } from './types'

type Wanted = Pick<GrepRequest, 'pattern' | 'literal' | 'ignore_case' | 'multiline'>

/**
 * The pattern as a regular expression of JavaScript: ripgrep's own signs that differ are translated where that is
 * simple. Throws UserError.
 */
export function compilePattern({ pattern, literal, ignore_case, multiline }: Wanted): RegExp {
  const inline = literal ? null : /^\(\?([ims]+)\)/.exec(pattern)
  const body = inline ? pattern.slice(inline[0].length) : pattern
  const source = literal ? body.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&') : body.replaceAll('(?P<', '(?<')
  const wanted = (ignore_case ? 'i' : '') + (multiline ? 'gms' : '') + (inline?.[1] ?? '')
  const flags = [...new Set(wanted)].join('')
  try {
    return new RegExp(source, `${flags}u`)
  } catch {
    // Stricter about needless backslashes: `\-` is an error there and nothing else here.
  }
  try {
    return new RegExp(source, flags)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new UserError(
      'invalid_request',
      `The pattern is no regular expression: ${why}.`,
      'Set literal for plain text.',
    )
  }
}

interface Shown {
  mode: GrepRequest['mode']
  before: number
  after: number
  multiline: boolean
  max_lines: number
}

/** The lines of a text that match, with those around them; null when none does. */
export function matchText(path: string, text: string, regex: RegExp, shown: Shown): GrepFile | null {
  const body = text.endsWith('\n') ? text.slice(0, -1) : text
  const lines = body.split('\n')
  const matches = shown.multiline ? acrossLines(body, lines, regex) : eachLine(lines, regex, shown.mode === 'files')
  if (matches.length === 0) return null
  const file: GrepFile = { path, count: matches.length, lines: [] }
  if (shown.mode !== 'content') return file
  const isMatch = new Set(matches)
  let next = 0
  for (const at of matches) {
    const last = Math.min(lines.length - 1, at + shown.after)
    for (let i = Math.max(next, at - shown.before); i <= last; i += 1) {
      if (file.lines.length >= shown.max_lines) return file
      file.lines.push({ number: i + 1, text: cutLine(lines[i] ?? ''), match: isMatch.has(i) })
    }
    next = Math.max(next, last + 1)
  }
  return file
}

function eachLine(lines: readonly string[], regex: RegExp, firstOnly: boolean): number[] {
  const found: number[] = []
  for (const [at, line] of lines.entries()) {
    if (!regex.test(line.endsWith('\r') ? line.slice(0, -1) : line)) continue
    found.push(at)
    if (firstOnly) break
  }
  return found
}

/** All lines that a match touches. */
function acrossLines(body: string, lines: readonly string[], regex: RegExp): number[] {
  const found = new Set<number>()
  let line = 0
  let start = 0
  const lineOf = (offset: number): number => {
    while (line < lines.length - 1 && offset > start + (lines[line]?.length ?? 0)) {
      start += (lines[line]?.length ?? 0) + 1
      line += 1
    }
    return line
  }
  for (const match of body.matchAll(regex)) {
    const from = lineOf(match.index)
    const to = lineOf(match.index + Math.max(0, match[0].length - 1))
    for (let at = from; at <= to; at += 1) found.add(at)
  }
  return [...found]
}
