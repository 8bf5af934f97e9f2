import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ensureEnvironment, environmentOf, recordRequirements } from '../../src/main/workspace/python'
import { LineProcess } from '../support/log-process'
import {
  bin,
  cwd,
  env,
  HOLD,
  helper,
  home,
  options,
  program,
  python,
  quickPython,
  root,
  run,
  venv,
  wheel,
} from '../support/python-bench'
import { isAlive } from '../unit/tools/context'

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
