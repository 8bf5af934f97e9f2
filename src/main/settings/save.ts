import { MAX_RULES, type Rule, sameRule } from '@shared/approvals'
import type { Settings } from '@shared/settings'
import { ensureHome } from '../home'
import { type LoadedSettings, readConfig } from './load'
import { isObject, type JsonObject } from './merge'

/**
 * The lists of rules as they go into the file: what the patch adds and takes away is added and taken away there. What else
 * stands there stays: rules written by hand or by another process meanwhile, `${VAR}` texts. Rules of a project's own
 * file do not get there.
 */
function rulesOf(patch: Partial<Settings>, written: JsonObject, before: Settings): JsonObject {
  const change = (file: unknown, from: readonly Rule[], to: readonly Rule[]): unknown[] => {
    const has = (rules: readonly unknown[], rule: Rule): boolean =>
      rules.some((one) => isObject(one) && sameRule(one as Rule, rule))
    const stays = (Array.isArray(file) ? file : []).filter(
      (one: unknown) => !from.some((rule) => has([one], rule) && !has(to, rule)),
    )
    return [...stays, ...to.filter((rule) => !has(from, rule) && !has(stays, rule))].slice(0, MAX_RULES)
  }
  const result: JsonObject = {}
  if (patch.approval_rules) {
    result.approval_rules = change(written.approval_rules, before.approval_rules, patch.approval_rules)
  }
  if (patch.project_rules) {
    const file = isObject(written.project_rules) ? written.project_rules : {}
    const ruled = (rules: Settings['project_rules'], folder: string): Rule[] =>
      Object.hasOwn(rules, folder) ? (rules[folder] ?? []) : []
    const folders = new Set([...Object.keys(file), ...Object.keys(patch.project_rules)])
    const lists = [...folders].map((folder): [string, unknown[]] => [
      folder,
      change(
        Object.hasOwn(file, folder) ? file[folder] : [],
        ruled(before.project_rules, folder),
        ruled(patch.project_rules ?? {}, folder),
      ),
    ])
    result.project_rules = Object.fromEntries(lists.filter(([, rules]) => rules.length > 0))
  }
  return result
}

/**
 * Returns the function that writes changes into the user's file and gives the settings that hold from then on. The file
 * is replaced atomically; keys this version does not know, and `${VAR}` texts, stay as they are. What the user changes
 * now also holds over this run's project file and command line. Throws UserError when the file is broken by then.
 */
export function createSettingsSaver(loaded: LoadedSettings): (patch: Partial<Settings>) => Promise<Settings> {
  let current = loaded.settings
  let last: Promise<unknown> = Promise.resolve()

  const write = async (patch: Partial<Settings>): Promise<Settings> => {
    const [{ default: writeFileAtomic }, { dirname }, written] = await Promise.all([
      import('write-file-atomic'),
      import('node:path'),
      readConfig(loaded.user_file, false),
    ])
    const given = Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined))
    await ensureHome(dirname(loaded.user_file))
    const text = `${JSON.stringify({ ...written, ...given, ...rulesOf(patch, written ?? {}, current) }, null, 2)}\n`
    await writeFileAtomic(loaded.user_file, text, { mode: 0o600 })
    current = { ...current, ...given }
    return current
  }

  return (patch) => {
    // One at a time: two changes at once must not lose one of them.
    const result = last.then(() => write(patch))
    last = result.catch(() => undefined)
    return result
  }
}
