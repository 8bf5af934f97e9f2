import { join, resolve } from 'node:path'
import { type ApprovalScope, type Rule, sameRule, withRules } from '@shared/approvals'
import type { Settings, SettingsPatch } from '@shared/settings'
import type { EngineOptions } from '../engine-types'
import { UserError } from '../errors'
import { redactValue } from '../redact'
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

/** Files and folders that say what the program may do, and what it has done and spent. */
export function ownFiles({ home, settings_file }: Pick<EngineOptions, 'home' | 'settings_file'>): string[] {
  const files = ['config.json', 'sessions', 'spend'].map((name) => join(home, name))
  return settings_file === undefined ? files : [...files, settings_file]
}

/** A rule is stored readable: one that holds a key or a token would put it there. Throws UserError. */
export function refuseSecretRules(
  patch: SettingsPatch,
  current: Pick<Settings, 'approval_rules' | 'project_rules'>,
  secrets: readonly string[],
): void {
  const all = (of: Pick<SettingsPatch, 'approval_rules' | 'project_rules'>): Rule[] => [
    ...(of.approval_rules ?? []),
    ...Object.values(of.project_rules ?? {}).flat(),
  ]
  const known = all(current)
  const fresh = all(patch).filter((rule) => !known.some((one) => sameRule(one, rule)))
  if (fresh.length === 0 || redactValue(fresh, secrets) === fresh) return
  throw new UserError(
    'invalid_request',
    'This rule holds a key or a token, and settings must not.',
    'Put * in its place, or allow the call for this session only.',
  )
}

/** Writes rules that users decide for, one after another: two that decide at once must not lose a rule of either. */
export class RuleKeeper {
  private last: Promise<unknown> = Promise.resolve()

  constructor(
    private readonly settings: () => Settings,
    private readonly save: (patch: SettingsPatch) => Promise<Settings>,
  ) {}

  async keep(scope: 'project' | 'always', cwd: string, rules: readonly Rule[]): Promise<void> {
    const kept = this.last.then(() => this.save(keepRulesPatch(scope, cwd, rules, this.settings())))
    this.last = kept.catch(() => undefined)
    await kept
  }
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
