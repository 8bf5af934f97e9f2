import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { environmentOf } from '../../../../src/main/workspace/python/activate'
import { parseCondaName } from '../../../../src/main/workspace/python/conda'
import { parsePyvenv } from '../../../../src/main/workspace/python/layout'
import { withMachineLock } from '../../../../src/main/workspace/python/lock'
import { notebookCommand } from '../../../../src/main/workspace/python/notebooks'
import { systemPackage, toolProblem } from '../../../../src/main/workspace/python/problems'
import { installed, noteBaseline, recordRequirements } from '../../../../src/main/workspace/python/requirements'
import { quote } from '../../../../src/main/workspace/python/run-lines'

let folder = ''
const signal = new AbortController().signal
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ml-intern-python-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true })
})

describe('environmentOf', () => {
  const info = { environment: '/p/.venv', path: '/p/.venv/bin/python', source: 'venv' as const }

  it('puts the environment first, once, and drops what belonged to another', () => {
    const env = { PATH: '/usr/bin:/p/.venv/bin:/bin', PYTHONHOME: '/x', CONDA_PREFIX: '/c', VIRTUAL_ENV: '/o', A: '1' }
    expect(environmentOf(info, env)).toEqual({
      PATH: '/p/.venv/bin:/usr/bin:/bin',
      VIRTUAL_ENV: '/p/.venv',
      PIP_REQUIRE_VIRTUALENV: '1',
      A: '1',
    })
    expect(env.PYTHONHOME).toBe('/x')
  })

  it('points pip elsewhere at an environment that has none', () => {
    expect(environmentOf({ ...info, has_pip: false }, {}).PIP_PYTHON).toBe('/p/.venv/bin/python')
  })

  it('sets what conda sets, and does not forbid its pip to work', () => {
    const env = environmentOf({ ...info, environment: '/c/envs/ml', source: 'conda' }, { PATH: '/bin' })
    expect(env).toEqual({ PATH: '/c/envs/ml/bin:/bin', CONDA_PREFIX: '/c/envs/ml', CONDA_DEFAULT_ENV: 'ml' })
  })

  it("leaves everything for a system's Python", () => {
    const env = { PATH: '/bin', PYTHONHOME: '/x' }
    expect(environmentOf({ environment: null, path: '/bin/python3', source: 'system' }, env)).toEqual(env)
  })
})

describe('small readers', () => {
  it('parsePyvenv reads keys in any case and with any blanks', () => {
    const config = parsePyvenv('home = /usr/bin\r\nInclude-System-Site-Packages=true\nversion = 3.11.2\n\nnothing\n')
    expect(config.get('include-system-site-packages')).toBe('true')
    expect(config.get('home')).toBe('/usr/bin')
  })

  it.each([
    ['name: ml', 'ml'],
    ['channels: [x]\nname:  "my env" # c\n', null],
    ["name: 'ml-gpu'\ndependencies:\n  - name: no", 'ml-gpu'],
    ['name: ml # the one\r\n', 'ml'],
    ['dependencies:\n  - x', null],
    ['name: ../../evil', null],
    ['name: ..', null],
    ['name:', null],
  ])('parseCondaName of %j is %j', (yaml, name) => {
    expect(parseCondaName(yaml)).toBe(name)
  })

  it('names the package of the distribution', () => {
    const debian = 'NAME="Debian"\nID=debian\n'
    expect(systemPackage(debian, 'venv', '3.11.2')).toBe('sudo apt install python3.11-venv')
    expect(systemPackage('ID=linuxmint\nID_LIKE="ubuntu debian"\n', 'python', null)).toMatch(/apt install python3 /)
    expect(systemPackage('ID="rocky"\nID_LIKE="rhel centos fedora"\n', 'venv', null)).toMatch(/^sudo dnf/)
    expect(systemPackage('ID=arch\n', 'venv', null)).toMatch(/pacman/)
    expect(systemPackage('', 'venv', null)).toBe('')
  })

  it('tells an unreachable index from a package that does not exist', () => {
    const missing = 'ERROR: No matching distribution found for torchh'
    const refused = "WARNING: Retrying after connection broken by 'NewConnectionError(...): Connection refused'"
    expect(toolProblem('X', '/e', 'pip', [refused, missing]).code).toBe('network')
    expect(toolProblem('X', '/e', 'pip', [missing])).toMatchObject({ code: 'not_found' })
    expect(toolProblem('X', '/e', 'uv', ['error: No space left on device (os error 28)']).message).toMatch(
      /disk is full/,
    )
  })

  it('quotes words for a shell', () => {
    expect(quote('a/b.py')).toBe('a/b.py')
    expect(quote("it's $x")).toBe("'it'\\''s $x'")
    expect(quote('')).toBe("''")
  })
})

