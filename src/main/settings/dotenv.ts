export interface DotEnv {
  values: Record<string, string>
  /** Numbers of the lines that are no assignment, from 1. */
  bad_lines: number[]
}

const ASSIGNMENT = /^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.]*)[ \t]*=[ \t]*/

/**
 * Reads the text of a `.env` file: `NAME=value`, `export NAME=value`, `#` comments, single quotes (literal), double
 * quotes (with \n \r \t \" \\ escapes), quoted values over several lines, LF or CRLF. Variables inside values are not
 * expanded. The last assignment of a name wins.
 */
export function parseDotEnv(text: string): DotEnv {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/)
  const values = new Map<string, string>()
  const bad: number[] = []
  for (let n = 0; n < lines.length; n++) {
    const line = lines[n] ?? ''
    if (/^\s*(#|$)/.test(line)) continue
    const match = ASSIGNMENT.exec(line)
    const name = match?.[1]
    if (!match || !name) {
      bad.push(n + 1)
      continue
    }
    const rest = line.slice(match[0].length)
    const quote = rest.charAt(0)
    if (quote !== '"' && quote !== "'") {
      values.set(name, unquoted(rest))
      continue
    }
    const quoted = readQuoted(lines, n, rest.slice(1), quote)
    if (!quoted) {
      bad.push(n + 1)
      continue
    }
    values.set(name, quoted.value)
    n = quoted.last_line
  }
  return { values: Object.fromEntries(values), bad_lines: bad }
}

/** A comment needs a space before its `#`: `a#b` is a value. */
function unquoted(rest: string): string {
  return rest.replace(/(^|[ \t])#.*$/, '').trim()
}

function readQuoted(
  lines: readonly string[],
  first: number,
  start: string,
  quote: string,
): { value: string; last_line: number } | null {
  let value = ''
  for (let n = first; n < lines.length; n++) {
    const text = n === first ? start : (lines[n] ?? '')
    if (n > first) value += '\n'
    for (let at = 0; at < text.length; at++) {
      const char = text.charAt(at)
      if (char === quote) return /^\s*(#.*)?$/.test(text.slice(at + 1)) ? { value, last_line: n } : null
      if (char === '\\' && quote === '"') {
        at++
        value += unescaped(text.charAt(at))
      } else {
        value += char
      }
    }
  }
  return null
}

function unescaped(char: string): string {
  switch (char) {
    case 'n':
      return '\n'
    case 'r':
      return '\r'
    case 't':
      return '\t'
    case '"':
    case '\\':
    case '$':
      return char
    default:
      return `\\${char}`
  }
}
