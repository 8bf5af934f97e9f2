import { expect, test } from 'vitest'
import { parseDotEnv } from '../../../src/main/settings/dotenv'

/** A reference to a variable, as it stands in a configuration file. */
const ref = (inside: string): string => `\${${inside}}`

const values = (text: string): Record<string, string> => parseDotEnv(text).values

test('reads plain, exported and spaced assignments', () => {
  expect(values('A=1\nexport B=two\n  C = three words  \nD=\n')).toEqual({ A: '1', B: 'two', C: 'three words', D: '' })
})

test('a comment needs a space before its #', () => {
  expect(values('# all\nA=1 # one\nB=a#b\nC="x # y" # z\nD= # nothing')).toEqual({
    A: '1',
    B: 'a#b',
    C: 'x # y',
    D: '',
  })
})

test('single quotes are literal, double quotes know escapes', () => {
  expect(values(`A='a\\n"b"'\nB="a\\n\\t\\"b\\" \\\\ \\d"`)).toEqual({ A: 'a\\n"b"', B: 'a\n\t"b" \\ \\d' })
})

test('a quoted value may have several lines', () => {
  expect(values('A="one\ntwo"\nB=3')).toEqual({ A: 'one\ntwo', B: '3' })
})

test('Windows line ends and a byte order mark do not become part of a value', () => {
  expect(values('\uFEFFA=1\r\nB="2"\r\nC=3\r\n')).toEqual({ A: '1', B: '2', C: '3' })
})

test('an equals sign in a value is kept, and nothing is expanded', () => {
  expect(values(`A=b=c==\nB=$A ${ref('A')}`)).toEqual({ A: 'b=c==', B: `$A ${ref('A')}` })
})

test('the last assignment wins', () => {
  expect(values('A=1\nA=2')).toEqual({ A: '2' })
})

test('names the lines that are no assignment and reads the others', () => {
  expect(parseDotEnv('A=1\nnonsense\n1X=2\nB="open\nC=3')).toEqual({ values: { A: '1', C: '3' }, bad_lines: [2, 3, 4] })
  expect(parseDotEnv('A="x" y\n')).toEqual({ values: {}, bad_lines: [1] })
})
