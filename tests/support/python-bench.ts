import { execFile } from 'node:child_process'
import { chmod, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, vi } from 'vitest'
import type { EnsureOptions } from '../../src/main/workspace/python'
import { bundleHelper } from './log-process'

// Making an environment with pip takes 3 s alone on the machine, and 15 s where all cores are busy.
vi.setConfig({ testTimeout: 60_000 })

export const run = promisify(execFile)
export const signal = new AbortController().signal
export let shared = ''
export let helper = ''
export let root = ''
export let cwd = ''
export let home = ''
/** First on PATH: fakes go there. */
export let bin = ''
export let env: NodeJS.ProcessEnv = {}
/** A real interpreter, not a shim. */
export let python = ''

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

export const options = (more: Partial<EnsureOptions> = {}): EnsureOptions => ({ env, home, signal, ...more })
export const venv = () => join(cwd, '.venv')

export async function program(name: string, body: string, folder = bin): Promise<void> {
  await rm(join(folder, name), { force: true })
  await writeFile(join(folder, name), `#!/bin/sh\n${body}\n`)
  await chmod(join(folder, name), 0o755)
}

/** What the last argument is made into: half an environment that is never finished. */
export const HOLD = `for last; do :; done
mkdir -p "$last/bin"; echo x > "$last/bin/half"; echo $$ > "${'$'}{PIDS}"; echo half made; exec sleep 600`

/** For tests that are not about pip, which takes a venv seconds to install. */
export async function quickPython(ml = false): Promise<void> {
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
export async function wheel(name: string): Promise<string> {
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
