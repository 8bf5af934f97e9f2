import { resolve } from 'node:path'
import { type ApprovalScope, type Rule, withRules } from '@shared/approvals'
import type { Settings, SettingsPatch } from '@shared/settings'
import { settingRules } from '../tools/tool-policy'

/**
 * The rules of the settings that hold for work in `cwd`: the user's own and those for this folder or one above it, and what
 * other settings come to.
 */
export function rulesFor(
  cwd: string,
  settings: Pick<Settings, 'approval_rules' | 'project_rules' | 'confirm_cpu_jobs'>,
): { lasting: Rule[]; given: Rule[] } {
  const inside = (folder: string): boolean =>
    cwd === folder || cwd.startsWith(folder.endsWith('/') ? folder : `${folder}/`)
  const projects = Object.entries(settings.project_rules).flatMap(([folder, rules]) =>
    inside(resolve(folder)) ? rules : [],
  )
  return { lasting: [...settings.approval_rules, ...projects], given: settingRules(settings) }
}

/** The change of the settings that keeps `rules` for a folder, or for everything. */
export function keepRulesPatch(
  scope: Extract<ApprovalScope, 'project' | 'always'>,
  cwd: string,
  rules: readonly Rule[],
  settings: Pick<Settings, 'approval_rules' | 'project_rules'>,
): SettingsPatch {
  if (scope === 'always') return { approval_rules: withRules(settings.approval_rules, rules) }
  const before = Object.hasOwn(settings.project_rules, cwd) ? (settings.project_rules[cwd] ?? []) : []
  return { project_rules: { ...settings.project_rules, [cwd]: withRules(before, rules) } }
}
