import { execFile } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  commandForScript,
  type EnsureOptions,
  ensureEnvironment,
  environmentOf,
  findPythons,
  projectPython,
  recordRequirements,
} from '../../src/main/workspace/python'
import { bundleHelper, LineProcess } from '../support/log-process'
import { isAlive } from '../unit/tools/context'

// Making an environment with pip takes 3 s alone on the machine, and 15 s where all cores are busy.
vi.setConfig({ testTimeout: 60_000 })

const run = promisify(execFile)
const signal = new AbortController().signal
let shared = ''
let helper = ''
let root = ''
let cwd = ''
let home = ''
/** First on PATH: fakes go there. */
let bin = ''
let env: NodeJS.ProcessEnv = {}
/** A real interpreter, not a shim. */
let python = ''

beforeAll(async () => {
  shared = await realpath(await mkdtemp(join(tmpdir(), 'ml-intern-env-')))
  helper = await bundleHelper('python-helper.ts', shared)
  python = (await run('python3', ['-c', 'import sys; print(sys.executable)'])).stdout.trim()
})
afterAll(async () => {
  await rm(shared, { recursive: true })
})
beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'ml-intern-env-')))
  cwd = join(root, 'mein Projekt – ügly & it’s')
  home = join(root, 'home')
  bin = join(root, 'bin')
  await mkdir(cwd)
  await mkdir(bin)
  await symlink(python, join(bin, 'python3'))
  env = { PATH: `${bin}:/usr/bin:/bin`, HOME: root, PIP_INDEX_URL: 'http://127.0.0.1:9/simple', PIP_NO_INPUT: '1' }
})
afterEach(async () => {
  await rm(root, { recursive: true, force: true })
})

const options = (more: Partial<EnsureOptions> = {}): EnsureOptions => ({ env, home, signal, ...more })
const venv = () => join(cwd, '.venv')

async function program(name: string, body: string, folder = bin): Promise<void> {
  await rm(join(folder, name), { force: true })
  await writeFile(join(folder, name), `#!/bin/sh\n${body}\n`)
  await chmod(join(folder, name), 0o755)
}

/** What the last argument is made into: half an environment that is never finished. */
const HOLD = `for last; do :; done
mkdir -p "$last/bin"; echo x > "$last/bin/half"; echo $$ > "${'$'}{PIDS}"; echo half made; exec sleep 600`

/** For tests that are not about pip, which takes a venv seconds to install. */
async function quickPython(ml = false): Promise<void> {
  await program(
    'python3',
    `case "$*" in
       *find_spec*) echo '{"path": "${bin}/python3", "version": [3, 11, 2], "ml": ${ml}, "venv": true}';;
       "-m venv "*) shift 2; echo made >> "${root}/made"; exec "${python}" -m venv --without-pip "$@";;
       *) exec "${python}" "$@";;
     esac`,
  )
}

/** A package without a line of code that needs a network: a wheel is a zip file (wheel specification). */
async function wheel(name: string): Promise<string> {
  const file = join(root, `${name}-1.0-py3-none-any.whl`)
  const code = `
import sys, zipfile
name, file = sys.argv[1:]
info = f'{name}-1.0.dist-info'
with zipfile.ZipFile(file, 'w') as z:
    z.writestr(f'{name}.py', 'VALUE = 42\\n')
    z.writestr(f'{info}/METADATA', f'Metadata-Version: 2.1\\nName: {name}\\nVersion: 1.0\\n')
    z.writestr(f'{info}/WHEEL', 'Wheel-Version: 1.0\\nGenerator: t\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    z.writestr(f'{info}/RECORD', '')
`
  await run(python, ['-c', code, name, file])
  return file
}

