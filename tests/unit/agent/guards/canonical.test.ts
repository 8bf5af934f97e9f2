import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { canonicalJson, fingerprint } from '../../../../src/main/agent/guards/canonical'
import fixture from '../../../fixtures/args_canonicalization.json'

describe('canonicalJson', () => {
  for (const { name, a, b, expected_equal, canonical_a, hash_a } of fixture.vectors) {
    it(`vector ${name}`, () => {
      expect(canonicalJson(a)).toBe(canonical_a)
      expect(fingerprint(canonicalJson(a)) === fingerprint(canonicalJson(b))).toBe(expected_equal)
      // The vectors were hashed with MD5; we use SHA-256, which every build of Node has. The text that is hashed is the same.
      expect(createHash('md5').update(canonicalJson(a)).digest('hex').slice(0, 12)).toBe(hash_a)
    })
  }

  it('sorts keys at every depth and keeps strings with brackets, escapes and lone surrogates whole', () => {
    const text = ' { "z" : [ { "y" : 1e5 , "b":"}],:\\"" } , [] , {} ] , "a\\u0062" : "\\ud800\\n" , "" : null } '
    expect(canonicalJson(text)).toBe('{"":null,"ab":"\\ud800\\n","z":[{"b":"}],:\\"","y":1e5},[],{}]}')
  })

  it('gives back what is not JSON, or too deep to walk, as it stands', () => {
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`
    for (const text of ['', 'plain text', '{x', '[1,]', '{"a":1} trailing', deep])
      expect(canonicalJson(text)).toBe(text)
  })

  it('takes a large result in milliseconds', () => {
    const rows = Array.from({ length: 2_000 }, (_, id) => ({ name: `row ${id}`, id, values: [id, id / 3] }))
    const text = JSON.stringify(rows)
    const started = performance.now()
    expect(canonicalJson(text).length).toBeGreaterThan(60_000)
    expect(performance.now() - started).toBeLessThan(200)
  })
})
