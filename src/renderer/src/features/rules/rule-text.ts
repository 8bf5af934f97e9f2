import { type Rule, ruleSchema } from '@shared/approvals'

/**
 * A rule as one line that can be written by hand: the tool, what it does, and behind a colon what it does it to.
 * `bash`, `bash run`, `bash run: git push *`. The effect stands elsewhere.
 */
export function formatRule({ tool, operation, pattern }: Rule): string {
  const head = operation === undefined ? tool : `${tool} ${operation}`
  return pattern === undefined ? head : `${head}: ${pattern}`
}

export type ParsedRule = { ok: true; rule: Rule } | { ok: false; message: string }

export function parseRule(text: string, effect: Rule['effect']): ParsedRule {
  const colon = text.indexOf(':')
  const head = colon < 0 ? text : text.slice(0, colon)
  const [tool = '', ...words] = head.trim().split(/\s+/)
  return readRule({
    effect,
    tool,
    operation: words.join(' '),
    ...(colon < 0 ? {} : { pattern: text.slice(colon + 1), patternMeant: true }),
  })
}

export interface RuleFields {
  effect: Rule['effect']
  tool: string
  operation: string
  pattern?: string
  /** Something has to stand in `pattern`. */
  patternMeant?: boolean
}

/** Makes a rule of what stands in fields; empty ones mean anything. */
export function readRule({ effect, tool, operation, pattern = '', patternMeant = false }: RuleFields): ParsedRule {
  if (tool.trim() === '') return { ok: false, message: 'A rule begins with the name of a tool; * means any.' }
  if (patternMeant && pattern.trim() === '') {
    return { ok: false, message: 'Nothing stands behind the colon. Take it away to mean anything.' }
  }
  const parsed = ruleSchema.safeParse({
    effect,
    tool: tool.trim(),
    ...(operation.trim() === '' ? {} : { operation: operation.trim() }),
    ...(pattern.trim() === '' ? {} : { pattern: pattern.trim() }),
  })
  if (parsed.success) return { ok: true, rule: parsed.data }
  const long = parsed.error.issues.find((issue) => issue.code === 'too_big')
  const message = long ? `${nameOf(long.path[0])} is too long.` : 'This is not a rule.'
  return { ok: false, message }
}

function nameOf(field: PropertyKey | undefined): string {
  if (field === 'tool') return 'The name of the tool'
  return field === 'operation' ? 'The operation' : 'The pattern'
}

/** Whether the line can be edited without changing what it cannot show (a colon in a name, spaces around a pattern). */
export function isWritable(rule: Rule): boolean {
  const parsed = parseRule(formatRule(rule), rule.effect)
  return parsed.ok && JSON.stringify(sorted(parsed.rule)) === JSON.stringify(sorted(rule))
}

function sorted({ effect, tool, operation, pattern }: Rule): Rule {
  return { effect, tool, operation, pattern }
}

/** A warning for a rule that names nothing; empty for others. */
export function breadthOf({ tool, operation, pattern }: Rule): string {
  if (pattern !== undefined && /[^*\s]/.test(pattern)) return ''
  const who = tool === '*' ? 'any tool' : tool
  if (operation === undefined || operation === '*') return `This means everything that ${who} does.`
  return `This means every “${operation}” of ${who}.`
}
