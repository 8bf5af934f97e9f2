import { MAX_RULES, type Rule, sameRule } from '@shared/approvals'

export const EFFECTS: { value: Rule['effect']; label: string }[] = [
  { value: 'deny', label: 'Deny' },
  { value: 'ask', label: 'Ask' },
  { value: 'allow', label: 'Allow' },
]

/** Those that contain every word of the filter, in the order in which they decide: deny, ask, allow. */
export function shownRules(rules: readonly Rule[], filter: string): Rule[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean)
  return rules
    .filter(({ effect, tool, operation = '', pattern = '' }) => {
      const text = `${effect} ${tool} ${operation} ${pattern}`.toLowerCase()
      return words.every((word) => text.includes(word))
    })
    .sort((a, b) => rank(a) - rank(b) || compare(a.tool, b.tool) || compare(a.operation, b.operation))
}

function rank({ effect }: Rule): number {
  return EFFECTS.findIndex(({ value }) => value === effect)
}

function compare(a = '', b = ''): number {
  return a < b ? -1 : a > b ? 1 : 0
}

export type Changed = { ok: true; rules: Rule[] } | { ok: false; message: string }

/** With `rule` in the place of `before`, or behind all others where that is null or no longer there. */
export function putRule(rules: readonly Rule[], before: Rule | null, rule: Rule): Changed {
  const others = before ? rules.filter((one) => !sameRule(one, before)) : rules
  if (others.some((one) => sameRule(one, rule))) return { ok: false, message: 'There is such a rule already.' }
  const at = before ? rules.findIndex((one) => sameRule(one, before)) : -1
  if (at >= 0) return { ok: true, rules: rules.map((one, i) => (i === at ? rule : one)) }
  if (rules.length >= MAX_RULES) {
    return { ok: false, message: `There are ${MAX_RULES.toLocaleString('en')} rules, which is the most there can be.` }
  }
  return { ok: true, rules: [...rules, rule] }
}

export function dropRule(rules: readonly Rule[], rule: Rule): Rule[] {
  return rules.filter((one) => !sameRule(one, rule))
}

/** Brings a deleted rule back to its place; nothing changes where it is there again. */
export function restoreRule(rules: readonly Rule[], rule: Rule, at: number): Rule[] {
  return rules.some((one) => sameRule(one, rule)) ? [...rules] : rules.toSpliced(at, 0, rule)
}

/** The rules of all folders with those of one changed; a folder without rules is left out. */
export function putFolder(
  all: Readonly<Record<string, Rule[]>>,
  folder: string,
  rules: Rule[],
): Record<string, Rule[]> {
  const { [folder]: _before, ...others } = all
  return rules.length > 0 ? { ...others, [folder]: rules } : others
}
