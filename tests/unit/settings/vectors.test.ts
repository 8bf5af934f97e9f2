import { describe, expect, test } from 'vitest'
import { type JsonObject, mergeConfig } from '../../../src/main/settings/merge'
import { MissingVariable, substituteEnv } from '../../../src/main/settings/substitute'
import merges from '../../fixtures/config_merge.json'
import substitutions from '../../fixtures/env_substitution.json'

/** A reference to a variable, as it stands in a configuration file. */
const ref = (inside: string): string => `\${${inside}}`

describe('config_merge vectors', () => {
  test.each(merges.vectors)('$name', ({ base, override, expected }) => {
    expect(mergeConfig(base as JsonObject, override as JsonObject)).toEqual(expected)
  })

  test('a key named __proto__ is data and changes no prototype', () => {
    const merged = mergeConfig({}, JSON.parse('{"__proto__": {"mode": "full"}}'))
    expect(Object.keys(merged)).toEqual(['__proto__'])
    expect(({} as JsonObject).mode).toBeUndefined()
    expect(merged.mode).toBeUndefined()
  })

  test('the inputs are not changed', () => {
    const base = { a: { x: 1 } }
    mergeConfig(base, { a: { y: 2 } })
    expect(base).toEqual({ a: { x: 1 } })
  })
})

describe('env_substitution vectors', () => {
  test.each(substitutions.vectors)('$name', ({ input, env, expected }) => {
    const run = (): unknown => substituteEnv(input, env as NodeJS.ProcessEnv)
    if ('error' in expected) {
      expect(run).toThrow(MissingVariable)
      expect(run).toThrow(expected.variable)
    } else {
      expect(run()).toEqual(expected.value)
    }
  })

  test('a variable that is set but empty stays empty and does not take the default', () => {
    expect(substituteEnv(ref('A:-d'), { A: '' })).toBe('')
  })

  test('names the place of a missing variable', () => {
    try {
      substituteEnv({ a: [{ b: ref('NOPE') }] }, {})
      expect.unreachable()
    } catch (error) {
      expect(error).toMatchObject({ variable: 'NOPE', path: ['a', '0', 'b'] })
    }
  })
})
