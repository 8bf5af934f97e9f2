import { UserError } from '../../errors'

/** Patterns that one with braces may stand for. */
const MAX_ALTERNATIVES = 200
const MAX_PATTERN_CHARS = 1000

/** Whether a path, relative and with `/` between its parts, fits. Time: about its length times the pattern's. */
export type Glob = (path: string) => boolean

/**
 * Understands `*` and `?` (within a name), `**` (any folders), `[a-z]` and `[!a]`, `{a,b}` and `\` before a sign that is
 * meant as such. Hidden names are names like others. No regular expression is made of it: they can take for ever.
 * Throws UserError for a pattern that cannot be meant.
 */
export function compileGlob(pattern: string): Glob {
  const compiled = alternatives(pattern).map((text) => splitSegments(text).map(segment))
  return (path) => {
    const names = path.split('/')
    return compiled.some((segments) => matchSegments(segments, names))
  }
}

/** A pattern without `/` means a name at any depth, as in .gitignore and ripgrep; otherwise the path from the root. */
export function compileInclude(pattern: string): Glob {
  return compileGlob(pattern.includes('/') ? pattern.replace(/^\//, '') : `**/${pattern}`)
}

/** The leading folders of a pattern that are plain names, and the rest. `src/a/*.ts` -> `src/a` and `*.ts`. */
export function splitBase(pattern: string): { base: string; rest: string } {
  const parts = pattern.split('/')
  const first = parts.findIndex((part) => /[*?[\]{}\\]/.test(part))
  const count = first < 0 ? parts.length - 1 : first
  const base = parts.slice(0, count).join('/')
  const rest = parts.slice(count).join('/')
  if (rest.split('/').includes('..')) throw bad(pattern, '“..” can only stand at its beginning')
  if (first >= 0 && alternatives(rest).some((text) => text.startsWith('/') || text.split('/').includes('..'))) {
    throw bad(pattern, 'its braces lead to other folders')
  }
  return { base: base === '' && pattern.startsWith('/') ? '/' : base, rest: rest === '' ? '**' : rest }
}

function bad(pattern: string, why: string): UserError {
  return new UserError('invalid_request', `The pattern ${pattern.slice(0, 100)} cannot be used: ${why}.`)
}

function alternatives(pattern: string): string[] {
  if (pattern.length > MAX_PATTERN_CHARS) throw bad(pattern, `it has more than ${MAX_PATTERN_CHARS} characters`)
  let open = [pattern]
  const done: string[] = []
  while (open.length > 0) {
    const next: string[] = []
    for (const text of open) {
      const group = firstBraces(text)
      if (!group) done.push(text)
      else next.push(...group.parts.map((part) => text.slice(0, group.start) + part + text.slice(group.end)))
      if (done.length + next.length > MAX_ALTERNATIVES) throw bad(pattern, 'its braces mean too many patterns')
    }
    open = next
  }
  return done
}

/** The first `{a,b}`; braces without a comma or without an end are signs like others. */
function firstBraces(text: string): { start: number; end: number; parts: string[] } | null {
  for (let start = nextSign(text, 0, '{'); start >= 0; start = nextSign(text, start + 1, '{')) {
    let depth = 0
    let from = start + 1
    const parts: string[] = []
    for (let at = start; at < text.length; at += 1) {
      const sign = text[at]
      if (sign === '\\') at += 1
      else if (sign === '{') depth += 1
      else if (sign === ',' && depth === 1) {
        parts.push(text.slice(from, at))
        from = at + 1
      } else if (sign === '}') {
        depth -= 1
        if (depth > 0) continue
        if (parts.length === 0) break
        parts.push(text.slice(from, at))
        return { start, end: at + 1, parts }
      }
    }
  }
  return null
}

function nextSign(text: string, from: number, sign: string): number {
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1
    else if (text[at] === sign) return at
  }
  return -1
}

function splitSegments(pattern: string): string[] {
  const parts = pattern.split('/').filter((part) => part !== '' && part !== '.')
  // `src/` means what is in it.
  return pattern.endsWith('/') ? [...parts, '**'] : parts
}

type Sign = string | 'any' | ((char: string) => boolean)
type Segment = 'deep' | Sign[]
const ANY = 'any'

function segment(text: string): Segment {
  if (text === '**') return 'deep'
  const signs: Sign[] = []
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? ''
    if (char === '*') {
      if (signs.at(-1) !== ANY) signs.push(ANY)
    } else if (char === '?') signs.push(() => true)
    else if (char === '\\' && at + 1 < text.length) {
      at += 1
      signs.push(text[at] ?? '')
    } else if (char === '[') {
      const end = text.indexOf(']', at + (/[!^]/.test(text[at + 1] ?? '') ? 3 : 2))
      if (end < 0) signs.push('[')
      else {
        signs.push(oneOf(text.slice(at + 1, end)))
        at = end
      }
    } else signs.push(char)
  }
  return signs
}

function oneOf(body: string): (char: string) => boolean {
  const not = /^[!^]/.test(body)
  const signs = not ? body.slice(1) : body
  const ranges: [string, string][] = []
  for (let at = 0; at < signs.length; at += 1) {
    const from = signs[at] ?? ''
    const range = signs[at + 1] === '-' && at + 2 < signs.length
    ranges.push([from, range ? (signs[at + 2] ?? '') : from])
    if (range) at += 2
  }
  return (char) => ranges.some(([from, to]) => char >= from && char <= to) !== not
}

function matchSegments(segments: readonly Segment[], names: readonly string[]): boolean {
  return greedy(
    segments,
    names,
    (one) => one === 'deep',
    (one, name) => one !== 'deep' && matchName(one, name),
  )
}

function matchName(signs: readonly Sign[], name: string): boolean {
  return greedy(
    signs,
    name,
    (sign) => sign === ANY,
    (sign, char) => (typeof sign === 'function' ? sign(char) : sign === char),
  )
}

/** The usual match with one kind of star: on a failure only the last star takes one more. */
function greedy<P, T>(
  pattern: readonly P[],
  text: ArrayLike<T>,
  isStar: (part: P) => boolean,
  fits: (part: P, item: T) => boolean,
): boolean {
  let p = 0
  let t = 0
  let star = -1
  let mark = 0
  while (t < text.length) {
    const part = pattern[p]
    const item = text[t]
    if (part !== undefined && isStar(part)) {
      star = p
      mark = t
      p += 1
    } else if (part !== undefined && item !== undefined && fits(part, item)) {
      p += 1
      t += 1
    } else if (star >= 0) {
      mark += 1
      t = mark
      p = star + 1
    } else return false
  }
  while (p < pattern.length) {
    const part = pattern[p]
    if (part === undefined || !isStar(part)) return false
    p += 1
  }
  return true
}
