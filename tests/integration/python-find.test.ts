import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { commandForScript, findPythons, projectPython } from '../../src/main/workspace/python'
import { bin, cwd, env, home, options, program, python, root, run, signal, venv, wheel } from '../support/python-bench'

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
