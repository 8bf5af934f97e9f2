import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { DEFAULT_SETTINGS } from '@shared/settings'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { UserError } from '../../../src/main/errors'
import { defaultHome, ensureHome } from '../../../src/main/home'
import { type LoadedSettings, type LoadOptions, loadSettings } from '../../../src/main/settings/load'
import { createSettingsSaver } from '../../../src/main/settings/save'

/** A reference to a variable, as it stands in a configuration file. */
const ref = (inside: string): string => `\${${inside}}`

let root: string
let cwd: string
let home: string
let userFile: string
let projectFile: string

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'ml-intern-settings-'))
  cwd = join(root, 'project')
  home = join(root, 'home')
  userFile = join(home, 'config.json')
  projectFile = join(cwd, '.ml-intern', 'config.json')
  await mkdir(join(cwd, '.ml-intern'), { recursive: true })
  await mkdir(home)
})
afterEach(() => rm(root, { recursive: true, force: true }))

const json = (value: unknown): string => JSON.stringify(value)
const load = (options: Partial<LoadOptions> = {}, env: NodeJS.ProcessEnv = {}): Promise<LoadedSettings> =>
  loadSettings({ cwd, env: { ML_INTERN_HOME: home, ...env }, ...options })
const failure = async (run: Promise<unknown>): Promise<UserError> => {
  const error = await run.then(
    () => expect.unreachable('it should have failed'),
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(UserError)
  return error as UserError
}

describe('layers', () => {
  test('without any file the defaults hold', async () => {
    const { settings, files, warnings, notes, home: folder } = await load()
    expect(settings).toEqual({ ...DEFAULT_SETTINGS, home })
    expect({ files, warnings, notes, folder }).toEqual({ files: [], warnings: [], notes: [], folder: home })
  })

  test('later layers win, and objects merge deep', async () => {
    await writeFile(
      userFile,
      json({ model: 'anthropic/user', max_iterations: 5, theme: 'dark', prices: { a: { input: 1, output: 2 } } }),
    )
    await writeFile(projectFile, json({ model: 'anthropic/project', max_iterations: 6, prices: { a: { output: 9 } } }))
    const { settings, files } = await load({ flags: { max_iterations: 7 } }, { ANTHROPIC_BASE_URL: 'https://env.test' })
    expect(settings).toMatchObject({
      model: 'anthropic/project',
      max_iterations: 7,
      theme: 'dark',
      prices: { a: { input: 1, output: 9 } },
      anthropic_base_url: 'https://env.test',
    })
    expect(files).toEqual([userFile, projectFile])
  })

  test('the environment wins over the user file, and an empty variable is none', async () => {
    await writeFile(userFile, json({ anthropic_base_url: 'https://file.test' }))
    expect((await load({}, { ANTHROPIC_BASE_URL: '' })).settings.anthropic_base_url).toBe('https://file.test')
    expect((await load({}, { ANTHROPIC_BASE_URL: 'https://env.test' })).settings.anthropic_base_url).toBe(
      'https://env.test',
    )
  })

  test('--config replaces the user file and must exist', async () => {
    await writeFile(userFile, json({ theme: 'dark', max_iterations: 5 }))
    const other = join(root, 'other.json')
    await writeFile(other, json({ theme: 'light' }))
    const { settings, user_file } = await load({ config_file: other })
    expect(settings).toMatchObject({ theme: 'light', max_iterations: DEFAULT_SETTINGS.max_iterations })
    expect(user_file).toBe(other)
    const { message, code } = await failure(load({ config_file: join(root, 'none.json') }))
    expect(code).toBe('config')
    expect(message).toContain('none.json does not exist')
  })

  test("a data folder that is the project's own .ml-intern is the user's, not refused as a project file", async () => {
    await writeFile(projectFile, json({ mode: 'full', anthropic_base_url: 'https://mine.test' }))
    const { settings } = await load({}, { ML_INTERN_HOME: join(cwd, '.ml-intern') })
    expect(settings).toMatchObject({ mode: 'full', anthropic_base_url: 'https://mine.test' })
  })

  test('an empty file is as good as none', async () => {
    await writeFile(userFile, '\n')
    expect((await load()).settings.model).toBe(DEFAULT_SETTINGS.model)
  })
})

describe('keys', () => {
  test('the keys of the reference are understood', async () => {
    await writeFile(
      userFile,
      json({ model_name: 'anthropic/x', reasoning_effort: 'minimal', max_iterations: 9, yolo_mode: true }),
    )
    expect((await load()).settings).toMatchObject({
      model: 'anthropic/x',
      effort: 'low',
      max_iterations: 9,
      mode: 'full',
    })
    await writeFile(userFile, json({ reasoning_effort: 'off', yolo_mode: false }))
    expect((await load()).settings).toMatchObject({ effort: null, mode: 'ask' })
  })

  test('our own key wins over the one of the reference in the same file', async () => {
    await writeFile(userFile, json({ yolo_mode: true, mode: 'plan', model: 'a/own', model_name: 'a/theirs' }))
    expect((await load()).settings).toMatchObject({ mode: 'plan', model: 'a/own' })
  })

  test('keys of later features are noted, unknown ones warned about with file and key', async () => {
    await writeFile(
      userFile,
      json({
        $schema: 'x',
        mcpServers: { a: { url: ref('NOT_SET') } },
        heartbeat_interval_s: 60,
        modle: 'secret-value',
      }),
    )
    const { warnings, notes } = await load()
    expect(warnings).toEqual([`${userFile}: unknown key "modle" is ignored.`])
    expect(notes.map((note) => /"(\w+)"/.exec(note)?.[1])).toEqual(['mcpServers', 'heartbeat_interval_s'])
  })

  test('variables are filled in, and a missing one is named with its key', async () => {
    await writeFile(userFile, json({ model_name: `anthropic/${ref('MODEL:-x')}` }))
    expect((await load()).settings.model).toBe('anthropic/x')
    expect((await load({}, { MODEL: 'y' })).settings.model).toBe('anthropic/y')
    await writeFile(userFile, json({ model_name: ref('MODEL') }))
    const { message } = await failure(load())
    expect(message).toBe(`${userFile}: "model_name" uses the environment variable MODEL, which is not set.`)
  })

  test('home and default_cwd know ~, and a relative home is refused', async () => {
    await writeFile(userFile, json({ home: '~/data', default_cwd: '~' }))
    const loaded = await loadSettings({ cwd, env: {}, config_file: userFile })
    expect(loaded.home).toBe(join(homedir(), 'data'))
    expect(loaded.settings.default_cwd).toBe(homedir())
    await writeFile(userFile, json({ home: 'data' }))
    const { message } = await failure(loadSettings({ cwd, env: {}, config_file: userFile }))
    expect(message).toContain('"home" must be the path of a folder')
  })
})

describe('a broken configuration names source, key, what was expected and what stands there', () => {
  test.each([
    [
      { max_iterations: 'many' },
      '"max_iterations" must be a whole number: at least 0, or -1 for no limit, but it is "many".',
    ],
    [{ max_iterations: 1.5 }, '"max_iterations" must be a whole number'],
    [{ mode: 'yes' }, '"mode" must be "plan", "ask", "auto" or "full", but it is "yes".'],
    [{ reasoning_effort: 'extreme' }, '"reasoning_effort" must be "low", "medium"'],
    [{ yolo_mode: 'yes' }, '"yolo_mode" must be true or false, but it is "yes".'],
    [{ model: null }, '"model" must be a model id such as "anthropic/claude-opus-5-5", but it is null.'],
    [{ prices: [] }, '"prices" must be an object of model ids and their prices, but it is [].'],
    [
      { prices: { a: { input: 'free', output: 1 } } },
      '"prices.a.input" must be a number of US dollars per million tokens, 0 or more, but it is "free".',
    ],
    [{ prices: { a: { input: 1 } } }, '"prices.a.output" must be a number of US dollars'],
    [
      { anthropic_base_url: 'api.example' },
      '"anthropic_base_url" must be a URL that begins with https:// or http://, but it is "api.example".',
    ],
    [{ anthropic_base_url: 'file:///etc/passwd' }, '"anthropic_base_url" must be a URL that begins with'],
  ])('%j', async (config, expected) => {
    await writeFile(userFile, json(config))
    const { code, message } = await failure(load())
    expect(code).toBe('config')
    expect(message).toContain(userFile)
    expect(message).toContain(expected)
  })

  test('the blame goes to the layer that holds the bad value', async () => {
    await writeFile(userFile, json({ prices: { a: { input: 1, output: 1 } } }))
    await writeFile(projectFile, json({ prices: { a: { input: -1 } } }))
    expect((await failure(load())).message).toContain(`${projectFile}: "prices.a.input"`)
    await rm(projectFile)
    expect((await failure(load({}, { ANTHROPIC_BASE_URL: 'nope' }))).message).toContain(
      'The environment: "ANTHROPIC_BASE_URL" must be a URL',
    )
  })

  test('a filled-in variable is not printed: it may be a secret', async () => {
    await writeFile(userFile, json({ mode: ref('TOKEN') }))
    const { message } = await failure(load({}, { TOKEN: 'hf_very_secret' }))
    expect(message).not.toContain('hf_very_secret')
    expect(message).toContain(ref('TOKEN'))
  })

  test('a syntax error has line and column', async () => {
    await writeFile(userFile, '{\n  "model": "x",\n  mode: "ask"\n}')
    expect((await failure(load())).message).toBe(
      `${userFile} is not valid JSON: line 3, column 3: a key in double quotes is expected.`,
    )
  })

  test('something else than an object, a folder, an unreadable file', async () => {
    await writeFile(userFile, '[1]')
    expect((await failure(load())).message).toContain('must hold a JSON object')
    await rm(userFile)
    await mkdir(userFile)
    expect((await failure(load())).message).toContain('is a folder; a JSON file is expected')
  })
})

describe('a project file cannot take what is the user’s', () => {
  test.each([
    [{ max_cost_usd: 6 }, '"max_cost_usd"'],
    [{ max_cost_usd: null }, '"max_cost_usd"'],
    [{ prices: { a: { input: 0, output: 0 } } }, '"prices"'],
    [{ allow_unknown_price: true }, '"allow_unknown_price"'],
  ])('nor spend more than the cap: %j', async (config, key) => {
    await writeFile(userFile, json({ max_cost_usd: 5 }))
    await writeFile(projectFile, json(config))
    expect((await failure(load())).message).toContain(`${projectFile}: ${key} is not allowed in a project file`)
    await writeFile(projectFile, json({ max_cost_usd: 4, max_cost_per_day_usd: 9 }))
    expect((await load()).settings).toMatchObject({ max_cost_usd: 4, max_cost_per_day_usd: 9 })
  })

  test.each([
    [{ home: '/tmp/x' }, '"home" is not allowed in a project file'],
    [{ anthropic_base_url: 'https://evil.test' }, '"anthropic_base_url" is not allowed in a project file'],
    [{ mode: 'auto' }, '"mode" is not allowed in a project file'],
    [{ yolo_mode: true }, '"yolo_mode" is not allowed in a project file'],
  ])('%j', async (config, expected) => {
    await writeFile(projectFile, json(config))
    const { code, message, remedy } = await failure(load())
    expect(code).toBe('config')
    expect(message).toContain(`${projectFile}: ${expected}`)
    expect(remedy).toContain(userFile)
  })

  test('a stricter mode is allowed, and so is one that the user has too', async () => {
    await writeFile(projectFile, json({ mode: 'plan' }))
    expect((await load()).settings.mode).toBe('plan')
    await writeFile(projectFile, json({ mode: 'auto' }))
    await writeFile(userFile, json({ mode: 'full' }))
    expect((await load()).settings.mode).toBe('auto')
  })

  test('its .env does not fill in the variables of the user file', async () => {
    await writeFile(userFile, json({ anthropic_base_url: ref('PROXY:-https://safe.test') }))
    await writeFile(projectFile, json({ model: ref('PROXY') }))
    await writeFile(join(cwd, '.env'), 'PROXY=https://evil.test')
    const { settings } = await load()
    expect(settings).toMatchObject({ anthropic_base_url: 'https://safe.test', model: 'https://evil.test' })
  })
})

describe('.env', () => {
  const dotEnv = (text: string): Promise<void> => writeFile(join(cwd, '.env'), text)

  test('gives a key, never over the real environment', async () => {
    await dotEnv('ANTHROPIC_API_KEY=from-file')
    const loaded = await load()
    expect(loaded.env.ANTHROPIC_API_KEY).toBe('from-file')
    expect(loaded.files).toEqual([join(cwd, '.env')])
    expect((await load({}, { ANTHROPIC_API_KEY: 'real' })).env.ANTHROPIC_API_KEY).toBe('real')
    expect((await load({}, { ANTHROPIC_API_KEY: '' })).env.ANTHROPIC_API_KEY).toBe('')
  })

  test('cannot send a key that is not its own to another host', async () => {
    await dotEnv('ANTHROPIC_BASE_URL=https://evil.test')
    for (const env of [{}, { ANTHROPIC_API_KEY: 'real' }]) {
      const { settings, env: merged, warnings } = await load({}, env)
      expect(settings.anthropic_base_url).toBe(DEFAULT_SETTINGS.anthropic_base_url)
      expect(merged.ANTHROPIC_BASE_URL).toBeUndefined()
      expect(warnings.join()).toContain('ANTHROPIC_BASE_URL is ignored')
    }
    await dotEnv('ANTHROPIC_API_KEY=theirs\nANTHROPIC_BASE_URL=https://evil.test')
    const { settings } = await load({}, { ANTHROPIC_API_KEY: 'real' })
    expect(settings.anthropic_base_url).toBe(DEFAULT_SETTINGS.anthropic_base_url)
  })

  test('may name the server for its own key, and that is said', async () => {
    await dotEnv('ANTHROPIC_API_KEY=theirs\nANTHROPIC_BASE_URL=https://own.test')
    const { settings, warnings } = await load()
    expect(settings.anthropic_base_url).toBe('https://own.test')
    expect(warnings.join()).toContain('https://own.test')
    expect(warnings.join()).not.toContain('theirs')
  })

  test('cannot move the data folder or change how programs are started', async () => {
    await dotEnv(`ML_INTERN_HOME=${root}/evil\nPATH=/evil\nLD_PRELOAD=/evil.so\nWANDB_API_KEY=w`)
    const loaded = await loadSettings({ cwd, env: { PATH: undefined, XDG_DATA_HOME: join(root, 'xdg') } })
    expect(loaded.home).not.toContain('evil')
    expect(Object.values(loaded.env).join()).not.toContain('evil')
    expect(loaded.env.WANDB_API_KEY).toBeUndefined()
    expect(loaded.warnings.join()).toContain('ML_INTERN_HOME is ignored')
  })

  test('a folder named .env and a file with bad lines do not stop the program', async () => {
    await mkdir(join(cwd, '.env'))
    expect((await load()).warnings).toEqual([])
    await rm(join(cwd, '.env'), { recursive: true })
    await dotEnv('what\nANTHROPIC_API_KEY=k')
    const { warnings, env } = await load()
    expect(warnings.join()).toContain('line 1 is no NAME=value')
    expect(env.ANTHROPIC_API_KEY).toBe('k')
  })

  test('a key that would go unencrypted over a network is warned about; loopback is not', async () => {
    expect((await load({}, { ANTHROPIC_BASE_URL: 'http://10.0.0.1' })).warnings.join()).toContain('without encryption')
    expect((await load({}, { ANTHROPIC_BASE_URL: 'http://127.0.0.1:8080' })).warnings).toEqual([])
  })
})

describe('saving', () => {
  test('keeps unknown keys and the texts with variables, and gives the merged settings', async () => {
    await writeFile(userFile, json({ model: ref('M:-a/b'), future: { x: 1 }, theme: 'dark' }))
    const save = createSettingsSaver(await load())
    expect(await save({ theme: 'light', effort: null })).toMatchObject({ theme: 'light', model: 'a/b', effort: null })
    expect(JSON.parse(await readFile(userFile, 'utf8'))).toEqual({
      model: ref('M:-a/b'),
      future: { x: 1 },
      theme: 'light',
      effort: null,
    })
    expect((await load()).settings.theme).toBe('light')
  })

  test('two changes at once lose neither', async () => {
    const save = createSettingsSaver(await load())
    await Promise.all([save({ theme: 'dark' }), save({ mode: 'plan' }), save({ model: 'a/c' })])
    expect(JSON.parse(await readFile(userFile, 'utf8'))).toEqual({ theme: 'dark', mode: 'plan', model: 'a/c' })
  })

  test('makes the folder for the user alone, and the file too', async () => {
    const fresh = join(root, 'fresh')
    const save = createSettingsSaver(await loadSettings({ cwd, env: { ML_INTERN_HOME: fresh } }))
    await save({ theme: 'dark' })
    expect((await stat(fresh)).mode & 0o777).toBe(0o700)
    expect((await stat(join(fresh, 'config.json'))).mode & 0o777).toBe(0o600)
  })

  test('a file that was broken meanwhile is not overwritten', async () => {
    const save = createSettingsSaver(await load())
    await writeFile(userFile, '{ "model": ')
    expect((await failure(save({ theme: 'dark' }))).code).toBe('config')
    expect(await readFile(userFile, 'utf8')).toBe('{ "model": ')
    await writeFile(userFile, '{}')
    expect((await save({ theme: 'dark' })).theme).toBe('dark')
  })
})

describe('data folder', () => {
  test('follows the system', () => {
    expect(defaultHome({ XDG_DATA_HOME: '/x' }, 'linux')).toBe('/x/ml-intern')
    expect(defaultHome({ XDG_DATA_HOME: 'relative' }, 'linux')).toBe(join(homedir(), '.local/share/ml-intern'))
    expect(defaultHome({}, 'darwin')).toBe(join(homedir(), 'Library/Application Support/ML Intern'))
    expect(defaultHome({ APPDATA: '/roaming' }, 'win32')).toBe('/roaming/ML Intern')
  })

  test('a file in its place, or above it, is named', async () => {
    const file = join(root, 'file')
    await writeFile(file, '')
    expect((await failure(ensureHome(file))).code).toBe('not_a_directory')
    expect((await failure(ensureHome(join(file, 'below')))).code).toBe('not_a_directory')
  })

  test('folders above it are made too, and two that start at once do not disturb each other', async () => {
    const deep = join(root, 'a', 'b', 'c')
    await Promise.all([ensureHome(deep), ensureHome(deep)])
    expect((await stat(join(root, 'a'))).mode & 0o777).toBe(0o700)
  })

  test.runIf(process.platform === 'linux')(
    'a place where nothing can be made is an error, not an endless loop',
    async () => {
      expect((await failure(ensureHome('/proc/ml-intern/data'))).message).toContain(
        '/proc/ml-intern/data cannot be made',
      )
    },
  )

  test('an existing folder keeps its mode', async () => {
    await chmod(home, 0o755)
    await ensureHome(home)
    expect((await stat(home)).mode & 0o777).toBe(0o755)
  })
})
