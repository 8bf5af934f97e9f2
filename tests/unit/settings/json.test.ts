import { describe, expect, test } from 'vitest'
import { parseJson } from '../../../src/main/settings/json'

function fault(text: string): string {
  const result = parseJson(text)
  return result.ok ? 'ok' : `${result.line}:${result.column} ${result.problem}`
}

describe('a fault is found where an editor shows it', () => {
  test.each([
    ['{\n  "a": 1,\n}', '2:9 a comma after the last entry is not allowed'],
    ['{\n  "a": 1\n  "b": 2\n}', '3:3 a "," or "}" is expected here'],
    ['{\n  // note\n  "a": 1\n}', '2:3 comments are not allowed in JSON'],
    ["{'a': 1}", '1:2 a key in double quotes is expected'],
    ['{"a": \'x\'}', '1:7 strings need double quotes'],
    ['{"a": True}', '1:7 "True" is not a JSON value'],
    ['{"a" 1}', '1:6 a ":" is expected after the key'],
    ['{"a": 1', '1:8 the closing "}" is missing'],
    ['[1, 2', '1:6 the closing "]" is missing'],
    ['[1, 2,]', '1:6 a comma after the last entry is not allowed'],
    ['{"a": "x\ny"}', '1:9 a string must not contain a line break or another control character'],
    ['{"a": "C:\\dir"}', '1:10 unknown escape after "\\" (write "\\\\" for a backslash)'],
    ['{"a": "x}', '1:7 the string that starts here has no closing quote'],
    ['{"a": 01}', '1:7 "01" is not a JSON value'],
    ['{"a": 1} x', '1:10 unexpected text after the end of the JSON value'],
    ['', '1:1 the text ends where a value is expected'],
  ])('%j', (text, expected) => {
    expect(fault(text)).toBe(expected)
  })

  test('every text that JSON.parse refuses has a fault, and every fault is one that it refuses', () => {
    const pieces = ['{', '}', '[', ']', '"a"', ':', ',', '1', 'true', ' ', '"', '\\', 'x']
    // A fixed walk through texts of up to six pieces: the two readers must agree on all of them.
    for (let seed = 0; seed < 2_000; seed++) {
      let n = seed * 7_919
      const text = Array.from({ length: 1 + (seed % 6) }, () => {
        n = (n * 1_103_515_245 + 12_345) % 2_147_483_648
        return pieces[n % pieces.length]
      }).join('')
      let accepted = true
      try {
        JSON.parse(text)
      } catch {
        accepted = false
      }
      const result = parseJson(text)
      expect(result.ok, text).toBe(accepted)
      if (!result.ok) expect(result.problem, text).not.toBe('not valid JSON')
    }
  })

  test('a byte order mark is not a fault', () => {
    expect(parseJson('\uFEFF{"a": 1}')).toEqual({ ok: true, value: { a: 1 } })
  })

  test('nesting deeper than the stack is reported, not thrown', () => {
    expect(parseJson('['.repeat(200_000)).ok).toBe(false)
  })
})
