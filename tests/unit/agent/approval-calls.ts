import type { Rule } from '@shared/approvals'
import type { ApprovalMode } from '@shared/settings'
import { type CallFacts, decide, type Policy, type Verdict } from '../../../src/main/agent/approvals'
import { commandFacts, fileFacts } from '../../../src/main/workspace/shell'

export const CWD = '/w/project'
export const MODES: readonly ApprovalMode[] = ['plan', 'ask', 'auto', 'full']

/** `§` stands for `$`, where the linter would take the text for a template. */
export const bash = (command: string): CallFacts => ({
  tool: 'bash',
  effect: 'execute',
  ...commandFacts(command.replaceAll('§', '$'), { cwd: CWD, work_dir: '.' }),
})
export const file = (tool: 'read' | 'write' | 'edit', path: string): CallFacts => ({
  tool,
  effect: tool === 'read' ? 'read' : 'write',
  ...fileFacts(tool, path, CWD),
})
export const rule = (effect: Rule['effect'], pattern?: string, more: Partial<Rule> = {}): Rule => ({
  effect,
  tool: 'bash',
  ...(pattern === undefined ? {} : { pattern }),
  ...more,
})
export const kind = (call: CallFacts, mode: ApprovalMode, rules: Rule[] = [], lasting: Rule[] = []): Verdict['kind'] =>
  decide(call, { mode, rules, lasting }).kind
export const inAll = (call: CallFacts, policy: Omit<Policy, 'mode'>): string =>
  MODES.map((mode) => decide(call, { ...policy, mode }).kind).join(' ')
export const asked = (call: CallFacts, mode: ApprovalMode = 'ask', rules: Rule[] = []) => {
  const verdict = decide(call, { mode, rules })
  if (verdict.kind !== 'ask') throw new Error(`it was not asked: ${verdict.kind}`)
  return verdict
}
