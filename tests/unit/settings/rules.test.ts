import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { UserError } from '../../../src/main/errors'
import { type LoadedSettings, type LoadOptions, loadSettings } from '../../../src/main/settings/load'

let root: string
let cwd: string
let home: string
let userFile: string
let projectFile: string

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'ml-intern-rules-'))
  cwd = join(root, 'project')
  home = join(root, 'home')
  userFile = join(home, 'config.json')
  projectFile = join(cwd, '.ml-intern', 'config.json')
  await mkdir(join(cwd, '.ml-intern'), { recursive: true })
  await mkdir(home)
})
afterEach(() => rm(root, { recursive: true, force: true }))

const write = (file: string, value: unknown): Promise<void> => writeFile(file, JSON.stringify(value))
const load = (options: Partial<LoadOptions> = {}): Promise<LoadedSettings> =>
  loadSettings({ cwd, env: { ML_INTERN_HOME: home }, ...options })
const failure = async (options: Partial<LoadOptions> = {}): Promise<string> => {
  const error: unknown = await load(options).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(UserError)
  return error instanceof UserError ? error.message : ''
}

const deny = { effect: 'deny', tool: 'bash', pattern: 'rm *' }
const ask = { effect: 'ask', tool: '*' }
const allow = { effect: 'allow', tool: 'bash', pattern: 'git *' }

describe('rules in the files', () => {
  test('a project may deny and ask in its folder; what it would allow is ignored and said', async () => {
    await write(userFile, { approval_rules: [allow], project_rules: { [cwd]: [allow], '/other': [allow] } })
    await write(projectFile, { approval_rules: [deny, allow, ask] })
    const { settings, warnings } = await load()
    expect(settings.approval_rules).toEqual([allow])
    expect(settings.project_rules).toEqual({ [cwd]: [allow, deny, ask], '/other': [allow] })
    expect(warnings).toEqual([
      `${projectFile}: "approval_rules.1" is ignored: a project file may deny or ask, and not allow.`,
    ])
  })

  test('a project cannot take the user’s rules away', async () => {
    await write(userFile, { approval_rules: [deny] })
    await write(projectFile, { approval_rules: [] })
    expect((await load()).settings.approval_rules).toEqual([deny])
  })

  test.each([
    [{ approval_rules: [deny, { effect: 'alow', tool: 'x' }] }, '"approval_rules.1.effect" must be "deny", "ask" or'],
    [{ approval_rules: [{ effect: 'deny' }] }, '"approval_rules.0.tool" must be the name of a tool'],
    [{ approval_rules: [{ ...deny, patern: 'x' }] }, '"approval_rules.0" must be a rule: "effect" and "tool"'],
    [{ approval_rules: [{ ...deny, pattern: '' }] }, '"approval_rules.0.pattern" must be a text of 1 to 4000'],
    [{ approval_rules: 'rm *' }, '"approval_rules" must be a list of at most 1000 rules, but it is "rm *"'],
  ])('what is wrong in a rule is named with its index: %j', async (config, expected) => {
    for (const file of [userFile, projectFile]) {
      await write(file, config)
      expect(await failure()).toContain(`${file}: ${expected}`)
      await rm(file)
    }
  })

  test.each([
    [{ project_rules: { '/w': [deny, { effect: 'deny' }] } }, '"project_rules./w.1.tool" must be the name of a tool'],
    [{ role_models: { research: 3 } }, '"role_models.research" must be a model id or null'],
    [{ role_models: { judge: 'x' } }, '"role_models" must be an object with "research", "title" and "compaction"'],
    [{ confirm_cpu_jobs: 'no' }, '"confirm_cpu_jobs" must be true or false'],
  ])('other new settings of the user: %j', async (config, expected) => {
    await write(userFile, config)
    expect(await failure()).toContain(`${userFile}: ${expected}`)
  })
})

describe('a project file cannot', () => {
  test.each([
    { project_rules: { '/': [allow] } },
    { role_models: { research: 'openai-compat/spy' } },
    { trace_repo: 'evil/traces' },
    { personal_trace_repo_template: 'evil/{hf_user}' },
    { confirm_cpu_jobs: false },
    { allow_unknown_price: true },
  ])('set %j', async (config) => {
    await write(projectFile, config)
    expect(await failure()).toContain(`${projectFile}: "${Object.keys(config)[0]}" is not allowed in a project file`)
  })

  test('count less for a model than the user does, nor change prices under a cap of the command line', async () => {
    await write(userFile, { prices: { a: { input: 3, output: 9 } } })
    await write(projectFile, { prices: { a: { output: 8 } } })
    expect(await failure()).toContain('"prices" is not allowed in a project file: it counts less')
    await write(projectFile, { prices: { a: { output: 10 }, b: { input: 1, output: 1 } } })
    expect((await load()).settings.prices).toMatchObject({ a: { input: 3, output: 10 } })
    expect(await failure({ flags: { max_cost_usd: 5 } })).toContain('your cap counts with your own prices')
  })
})

test('the reference’s names for settings that exist here', async () => {
  await write(userFile, { confirm_cpu_jobs: false, personal_trace_repo_template: '{hf_user}/mine' })
  const { settings, notes, warnings } = await load()
  expect(settings).toMatchObject({ confirm_cpu_jobs: false, trace_repo: '{hf_user}/mine' })
  expect({ notes, warnings }).toEqual({ notes: [], warnings: [] })
})
