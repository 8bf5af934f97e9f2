import { breadthOf, formatRule, isWritable, parseRule, readRule } from '@renderer/features/rules/rule-text'
import { dropRule, putFolder, putRule, restoreRule, shownRules } from '@renderer/features/rules/rules'
import { MAX_RULES, type Rule } from '@shared/approvals'
import { describe, expect, it } from 'vitest'

const allow = (tool: string, operation?: string, pattern?: string): Rule => ({
  effect: 'allow',
  tool,
  ...(operation === undefined ? {} : { operation }),
  ...(pattern === undefined ? {} : { pattern }),
})

describe('a rule as text', () => {
  it('comes back as it was (a card that keeps another rule than the one it showed)', () => {
    const rules = [
      allow('bash'),
      allow('bash', 'run'),
      allow('bash', 'run', 'git push *'),
      allow('bash', undefined, 'git push *'),
      allow('write', 'write', 'C:\\work\\*.py'),
      allow('bash', 'run', 'curl https://example.com:8080/a: b'),
      allow('bash', 'run', 'python -c "a\nb"'),
      allow('*'),
      allow('hf_jobs', 'scheduled run', '*'),
    ]
    for (const rule of rules) {
      expect(parseRule(formatRule(rule), 'allow')).toEqual({ ok: true, rule })
      expect(isWritable(rule)).toBe(true)
    }
  })

  it('is not offered for editing where the line cannot say it', () => {
    expect(isWritable(allow('a tool'))).toBe(false)
    expect(isWritable(allow('bash', 'a: b'))).toBe(false)
    expect(isWritable(allow('bash', 'run', ' x'))).toBe(false)
  })

  it('is refused with a message where it means nothing or is too long', () => {
    for (const text of ['', '   ', ': git push', 'bash:', 'bash run:  ', `${'x'.repeat(201)}`]) {
      const parsed = parseRule(text, 'allow')
      expect(parsed.ok ? parsed : parsed.message).toMatch(/\w+ \w+/)
    }
    expect(readRule({ effect: 'deny', tool: ' bash ', operation: ' ', pattern: '' })).toEqual({
      ok: true,
      rule: { effect: 'deny', tool: 'bash' },
    })
  })

  it('warns of one that allows everything (an “always” that nobody meant)', () => {
    expect(breadthOf(allow('bash'))).toContain('everything that bash does')
    expect(breadthOf(allow('*', '*', '*'))).toContain('any tool')
    expect(breadthOf(allow('bash', 'run', ' * '))).toContain('every “run”')
    expect(breadthOf(allow('bash', 'run', 'git *'))).toBe('')
  })
})

describe('lists of rules', () => {
  const deny: Rule = { effect: 'deny', tool: 'bash', pattern: 'rm *' }
  const ask: Rule = { effect: 'ask', tool: 'write' }

  it('shows them in the order in which they decide, and finds by every word', () => {
    const rules = [allow('write'), ask, deny, allow('bash', 'run', 'git push *')]
    expect(shownRules(rules, '').map(({ effect, tool }) => `${effect} ${tool}`)).toEqual([
      'deny bash',
      'ask write',
      'allow bash',
      'allow write',
    ])
    expect(shownRules(rules, 'BASH push')).toEqual([allow('bash', 'run', 'git push *')])
    expect(shownRules(rules, 'nothing')).toEqual([])
    expect(rules[0]).toEqual(allow('write'))
  })

  it('changes a rule in its place, and never makes the same one twice', () => {
    expect(putRule([ask, deny], ask, allow('write'))).toEqual({ ok: true, rules: [allow('write'), deny] })
    expect(putRule([ask, deny], ask, ask)).toEqual({ ok: true, rules: [ask, deny] })
    expect(putRule([ask, deny], ask, deny)).toMatchObject({ ok: false })
    expect(putRule([ask], null, ask)).toMatchObject({ ok: false })
    // It was deleted elsewhere while it was being edited.
    expect(putRule([deny], ask, allow('write'))).toEqual({ ok: true, rules: [deny, allow('write')] })
    const full = Array.from({ length: MAX_RULES }, (_, i) => allow(`t${i}`))
    expect(putRule(full, null, ask)).toMatchObject({ ok: false })
  })

  it('brings a deleted rule back to its place, once', () => {
    const rules = [ask, deny, allow('x')]
    expect(restoreRule(dropRule(rules, deny), deny, 1)).toEqual(rules)
    expect(restoreRule(rules, deny, 1)).toEqual(rules)
  })

  it('keeps the rules of other folders, and no folder without rules', () => {
    const all = { '/a': [ask], '/b': [deny] }
    expect(putFolder(all, '/a', [])).toEqual({ '/b': [deny] })
    expect(putFolder(all, '/c', [ask])).toEqual({ ...all, '/c': [ask] })
  })
})
