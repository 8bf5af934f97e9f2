import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MAX_RULES, type Rule, withRules } from '@shared/approvals'
import { DEFAULT_SETTINGS, type SettingsPatch } from '@shared/settings'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { keepRulesPatch, RuleKeeper, refuseSecretRules } from '../../../src/main/engine/rules'
import { loadSettings } from '../../../src/main/settings/load'
import { createSettingsSaver } from '../../../src/main/settings/save'

let root: string
let cwd: string
let userFile: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'ml-intern-save-'))
  cwd = join(root, 'project')
  userFile = join(root, 'config.json')
  await mkdir(join(cwd, '.ml-intern'), { recursive: true })
})
afterEach(() => rm(root, { recursive: true, force: true }))

const rule = (pattern: string, effect: Rule['effect'] = 'allow'): Rule => ({ effect, tool: 'bash', pattern })
const load = (env: NodeJS.ProcessEnv = {}) => loadSettings({ cwd, env: { ML_INTERN_HOME: root, ...env } })
const written = async (): Promise<unknown> => JSON.parse(await readFile(userFile, 'utf8'))
const writeUser = (value: unknown): Promise<void> => writeFile(userFile, JSON.stringify(value))

describe('rules that a decision keeps', () => {
  test('are added to what stands in the file by then: a rule written by hand meanwhile is not lost', async () => {
    const loaded = await load()
    const save = createSettingsSaver(loaded)
    await writeUser({ approval_rules: [rule('rm *', 'deny')], project_rules: { '/a': [rule('x', 'deny')] } })
    await save(keepRulesPatch('always', cwd, [rule('git *')], loaded.settings))
    await save(keepRulesPatch('project', cwd, [rule('make *')], loaded.settings))
    expect(await written()).toEqual({
      approval_rules: [rule('rm *', 'deny'), rule('git *')],
      project_rules: { '/a': [rule('x', 'deny')], [cwd]: [rule('make *')] },
    })
  })

  test('do not bring the rules of a project’s file, nor the value of a variable, into the user’s', async () => {
    const text = '${' + 'DEPLOY_KEY}'
    await writeFile(join(cwd, '.ml-intern', 'config.json'), JSON.stringify({ approval_rules: [rule('p', 'deny')] }))
    await writeUser({ approval_rules: [rule(`deploy ${text}`, 'deny')], project_rules: { [cwd]: [rule('mine')] } })
    const loaded = await load({ DEPLOY_KEY: 'value-of-the-key' })
    const save = createSettingsSaver(loaded)
    const after = await save(keepRulesPatch('project', cwd, [rule('new')], loaded.settings))
    await save(keepRulesPatch('always', cwd, [rule('git *')], after))
    expect(after.project_rules[cwd]).toEqual([rule('mine'), rule('p', 'deny'), rule('new')])
    expect(await written()).toEqual({
      approval_rules: [rule(`deploy ${text}`, 'deny'), rule('git *')],
      project_rules: { [cwd]: [rule('mine'), rule('new')] },
    })
  })

  test('that the user takes away leave the file', async () => {
    await writeUser({ approval_rules: [rule('a'), rule('b')], project_rules: { [cwd]: [rule('c')] } })
    const loaded = await load()
    await createSettingsSaver(loaded)({ approval_rules: [rule('b')], project_rules: {} })
    expect(await written()).toEqual({ approval_rules: [rule('b')], project_rules: {} })
  })

  test('at the same moment are all kept', async () => {
    let current = DEFAULT_SETTINGS
    const keeper = new RuleKeeper(
      () => current,
      async (patch: SettingsPatch) => {
        await Promise.resolve()
        current = { ...current, ...patch }
        return current
      },
    )
    await Promise.all(['a', 'b', 'c'].map((pattern) => keeper.keep('always', cwd, [rule(pattern)])))
    expect(current.approval_rules).toEqual([rule('a'), rule('b'), rule('c')])
  })

  test('must not hold a key; what stands there already is left alone', () => {
    const secret = 'hf_abcdefghijklmnopqrstuvwxyz012345'
    const holds = { approval_rules: [rule(`curl -H ${secret} *`)] }
    expect(() => refuseSecretRules(holds, DEFAULT_SETTINGS, [secret])).toThrow('holds a key or a token')
    expect(() => refuseSecretRules(holds, { ...DEFAULT_SETTINGS, ...holds }, [secret])).not.toThrow()
    expect(() => refuseSecretRules({ approval_rules: [rule('git *')] }, DEFAULT_SETTINGS, [secret])).not.toThrow()
  })
})

test('rules beyond the limit push out what allows, and never what denies', async () => {
  const denies = rule('rm *', 'deny')
  const full = [denies, ...Array.from({ length: MAX_RULES - 1 }, (_, at) => rule(`a${at}`))]
  const more = withRules(full, [rule('new')])
  expect(more).toHaveLength(MAX_RULES)
  expect(more[0]).toEqual(denies)
  expect(more[1]).toEqual(rule('a1'))
  expect(more.at(-1)).toEqual(rule('new'))

  // A project's file with many rules leaves the user's own in place.
  const theirs = Array.from({ length: MAX_RULES }, (_, at) => rule(`p${at}`, 'ask'))
  await writeFile(join(cwd, '.ml-intern', 'config.json'), JSON.stringify({ approval_rules: theirs }))
  await writeUser({ project_rules: { [cwd]: [denies] } })
  const { settings } = await load()
  expect(settings.project_rules[cwd]?.[0]).toEqual(denies)
  expect(settings.project_rules[cwd]).toHaveLength(MAX_RULES)
})
