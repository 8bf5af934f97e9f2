import type { Word } from './types'

const NAMES = new Set(['read', 'mapfile', 'readarray', 'unset', 'getopts'])
const DECLARES = new Set(['declare', 'typeset', 'local', 'readonly', 'export'])
const TESTS = new Set(['test', '['])

/**
 * Whether a builtin evaluates its arguments once more, after the shell has: as arithmetic or as the name of a variable,
 * whose subscript can run a command (`let "a[$x]"`, `unset 'a[$(rm y)]'`), or as an array (`declare -a "$x"`). What they
 * then do is in the values, not in the command line.
 */
export function evaluates(name: string, words: readonly Word[]): boolean {
  const option = (pattern: RegExp): boolean => words.some(({ value }) => pattern.test(value))
  const uncertain = words.some(({ literal, hidden }) => !literal || hidden)
  if (name === 'let') return true
  if (TESTS.has(name)) return words.some(({ hidden }) => hidden) || (uncertain && option(/^-[vR]$/))
  if (name === 'printf' || name === 'wait') return uncertain && option(/^-[a-zA-Z]*[vp]/)
  // -C of mapfile runs a command for every so many lines.
  if (NAMES.has(name)) return uncertain || (name !== 'read' && option(/^-C/))
  if (!DECLARES.has(name)) return false
  // Namerefs, integers, functions; arrays, whose value is read as a list of words.
  if (option(/^[-+][a-zA-Z]*[niflucF]/) || (uncertain && option(/^-[a-zA-Z]*[aA]/))) return true
  return words.some(({ literal, hidden, value }) => hidden || (!literal && !/^[A-Za-z_]\w*\+?=/.test(value)))
}
