/** Result of reading JSON that a person wrote: line and column count from 1, as editors do. */
export type JsonResult = { ok: true; value: unknown } | { ok: false; line: number; column: number; problem: string }

/**
 * `JSON.parse` with a place for the error. Its own messages differ between Node versions and often lack a position,
 * so the faulty text is scanned a second time; a good text costs nothing extra.
 */
export function parseJson(text: string): JsonResult {
  const body = text.startsWith('\uFEFF') ? text.slice(1) : text
  try {
    return { ok: true, value: JSON.parse(body) }
  } catch {
    const fault = findFault(body)
    const before = body.slice(0, fault.at).split('\n')
    return { ok: false, line: before.length, column: (before.at(-1)?.length ?? 0) + 1, problem: fault.problem }
  }
}

class Fault {
  constructor(
    readonly at: number,
    readonly problem: string,
  ) {}
}

function findFault(text: string): Fault {
  try {
    const end = skipSpace(text, readValue(text, 0))
    return new Fault(end, end < text.length ? 'unexpected text after the end of the JSON value' : 'not valid JSON')
  } catch (error) {
    if (error instanceof Fault) return error
    // Only nesting deeper than the stack gets here; the position is then of no help to anybody.
    return new Fault(0, 'nested too deeply')
  }
}

function skipSpace(text: string, from: number): number {
  let at = from
  while (at < text.length && ' \t\r\n'.includes(text.charAt(at))) at++
  if (text.startsWith('//', at) || text.startsWith('/*', at)) throw new Fault(at, 'comments are not allowed in JSON')
  return at
}

/** Returns the position after the value that starts at or after `from`. */
function readValue(text: string, from: number): number {
  const at = skipSpace(text, from)
  const char = text.charAt(at)
  if (char === '') throw new Fault(at, 'the text ends where a value is expected')
  if (char === '{') return readObject(text, at)
  if (char === '[') return readArray(text, at)
  if (char === '"') return readString(text, at)
  if (char === "'") throw new Fault(at, 'strings need double quotes')
  const word = /^[^\s,:[\]{}"]+/.exec(text.slice(at, at + 64))?.[0] ?? ''
  if (/^(true|false|null|-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?)$/.test(word)) return at + word.length
  throw new Fault(at, word ? `${JSON.stringify(word)} is not a JSON value` : `a value is expected, not "${char}"`)
}

function readObject(text: string, from: number): number {
  let at = skipSpace(text, from + 1)
  if (text.charAt(at) === '}') return at + 1
  for (;;) {
    if (text.charAt(at) !== '"') throw new Fault(at, expectedKey(text, at))
    at = skipSpace(text, readString(text, at))
    if (text.charAt(at) !== ':') throw new Fault(at, 'a ":" is expected after the key')
    at = skipSpace(text, readValue(text, at + 1))
    const char = text.charAt(at)
    if (char === '}') return at + 1
    if (char !== ',') throw new Fault(at, char ? 'a "," or "}" is expected here' : 'the closing "}" is missing')
    const comma = at
    at = skipSpace(text, at + 1)
    if (text.charAt(at) === '}') throw new Fault(comma, 'a comma after the last entry is not allowed')
  }
}

function expectedKey(text: string, at: number): string {
  if (at >= text.length) return 'the closing "}" is missing'
  return 'a key in double quotes is expected'
}

function readArray(text: string, from: number): number {
  let at = skipSpace(text, from + 1)
  if (text.charAt(at) === ']') return at + 1
  for (;;) {
    at = skipSpace(text, readValue(text, at))
    const char = text.charAt(at)
    if (char === ']') return at + 1
    if (char !== ',') throw new Fault(at, char ? 'a "," or "]" is expected here' : 'the closing "]" is missing')
    const comma = at
    at = skipSpace(text, at + 1)
    if (text.charAt(at) === ']') throw new Fault(comma, 'a comma after the last entry is not allowed')
  }
}

function readString(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    const char = text.charAt(at)
    if (char === '"') return at + 1
    if (char < ' ') throw new Fault(at, 'a string must not contain a line break or another control character')
    if (char !== '\\') continue
    const sequence = /^\\(["\\/bfnrt]|u[0-9a-fA-F]{4})/.exec(text.slice(at, at + 6))
    if (!sequence) throw new Fault(at, 'unknown escape after "\\" (write "\\\\" for a backslash)')
    at += sequence[0].length - 1
  }
  throw new Fault(from, 'the string that starts here has no closing quote')
}
