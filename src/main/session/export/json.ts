import type { SessionState } from '@shared/state'
import type { Redact } from './redact'

/** The folded state, as JSON.stringify would indent it by two, in pieces. */
export function* json(state: SessionState, redact: Redact): Generator<string> {
  const head = redact.head(state)
  let separator = '{\n'
  for (const [key, value] of Object.entries(head)) {
    if (value === undefined) continue
    yield `${separator}  ${JSON.stringify(key)}: `
    if (key === 'items') yield* list(state.items, redact.item)
    else yield indented(value, '  ')
    separator = ',\n'
  }
  yield '\n}\n'
}

function* list<T>(values: readonly T[], change: (value: T) => T): Generator<string> {
  if (values.length === 0) {
    yield '[]'
    return
  }
  for (const [at, value] of values.entries()) yield `${at === 0 ? '[\n' : ',\n'}    ${indented(change(value), '    ')}`
  yield '\n  ]'
}

/** Line breaks inside strings are escaped: every one in the text is one between lines. */
function indented(value: unknown, indent: string): string {
  return JSON.stringify(value, null, 2).replaceAll('\n', `\n${indent}`)
}