describe('withMachineLock', () => {
  it('lets one in at a time, and the next when it is free', async () => {
    let inside = 0
    let most = 0
    const order: number[] = []
    const enter = (name: number) =>
      withMachineLock(
        folder,
        signal,
        () => {},
        async () => {
          inside += 1
          most = Math.max(most, inside)
          await new Promise((resolve) => setImmediate(resolve))
          order.push(name)
          inside -= 1
        },
      )
    await Promise.all([1, 2, 3, 4, 5, 6].map(enter))
    expect(most).toBe(1)
    expect(order.toSorted()).toEqual([1, 2, 3, 4, 5, 6])
  })

  it('a waiter can give up, and an error frees the lock', async () => {
    const controller = new AbortController()
    const held = withMachineLock(
      folder,
      signal,
      () => {},
      async () => {
        await expect(
          withMachineLock(
            folder,
            controller.signal,
            () => controller.abort(new Error('enough')),
            async () => 1,
          ),
        ).rejects.toThrow('enough')
        throw new Error('failed')
      },
    )
    await expect(held).rejects.toThrow('failed')
    expect(
      await withMachineLock(
        folder,
        signal,
        () => {},
        async () => 2,
      ),
    ).toBe(2)
  })
})

describe('requirements', () => {
  async function install(name: string, direct?: unknown): Promise<void> {
    const at = join(folder, '.venv/lib/python3.11/site-packages', `${name}.dist-info`)
    await mkdir(at, { recursive: true })
    if (direct) await writeFile(join(at, 'direct_url.json'), JSON.stringify(direct))
  }

  it('records what came since, not what the user had, and leaves the project alone', async () => {
    await install('numpy-1.26.4')
    await install('pip-23.2.1')
    const info = { environment: join(folder, '.venv') }
    const place = { cwd: folder, home: join(folder, 'home') }
    expect(await recordRequirements(info, place)).toBeNull()
    await noteBaseline(info, place)
    expect(await recordRequirements(info, place)).toBeNull()
    await install('torch-2.5.0')
    await install('mine-0.1', { url: 'file:///src/mine', dir_info: { editable: true } })
    await install('fork-2.0', { url: 'https://host/f.git', vcs_info: { vcs: 'git', commit_id: 'abc' } })
    // The second time does not make our own packages the user's.
    await noteBaseline(info, place)
    const recorded = await recordRequirements(info, place)
    expect(recorded?.packages).toEqual(['-e file:///src/mine', 'fork @ git+https://host/f.git@abc', 'torch==2.5.0'])
    expect(recorded?.path.startsWith(place.home)).toBe(true)
    expect(await installed(info.environment)).toContain('numpy==1.26.4')
  })

  it('says how a notebook runs, and what is missing', async () => {
    const info = {
      environment: join(folder, '.venv'),
      path: join(folder, '.venv/bin/python'),
      source: 'project' as const,
    }
    const ask = (more = {}) => notebookCommand("a's.ipynb", folder, info, { env: {}, signal, ...more })
    expect(await ask()).toEqual({
      ok: false,
      missing: ['nbconvert', 'ipykernel'],
      install: 'pip install nbconvert ipykernel',
    })
    await install('nbconvert-7.16.0')
    await install('ipykernel-6.29.0')
    const made = await ask({ cell_timeout_s: 60 })
    expect(made).toMatchObject({ ok: true, runner: 'nbconvert', output: join(folder, "a's.executed.ipynb") })
    expect(made.ok && made.command).toContain(`--ExecutePreprocessor.timeout=60`)
    await install('papermill-2.6.0')
    expect(await ask({ in_place: true })).toMatchObject({ runner: 'papermill', output: join(folder, "a's.ipynb") })
    await expect(notebookCommand('a.py', folder, info, { env: {}, signal })).rejects.toThrow('no notebook')
  })
})
