/** Where a value stands in a JSON text: from its first character to behind its last. */
export interface Span {
  start: number
  end: number
}

/** The values of an object by name. `text` must be valid JSON, and `at` the place of a `{`. */
export function memberSpans(text: string, at: number): Map<string, Span> {
  const found = new Map<string, Span>()
  let next = blank(text, at + 1)
  while (text[next] !== '}') {
    const end = stringEnd(text, next)
    const name: unknown = JSON.parse(text.slice(next, end))
    // Behind the colon.
    const start = blank(text, blank(text, end) + 1)
    const span = { start, end: valueEnd(text, start) }
    if (typeof name === 'string') found.set(name, span)
    next = blank(text, span.end)
    if (text[next] === ',') next = blank(text, next + 1)
  }
  return found
}

/** The elements of an array. As above; `at` is the place of a `[`. */
export function elementSpans(text: string, at: number): Span[] {
  const found: Span[] = []
  let next = blank(text, at + 1)
  while (text[next] !== ']') {
    const span = { start: next, end: valueEnd(text, next) }
    found.push(span)
    next = blank(text, span.end)
    if (text[next] === ',') next = blank(text, next + 1)
  }
  return found
}

/** The place of the first character from `at` on that is no white space. */
export function blank(text: string, at: number): number {
  let next = at
  while (next < text.length && ' \t\r\n'.includes(text[next] ?? 'x')) next += 1
  return next
}

function stringEnd(text: string, at: number): number {
  let next = at + 1
  for (;;) {
    const quote = text.indexOf('"', next)
    if (quote < 0) return text.length
    let slashes = 0
    while (text[quote - 1 - slashes] === '\\') slashes += 1
    if (slashes % 2 === 0) return quote + 1
    next = quote + 1
  }
}

function valueEnd(text: string, at: number): number {
  const first = text[at]
  if (first === '"') return stringEnd(text, at)
  if (first !== '{' && first !== '[') {
    let next = at
    while (next < text.length && !',]} \t\r\n'.includes(text[next] ?? ',')) next += 1
    return next
  }
  let depth = 0
  let next = at
  while (next < text.length) {
    const char = text[next]
    if (char === '"') {
      next = stringEnd(text, next)
      continue
    }
    if (char === '{' || char === '[') depth += 1
    if (char === '}' || char === ']') depth -= 1
    next += 1
    if (depth === 0) return next
  }
  return next
}
