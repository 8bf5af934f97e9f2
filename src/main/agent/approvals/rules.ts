import type { Rule } from '@shared/approvals'
import type { Subject } from '../../tools/types'

/** Whether `text` as a whole fits `pattern`, in which `*` stands for any characters. Time: about the text's length. */
export function globMatches(pattern: string, text: string): boolean {
  const parts = pattern.split('*')
  const [head = ''] = parts
  if (parts.length === 1) return text === pattern
  const tail = parts.at(-1) ?? ''
  if (text.length < head.length + tail.length || !text.startsWith(head) || !text.endsWith(tail)) return false
  const end = text.length - tail.length
  let from = head.length
  for (const part of parts.slice(1, -1)) {
    const at = text.indexOf(part, from)
    if (at < 0 || at + part.length > end) return false
    from = at + part.length
  }
  return true
}

/** A pattern as in a rule: `git push *` also means `git push` alone. */
export function patternMatches(pattern: string, text: string): boolean {
  return globMatches(pattern, text) || (pattern.endsWith(' *') && globMatches(pattern.slice(0, -2), text))
}

function operationFits(rule: Rule, subject: Subject): boolean {
  return rule.operation === undefined || globMatches(rule.operation, subject.operation)
}

/** Whether an allow rule covers a subject. */
export function covers(rule: Rule, subject: Subject): boolean {
  if (!operationFits(rule, subject)) return false
  if (rule.pattern === undefined) return true
  return !subject.opaque && patternMatches(rule.pattern, subject.text)
}

/** Whether a rule that denies or asks means a subject, under any of its names. */
export function hits(rule: Rule, subject: Subject): boolean {
  const { pattern } = rule
  if (!operationFits(rule, subject)) return false
  return pattern === undefined || [subject.text, ...(subject.also ?? [])].some((text) => patternMatches(pattern, text))
}

/**
 * Whether a rule that denies or asks could mean what a subject turns out to do when it runs: it is opaque, or what is
 * known of its text does not rule it out.
 */
export function couldHit(rule: Rule, subject: Subject): boolean {
  // An opaque command line may also write files and set variables.
  if (subject.opaque) return rule.pattern !== undefined || rule.operation !== undefined
  if (subject.unsure_from === undefined || rule.pattern === undefined || !operationFits(rule, subject)) return false
  const literal = rule.pattern.split('*', 1)[0] ?? ''
  const unknown = subject.text.length - subject.unsure_from
  return [subject.text, ...(subject.also ?? [])].some((text) => {
    const known = text.slice(0, Math.max(0, text.length - unknown))
    return literal.startsWith(known) || known.startsWith(literal)
  })
}

/** A rule in a few words, for a person: `git push *`, `any write`. */
export function describeRule({ tool, operation, pattern }: Rule): string {
  if (pattern !== undefined) return operation === undefined || operation === 'run' ? pattern : `${operation} ${pattern}`
  return operation === undefined ? `any ${tool}` : `any ${operation} of ${tool}`
}