describe('ensureEnvironment', () => {
  it('makes one with venv, in a folder with blanks and umlauts, that commands then use; pip installs go there', async () => {
    const lines: string[] = []
    const info = await ensureEnvironment(cwd, options({ onProgress: (line) => lines.push(line) }))
    expect(info).toMatchObject({ path: join(venv(), 'bin/python'), source: 'venv', environment: venv(), has_pip: true })
    expect(lines[0]).toMatch(/^Making a Python environment with venv in /)
    expect(lines.at(-1)).toMatch(/^Ready: Python 3\./)
    expect(await readFile(join(venv(), '.gitignore'), 'utf8')).toBe('*\n')
    const command = environmentOf(info, { ...env, PYTHONHOME: '/nowhere' })
    const sh = (line: string) => run('sh', ['-c', line], { cwd, env: command })
    const { stdout } = await sh(
      'for p in python python3; do $p -c "import sys; print(sys.prefix)"; done; command -v pip',
    )
    expect(stdout).toBe(`${venv()}\n${venv()}\n${venv()}/bin/pip\n`)
    const file = await wheel('demo')
    await sh(`pip install --no-index "${file}"`)
    expect((await sh('python -c "import demo; print(demo.VALUE)"')).stdout).toBe('42\n')
    expect((await recordRequirements(info, { cwd, home }))?.packages).toEqual([`demo @ file://${encodeURI(file)}`])
    expect(await readdir(cwd)).toEqual(['.venv'])
    // The next time it is found, not made.
    const again = await ensureEnvironment(cwd, options({ env: { PATH: '' } }))
    expect(again).toMatchObject({ environment: venv(), source: 'venv' })
    expect(await readdir(join(home, 'python', 'making'))).toEqual([])
  })

  it('makes one with uv where uv is, and gives it a pip', async () => {
    await program(
      'uv',
      `echo "uv $*" >> "${root}/uv.log"; for last; do :; done; exec "${python}" -m venv --without-pip "$last"`,
    )
    const info = await ensureEnvironment(cwd, options())
    expect(info).toMatchObject({ source: 'uv', has_pip: true })
    expect(await readFile(join(root, 'uv.log'), 'utf8')).toMatch(/^uv venv .*\.venv\n$/)
    expect((await run('pip', ['--version'], { env: environmentOf(info, env) })).stdout).toContain(venv())
  })

  it('lets uv stand in for pip where Python comes without', async () => {
    // As Debian's Python does, this one fails to install pip.
    const inner = `#!/bin/sh\ncase "$*" in *ensurepip*) exit 1;; esac\nexec "${python}" "$@"\n`
    await writeFile(join(root, 'inner'), inner, { mode: 0o755 })
    await program(
      'uv',
      `case "$1" in
         venv) for last; do :; done; "${python}" -m venv --without-pip "$last"; rm "$last/bin/python"; cp "${root}/inner" "$last/bin/python";;
         *) echo "$VIRTUAL_ENV: $*";;
       esac`,
    )
    const info = await ensureEnvironment(cwd, options())
    expect(info).toMatchObject({ source: 'uv', has_pip: true })
    const { stdout } = await run('pip', ['install', 'a b'], { env: environmentOf(info, env) })
    expect(stdout).toBe(`${venv()}: pip install a b\n`)
  })

  it("a pip from elsewhere works on the project's environment, which has none", async () => {
    await run(python, ['-m', 'venv', '--without-pip', venv()])
    await program('pip', `exec "${python}" -m pip "$@"`)
    const info = await ensureEnvironment(cwd, options())
    expect(info).toMatchObject({ source: 'project', has_pip: false })
    const command = environmentOf(info, env)
    await run('pip', ['install', '--no-index', await wheel('demo')], { cwd, env: command })
    expect((await run('python', ['-c', 'import demo; print(demo.__file__)'], { env: command })).stdout).toContain(
      venv(),
    )
    // And it is ours to record, although we did not make the environment.
    expect((await recordRequirements(info, { cwd, home }))?.packages).toHaveLength(1)
  })

  it('goes on with venv when uv fails', async () => {
    await quickPython()
    await program('uv', 'echo "error: broken" >&2; exit 2')
    const lines: string[] = []
    const info = await ensureEnvironment(cwd, options({ onProgress: (line) => lines.push(line) }))
    expect(info.source).toBe('venv')
    expect(lines).toContain('uv could not make the environment; trying with venv.')
  })

  it('makes one for callers at the same time, in this process and in another', async () => {
    await quickPython()
    const other = new LineProcess('env', ['-i', `PATH=${env.PATH}`, process.execPath, helper, cwd, home])
    const all = await Promise.all([ensureEnvironment(cwd, options()), ensureEnvironment(cwd, options())])
    const { info } = JSON.parse(await other.line(/^\{/)) as { info: { environment: string } }
    await other.closed
    expect(new Set([...all.map(({ environment }) => environment), info.environment])).toEqual(new Set([venv()]))
    expect(await readFile(join(root, 'made'), 'utf8')).toBe('made\n')
  })

  it('can be interrupted: nothing half made stays and nothing goes on; who still wants it gets it', async () => {
    env.PIDS = join(root, 'pid')
    await program('uv', HOLD)
    const controller = new AbortController()
    const onProgress = (line: string) => {
      if (line === 'half made') controller.abort(new Error('enough'))
    }
    await expect(ensureEnvironment(cwd, options({ signal: controller.signal, onProgress }))).rejects.toThrow('enough')
    expect(await readdir(cwd)).toEqual([])
    expect(await readdir(join(home, 'python', 'making'))).toEqual([])
    expect(await isAlive(Number(await readFile(env.PIDS, 'utf8')))).toBe(false)
  })

  it('one caller that gives up does not take it from another', async () => {
    await quickPython()
    const controller = new AbortController()
    const onProgress = () => controller.abort(new Error('enough'))
    const [gone, stays] = await Promise.allSettled([
      ensureEnvironment(cwd, options({ signal: controller.signal, onProgress })),
      ensureEnvironment(cwd, options()),
    ])
    expect(gone.status).toBe('rejected')
    expect(stays).toMatchObject({ status: 'fulfilled', value: { environment: venv() } })
  })

  it('after kill -9 in the middle the next one ends what still runs, cleans up and makes it', async () => {
    const pids = join(root, 'pid')
    await program('uv', HOLD)
    const killed = new LineProcess('env', [
      '-i',
      `PATH=${env.PATH}`,
      `PIDS=${pids}`,
      process.execPath,
      helper,
      cwd,
      home,
    ])
    await killed.line(/half made/)
    const orphan = Number(await readFile(pids, 'utf8'))
    killed.child.kill('SIGKILL')
    await rm(join(bin, 'uv'))
    await quickPython()
    const lines: string[] = []
    const info = await ensureEnvironment(cwd, options({ onProgress: (line) => lines.push(line) }))
    expect(info.source).toBe('venv')
    // Before it, perhaps, that it waits: a killed process needs a moment to be gone.
    expect(lines).toContainEqual(expect.stringMatching(/which an interrupted run left half made/))
    expect(await readdir(join(venv(), 'bin'))).not.toContain('half')
    expect(await isAlive(orphan)).toBe(false)
    await killed.closed
  })

  it('after kill -9 it does not touch what the user has put there since', async () => {
    await program('uv', HOLD)
    const killed = new LineProcess('env', [
      '-i',
      `PATH=${env.PATH}`,
      `PIDS=${root}/pid`,
      process.execPath,
      helper,
      cwd,
      home,
    ])
    await killed.line(/half made/)
    killed.child.kill('SIGKILL')
    await rm(venv(), { recursive: true })
    await run(python, ['-m', 'venv', '--without-pip', venv()])
    const info = await ensureEnvironment(cwd, options())
    expect(info).toMatchObject({ source: 'project', environment: venv() })
    await killed.closed
  })

  it('never makes one over something else', async () => {
    await mkdir(venv())
    await writeFile(join(venv(), 'notes.txt'), 'mine')
    await expect(ensureEnvironment(cwd, options())).rejects.toThrow(/it is there and is no environment/)
    await writeFile(join(venv(), 'pyvenv.cfg'), 'home = /gone\nversion = 3.11.2\n')
    await mkdir(join(venv(), 'bin'))
    await symlink('/gone/python3', join(venv(), 'bin/python'))
    await expect(ensureEnvironment(cwd, options())).rejects.toThrow(/its Python \(\/gone\/python3\) is gone/)
    expect(await readFile(join(venv(), 'notes.txt'), 'utf8')).toBe('mine')
  })

  it('makes none where the name of the folder would be run by the programs in it', async () => {
    const folder = join(root, 'a $(touch run) b')
    await mkdir(folder)
    await expect(ensureEnvironment(folder, options())).rejects.toThrow(/its path holds \$/)
    expect(await readdir(folder)).toEqual([])
  })

  it('says what to install when Python is missing, or cannot make environments', async () => {
    const nothing = ensureEnvironment(cwd, options({ env: { PATH: join(root, 'empty') } }))
    await expect(nothing).rejects.toMatchObject({ code: 'resource_missing', message: 'No Python 3 was found.' })
    await expect(nothing).rejects.toHaveProperty('remedy', expect.stringMatching(/install/i))
    await program('python3', `echo '{"path": "${bin}/python3", "version": [3, 11, 2], "ml": false, "venv": false}'`)
    const bare = ensureEnvironment(cwd, options({ env: { PATH: bin } }))
    await expect(bare).rejects.toThrow(/\(3\.11\.2\) cannot make environments: its modules venv and ensurepip/)
    expect(await readdir(cwd)).toEqual([])
  })

  it('says so when the folder may not be written to, or is not there', async () => {
    // Nobody, not even root, makes folders in /sys/kernel.
    const closed = ensureEnvironment('/sys/kernel', options())
    await expect(closed).rejects.toMatchObject({ code: 'permission' })
    await expect(ensureEnvironment(join(root, 'gone'), options())).rejects.toMatchObject({ code: 'not_found' })
  })

  it('says so when the disk is full, and leaves nothing', async () => {
    // A file system of 4 MB; pip alone is more.
    const disk = ['--dev-bind', '/', '/', '--size', '4000000', '--tmpfs', cwd]
    const clean = ['env', '-i', `PATH=${env.PATH}`, 'sh', '-c', '"$@"; ls -A "$0"', cwd]
    const full = new LineProcess('bwrap', [...disk, ...clean, process.execPath, helper, cwd, home])
    const outcome = JSON.parse(await full.line(/^\{/)) as Record<string, string>
    await full.closed
    expect(outcome.code).toBe('resource_missing')
    expect(outcome.message).toMatch(/^The disk is full/)
    expect(full.lines.at(-1)).toMatch(/^\{/)
  })

  it("lets a new environment see the system's packages when those are what one cannot get otherwise", async () => {
    await quickPython(true)
    const lines: string[] = []
    await ensureEnvironment(
      cwd,
      options({ env: { ...env, PATH: `${bin}:/bin` }, onProgress: (line) => lines.push(line) }),
    )
    expect(lines[0]).toMatch(/It sees the system's packages, because .* has torch or scikit-learn/)
    expect(await readFile(join(venv(), 'pyvenv.cfg'), 'utf8')).toMatch(/include-system-site-packages = true/)
  })
})

describe('findPythons', () => {
  const make = (folder: string) => run(python, ['-m', 'venv', '--without-pip', folder])

  async function conda(folder: string): Promise<void> {
    await mkdir(join(folder, 'conda-meta'), { recursive: true })
    await mkdir(join(folder, 'bin'))
    await writeFile(join(folder, 'conda-meta/python-3.11.5-h955ad1f_0.json'), '{}')
    await symlink(python, join(folder, 'bin/python'))
  }

  it('names all in the order in which they are taken, each with its reason', async () => {
    await make(join(cwd, 'venv'))
    await make(join(root, 'active'))
    const version = (await run(python, ['-c', 'import platform; print(platform.python_version())'])).stdout.trim()
    for (const name of ['ml', 'other']) {
      await conda(join(root, 'miniconda3/envs', name))
      await rm(join(root, 'miniconda3/envs', name, 'conda-meta/python-3.11.5-h955ad1f_0.json'))
    }
    await writeFile(join(cwd, 'environment.yml'), 'name: ml\n')
    const active = { VIRTUAL_ENV: join(root, 'active'), CONDA_PREFIX: join(root, 'miniconda3/envs/other') }
    const { candidates, skipped } = await findPythons({ ...env, ...active }, cwd, { signal })
    expect(candidates.map(({ reason, source }) => [source, reason])).toEqual([
      ['project', "the project's own environment (venv)"],
      ['venv', 'the active environment (VIRTUAL_ENV)'],
      ['conda', 'the active conda environment (CONDA_PREFIX)'],
      ['conda', 'the conda environment that environment.yml names (ml)'],
      ['system', 'python3 on PATH'],
    ])
    expect(new Set(candidates.map((candidate) => candidate.version))).toEqual(new Set([version]))
    expect(skipped).toEqual([])
  })

  it('before a command it looks for the environment alone, and starts nothing for it twice', async () => {
    expect(await projectPython(env, cwd, { signal })).toBeNull()
    await program('python3', `echo asked >> "${root}/asked"; exec "${python}" "$@"`)
    await mkdir(join(venv(), 'bin'), { recursive: true })
    await writeFile(join(venv(), 'pyvenv.cfg'), `home = ${bin}\n`)
    await symlink(join(bin, 'python3'), join(venv(), 'bin/python'))
    for (let i = 0; i < 5; i += 1) {
      const found = await projectPython({ ...env, VIRTUAL_ENV: join(root, 'gone') }, cwd, { signal })
      expect(found).toMatchObject({ environment: venv(), source: 'project' })
    }
    expect(await readFile(join(root, 'asked'), 'utf8')).toBe('asked\n')
  })

  it("takes no part of conda's base for the project's own", async () => {
    await conda(join(root, 'base'))
    await rm(join(root, 'base/conda-meta/python-3.11.5-h955ad1f_0.json'))
    await mkdir(join(root, 'base/condabin'))
    const { candidates } = await findPythons({ ...env, CONDA_PREFIX: join(root, 'base') }, cwd, { signal })
    expect(candidates[0]).toMatchObject({ source: 'conda', shared: true })
  })

  it('skips what is broken and says why', async () => {
    await make(venv())
    await writeFile(join(venv(), 'pyvenv.cfg'), 'home = /usr/bin\nversion = 3.2.1\n')
    await make(join(cwd, 'env'))
    await rm(join(cwd, 'env/bin/python'))
    await program('python3', 'echo "pyenv: version 3.99 is not installed" >&2; exit 127')
    await program('python', 'exec /bin/sleep 600')
    const active = { PATH: bin, HOME: root, VIRTUAL_ENV: join(root, 'gone') }
    await writeFile(join(cwd, 'environment.yml'), 'name: ml\n')
    const { candidates, skipped } = await findPythons(active, cwd, { signal, timeout_ms: 300 })
    expect(candidates).toEqual([])
    expect(skipped.map(({ why }) => why)).toEqual([
      expect.stringMatching(/^it was made for Python 3\.2, and .* is now 3\./),
      expect.stringMatching(/bin\/python is missing$/),
      expect.stringMatching(/VIRTUAL_ENV\) is not there/),
      expect.stringMatching(/^environment\.yml names this conda environment, which is not there/),
      'it fails with exit code 127: pyenv: version 3.99 is not installed',
      'it did not answer within 0.3 s',
    ])
  })

  it('runs no program that lies in the project: it may be from anybody', async () => {
    await mkdir(join(venv(), 'bin'), { recursive: true })
    await writeFile(join(venv(), 'pyvenv.cfg'), 'home = /usr/bin\nversion = 3.11.2\n')
    await program('python', `touch "${root}/was run"; echo '{}'`, join(venv(), 'bin'))
    const { candidates } = await findPythons(env, cwd, { signal })
    expect(candidates[0]).toMatchObject({ environment: venv(), version: '3.11.2' })
    expect(await readdir(root)).not.toContain('was run')
  })

  it('asks an interpreter again only after it has changed', async () => {
    const say = (patch: number) =>
      program('python3', `echo asked >> "${root}/asked"; echo '{"path": "/py", "version": [3, 11, ${patch}]}'`)
    const versions = async () => (await findPythons(env, cwd, { signal })).candidates.map(({ version }) => version)
    await say(8)
    expect(await versions()).toEqual(['3.11.8'])
    expect(await versions()).toEqual(['3.11.8'])
    expect(await readFile(join(root, 'asked'), 'utf8')).toBe('asked\n')
    await say(10)
    expect(await versions()).toEqual(['3.11.10'])
  })
})

describe('commandForScript', () => {
  const script = (lines: string) => `# /// script\n${lines}\n# ///\nimport demo\nprint(demo.VALUE)\n`

  it('makes an environment that scripts with the same dependencies share, and leaves the project alone', async () => {
    const file = await wheel('demo')
    await writeFile(join(cwd, 'a b.py'), script(`# dependencies = ["demo @ file://${encodeURI(file)}"]`))
    const made = await commandForScript('a b.py', cwd, options())
    expect((await run('sh', ['-c', made?.command ?? ''], { cwd, env })).stdout).toBe('42\n')
    await rm(file)
    const again = await commandForScript('a b.py', cwd, options())
    expect(again?.argv).toEqual(made?.argv)
    expect(await readdir(cwd)).toEqual(['a b.py'])
  })

  it('leaves it to uv where uv is', async () => {
    await program('uv', 'echo "$@"')
    await writeFile(join(cwd, 'x.py'), script('# dependencies = ["torch"]'))
    const made = await commandForScript('x.py', cwd, options())
    expect(made).toMatchObject({ runner: 'uv', argv: [join(bin, 'uv'), 'run', '--script', join(cwd, 'x.py')] })
  })

  it('is null for an ordinary script', async () => {
    await writeFile(join(cwd, 'x.py'), 'print(1)\n')
    expect(await commandForScript('x.py', cwd, options())).toBeNull()
  })

  it('says that PyPI cannot be reached, and leaves nothing half made', async () => {
    await writeFile(join(cwd, 'x.py'), script('# dependencies = ["rich"]'))
    const lines: string[] = []
    const failed = commandForScript('x.py', cwd, options({ onProgress: (line) => lines.push(line) }))
    await expect(failed).rejects.toMatchObject({
      code: 'network',
      message: expect.stringMatching(/PyPI\) cannot be reached/),
    })
    expect(await readdir(join(home, 'python/scripts'))).toEqual([])
    expect(lines[0]).toBe('Making an environment with 1 package for the script.')
  })

  it('says which Python is missing, and refuses a dependency that is an option', async () => {
    await writeFile(join(cwd, 'x.py'), script('# requires-python = ">=3.99"'))
    await expect(commandForScript('x.py', cwd, options())).rejects.toThrow(
      /The script needs Python >=3.99; there is 3\./,
    )
    await writeFile(join(cwd, 'x.py'), script('# dependencies = ["--index-url=http://127.0.0.1:1"]'))
    await expect(commandForScript('x.py', cwd, options())).rejects.toThrow(/Invalid requirement|pip failed/)
  })
})
