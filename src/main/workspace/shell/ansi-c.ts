import { Unsure } from './types'

const SIMPLE: Record<string, string> = {
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\x07',
  b: '\b',
  e: '\x1b',
  E: '\x1b',
  f: '\f',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '?': '?',
}
const CODES = /x[0-9A-Fa-f]{1,2}|[0-7]{1,3}|u[0-9A-Fa-f]{1,4}|U[0-9A-Fa-f]{1,8}/y

/**
 * The text of `$'…'` from `start`, behind its opening quote. `exact` is false for single bytes above ASCII, whose
 * character depends on their neighbours. Throws Unsure when it is not closed, or holds a NUL, at which bash cuts it off.
 */
export function decodeAnsiC(src: string, start: number): { value: string; end: number; exact: boolean } {
  const parts: string[] = []
  let exact = true
  let from = start
  const special = /['\\]/g
  for (;;) {
    special.lastIndex = from
    const c = special.exec(src)?.[0]
    if (c === undefined) throw new Unsure('a quote that is not closed')
    const at = special.lastIndex - 1
    parts.push(src.slice(from, at))
    if (c === "'") return { value: parts.join(''), end: at + 1, exact }
    const next = src[at + 1] ?? ''
    const simple = SIMPLE[next]
    CODES.lastIndex = at + 1
    const code = CODES.exec(src)?.[0]
    if (simple !== undefined) {
      parts.push(simple)
      from = at + 2
    } else if (code !== undefined) {
      const octal = /^[0-7]/.test(code)
      const point = octal ? Number.parseInt(code, 8) % 256 : Number.parseInt(code.slice(1), 16)
      if (point === 0 || point > 0x10ffff) throw new Unsure('a character that cannot be')
      if (point > 0x7f && (octal || code.startsWith('x'))) exact = false
      parts.push(String.fromCodePoint(point))
      from = at + 1 + code.length
    } else if (next === 'c') throw new Unsure('a control character')
    else {
      parts.push(c + next)
      from = at + 2
    }
  }
}
